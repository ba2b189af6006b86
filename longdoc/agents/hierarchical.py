"""Hierarchical summarization: segments are summarized, summaries are merged, up to one.

Source: "BooookScore" (Chang, Lo, Goyal, Iyyer, ICLR 2024), section 2.1 and the released code; where
ours differs is said in `docs/design.md`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from longdoc.agents.attempts import Made, make_text
from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit, NodeDone, Planned, Warned
from longdoc.agents.graph import run_graph
from longdoc.agents.sentences import cut_to_sentence
from longdoc.agents.summary import Summary, SummaryEstimate, SummaryTask
from longdoc.agents.summary_plan import (
    DEFAULT_FINAL_TOKENS,
    DEFAULT_SEGMENT_TOKENS,
    WORDS_PER_TOKEN,
    PlannedNode,
    SummaryPlan,
    WindowLimits,
    plan_summary,
)
from longdoc.documents.document import Document
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Completion, Engine
from longdoc.errors import ConfigError, InvalidOutputError
from longdoc.prompts.catalogue import Quoted, RenderedPrompt, Variable, render
from longdoc.storage.nodes import Node, Nodes, NodeStatus

_FIRST_TEMPERATURE = 0.5
_RETRY_TEMPERATURE = 1.0
_MOST_TITLE_CHARACTERS = 200
_ESTIMATE_MARGIN = 1.3
_MESSAGE_TOKENS = 32


class HierarchicalSummarizer:
    """Summarizes by merging, on any engine, storing every node."""

    def __init__(self, engine: Engine, nodes: Nodes) -> None:
        self._engine = engine
        self._nodes = nodes

    def segment_limit(self, window: int) -> int:
        """2048 tokens as in the paper, less where the window is small."""
        return min(DEFAULT_SEGMENT_TOKENS, window // 2)

    def estimate(self, task: SummaryTask) -> SummaryEstimate:
        """See `Summarizer`."""
        plan = self.plan(task)
        return SummaryEstimate(len(plan.nodes), plan.prompt_tokens, plan.completion_tokens, plan.levels)

    def plan(self, task: SummaryTask) -> SummaryPlan:
        """The tree that `summarize` will make. Raises `ConfigError` where the window cannot hold it."""
        window = self._engine.info.context_window
        default = min(DEFAULT_FINAL_TOKENS, window // 3, self._engine.info.max_output or window)
        final = default if task.words is None else math.ceil(task.words / WORDS_PER_TOKEN)
        most = self._engine.info.max_output
        if most is not None and final > most:
            raise ConfigError(
                f"{task.words} words take about {final} tokens, and this model writes at most {most} at once; "
                f"ask for at most {int(most * WORDS_PER_TOKEN)} words"
            )
        words = round(default * WORDS_PER_TOKEN) if task.words is None else task.words
        limits = WindowLimits(window=window, overhead=_overhead(task), final=final)
        return plan_summary(task.document, task.segments, limits, words=words)

    async def summarize(self, task: SummaryTask, *, run_id: str, emit: Emit) -> Summary:
        """See `Summarizer`."""
        plan = self.plan(task)
        leaves = sum(node.segment is not None for node in plan.nodes)
        nodes = len(plan.nodes)
        emit(Planned(nodes, f"{leaves} segments, {plan.levels} levels, {nodes} summaries"))
        await self._nodes.keep_first(run_id, len(plan.nodes))
        work = _TreeWork(self._engine, self._nodes, task, plan, run_id=run_id, emit=emit)
        await run_graph([node.dependencies for node in plan.nodes], work.make)
        return work.result()


class _TreeWork:
    """The making of one tree: what is done so far, and how a node is made from it."""

    def __init__(
        self, engine: Engine, nodes: Nodes, task: SummaryTask, plan: SummaryPlan, *, run_id: str, emit: Emit
    ) -> None:
        self._engine = engine
        self._nodes = nodes
        self._task = task
        self._plan = plan
        self._run_id = run_id
        self._emit = emit
        self._made: dict[int, Made] = {}

    async def make(self, number: int) -> None:
        node = self._plan.nodes[number]
        made = await self._attempt(node)
        self._made[number] = made
        await self._store(node, made)

    def result(self) -> Summary:
        root = self._made[len(self._plan.nodes) - 1]
        if not root.text:
            raise InvalidOutputError(
                f"no summary came of it: {root.reason}; 'lda runs show {self._run_id}' shows what was made"
            )
        gaps = [self._plan.nodes[i] for i, made in sorted(self._made.items()) if made.status is NodeStatus.GAP]
        return Summary(
            node_id=self._node_id(len(self._plan.nodes) - 1),
            text=root.text,
            levels=self._plan.levels,
            nodes=len(self._plan.nodes),
            gaps=tuple(self._describe(node) for node in gaps),
            truncated=sum(made.status is NodeStatus.TRUNCATED for made in self._made.values()),
        )

    async def _attempt(self, node: PlannedNode) -> Made:
        if node.segment is None and not self._usable(node.children):
            return Made("", NodeStatus.GAP, "none of its parts could be summarized")
        return await make_text(partial(self._ask, node), toy=self._engine.info.toy)

    async def _ask(self, node: PlannedNode, attempt: int, factor: float) -> Completion:
        words = round(node.words * factor)
        prompt = self._leaf_prompt(node, words) if node.segment else self._merge_prompt(node, words)
        request = request_of(
            prompt,
            max_tokens=node.limit,
            temperature=_RETRY_TEMPERATURE if attempt else _FIRST_TEMPERATURE,
            seed=attempt,
        )
        return await call(self._engine, request, purpose=self._describe(node), emit=self._emit)

    def _leaf_prompt(self, node: PlannedNode, words: int) -> RenderedPrompt:
        document = self._task.document
        reference = {"document": document.id, "start": node.start, "end": node.end}
        segment = Quoted(document.text[node.start : node.end].strip(), reference)
        return render("summarize/leaf", _variables(self._task, node.title) | {"segment": segment, "words": words})

    def _merge_prompt(self, node: PlannedNode, words: int) -> RenderedPrompt:
        parts = [self._quote(child) for child in self._usable(node.children)]
        variables = _variables(self._task, node.title) | {
            "parts": parts,
            "before": self._before(node),
            "words": words,
        }
        return render("summarize/merge", variables)

    def _before(self, node: PlannedNode) -> Quoted | None:
        """The merge before this one, cut to its share of the window."""
        if node.context is None or not self._made[node.context].text:
            return None
        whole = self._quote(node.context)
        share = node.context_limit / max(1, self._made[node.context].tokens)
        if share >= 1:
            return whole
        kept = cut_to_sentence(whole.text[: int(len(whole.text) * share)])
        return Quoted(kept, {**whole.reference, "characters": len(kept)})

    def _quote(self, number: int) -> Quoted:
        made = self._made[number]
        reference = {} if made.source is None else {"call": made.source, "characters": len(made.text)}
        return Quoted(made.text, reference)

    def _usable(self, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if self._made[number].text]

    async def _store(self, node: PlannedNode, made: Made) -> None:
        row = Node(
            id=self._node_id(node.number),
            run_id=self._run_id,
            number=node.number,
            level=node.level,
            title=node.title,
            text=made.text,
            status=made.status,
            reason=made.reason,
            document_id=self._task.document.id,
            start=node.start,
            end=node.end,
            tokens=made.tokens,
            word_limit=node.words,
        )
        await self._nodes.save(row, children=[self._node_id(i) for i in node.children], calls=made.calls)
        self._emit(NodeDone(row.id, node.level, self._describe(node), made.status is NodeStatus.GAP))
        if made.status is NodeStatus.GAP:
            self._emit(Warned(f"{self._describe(node)} could not be summarized: {made.reason}"))

    def _node_id(self, number: int) -> str:
        return f"{self._run_id}.{number}"

    def _describe(self, node: PlannedNode) -> str:
        if node.number == len(self._plan.nodes) - 1:
            return "the whole"
        kind = f"segment {node.segment.index + 1}" if node.segment else f"merge {node.number + 1}"
        return f"{kind} ({node.title})" if node.title else kind


def _variables(task: SummaryTask, place: str) -> dict[str, Variable]:
    return {
        "title": _title(task.document, task.document.metadata.title),
        "place": _title(task.document, place),
        "language": task.language,
        "focus": task.focus,
    }


def _title(document: Document, title: str) -> Quoted | None:
    """A title as text of the document; what is longer than a title is cut."""
    cut = title[:_MOST_TITLE_CHARACTERS]
    return Quoted(cut, {"document": document.id, "title": cut}) if cut else None


def _overhead(task: SummaryTask) -> int:
    """Tokens of the longest empty template, estimated with a margin so that no tokenizer need be asked."""
    place = max((section.title for section in task.document.walk_sections()), key=len, default="")
    empty = Quoted("", {})
    variables = _variables(task, place) | {"words": 100_000}
    prompts = (
        render("summarize/leaf", variables | {"segment": empty}),
        render("summarize/merge", variables | {"parts": [empty], "before": empty}),
    )
    longest = max(estimate_tokens(prompt.system + prompt.user) for prompt in prompts)
    return math.ceil(longest * _ESTIMATE_MARGIN) + _MESSAGE_TOKENS
