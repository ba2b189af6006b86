"""Sections from an outline that stands apart from the text (an EPUB's contents, a PDF's bookmarks).

Owns nesting and how far a section runs; where an entry's target lies in the text is the reader's to find.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from longdoc.documents.document import Section, SectionRole
from longdoc.documents.normal import normal_line

_DEEPEST = 24


@dataclass(frozen=True, slots=True)
class OutlineEntry:
    """A line of a contents list: `depth` 0 is the outermost; `offset` is its target, None where unknown."""

    title: str
    depth: int
    offset: int | None
    role: SectionRole = SectionRole.BODY
    href: str | None = None


@dataclass(slots=True)
class SectionDraft:
    """A section under construction; `end` is None while it is open."""

    title: str
    start: int
    role: SectionRole = SectionRole.BODY
    href: str | None = None
    end: int | None = None
    children: list[SectionDraft] = field(default_factory=list["SectionDraft"])


def sections_from_outline(entries: Sequence[OutlineEntry], text_length: int) -> tuple[Section, ...]:
    """Nest the entries; each section runs to the next entry at its own or a higher level, or to the end.

    Every entry becomes one section. Entries out of reading order, or without an offset, stand where the next
    entry in order begins, so that they take no text from their neighbours (one that only groups others holds
    them all the same).
    """
    top: list[SectionDraft] = []
    stack: list[tuple[int, SectionDraft]] = []
    for entry, start in zip(entries, _reading_offsets(entries, text_length), strict=True):
        depth = min(entry.depth, _DEEPEST)
        while stack and stack[-1][0] >= depth:
            stack.pop()[1].end = start
        draft = SectionDraft(normal_line(entry.title), start, entry.role, entry.href)
        (stack[-1][1].children if stack else top).append(draft)
        stack.append((depth, draft))
    return freeze_sections(top, text_length)


def freeze_sections(
    drafts: Sequence[SectionDraft], text_length: int, path: tuple[str, ...] = ()
) -> tuple[Section, ...]:
    """The drafts as sections with paths, cut to the length of the text; open ones run to its end."""
    return tuple(_frozen(draft, text_length, path) for draft in drafts)


def _frozen(draft: SectionDraft, text_length: int, parent: tuple[str, ...]) -> Section:
    path = (*parent, draft.title)
    return Section(
        title=draft.title,
        start=min(draft.start, text_length),
        end=text_length if draft.end is None else min(draft.end, text_length),
        role=draft.role,
        path=path,
        href=draft.href,
        children=freeze_sections(draft.children, text_length, path),
    )


def _reading_offsets(entries: Sequence[OutlineEntry], text_length: int) -> list[int]:
    """An offset per entry, never falling: entries that break the order are moved, the fewest possible."""
    kept = _longest_rising([None if e.offset is None else min(max(e.offset, 0), text_length) for e in entries])
    offsets: list[int] = []
    following = text_length
    for offset in reversed(kept):
        following = following if offset is None else offset
        offsets.append(following)
    offsets.reverse()
    return offsets


def _longest_rising(offsets: Sequence[int | None]) -> list[int | None]:
    """The same offsets with None for all that are outside one longest never-falling subsequence."""
    tails: list[int] = []
    tail_indexes: list[int] = []
    previous: list[int] = [-1] * len(offsets)
    for index, offset in enumerate(offsets):
        if offset is None:
            continue
        place = bisect_right(tails, offset)
        previous[index] = tail_indexes[place - 1] if place else -1
        tails[place : place + 1] = [offset]
        tail_indexes[place : place + 1] = [index]
    rising: list[int | None] = [None] * len(offsets)
    index = tail_indexes[-1] if tail_indexes else -1
    while index >= 0:
        rising[index] = offsets[index]
        index = previous[index]
    return rising
