"""The making of one turn's answer: what of documents or memories goes with the input, what is asked, what is stored.

What was said is stored by others before, and what can wait until after the answer is done by others too.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from longdoc.agents.answer_reader import Answer
from longdoc.agents.chat import Answered, ChatWriter, Room
from longdoc.agents.events import CallFinished, Emit, Event
from longdoc.agents.follow_up import MOST_TURNS
from longdoc.agents.memory_judge import MemoryJudge, memory_reference
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat_documents import ChatDocuments, DocumentAnswer
from longdoc.app.chat_facts import ChatFacts
from longdoc.app.chat_runs import open_chat_run
from longdoc.app.memory_access import policy_of
from longdoc.app.results import Shown, Source, found_in
from longdoc.app.runs import OpenRun, RunUsage
from longdoc.app.segmentation import counter_of
from longdoc.app.written_answer import WrittenAnswer
from longdoc.engines.engine import Engine, TextSink
from longdoc.errors import ConfigError, ContextTooLongError
from longdoc.json_value import JsonValue
from longdoc.memory.decision import Decision
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.memory.indexes import IndexInUse
from longdoc.memory.policies import PolicyName, RecallOptions
from longdoc.memory.stream import MemoryStream
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.memory_types import Memory, MemoryStatus, Namespace

_FACTS_SHARE = 0.1
"""Of the window, for facts about the user."""
_FACT_TOKENS = 16
_ESTIMATE_RATIO = 1.3
"""By which the estimate of tokens is raised where an engine has no tokenizer: a prompt must not pass its window."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a conversation is led. `system` None: as the session has it; tokens None: by the engine's window.

    With `facts`, what the user tells of themselves is kept over all their sessions, at the price of a call a turn.
    """

    policy: PolicyName = PolicyName.AUTO
    recall: RecallOptions = field(default_factory=RecallOptions)
    system: str | None = None
    memory_tokens: int | None = None
    answer_tokens: int | None = None
    facts: bool = False


@dataclass(frozen=True, slots=True)
class Reply(Shown):
    """An answer: the turn's number, its text, what was decided about memory, and where the prompt's tokens went.

    `answer` has the claims with their citations where it was read from documents. `recorded`: it was answered before,
    and nothing was asked.
    """

    number: int
    text: str
    status: MemoryStatus
    decision: Mapping[str, JsonValue]
    usage: RunUsage = field(default_factory=RunUsage)
    answer: Answer | None = None
    recorded: bool = False
    run_id: str = ""

    @property
    def sources(self) -> tuple[Source, ...]:
        """The verified citations, where it was answered from documents."""
        claims = () if self.answer is None else self.answer.claims
        return found_in(self.text, ((claim.text, claim.citations) for claim in claims))


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is settled about an answer before its input is stored: the facts it is told, the room there is."""

    facts: Sequence[Quoted]
    room: Room


