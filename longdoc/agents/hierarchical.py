"""Hierarchical summarization: segments are summarized, summaries are merged, up to one.

Source: "BooookScore" (Chang, Lo, Goyal, Iyyer, ICLR 2024), section 2.1 and the released code; where
ours differs is said in `docs/design.md`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from longdoc.agents.attempts import Made, Writer
from longdoc.agents.events import Emit
from longdoc.agents.hierarchical_plan import MergeContext, plan_hierarchical
from longdoc.agents.sentences import cut_to_sentence, last_sentences
from longdoc.agents.summary import Summary, SummaryEstimate, SummaryTask
from longdoc.agents.summary_prompts import Length, SummaryPrompts
from longdoc.agents.tree import carry_out
from longdoc.agents.tree_plan import DEFAULT_SEGMENT_TOKENS, PlannedNode, SummaryPlan
from longdoc.agents.window_limits import WindowLimits
from longdoc.engines.engine import Engine
from longdoc.prompts.catalogue import Quoted, RenderedPrompt
from longdoc.storage.nodes import Nodes


class HierarchicalSummarizer:
    """Summarizes by merging, on any engine, storing every node."""

    def __init__(self, engine: Engine, nodes: Nodes, *, context: MergeContext = MergeContext.CHILD) -> None:
        self._engine = engine
        self._nodes = nodes
        self._context = context

    def segment_limit(self, window: int) -> int:
        """2048 tokens as in the paper, less where the window is small."""
        return min(DEFAULT_SEGMENT_TOKENS, window // 3)

    def estimate(self, task: SummaryTask) -> SummaryEstimate:
        """See `Summarizer`."""
        plan = self.plan(task)
        return SummaryEstimate(plan.calls, plan.prompt_tokens, plan.completion_tokens, plan.levels)

    def plan(self, task: SummaryTask) -> SummaryPlan:
        """The tree that `summarize` will make. Raises `ConfigError` where the window cannot hold it."""
        info = self._engine.info
        limits = WindowLimits(info.context_window, SummaryPrompts(task).overhead(), info.max_output)
        return plan_hierarchical(task, limits, context=self._context)

    async def summarize(self, task: SummaryTask, *, run_id: str, emit: Emit) -> Summary:
        """See `Summarizer`."""
        maker = _Merging(self._engine, task, context=self._context, emit=emit)
        plan = self.plan(task)
        return await carry_out(plan, maker, engine=self._engine, nodes=self._nodes, task=task, run_id=run_id, emit=emit)


class _Merging:
    """Makes the nodes of a hierarchical tree."""

    def __init__(self, engine: Engine, task: SummaryTask, *, context: MergeContext, emit: Emit) -> None:
        self._writer = Writer(engine, emit=emit)
        self._prompts = SummaryPrompts(task)
        self._held = task.words is not None
        self._context = context

    async def make(self, node: PlannedNode, made: Mapping[int, Made], *, purpose: str) -> Made:
        """See `NodeMaker`."""
        held = node.result and self._held

        def prompt(factor: float) -> RenderedPrompt:
            return self._prompt(node, made, Length(node.words, exact=held).shrunk(factor))

        return await self._writer.make(prompt, limit=node.limit, purpose=purpose, cut_is_good=held)

    def material(self, node: PlannedNode, made: Mapping[int, Made]) -> Sequence[Quoted]:
        """See `NodeMaker`."""
        if node.segment is not None:
            return [self._prompts.segment(node.segment)]
        return [made[child].quoted() for child in node.children if made[child].text]

    def _prompt(self, node: PlannedNode, made: Mapping[int, Made], length: Length) -> RenderedPrompt:
        if node.segment is not None:
            return self._prompts.leaf(self._prompts.segment(node.segment), length, place=node.title)
        before = self._before(node, made)
        return self._prompts.merge(self.material(node, made), length, before=before, place=node.title)

    def _before(self, node: PlannedNode, made: Mapping[int, Made]) -> Quoted | None:
        """What came before, cut to its share of the window: the beginning of a merge (paper), the end of a child."""
        if node.context is None or not made[node.context].text:
            return None
        context = made[node.context]
        whole = context.quoted()
        share = node.context_limit / max(1, context.tokens)
        if share >= 1:
            return whole
        most = int(len(whole.text) * share)
        if self._context is MergeContext.PREVIOUS:
            kept = cut_to_sentence(whole.text[:most])
            return Quoted(kept, {**whole.reference, "characters": len(kept)})
        kept = last_sentences(whole.text, most)
        return Quoted(kept, {**whole.reference, "from": len(whole.text) - len(kept)})
