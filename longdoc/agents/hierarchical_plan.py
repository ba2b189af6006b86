"""The tree of a hierarchical summary.

Source: "BooookScore" (Chang, Lo, Goyal, Iyyer, ICLR 2024), section 2.1, hierarchical merging. Theirs packs a level
when its summaries are there; ours plans with the limits of the answers instead, which hold for any answer, so that the
tree is known beforehand, always fits the window and always ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, pairwise
from typing import TypeAlias

from longdoc.agents.chapters import chapters_of, split_at_chapters
from longdoc.agents.summary import SummaryTask
from longdoc.agents.tree_plan import (
    DEFAULT_FINAL_TOKENS,
    FENCE_TOKENS,
    SAFETY_TOKENS,
    WORDS_PER_TOKEN,
    PlannedNode,
    SummaryPlan,
    level_above,
    words_of,
)
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

_LEVEL_SHRINK = 0.65
_CONTEXT_SHARE = 0.2
_LEAST_FINAL = 64
_LEAST_LEAF = 48
_FULL_PART = 0.8
"""How full parts of a long summary are planned, of what one call writes, so that uneven parts find room."""
_DETAIL = 1.5
"""How many words of summaries of segments a merge should have for a word that it writes."""
_SECTION_DEPTH = 2
"""Parts and chapters get a node of their own; deeper sections flow into the chapter's."""
_CHAPTER_WORDS = 150


class MergeContext(StrEnum):
    """What a merge is told of what came before.

    `PREVIOUS`: the merge before it at its level (the paper), so that each waits for the one before. `CHILD`: the end
    of the summary that precedes its first child, which is there as early as its children, so that merges run at the
    same time and a change far before them does not reach them.
    """

    CHILD = "child"
    PREVIOUS = "previous"


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """What fits a call: the window, the tokens of the longest empty template, and the most an answer may have.

    Limits of answers go by level, from below: 380, 585 and 900 tokens as the paper's code has them for three levels,
    then 900; less in a small window. So a node's limit depends on nothing above it, and what a changed length or
    a changed chapter leaves as it was is found in the record.
    """

    window: int
    overhead: int
    max_output: int | None = None

    @property
    def final(self) -> int:
        """The limit of the highest levels; two summaries of it, and an answer that is gone on with, fit a call."""
        fitting = (self.window - self.overhead - SAFETY_TOKENS - 2 * FENCE_TOKENS) // 4
        final = min(DEFAULT_FINAL_TOKENS, fitting, self.max_output or fitting)
        if final < _LEAST_FINAL:
            raise ConfigError(
                f"a window of {self.window} tokens cannot hold a merge: the template takes {self.overhead}, and what "
                "is left does not hold two summaries and an answer; use a model with a larger window"
            )
        return final

    def limit(self, level: int) -> int:
        """The limit of an answer at this level, in tokens."""
        return max(_LEAST_LEAF, int(self.final * _LEVEL_SHRINK ** max(0, 2 - level)))

    def context(self, level: int, *, child_limit: int) -> int:
        """Tokens for what came before; 0 where only without it two summaries fit."""
        room = self._room(level)
        context = int(room * _CONTEXT_SHARE)
        return context if room - context >= 2 * (child_limit + FENCE_TOKENS) else 0

    def children(self, level: int, *, child_limit: int) -> int:
        """How many summaries of at most `child_limit` tokens a merge at this level reads; at least 2."""
        return (self._room(level) - self.context(level, child_limit=child_limit)) // (child_limit + FENCE_TOKENS)

    def _room(self, level: int) -> int:
        """What an answer leaves, which may have to be read once more to be gone on with."""
        return self.window - self.overhead - SAFETY_TOKENS - 2 * self.limit(level)


def plan_hierarchical(task: SummaryTask, limits: WindowLimits, *, context: MergeContext) -> SummaryPlan:
    """Plan the tree over the segments of the body (over all of them where a document has no body).

    Parts and chapters with several segments get nodes of their own. A summary of more words than one call writes is
    one of several stretches of the text, each told on from the one before; one by chapter is one of each chapter.
    Raises `ConfigError` where a segment with its answer, or a merge of two, does not fit the window, or more words
    are asked for than the text bears.
    """
    body = [s for s in task.segments if s.role is SectionRole.BODY] or list(task.segments)
    planner = _Planner(limits, context)
    parts = _chapters(task, body, limits) if task.by_chapter else _stretches(task, body, limits)
    roots = [planner.add_part(part) for part in parts]
    if len(roots) > 1:
        planner.add_joined(roots)
    plan = SummaryPlan(tuple(planner.nodes), limits.overhead)
    _check_leaves(plan, limits)
    return plan