class ChatAnswers:
    """Makes the answers of a session, one at a time; `system` is the user's own system prompt, None without one."""

    def __init__(
        self,
        workspace: Workspace,
        namespace: Namespace,
        index: IndexInUse,
        options: ChatOptions,
        *,
        documents: ChatDocuments,
        facts: ChatFacts | None,
        system: str | None,
    ) -> None:
        self._workspace = workspace
        self._records = workspace.records
        self._namespace = namespace
        self._index = index
        self._options = options
        self._documents = documents
        self._facts = facts
        self._counter = counter_of(workspace.engine, ratio=_ESTIMATE_RATIO)
        self._wrapper: int | None = None
        self.system = system

    async def prepare(self, text: str) -> Prepared:
        """Settle what does not depend on memories. Raises `ConfigError` where the input is too long."""
        facts = await self._known(text)
        room = await self._writer(self._workspace.engine).room(
            text, facts=facts, memory_tokens=self._options.memory_tokens, answer_tokens=self._options.answer_tokens
        )
        return Prepared(facts, room)

    async def answer(self, said: Memory, prepared: Prepared, *, emit: Emit, on_text: TextSink | None) -> Reply:
        """Answer an input that is stored, from documents as far as these hold an answer, and store that.

        Raises what the engine raises. Where it is cancelled, what there is of the answer is kept.
        """
        calls: list[int] = []

        def noting(event: Event) -> None:
            if isinstance(event, CallFinished) and event.completion.call_id is not None:
                calls.append(event.completion.call_id)
            emit(event)

        found = await self._found(said, noting)
        if found is None:
            return await self._remembered(said, prepared, calls, emit=noting, on_text=on_text)
        text, status = found.answer.text, MemoryStatus.DONE
        await self._stored(said, text, status, calls, found.decision)
        if on_text is not None:
            on_text(text)
        return Reply(said.number, text, status, found.decision, found.usage, found.answer, run_id=found.run_id)

    async def _found(self, said: Memory, emit: Emit) -> DocumentAnswer | None:
        if not self._documents.ids:
            return None
        before = await self._records.memories.newest(self._namespace.id, MOST_TURNS, before=said.number)
        return await self._documents.answer(said, before[::-1], namespace=self._namespace.id, emit=emit)

    async def _remembered(
        self, said: Memory, prepared: Prepared, calls: Sequence[int], *, emit: Emit, on_text: TextSink | None
    ) -> Reply:
        """The answer with what is recalled; `calls` are those that `emit` hears of."""
        async with open_chat_run(self._workspace, self._namespace, interactive=True, emit=emit) as run:
            written = WrittenAnswer(self._records, self._namespace.id, said.number, on_text)
            room = prepared.room
            started = time.monotonic()
            decision = await self._decide(run, said, room)
            decided = time.monotonic() - started
            try:
                try:
                    answer = await self._written(run, said, decision, prepared, on_text=written.take)
                except ContextTooLongError:  # without a tokenizer counts are estimates
                    decision = await self._decide(run, said, replace(room, memories=room.memories // 4))
                    answer = await self._written(run, said, decision, prepared, on_text=written.take)
            except asyncio.CancelledError:
                await asyncio.shield(written.broken_off(calls, decision.to_json(), keyed=said.key is not None))
                raise
            shown: dict[str, JsonValue] = {
                **decision.to_json(),
                "account": dict(answer.account),
                "before_asking_seconds": round(decided, 4),
            }
            status = MemoryStatus.CUT if answer.completion.cut else MemoryStatus.DONE
            await written.ended()
            stored = await self._stored(said, answer.completion.text, status, calls, shown)
        return Reply(stored.number, stored.response, status, shown, run.usage, run_id=run.id)

    async def _decide(self, run: OpenRun, said: Memory, room: Room) -> Decision:
        judge = MemoryJudge(run.engine, namespace=self._namespace.id, emit=run.emit)
        async with self._index() as index:
            policy = policy_of(self._options.policy, await self._stream(index), self._options.recall, judge)
            return await policy.decide(said.observation, before=said.number, budget=room.memories)

    async def _stream(self, index: MemoryIndex) -> MemoryStream:
        if self._wrapper is None:
            self._wrapper = await self._writer(self._workspace.engine).wrapper_tokens()
        rows = MemoryRows(self._namespace, self._records.memories, self._records.memory_vectors)
        return MemoryStream(rows, index, self._counter, wrapper=self._wrapper)

    async def _written(
        self, run: OpenRun, said: Memory, decision: Decision, prepared: Prepared, *, on_text: TextSink
    ) -> Answered:
        return await self._writer(run.engine).answer(
            said.number,
            said.observation,
            decision,
            prepared.room,
            facts=prepared.facts,
            emit=run.emit,
            on_text=on_text,
        )

    async def _stored(
        self, said: Memory, text: str, status: MemoryStatus, calls: Sequence[int], decision: JsonValue
    ) -> Memory:
        """The memory with its answer: this one, or that of somebody who answered it in the same moment."""
        memories = self._records.memories
        try:
            return await memories.answer(
                self._namespace.id, said.number, text, status=status, calls=calls, decision=decision
            )
        except ConfigError:
            found = await memories.get(self._namespace.id, [said.number])
            if found and found[0].status.remembered:
                return found[0]
            raise

    async def _known(self, text: str) -> Sequence[Quoted]:
        """The facts about the user that every prompt is told."""
        if self._facts is None:
            return ()
        where = self._facts.namespace.id
        quoted: list[Quoted] = []
        left = self._workspace.engine.info.context_window * _FACTS_SHARE
        for fact in await self._facts.known(text):
            (tokens,) = await self._counter.count_tokens([fact.observation])
            left -= tokens + _FACT_TOKENS
            if left >= 0:
                quoted.append(Quoted(fact.observation, memory_reference(where, fact.number)))
        return quoted

    def _writer(self, engine: Engine) -> ChatWriter:
        return ChatWriter(engine, self._counter, namespace=self._namespace.id, system=self.system)
