"""The tree of a hierarchical summary, planned before the first call, as pure data.

Source: "BooookScore" (Chang, Lo, Goyal, Iyyer, ICLR 2024), section 2.1, hierarchical merging. Theirs packs a
level when its summaries are there; ours plans with the limits of the answers instead, which hold for any answer, so
that the tree is known beforehand, always fits the window and always ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TypeAlias

from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

WORDS_PER_TOKEN = 0.65
DEFAULT_FINAL_TOKENS = 900
DEFAULT_SEGMENT_TOKENS = 2048
_LEVEL_SHRINK = 0.65
_CONTEXT_SHARE = 0.2
_SAFETY_TOKENS = 20
_FENCE_TOKENS = 16
_LEAST_LIMIT = 120
_LEAST_SHORTENED = 32
_LEAST_LEAF = 48
_SECTION_DEPTH = 2
"""Parts and chapters get a node of their own; deeper sections flow into the chapter's."""


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A summary to be made. `number` is its place in the plan: children come before their parent.

    `level` is 0 for a summary of a segment, else one more than the highest child; `depth` is the distance from the
    root. `limit` is in tokens, `words` is what the prompt asks for. `children` and `context` (the merge before this
    one at the same depth, of which `context_limit` tokens fit) are numbers; `start` and `end` are offsets in the
    document.
    """

    number: int
    level: int
    depth: int
    limit: int
    words: int
    start: int
    end: int
    title: str
    segment: Segment | None = None
    children: tuple[int, ...] = ()
    context: int | None = None
    context_limit: int = 0

    @property
    def dependencies(self) -> tuple[int, ...]:
        """What must be made before this node."""
        return self.children if self.context is None else (*self.children, self.context)


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """Nodes in an order in which each comes after what it needs; the last one is the root."""

    nodes: tuple[PlannedNode, ...]
    overhead: int

    @property
    def levels(self) -> int:
        """How many levels the tree has."""
        return self.nodes[-1].level + 1

    @property
    def prompt_tokens(self) -> int:
        """At most this many tokens are read, when every answer passes at the first attempt."""
        return sum(self._reads(node) for node in self.nodes)

    @property
    def completion_tokens(self) -> int:
        """At most this many tokens are written, when every answer passes at the first attempt."""
        return sum(node.limit for node in self.nodes)

    def _reads(self, node: PlannedNode) -> int:
        own = node.segment.tokens if node.segment else 0
        if node.context is not None:
            own += min(node.context_limit, self.nodes[node.context].limit) + _FENCE_TOKENS
        return self.overhead + own + sum(self.nodes[i].limit + _FENCE_TOKENS for i in node.children)


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """What fits a call: the window, the tokens of the longest empty template, and the length asked for, in tokens.

    `final` is the limit of the root; limits below it follow from its tier (900 tokens, doubled until it holds
    `final`; a third of a small window), so that a changed length within a tier leaves all below the root as it is.
    """

    window: int
    overhead: int
    final: int

    def limit(self, depth: int) -> int:
        """The limit of an answer at this depth, by shrinking 0.65 a level, and always two of them fit a call."""
        if depth == 0:
            return self._tier
        usual = max(_LEAST_LIMIT, int(self._tier * _LEVEL_SHRINK**depth))
        most = self._room(depth - 1) // 2 - _FENCE_TOKENS
        if most < _LEAST_SHORTENED:
            raise ConfigError(
                f"a window of {self.window} tokens cannot hold a merge: the template takes {self.overhead}, the answer "
                f"{self.limit(depth - 1)}, and what is left does not hold two summaries; ask for fewer words or use "
                "a model with a larger window"
            )
        return min(usual, most)

    def context(self, depth: int) -> int:
        """Tokens for what came before, at this depth; 0 where only without it two summaries fit."""
        context = int(self._room(depth) * _CONTEXT_SHARE)
        return context if self._children(depth, context) >= 2 else 0

    def children(self, depth: int) -> int:
        """How many summaries a merge at this depth reads; at least 2."""
        return self._children(depth, self.context(depth))

    @property
    def _tier(self) -> int:
        doublings = max(0, math.ceil(math.log2(self.final / DEFAULT_FINAL_TOKENS)))
        return max(self.final, min(DEFAULT_FINAL_TOKENS * 2**doublings, self.window // 3))

    def _room(self, depth: int) -> int:
        return self.window - self.limit(depth) - self.overhead - _SAFETY_TOKENS

    def _children(self, depth: int, context: int) -> int:
        return (self._room(depth) - context) // (self.limit(depth + 1) + _FENCE_TOKENS)


def plan_summary(document: Document, segments: Sequence[Segment], limits: WindowLimits, *, words: int) -> SummaryPlan:
    """Plan the tree over the segments of the body (over all of them where a document has no body).

    `words` is the length asked of the root. Parts and chapters with several segments get nodes of their own.
    Raises `ConfigError` where a segment with its answer, or a merge of two, does not fit the window.
    """
    body = [s for s in segments if s.role is SectionRole.BODY] or list(segments)
    limits.limit(1)
    items = _grouped(document, body)
    planner = _Planner(limits, words)
    planner.number(_arrange(items, limits, depth=0, title=document.title), depth=0)
    plan = SummaryPlan(tuple(planner.nodes), limits.overhead)
    _check_leaves(plan, limits)
    return plan


def _check_leaves(plan: SummaryPlan, limits: WindowLimits) -> None:
    for node in plan.nodes:
        if node.segment and node.segment.tokens + limits.overhead + node.limit > limits.window:
            raise ConfigError(
                f"a segment of {node.segment.tokens} tokens, a template of {limits.overhead} and an answer of "
                f"{node.limit} do not fit a window of {limits.window}; use smaller segments (--segment-tokens), "
                "ask for fewer words (--words) or use a model with a larger window"
            )


@dataclass(frozen=True, slots=True)
class _Leaf:
    segment: Segment
    title: str


@dataclass(frozen=True, slots=True)
class _Branch:
    items: tuple[_Item, ...]
    title: str


_Item: TypeAlias = _Leaf | _Branch


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
        items.extend(inner if whole else [_Branch(tuple(inner), titles[section[0]])])
    return items


def _leaf(entry: _Entry, titles: Sequence[str]) -> _Leaf:
    return _Leaf(entry.segment, titles[entry.path[-1]] if entry.path else "")


def _arrange(items: Sequence[_Item], limits: WindowLimits, *, depth: int, title: str) -> _Item:
    """A tree in which no node has more children than its call holds; long rows are split evenly."""
    if len(items) == 1:
        return _arrange_inside(items[0], limits, depth=depth)
    most = limits.children(depth)
    if len(items) <= most:
        below = [_arrange_inside(item, limits, depth=depth + 1) for item in items]
    else:
        groups = min(most, max(2, math.ceil(len(items) / limits.children(depth + 1))))
        below = [_arrange(row, limits, depth=depth + 1, title="") for row in _even_rows(items, groups)]
    return _Branch(tuple(below), title)


def _arrange_inside(item: _Item, limits: WindowLimits, *, depth: int) -> _Item:
    return item if isinstance(item, _Leaf) else _arrange(item.items, limits, depth=depth, title=item.title)


def _even_rows(items: Sequence[_Item], groups: int) -> Iterator[Sequence[_Item]]:
    bounds = [round(i * len(items) / groups) for i in range(groups + 1)]
    return (items[a:b] for a, b in pairwise(bounds))


class _Planner:
    """Numbers a tree in the order in which nodes can be made."""

    def __init__(self, limits: WindowLimits, words: int) -> None:
        self.nodes: list[PlannedNode] = []
        self._limits = limits
        self._words = words
        self._merge_before: dict[int, int] = {}

    def number(self, item: _Item, *, depth: int) -> int:
        if isinstance(item, _Leaf):
            return self._add_leaf(item, depth)
        children = tuple(self.number(child, depth=depth + 1) for child in item.items)
        return self._add_merge(item, children, depth)

    def _add_leaf(self, leaf: _Leaf, depth: int) -> int:
        segment = leaf.segment
        limit = self._limit(depth)
        if depth > 0:
            limit = min(limit, max(_LEAST_LEAF, segment.tokens // 2))
        node = PlannedNode(
            number=len(self.nodes),
            level=0,
            depth=depth,
            limit=limit,
            words=self._words_for(limit, depth),
            start=segment.start,
            end=segment.end,
            title=leaf.title,
            segment=segment,
        )
        self.nodes.append(node)
        return node.number

    def _add_merge(self, branch: _Branch, children: tuple[int, ...], depth: int) -> int:
        below = [self.nodes[child] for child in children]
        limit = self._limit(depth)
        context_limit = self._limits.context(depth)
        node = PlannedNode(
            number=len(self.nodes),
            level=1 + max(child.level for child in below),
            depth=depth,
            limit=limit,
            words=self._words_for(limit, depth),
            start=below[0].start,
            end=below[-1].end,
            title=branch.title,
            children=children,
            context=self._merge_before.get(depth) if context_limit else None,
            context_limit=context_limit,
        )
        self.nodes.append(node)
        self._merge_before[depth] = node.number
        return node.number

    def _limit(self, depth: int) -> int:
        return self._limits.final if depth == 0 else self._limits.limit(depth)

    def _words_for(self, limit: int, depth: int) -> int:
        return self._words if depth == 0 else round(limit * WORDS_PER_TOKEN)
