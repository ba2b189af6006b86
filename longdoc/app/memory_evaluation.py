"""Comparing policies of memory on dialogues with questions: what each recalls at equal budgets, and what is answered.

Every dialogue is a namespace of its own; its turns are stored once, with their summaries and vectors, so that a
repeated evaluation makes no call. Questions are asked without being stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from longdoc.agents.chat import ChatWriter, Room
from longdoc.agents.events import NodeDone, Planned
from longdoc.agents.memory_judge import MemoryJudge
from longdoc.agents.turn_summary import is_long, summarize_turn
from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.app.memory_access import open_memory_index, policy_of
from longdoc.app.runs import OpenRun, open_run
from longdoc.app.segmentation import counter_of
from longdoc.documents.tokens import TokenCounter
from longdoc.errors import ConfigError, LdaError
from longdoc.evaluation.answer_judge import AnswerJudge
from longdoc.evaluation.answer_scores import exact, token_f1
from longdoc.evaluation.dialogue import Dialogue, DialogueQuestion
from longdoc.evaluation.memory_report import MemoryReport, RecallTrial
from longdoc.memory.decision import Decision, Form
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.memory.policies import GateRule, PolicyName, RecallOptions
from longdoc.memory.stream import MemoryStream
from longdoc.storage.memory_types import Memory, Namespace, NamespaceName, NewMemory
from longdoc.storage.runs import RunRequest, RunStatus

_USER, _AGENT = "eval", "memory"
_AT_ONCE = 8
_ALWAYS = RecallOptions(gate=GateRule.ALWAYS)

VARIANTS: Mapping[str, tuple[PolicyName, RecallOptions]] = {
    "auto": (PolicyName.AUTO, RecallOptions()),
    "full": (PolicyName.FULL, RecallOptions()),
    "retrieve": (PolicyName.RETRIEVE, RecallOptions()),
    "scm": (PolicyName.SCM, RecallOptions()),
    "scm without gate": (PolicyName.SCM, _ALWAYS),
    "scm without controller": (PolicyName.SCM, replace(_ALWAYS, controller=False)),
    "scm without flash memory": (PolicyName.SCM, replace(_ALWAYS, flash=False)),
    "scm without activation": (PolicyName.SCM, replace(_ALWAYS, activation=False)),
}
"""What is compared: the policies, and scm with one of its parts left out (the paper's ablations)."""


@dataclass(frozen=True, slots=True)
class MemoryOptions:
    """What is tried: variants by name, budgets of tokens, and whether questions are answered too.

    `judge`: the model that answers marks the answers too. `summaries`: long turns are summarized first, which takes a
    call each.
    """

    variants: tuple[str, ...] = ("auto", "full", "retrieve", "scm")
    budgets: tuple[int, ...] = (500, 1000, 2000, 4000)
    answers: bool = False
    judge: bool = False
    summaries: bool = True

    def __post_init__(self) -> None:
        unknown = [name for name in self.variants if name not in VARIANTS]
        if unknown:
            raise ConfigError(f"there is no policy {unknown[0]!r}; choose from: {', '.join(VARIANTS)}")
        if not self.variants or not self.budgets:
            raise ConfigError("name at least one policy and one budget")
        if self.judge and not self.answers:
            raise ConfigError("there are no answers to judge; ask for answers too (--answers)")


async def evaluate_memory(
    workspace: Workspace, dialogues: Sequence[Dialogue], options: MemoryOptions, *, fresh: bool = False, watch: Watch
) -> MemoryReport:
    """Try every variant at every budget on every question. What fails for one question is in the report.

    Raises what a later run may overcome, and `ConfigError`.
    """
    if not any(dialogue.questions for dialogue in dialogues):
        raise ConfigError("there are no questions in these dialogues")
    title = f"Memory of {len(dialogues)} dialogues"
    request = RunRequest(
        kind="eval memory",
        title=title,
        document_ids=(),
        parameters={
            "dialogues": [_digest(dialogue) for dialogue in dialogues],
            "variants": list(options.variants),
            "budgets": list(options.budgets),
            "answers": options.answers,
            "judge": options.judge,
            "summaries": options.summaries,
        },
        model=workspace.engine.info.identity,
    )
    trials: list[RecallTrial] = []
    with watch(title) as view:
        async with open_run(workspace, request, fresh=fresh, emit=view.emit) as run:
            questions = sum(len(dialogue.questions) for dialogue in dialogues)
            run.emit(Planned(len(dialogues), f"{questions} questions on {len(dialogues)} dialogues"))
            for number, dialogue in enumerate(dialogues):
                if dialogue.questions:
                    trials += await _DialogueTrials(workspace, run, dialogue, options).run()
                run.emit(NodeDone(f"{run.id}.{number}", 0, dialogue.id, gap=False))
            report = MemoryReport(title, trials, _settings(workspace, options), _remarks(dialogues))
            run.status = RunStatus.GAPS if report.failures else RunStatus.DONE
        view.finish(run.id, run.usage)
    return report


@dataclass(frozen=True, slots=True)
class _Stored:
    """The turns of a dialogue: the numbers they have as memories, and the stream they are recalled from."""

    numbers: Sequence[int]
    stream: MemoryStream


class _DialogueTrials:
    """One dialogue: stored, summarized, and asked."""

    def __init__(self, workspace: Workspace, run: OpenRun, dialogue: Dialogue, options: MemoryOptions) -> None:
        self._workspace = workspace
        self._records = workspace.records
        self._run = run
        self._dialogue = dialogue
        self._options = options
        self._counter: TokenCounter = counter_of(workspace.engine)

    async def run(self) -> list[RecallTrial]:
        namespace, numbers = await self._stored()
        index = await open_memory_index(self._workspace, namespace, emit=self._run.emit)
        try:
            await index.catch_up()
            if self._options.summaries:
                await self._summarize(namespace)
            stored = _Stored(numbers, await self._stream(namespace, index))
            # Counted first, so that the times of policies are comparable, whichever of them comes first.
            await stored.stream.counted(await self._records.memories.newest(namespace.id))
            return [
                await self._try(stored, question, variant, budget)
                for budget in self._options.budgets
                for variant in self._options.variants
                for question in self._dialogue.questions
            ]
        finally:
            await index.aclose()

    async def _stored(self) -> tuple[Namespace, list[int]]:
        """The namespace of the dialogue, and the numbers of its turns."""
        name = NamespaceName(_USER, _AGENT, f"{self._dialogue.id}-{_digest(self._dialogue)[:12]}")
        namespace = await self._records.memories.open(name)
        new = [
            NewMemory(turn.observation, turn.response, key=str(place), at=turn.at)
            for place, turn in enumerate(self._dialogue.turns)
        ]
        stored = await self._records.memories.append_all(namespace.id, new)
        return namespace, [memory.number for memory in stored]

    async def _summarize(self, namespace: Namespace) -> None:
        memories = self._records.memories

        async def one(memory: Memory) -> None:
            summary = await summarize_turn(self._run.engine, namespace.id, memory, emit=self._run.emit)
            if summary is not None:
                await memories.summarize(namespace.id, memory.number, summary, of=memory.text)

        long = [turn for turn in await memories.newest(namespace.id) if is_long(turn)]
        for start in range(0, len(long), _AT_ONCE):
            await asyncio.gather(*(one(memory) for memory in long[start : start + _AT_ONCE]))

    async def _try(self, stored: _Stored, question: DialogueQuestion, variant: str, budget: int) -> RecallTrial:
        trial = RecallTrial(
            dialogue=self._dialogue.id,
            question=question.id,
            kind=question.kind,
            policy=variant,
            budget=budget,
            gold=tuple(stored.numbers[turn] for turn in question.gold) if question.answerable else (),
            also=tuple(stored.numbers[turn] for turn in question.also),
        )
        asked = trial
        judge = MemoryJudge(self._run.engine, namespace=stored.stream.namespace, emit=self._run.emit)
        name, recall = VARIANTS[variant]
        started = time.monotonic()
        before = max(stored.numbers, default=0) + 1
        try:
            policy = policy_of(name, stored.stream, recall, judge)
            decision = await policy.decide(question.question, before=before, budget=budget)
            trial = _recalled(trial, decision, time.monotonic() - started)
            if self._options.answers:
                trial = await self._answered(trial, self._writer(stored.stream.namespace), question, decision, before)
        except LdaError as error:
            if error.resumable:
                raise
            return replace(asked, failure=str(error))
        return trial

    def _writer(self, namespace: int) -> ChatWriter:
        return ChatWriter(self._run.engine, self._counter, namespace=namespace, system=None)

    async def _stream(self, namespace: Namespace, index: MemoryIndex) -> MemoryStream:
        rows = MemoryRows(namespace, self._records.memories, self._records.memory_vectors)
        wrapper = await self._writer(namespace.id).wrapper_tokens()
        return MemoryStream(rows, index, self._counter, wrapper=wrapper)

    async def _answered(
        self, trial: RecallTrial, writer: ChatWriter, question: DialogueQuestion, decision: Decision, number: int
    ) -> RecallTrial:
        room: Room = await writer.room(question.question, memory_tokens=trial.budget)
        if decision.tokens > room.memories:
            raise ConfigError(f"{decision.tokens} tokens of memories do not fit the window beside an answer")
        answered = await writer.answer(number, question.question, decision, room, emit=self._run.emit)
        text = answered.completion.text
        trial = replace(trial, answer=text)
        if not question.answerable:
            return trial
        trial = replace(trial, exact=exact(text, question.answer), f1=token_f1(text, question.answer))
        if not self._options.judge:
            return trial
        right = await AnswerJudge(self._run.engine, emit=self._run.emit).right(question.question, question.answer, text)
        return replace(trial, right=right, unjudged=right is None)


def _recalled(trial: RecallTrial, decision: Decision, seconds: float) -> RecallTrial:
    kept = decision.kept
    flash = [] if decision.flash is None else [decision.flash]
    found = [one.candidate for one in decision.fitted if one.candidate.relevance > 0.0]
    ranked = sorted(found, key=lambda one: (-one.rank, -one.number))
    return replace(
        trial,
        candidates=tuple(one.candidate.number for one in (*decision.fitted, *flash)),
        ranked=tuple(one.number for one in ranked),
        kept=tuple(one.candidate.number for one in kept),
        full=tuple(one.candidate.number for one in kept if one.form is Form.FULL),
        tokens=decision.tokens,
        judge_calls=decision.calls,
        malformed=decision.malformed,
        needed=decision.gate.needed,
        seconds=seconds,
    )


def _digest(dialogue: Dialogue) -> str:
    said = "\0".join(f"{turn.observation}\0{turn.response}" for turn in dialogue.turns)
    return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _settings(workspace: Workspace, options: MemoryOptions) -> dict[str, str]:
    info = workspace.engine.info
    judge = {"judge": f"the same model{', a toy whose marks are noise' if info.toy else ''}"} if options.judge else {}
    return {
        "model": info.identity,
        **judge,
        "summaries": "of long turns, by the model" if options.summaries else "none",
        "tokens": "exact" if info.exact_tokens else "estimated",
    }


def _remarks(dialogues: Sequence[Dialogue]) -> list[str]:
    questions = [question for dialogue in dialogues for question in dialogue.questions]
    trick = sum(not question.answerable for question in questions)
    unknown = sum(question.answerable and not question.gold for question in questions)
    return [
        *([f"of {unknown} questions it is not known where the evidence stands"] if unknown else []),
        *([f"{trick} questions have no answer in their dialogue; they are asked and not scored"] if trick else []),
    ]
