"""Memory-guided summarization: each segment is read with memories of earlier ones, then summaries are merged.

Source: "Self-Controlled Memory" (Wang, Liang and others, 2023, arXiv 2304.13343), the book mode of the paper and of the
released code; sizes are scaled to the window, where theirs are fixed for 4,096 tokens.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from longdoc.agents.attempts import Made, Writer
from longdoc.agents.events import Emit
from longdoc.agents.recall import EarlierSummaries
from longdoc.agents.summary import Summary, SummaryEstimate, SummaryTask
from longdoc.agents.summary_prompts import Length, SummaryPrompts
from longdoc.agents.tree import carry_out
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
from longdoc.documents.document import SectionRole
from longdoc.documents.segments import Segment
from longdoc.engines.embedder import Embedder
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt
from longdoc.storage.nodes import Nodes

_SEGMENT_TOKENS = 3000
_SEGMENT_SHARE = 0.375
_BLOCK_WORDS = 500
_BLOCK_SHARE = 0.1
_GROUP_SHARE = 0.56
_MERGED_SHARE = 0.25
_FINAL_SHARE = 0.37
_RECALLED = 2
_LEAST_MERGED = 200
_OVERHEAD_GUESS = 500


class ScmSummarizer:
    """Summarizes with self-controlled memory, on any engine, storing every node."""

    def __init__(self, engine: Engine, nodes: Nodes, embedder: Embedder) -> None:
        self._engine = engine
        self._nodes = nodes
        self._embedder = embedder

    def segment_limit(self, window: int) -> int:
        """3,000 tokens as in the released code, less where the window is small: memories and an answer need room."""
        left = window - _OVERHEAD_GUESS - (_RECALLED + 2) * (int(window * _BLOCK_SHARE) + FENCE_TOKENS)
        return max(16, min(_SEGMENT_TOKENS, int(window * _SEGMENT_SHARE), left))

    def estimate(self, task: SummaryTask) -> SummaryEstimate:
        """See `Summarizer`."""
        plan = self.plan(task)
        return SummaryEstimate(plan.calls, plan.prompt_tokens, plan.completion_tokens, plan.levels)

    def plan(self, task: SummaryTask) -> SummaryPlan:
        """The blocks, one after the other, and the merges above them. Raises `ConfigError` where the window cannot
        hold it."""
        if task.by_chapter:
            raise ConfigError("chapters are summarized by the hierarchical method; use --method hierarchical")
        segments = [s for s in task.segments if s.role is SectionRole.BODY] or list(task.segments)
        info = self._engine.info
        sizes = _Sizes(info.context_window, SummaryPrompts(task).overhead(), task.words, info.max_output)
        titles = [section.title for section in task.document.walk_sections()]
        nodes: list[PlannedNode] = []
        for segment in segments:
            title = "" if segment.section is None else titles[segment.section]
            nodes.append(sizes.block(segment, title, len(nodes), result=len(segments) == 1))
        row = list(range(len(nodes)))
        while len(row) > 1:
            row = sizes.add_merges(nodes, row)
        plan = SummaryPlan(tuple(nodes), sizes.overhead)
        sizes.check(plan)
        return plan

    async def summarize(self, task: SummaryTask, *, run_id: str, emit: Emit) -> Summary:
        """See `Summarizer`."""
        maker = _Remembering(self._engine, self._embedder, task, emit=emit)
        plan = self.plan(task)
        return await carry_out(plan, maker, engine=self._engine, nodes=self._nodes, task=task, run_id=run_id, emit=emit)


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What fits where, in tokens, as shares of the window (0.56 for a group, 0.25 for a merge above blocks)."""

    window: int
    overhead: int
    words: int | None
    max_output: int | None = None

    @property
    def block_limit(self) -> int:
        """500 words as in the paper, less where the window is small."""
        return self._written(math.ceil(_BLOCK_WORDS / WORDS_PER_TOKEN), int(self.window * _BLOCK_SHARE))

    @property
    def merged_limit(self) -> int:
        """A quarter of the window, less where two such summaries and a third would not fit it."""
        fitting = (self._left - 2 * FENCE_TOKENS) // 3
        return self._written(max(_LEAST_MERGED, min(int(self.window * _MERGED_SHARE), fitting)))

    @property
    def final_limit(self) -> int:
        room = self._left - 2 * (self.merged_limit + FENCE_TOKENS)
        if self.words is None:
            return self._written(DEFAULT_FINAL_TOKENS, int(self.window * _FINAL_SHARE), max(_LEAST_MERGED, room))
        limit = math.ceil(self.words / WORDS_PER_TOKEN)
        most = self._written(room // 2)
        if limit > most:
            raise ConfigError(
                f"a summary of {self.words} words takes about {limit} tokens, and here it may have {most}; ask for at "
                f"most {max(0, int(most * WORDS_PER_TOKEN))} words, or use --method hierarchical"
            )
        return limit

    @property
    def _left(self) -> int:
        """What the template leaves of the window."""
        return self.window - self.overhead - SAFETY_TOKENS

    def _written(self, *limits: int) -> int:
        """The least of some limits, and of what the engine writes at most."""
        return min(limits) if self.max_output is None else min(*limits, self.max_output)

    def check(self, plan: SummaryPlan) -> None:
        """Raise `ConfigError` where a call with its answer, which may have to be gone on with, does not fit."""
        for node in plan.nodes:
            written = node.limit * (2 if node.result and self.words is not None else 1)
            if plan.reads(node) + written > self.window:
                read = plan.reads(node) - self.overhead
                what = f"a segment of {node.segment.tokens} tokens" if node.segment else f"a merge of {read} tokens"
                memories = f"memories of {read - node.segment.tokens}, " if node.segment else ""
                raise ConfigError(
                    f"{what}, {memories}a template of {self.overhead} and an answer of {written} do not fit a window "
                    f"of {self.window}; use smaller segments (--segment-tokens) or a model with a larger window"
                )

    def block(self, segment: Segment, title: str, number: int, *, result: bool) -> PlannedNode:
        """A segment's summary, which knows the one before and recalls others."""
        limit = self.final_limit if result else self.block_limit
        return PlannedNode(
            number=number,
            level=0,
            limit=limit,
            words=self.words if result and self.words is not None else words_of(limit),
            start=segment.start,
            end=segment.end,
            title=title,
            segment=segment,
            context=number - 1 if number else None,
            context_limit=self.block_limit if number else 0,
            recalls=min(_RECALLED, max(0, number - 1)),
            result=result,
        )

    def add_merges(self, nodes: list[PlannedNode], row: Sequence[int]) -> list[int]:
        """Add the merges above a row of nodes: one where all fit a call or are two, else as few as hold them."""
        if len(row) == 2 or sum(nodes[i].limit + FENCE_TOKENS for i in row) <= self._room():
            return [self._add_merge(nodes, row, result=True)]
        most = max(2, self._group() // (max(nodes[i].limit for i in row) + FENCE_TOKENS))
        groups = max(2, math.ceil(len(row) / most))
        bounds = [round(i * len(row) / groups) for i in range(groups + 1)]
        rows = [row[a:b] for a, b in pairwise(bounds)]
        return [some[0] if len(some) == 1 else self._add_merge(nodes, some, result=False) for some in rows]

    def _group(self) -> int:
        return min(int(self.window * _GROUP_SHARE), self._left - self.merged_limit)

    def _room(self) -> int:
        """What the last merge may read: its answer may have to be read once more to be gone on with."""
        answers = self.final_limit * (1 if self.words is None else 2)
        return max(2 * (self.merged_limit + FENCE_TOKENS), min(self._group(), self._left - answers))

    def _add_merge(self, nodes: list[PlannedNode], row: Sequence[int], *, result: bool) -> int:
        limit = self.final_limit if result else self.merged_limit
        node = PlannedNode(
            number=len(nodes),
            level=level_above(nodes, row),
            limit=limit,
            words=self.words if result and self.words is not None else words_of(limit),
            start=nodes[row[0]].start,
            end=nodes[row[-1]].end,
            title="",
            children=tuple(row),
            result=result,
        )
        nodes.append(node)
        return node.number


class _Remembering:
    """Makes the nodes: blocks with memories, merges without."""

    def __init__(self, engine: Engine, embedder: Embedder, task: SummaryTask, *, emit: Emit) -> None:
        self._writer = Writer(engine, emit=emit)
        self._prompts = SummaryPrompts(task)
        self._held = task.words is not None
        self._earlier = EarlierSummaries(embedder)

    async def make(self, node: PlannedNode, made: Mapping[int, Made], *, purpose: str) -> Made:
        """See `NodeMaker`."""
        held = node.result and self._held
        recalled = await self._recalled(node, made)

        def prompt(factor: float) -> RenderedPrompt:
            return self._prompt(node, made, recalled, Length(node.words, exact=held).shrunk(factor))

        written = await self._writer.make(prompt, limit=node.limit, purpose=purpose, cut_is_good=held)
        if node.segment is not None and written.text:
            await self._earlier.add(node.number, written.text)
        return written

    def material(self, node: PlannedNode, made: Mapping[int, Made]) -> Sequence[Quoted]:
        """See `NodeMaker`."""
        if node.segment is not None:
            return [self._prompts.segment(node.segment)]
        return [made[child].quoted() for child in node.children if made[child].text]

    async def _recalled(self, node: PlannedNode, made: Mapping[int, Made]) -> list[Quoted]:
        """Activation memory: the earlier summaries closest to a segment, in the order of the text."""
        if node.segment is None or node.recalls == 0:
            return []
        text = self._prompts.segment(node.segment).text
        numbers = await self._earlier.closest(text, node.recalls, but=node.context)
        return [made[number].quoted() for number in numbers]

    def _prompt(
        self, node: PlannedNode, made: Mapping[int, Made], recalled: Sequence[Quoted], length: Length
    ) -> RenderedPrompt:
        if node.segment is None:
            return self._prompts.merge(self.material(node, made), length, before=None, place="")
        flash = None if node.context is None or not made[node.context].text else made[node.context].quoted()
        segment = self._prompts.segment(node.segment)
        return self._prompts.block(segment, length, memories=recalled, before=flash, place=node.title)
