"""Incremental updating: one running summary, into which each segment is worked in turn.

Source: "BooookScore" (Chang, Lo, Goyal, Iyyer, ICLR 2024), section 2.2 and the released code; where ours differs is
said in `docs/design.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from longdoc.agents.attempts import RETRY_TEMPERATURE, Made, Writer, call_ids, is_good, longest, made_from
from longdoc.agents.events import Emit
from longdoc.agents.sentences import count_words
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
    words_of,
)
from longdoc.documents.document import SectionRole
from longdoc.engines.engine import Completion, Engine
from longdoc.errors import ConfigError, ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.nodes import Nodes, NodeStatus

_SEGMENT_SIZES = (8192, 4096, 2048)
_SMALL_SHARE = 5
"""In a window that holds none of them, a segment takes one part of so many."""
_LEAST_WORDS = 100
_COMPRESSIONS = 6
_COMPRESSION_STEP = 0.05
_COMPRESSION_TOLERANCE = 0.2
_OVERHEAD_GUESS = 500


class IncrementalSummarizer:
    """Summarizes by keeping a running summary, on any engine, storing every version of it."""

    def __init__(self, engine: Engine, nodes: Nodes) -> None:
        self._engine = engine
        self._nodes = nodes

    def segment_limit(self, window: int) -> int:
        """The largest of 2048, 4096 and 8192 tokens that leaves half of the window free: large segments help this
        method much (78.6 to 90.9 for Claude 2 from 2048 to 88,000 tokens, BooookScore, table 2)."""
        most = (window - DEFAULT_FINAL_TOKENS - _OVERHEAD_GUESS) // 2
        return next((size for size in _SEGMENT_SIZES if size <= most), window // _SMALL_SHARE)

    def estimate(self, task: SummaryTask) -> SummaryEstimate:
        """See `Summarizer`."""
        plan = self.plan(task)
        return SummaryEstimate(plan.calls, plan.prompt_tokens, plan.completion_tokens, plan.levels)

    def plan(self, task: SummaryTask) -> SummaryPlan:
        """The chain that `summarize` will make: words grow with what is read, floor(words × j / n) of the last at
        step j of n, at least 100. Raises `ConfigError` where the window cannot hold it."""
        if task.by_chapter:
            raise ConfigError("chapters are summarized by the hierarchical method; use --method hierarchical")
        segments = [s for s in task.segments if s.role is SectionRole.BODY] or list(task.segments)
        overhead = SummaryPrompts(task).overhead()
        limit = self._limit(task, overhead)
        final = words_of(limit) if task.words is None else task.words
        sections = list(task.document.walk_sections())
        last = len(segments) - 1
        nodes = tuple(
            PlannedNode(
                number=number,
                level=number,
                limit=limit,
                words=max(min(_LEAST_WORDS, final), final * (number + 1) // len(segments)),
                start=segments[0].start,
                end=segment.end,
                title="" if segment.section is None or number == last else sections[segment.section].title,
                segment=segment,
                children=(number - 1,) if number else (),
                result=number == last,
            )
            for number, segment in enumerate(segments)
        )
        plan = SummaryPlan(nodes, overhead)
        self._check(plan, limit)
        return plan

    def _limit(self, task: SummaryTask, overhead: int) -> int:
        info = self._engine.info
        fitting = min((info.context_window - overhead - SAFETY_TOKENS) // 4, info.max_output or info.context_window)
        if task.words is None:
            return min(DEFAULT_FINAL_TOKENS, fitting)
        limit = math.ceil(task.words / WORDS_PER_TOKEN)
        if limit > fitting:
            raise ConfigError(
                f"a running summary of {task.words} words takes about {limit} tokens, and here it may have "
                f"{fitting}; ask for at most {int(fitting * WORDS_PER_TOKEN)} words, or use --method hierarchical"
            )
        return limit

    def _check(self, plan: SummaryPlan, limit: int) -> None:
        window = self._engine.info.context_window
        longest = max(node.segment.tokens for node in plan.nodes if node.segment)
        needed = longest + plan.overhead + 2 * limit + FENCE_TOKENS
        if needed > window:
            raise ConfigError(
                f"a segment of {longest} tokens, a template of {plan.overhead}, a running summary and an answer of "
                f"{limit} each do not fit a window of {window}; use smaller segments (--segment-tokens), ask for "
                "fewer words (--words) or use a model with a larger window"
            )

    async def summarize(self, task: SummaryTask, *, run_id: str, emit: Emit) -> Summary:
        """See `Summarizer`."""
        maker = _Updating(self._engine, task, emit=emit)
        plan = self.plan(task)
        return await carry_out(plan, maker, engine=self._engine, nodes=self._nodes, task=task, run_id=run_id, emit=emit)


class _Updating:
    """Makes the versions of a running summary."""

    def __init__(self, engine: Engine, task: SummaryTask, *, emit: Emit) -> None:
        self._writer = Writer(engine, emit=emit)
        self._prompts = SummaryPrompts(task)
        self._held = task.words is not None

    async def make(self, node: PlannedNode, made: Mapping[int, Made], *, purpose: str) -> Made:
        """See `NodeMaker`. Where a segment cannot be worked in, the version before stays and is marked as a gap."""
        segment = self._prompts.segment(node.text)
        held = node.result and self._held
        length = Length(node.words, exact=held)
        running = made[node.children[0]] if node.children else None
        if running is None or not running.text:
            return await self._writer.make(
                lambda factor: self._prompts.leaf(segment, length.shrunk(factor), place=node.title),
                limit=node.limit,
                purpose=purpose,
                cut_is_good=held,
            )
        update = partial(self._prompts.update, segment=segment, length=length, place=node.title)
        answers: list[Completion] = []
        try:
            answers.append(await self._writer.ask(update(running.quoted()), limit=node.limit, purpose=purpose))
            if not is_good(answers[0], cut_is_good=held) and not self._writer.toy:
                shorter = await self._compressed(running, node, purpose, answers)
                again = self._writer.ask(update(shorter), limit=node.limit, purpose=purpose, attempt=len(answers))
                answers.append(await again)
        except (ContextTooLongError, RequestRefusedError, InvalidOutputError) as error:
            return replace(running, status=NodeStatus.GAP, reason=str(error), calls=call_ids(answers))
        good = is_good(answers[-1], cut_is_good=held)
        best = answers[-1] if good else longest([answers[0], answers[-1]])
        if not best.text.strip():
            return replace(running, status=NodeStatus.GAP, reason="its answer was empty", calls=call_ids(answers))
        return made_from(best, answers, good=good)

    def material(self, node: PlannedNode, made: Mapping[int, Made]) -> Sequence[Quoted]:
        """See `NodeMaker`."""
        running = [made[child].quoted() for child in node.children if made[child].text]
        return running if node.segment is None else [*running, self._prompts.segment(node.segment)]

    async def _compressed(self, running: Made, node: PlannedNode, purpose: str, answers: list[Completion]) -> Quoted:
        """A shorter running summary: the first within a fifth of what it should have, else the closest that ends
        properly, else what there was. Each attempt asks for a twentieth less."""
        wanted = max(1, node.words * node.number // (node.number + 1))
        good: list[Completion] = []
        for attempt in range(_COMPRESSIONS):
            words = max(1, int(wanted * (1 - _COMPRESSION_STEP * attempt)))
            answer = await self._writer.ask(
                self._prompts.compress(running.quoted(), words),
                limit=node.limit,
                purpose=f"compression for {purpose}",
                attempt=attempt,
                temperature=RETRY_TEMPERATURE,
            )
            answers.append(answer)
            if not is_good(answer):
                continue
            good.append(answer)
            if abs(count_words(answer.text) - words) <= _COMPRESSION_TOLERANCE * words:
                return made_from(answer, good, good=True).quoted()
        if not good:
            return running.quoted()
        closest = min(good, key=lambda answer: abs(count_words(answer.text) - wanted))
        return made_from(closest, good, good=True).quoted()