def _check_leaves(plan: SummaryPlan, limits: WindowLimits) -> None:
    for node in plan.nodes:
        written = node.limit * (2 if node.result else 1)
        if node.segment and node.segment.tokens + limits.overhead + written > limits.window:
            raise ConfigError(
                f"a segment of {node.segment.tokens} tokens, a template of {limits.overhead} and an answer of "
                f"{written} do not fit a window of {limits.window}; use smaller segments (--segment-tokens) "
                "or a model with a larger window"
            )


@dataclass(frozen=True, slots=True)
class _Leaf:
    segment: Segment
    title: str

    @property
    def leaves(self) -> int:
        return 1

    @property
    def tokens(self) -> int:
        return self.segment.tokens

    @property
    def level(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class _Branch:
    items: tuple[_Item, ...]
    title: str
    level: int
    leaves: int
    tokens: int


_Item: TypeAlias = _Leaf | _Branch


@dataclass(frozen=True, slots=True)
class _Part:
    """A stretch of the text that gets a tree of its own, and the words asked of its root."""

    items: tuple[_Item, ...]
    title: str
    words: int


def _branch(items: Sequence[_Item], title: str) -> _Branch:
    level = 1 + max(item.level for item in items)
    return _Branch(tuple(items), title, level, sum(item.leaves for item in items), sum(item.tokens for item in items))


def _chapters(task: SummaryTask, body: Sequence[Segment], limits: WindowLimits) -> list[_Part]:
    chapters = chapters_of(task.document)
    most = words_of(limits.final)
    words = min(_CHAPTER_WORDS, most) if task.words is None else task.words
    if words > most:
        raise ConfigError(f"{words} words for each chapter are more than the {most} that one call writes here")
    return [
        _Part(tuple(_Leaf(segment, chapter.title) for segment in segments), chapter.title, words)
        for chapter, segments in zip(chapters, split_at_chapters(body, chapters), strict=True)
        if segments
    ]


def _stretches(task: SummaryTask, body: Sequence[Segment], limits: WindowLimits) -> list[_Part]:
    items = _grouped(task.document, body)
    title = task.document.title
    most = words_of(limits.final)
    words = most if task.words is None else task.words
    if words <= most:
        return [_Part(tuple(items), title, words)]
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
    return [_Part(tuple(row), "", share) for row, share in zip(rows, shares, strict=True)]


def _opened(items: Sequence[_Item], count: int) -> list[_Item]:
    """The same in at least twice as many items as `count`, as far as there are branches to open, largest first."""
    opened = list(items)
    while len(opened) < 2 * count and any(isinstance(item, _Branch) for item in opened):
        index = max(range(len(opened)), key=lambda i: (isinstance(opened[i], _Branch), opened[i].tokens))
        largest = opened[index]
        if isinstance(largest, _Branch):
            opened[index : index + 1] = largest.items
    return opened


def _rows_by_tokens(items: Sequence[_Item], count: int) -> list[list[_Item]]:
    """Consecutive rows of about as many tokens each, none empty."""
    total = sum(item.tokens for item in items)
    rows: list[list[_Item]] = [[]]
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


def _grouped(document: Document, segments: Sequence[Segment]) -> list[_Item]:
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


def _by_section(entries: Sequence[_Entry], titles: Sequence[str], *, place: int, depth_left: int) -> list[_Item]:
    if depth_left == 0:
        return [_leaf(entry, titles) for entry in entries]
    items: list[_Item] = []
    for section, grouped in groupby(entries, key=lambda entry: entry.path[place : place + 1]):
        group = list(grouped)
        whole = len(group) == len(entries)
        if not section or len(group) == 1:
            items.extend(_leaf(entry, titles) for entry in group)
            continue
        inner = _by_section(group, titles, place=place + 1, depth_left=depth_left if whole else depth_left - 1)
        items.extend(inner if whole else [_branch(inner, titles[section[0]])])
    return items


def _leaf(entry: _Entry, titles: Sequence[str]) -> _Leaf:
    return _Leaf(entry.segment, titles[entry.path[-1]] if entry.path else "")


def _even_rows(items: Sequence[_Item], groups: int) -> Iterator[Sequence[_Item]]:
    bounds = [round(i * len(items) / groups) for i in range(groups + 1)]
    return (items[a:b] for a, b in pairwise(bounds))


class _Planner:
    """Numbers trees in the order in which nodes can be made."""

    def __init__(self, limits: WindowLimits, context: MergeContext) -> None:
        self.nodes: list[PlannedNode] = []
        self._limits = limits
        self._context = context
        self._leaf_limit = limits.limit(0)
        self._merge_before: dict[int, int] = {}
        self._ends: list[int] = []
        """The highest node so far that ends with each leaf, by the number of the leaf in the text."""

    def add_part(self, part: _Part) -> int:
        """Add the tree of a part; returns the number of its root."""
        leaves = sum(item.leaves for item in part.items)
        detailed = math.ceil(part.words / WORDS_PER_TOKEN / leaves * _DETAIL)
        self._leaf_limit = min(self._limits.final, max(self._limits.limit(0), detailed))
        return self._number(self._arranged(part.items, part.title), words=part.words)

    def add_joined(self, roots: Sequence[int]) -> None:
        """Add the node whose text is that of these, one after the other."""
        below = [self.nodes[root] for root in roots]
        joined = PlannedNode(
            number=len(self.nodes),
            level=level_above(self.nodes, roots),
            limit=sum(node.limit for node in below),
            words=sum(node.words for node in below),
            start=below[0].start,
            end=below[-1].end,
            title="",
            children=tuple(roots),
            joined=True,
        )
        self.nodes.append(joined)

    def _arranged(self, items: Sequence[_Item], title: str) -> _Item:
        """A tree in which no node has more children than its call holds; long rows are split evenly, from below."""
        below = [item if isinstance(item, _Leaf) else self._arranged(item.items, item.title) for item in items]
        while len(below) > 1:
            most = self._most_children(below)
            if len(below) <= most:
                return _branch(below, title)
            rows = _even_rows(below, math.ceil(len(below) / most))
            below = [row[0] if len(row) == 1 else _branch(row, "") for row in rows]
        return below[0]

    def _most_children(self, items: Sequence[_Item]) -> int:
        level = 1 + max(item.level for item in items)
        return self._limits.children(level, child_limit=self._child_limit(items))

    def _child_limit(self, items: Sequence[_Item]) -> int:
        return max(self._leaf_limit if item.level == 0 else self._limits.limit(item.level) for item in items)

    def _number(self, item: _Item, *, words: int | None) -> int:
        """Add an item with all below it; `words` are those asked of a root."""
        if isinstance(item, _Leaf):
            return self._add_leaf(item, words)
        first_leaf = len(self._ends)
        children = tuple(self._number(child, words=None) for child in item.items)
        return self._add_merge(item, children, first_leaf, words)

    def _add_leaf(self, leaf: _Leaf, words: int | None) -> int:
        segment = leaf.segment
        limit = min(self._leaf_limit, max(_LEAST_LEAF, segment.tokens // 2))
        node = PlannedNode(
            number=len(self.nodes),
            level=0,
            limit=limit if words is None else self._root_limit(words),
            words=words_of(limit) if words is None else words,
            start=segment.start,
            end=segment.end,
            title=leaf.title,
            segment=segment,
            result=words is not None,
        )
        self.nodes.append(node)
        self._ends.append(node.number)
        return node.number

    def _add_merge(self, branch: _Branch, children: tuple[int, ...], first_leaf: int, words: int | None) -> int:
        below = [self.nodes[child] for child in children]
        level = level_above(self.nodes, children)
        limit = self._limits.limit(level)
        context_limit = self._limits.context(level, child_limit=self._child_limit(branch.items))
        node = PlannedNode(
            number=len(self.nodes),
            level=level,
            limit=limit if words is None else self._root_limit(words),
            words=words_of(limit) if words is None else words,
            start=below[0].start,
            end=below[-1].end,
            title=branch.title,
            children=children,
            context=self._before(level, first_leaf) if context_limit else None,
            context_limit=context_limit,
            result=words is not None,
        )
        self.nodes.append(node)
        self._merge_before[level] = node.number
        self._ends[-1] = node.number
        return node.number

    def _before(self, level: int, first_leaf: int) -> int | None:
        if self._context is MergeContext.PREVIOUS:
            return self._merge_before.get(level)
        if first_leaf == 0:
            return None
        number = self._ends[first_leaf - 1]
        while self.nodes[number].level >= level:
            number = self.nodes[number].children[-1]
        return number

    def _root_limit(self, words: int) -> int:
        return min(self._limits.final, math.ceil(words / WORDS_PER_TOKEN))
