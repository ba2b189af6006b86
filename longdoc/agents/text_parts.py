"""The parts of a text that get a tree of summaries of their own, with chapters and segments inside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias

from longdoc.agents.chapters import chapters_of, split_at_chapters
from longdoc.agents.summary import SummaryTask
from longdoc.agents.tree_plan import WORDS_PER_TOKEN, words_of
from longdoc.agents.window_limits import WindowLimits
from longdoc.documents.document import Document, Section
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

_FULL_PART = 0.8
"""How full parts of a long summary are planned, of what one call writes, so that uneven parts find room."""
_SECTION_DEPTH = 2
"""Parts and chapters get a node of their own; deeper sections flow into the chapter's."""
_CHAPTER_WORDS = 150


@dataclass(frozen=True, slots=True)
class Leaf:
    """A segment, under the title of its section."""

    segment: Segment
    title: str

    @property
    def leaves(self) -> int:
        """How many segments it holds."""
        return 1

    @property
    def tokens(self) -> int:
        """Tokens of its text."""
        return self.segment.tokens

    @property
    def level(self) -> int:
        """How many levels lie below it."""
        return 0


@dataclass(frozen=True, slots=True)
class Branch:
    """What gets one summary: a chapter, a part, or a row of them; figures as those of `Leaf`."""

    items: tuple[Item, ...]
    title: str
    level: int
    leaves: int
    tokens: int


Item: TypeAlias = Leaf | Branch


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the text that gets a tree of its own, and the words asked of its root."""

    items: tuple[Item, ...]
    title: str
    words: int


def branch_of(items: Sequence[Item], title: str) -> Branch:
    """These under one node, a level above the highest of them."""
    level = 1 + max(item.level for item in items)
    return Branch(tuple(items), title, level, sum(item.leaves for item in items), sum(item.tokens for item in items))


def chapter_parts(task: SummaryTask, body: Sequence[Segment], limits: WindowLimits) -> list[Part]:
    """A part for each chapter. Raises `ConfigError` for more words than one call writes."""
    chapters = chapters_of(task.document)
    most = words_of(limits.final)
    words = min(_CHAPTER_WORDS, most) if task.words is None else task.words
    if words > most:
        raise ConfigError(f"{words} words for each chapter are more than the {most} that one call writes here")
    return [
        Part(tuple(Leaf(segment, chapter.title) for segment in segments), chapter.title, words)
        for chapter, segments in zip(chapters, split_at_chapters(body, chapters), strict=True)
        if segments
    ]


def stretch_parts(task: SummaryTask, body: Sequence[Segment], limits: WindowLimits) -> list[Part]:
    """As many parts, of about as much text each, as calls are needed for the words asked for; mostly one.

    Raises `ConfigError` for more words than the text bears.
    """
    items = _grouped(task.document, body)
    title = task.document.title
    most = words_of(limits.final)
    words = most if task.words is None else task.words
    if words <= most:
        return [Part(tuple(items), title, words)]
    count = min(len(body), math.ceil(words / (most * _FULL_PART)))
    text_words = sum(segment.tokens for segment in body) * WORDS_PER_TOKEN
    if words > text_words / 2 or words > most * len(body):
        raise ConfigError(
            f"{words:,} words are too many for a text of about {int(text_words):,} in {len(body)} segments; ask for "
            f"at most {min(int(text_words / 2), most * len(body)):,}"
            + (" or use smaller segments (--segment-tokens)" if most * len(body) < text_words / 2 else "")
        )
    rows = _rows_by_tokens(_opened(items, count), count)
    shares = _shares(words, [sum(item.tokens for item in row) for row in rows], most)
    return [Part(tuple(row), "", share) for row, share in zip(rows, shares, strict=True)]


def _opened(items: Sequence[Item], count: int) -> list[Item]:
    """The same in at least twice as many items as `count`, as far as there are branches to open, largest first."""
    opened = list(items)
    while len(opened) < 2 * count and any(isinstance(item, Branch) for item in opened):
        index = max(range(len(opened)), key=lambda i: (isinstance(opened[i], Branch), opened[i].tokens))
        largest = opened[index]
        if isinstance(largest, Branch):
            opened[index : index + 1] = largest.items
    return opened


def _rows_by_tokens(items: Sequence[Item], count: int) -> list[list[Item]]:
    """Consecutive rows of about as many tokens each, none empty."""
    total = sum(item.tokens for item in items)
    rows: list[list[Item]] = [[]]
    before = 0
    for index, item in enumerate(items):
        due = (before + item.tokens / 2) * count / max(1, total) >= len(rows)
        needed = len(items) - index <= count - len(rows)
        if rows[-1] and len(rows) < count and (due or needed):
            rows.append([])
        rows[-1].append(item)
        before += item.tokens
    return rows


def _shares(words: int, weights: Sequence[int], most: int) -> list[int]:
    """Words for each part by its weight, none above `most`; together they are `words`."""
    unit = words / max(1, sum(weights))
    full = [weight * unit > most for weight in weights]
    if not any(full) or all(full):
        return [min(most, round(weight * unit)) for weight in weights]
    rest = [weight for weight, is_full in zip(weights, full, strict=True) if not is_full]
    others = iter(_shares(words - most * sum(full), rest, most))
    return [most if is_full else next(others) for is_full in full]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A segment with the numbers of the sections around it, outermost first."""

    segment: Segment
    path: tuple[int, ...]


def _grouped(document: Document, segments: Sequence[Segment]) -> list[Item]:
    """Segments in order, those of one chapter (and chapters of one part) in a branch of their own."""
    paths, titles = _section_paths(document)
    entries = [_Entry(s, paths[s.section] if s.section is not None else ()) for s in segments]
    return _by_section(entries, titles, place=0, depth_left=_SECTION_DEPTH)


def _section_paths(document: Document) -> tuple[list[tuple[int, ...]], list[str]]:
    """For each section in `walk_sections` order, the numbers of its ancestors and itself; and the titles."""
    paths: list[tuple[int, ...]] = []
    titles: list[str] = []

    def walk(sections: Sequence[Section], above: tuple[int, ...]) -> None:
        for section in sections:
            path = (*above, len(paths))
            paths.append(path)
            titles.append(section.title)
            walk(section.children, path)

    walk(document.sections, ())
    return paths, titles


def _by_section(entries: Sequence[_Entry], titles: Sequence[str], *, place: int, depth_left: int) -> list[Item]:
    if depth_left == 0:
        return [_leaf(entry, titles) for entry in entries]
    items: list[Item] = []
    for section, grouped in groupby(entries, key=lambda entry: entry.path[place : place + 1]):
        group = list(grouped)
        whole = len(group) == len(entries)
        if not section or len(group) == 1:
            items.extend(_leaf(entry, titles) for entry in group)
            continue
        inner = _by_section(group, titles, place=place + 1, depth_left=depth_left if whole else depth_left - 1)
        items.extend(inner if whole else [branch_of(inner, titles[section[0]])])
    return items


def _leaf(entry: _Entry, titles: Sequence[str]) -> Leaf:
    return Leaf(entry.segment, titles[entry.path[-1]] if entry.path else "")
