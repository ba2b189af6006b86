"""The tree of a hierarchical summary.

Source: "BooookScore" (Chang, Lo, Goyal, Iyyer, ICLR 2024), section 2.1, hierarchical merging. Theirs packs a level
when its summaries are there; ours plans with the limits of the answers instead, which hold for any answer, so that the
tree is known beforehand, always fits the window and always ends.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

from longdoc.agents.summary import SummaryTask
from longdoc.agents.text_parts import Branch, Item, Leaf, Part, branch_of, chapter_parts, stretch_parts
from longdoc.agents.tree_plan import WORDS_PER_TOKEN, PlannedNode, SummaryPlan, level_above, words_of
from longdoc.agents.window_limits import LEAST_LEAF, WindowLimits
from longdoc.documents.document import SectionRole
from longdoc.errors import ConfigError

_DETAIL = 1.5
"""How many words of summaries of segments a merge should have for a word that it writes."""


class MergeContext(StrEnum):
    """What a merge is told of what came before.

    `PREVIOUS`: the merge before it at its level (the paper), so that each waits for the one before. `CHILD`: the end
    of the summary that precedes its first child, which is there as early as its children, so that merges run at the
    same time and a change far before them does not reach them.
    """

    CHILD = "child"
    PREVIOUS = "previous"


def plan_hierarchical(task: SummaryTask, limits: WindowLimits, *, context: MergeContext) -> SummaryPlan:
    """Plan the tree over the segments of the body (over all of them where a document has no body).

    Parts and chapters with several segments get nodes of their own. A summary of more words than one call writes is
    one of several stretches of the text, each told on from the one before; one by chapter is one of each chapter.
    Raises `ConfigError` where a segment with its answer, or a merge of two, does not fit the window, or more words
    are asked for than the text bears.
    """
    body = [s for s in task.segments if s.role is SectionRole.BODY] or list(task.segments)
    planner = _Planner(limits, context)
    parts = chapter_parts(task, body, limits) if task.by_chapter else stretch_parts(task, body, limits)
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


def _even_rows(items: Sequence[Item], groups: int) -> Iterator[Sequence[Item]]:
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

    def add_part(self, part: Part) -> int:
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

    def _arranged(self, items: Sequence[Item], title: str) -> Item:
        """A tree in which no node has more children than its call holds; long rows are split evenly, from below."""
        below = [item if isinstance(item, Leaf) else self._arranged(item.items, item.title) for item in items]
        while len(below) > 1:
            most = self._most_children(below)
            if len(below) <= most:
                return branch_of(below, title)
            rows = _even_rows(below, math.ceil(len(below) / most))
            below = [row[0] if len(row) == 1 else branch_of(row, "") for row in rows]
        return below[0]

    def _most_children(self, items: Sequence[Item]) -> int:
        level = 1 + max(item.level for item in items)
        return self._limits.children(level, child_limit=self._child_limit(items))

    def _child_limit(self, items: Sequence[Item]) -> int:
        return max(self._leaf_limit if item.level == 0 else self._limits.limit(item.level) for item in items)

    def _number(self, item: Item, *, words: int | None) -> int:
        """Add an item with all below it; `words` are those asked of a root."""
        if isinstance(item, Leaf):
            return self._add_leaf(item, words)
        first_leaf = len(self._ends)
        children = tuple(self._number(child, words=None) for child in item.items)
        return self._add_merge(item, children, first_leaf, words)

    def _add_leaf(self, leaf: Leaf, words: int | None) -> int:
        segment = leaf.segment
        limit = min(self._leaf_limit, max(LEAST_LEAF, segment.tokens // 2))
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

    def _add_merge(self, branch: Branch, children: tuple[int, ...], first_leaf: int, words: int | None) -> int:
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
