"""Counting what was noted all over a text: by the places of the notes, never by what a model says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from longdoc.agents.chapters import chapters_of
from longdoc.agents.question_kinds import Unit
from longdoc.agents.segment_notes import MapItem
from longdoc.documents.document import Document
from longdoc.documents.places import place_of
from longdoc.errors import ConfigError
from longdoc.retrieval.quote_words import QuoteWords

Documents: TypeAlias = Mapping[str, Document]
"""The documents that were read, by their ids, in their order."""


@dataclass(frozen=True, slots=True)
class Group:
    """What counts as one: a chapter, a page, a mention, a thing; `items` are the notes on it, in text order."""

    title: str
    items: tuple[MapItem, ...]


def distinct_places(items: Iterable[MapItem], documents: Documents) -> list[MapItem]:
    """The notes in text order, those at one place once.

    One that holds another one's words is at the same place, and the shorter one stays.
    """
    order = {document: number for number, document in enumerate(documents)}
    kept: list[MapItem] = []
    for item in sorted(items, key=lambda item: (order[item.citation.document_id], item.citation.end, -_start(item))):
        last = kept[-1] if kept else None
        same = last is not None and last.citation.document_id == item.citation.document_id
        if last is None or not same or _start(last) < _start(item):
            kept.append(item)
    return kept


def _start(item: MapItem) -> int:
    return item.citation.start


def at_term(items: Sequence[MapItem], term: str, documents: Documents) -> list[MapItem]:
    """The places where the words of notes hold a term, as whole words in any case; each place once."""
    needle = QuoteWords(term)
    found: dict[tuple[str, int], MapItem] = {}
    for item in items:
        cited = item.citation
        document = documents[cited.document_id]
        words = QuoteWords(document.text[cited.start : cited.end])
        for first in words.occurrences(needle.joined) if len(needle) else ():
            start, end = cited.start + words.start(first), cited.start + words.end(first + len(needle) - 1)
            place = place_of(document, start, end)
            at = replace(cited, start=start, end=end, quote=document.text[start:end], place=place)
            found.setdefault((document.id, start), replace(item, citation=at))
    return distinct_places(found.values(), documents)


def grouped(items: Sequence[MapItem], unit: Unit, documents: Documents) -> list[Group]:
    """Notes by what is counted, in text order. Raises `ConfigError` where a document with notes has no such units."""
    if unit is Unit.MENTIONS:
        return [Group(str(item.citation.place), (item,)) for item in items]
    several = len(documents) > 1
    units = {one: _units_of(documents[one], unit) for one in dict.fromkeys(item.citation.document_id for item in items)}
    groups: dict[tuple[str, int | str], Group] = {}
    for item in items:
        found = units[item.citation.document_id](item)
        key = (item.citation.document_id if unit is not Unit.ITEMS else "", found[0])
        title = f"{item.citation.title}: {found[1]}" if several and unit is not Unit.ITEMS else found[1]
        group = groups.get(key, Group(title, ()))
        groups[key] = replace(group, items=(*group.items, item))
    return list(groups.values())


_UnitOf: TypeAlias = Callable[[MapItem], tuple[int | str, str]]
"""Which unit a note is in: what tells it from others, and its title."""


def _units_of(document: Document, unit: Unit) -> _UnitOf:
    if unit is Unit.CHAPTERS:
        try:
            chapters = chapters_of(document)
        except ConfigError:
            raise ConfigError(f"{document.title} has no chapters to go by") from None
        return _by_start([chapter.start for chapter in chapters], [chapter.title for chapter in chapters])
    if unit is Unit.SECTIONS:
        sections = {section.start: section.title for section in document.walk_sections()}
        if not sections:
            raise ConfigError(f"{document.title} has no sections to go by")
        return _by_start(sorted(sections), [sections[start] for start in sorted(sections)])
    if unit is Unit.PARAGRAPHS:
        blocks = [block.start for block in document.blocks]
        return _by_start(blocks or [0], [f"paragraph {number}" for number in range(1, max(2, len(blocks) + 1))])
    if unit is Unit.PAGES:
        if not any(block.page is not None for block in document.blocks):
            raise ConfigError(f"{document.title} has no pages to go by")
        return lambda item: (item.citation.place.page or 0, f"page {item.citation.place.page or 'unknown'}")
    return _by_name


def _by_start(starts: Sequence[int], titles: Sequence[str]) -> _UnitOf:
    """The unit that began last; what stands before the first one is of the first one."""

    def found(item: MapItem) -> tuple[int | str, str]:
        number = max(0, bisect_right(starts, item.citation.start) - 1)
        return number, titles[number]

    return found


def _by_name(item: MapItem) -> tuple[int | str, str]:
    name = item.text or item.citation.quote
    return " ".join(QuoteWords(name).words) or name, name.rstrip(".")
