"""Conversations without end: what is said is stored before it is answered, and what helps is recalled for each turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from longdoc.agents.answer_reader import Answer
from longdoc.agents.chat import Answered, ChatWriter, Room
from longdoc.agents.events import CallFinished, Emit, Event, Warned
from longdoc.agents.follow_up import MOST_TURNS
from longdoc.agents.memory_judge import MemoryJudge, memory_reference
from longdoc.agents.turn_summary import is_long, summarize_turn
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat_documents import ChatDocuments, DocumentAnswer
from longdoc.app.chat_facts import ChatFacts, facts_name, forget_facts
from longdoc.app.memory_access import erase_expired, memory_index, policy_of, scrub_facts
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.segmentation import counter_of
from longdoc.app.written_answer import WrittenAnswer
from longdoc.documents.document import Document
from longdoc.engines.engine import Engine, TextSink
from longdoc.errors import ConfigError, ContextTooLongError, LdaError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.memory.decision import Decision
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.memory.indexes import IndexInUse, MemoryIndexes
from longdoc.memory.policies import (
    PolicyName,
    RecallOptions,
)
from longdoc.memory.stream import MemoryStream
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.memory_types import Memory, MemoryStatus, Namespace, NamespaceName, NewMemory
from longdoc.storage.runs import RunRequest

_FACTS_SHARE = 0.1
"""Of the window, for facts about the user."""
_FACT_TOKENS = 16
_ESTIMATE_RATIO = 1.3
"""By which the estimate of tokens is raised where an engine has no tokenizer: a prompt must not pass its window."""
_JOTTED_EVERY = 1.0
_SUMMARIES_AT_ONCE = 64
_SUMMARIZED = "summarized_until"
_OWN_INDEXES = 256 * 1024 * 1024


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
class Reply:
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


class ChatSession:
    """A conversation of one namespace, made by `open_chat`. One turn at a time; other processes may go on with it too.

    What was answered is on disk when `send` returns. Where it is cancelled, what there is of the answer is kept.
    """

    def __init__(
        self,
        workspace: Workspace,
        namespace: Namespace,
        index: IndexInUse,
        options: ChatOptions,
        *,
        facts: ChatFacts | None = None,
        emit: Emit = lambda event: None,
    ) -> None:
        system = options.system if options.system is not None else namespace.settings.get("system")
        counter = counter_of(workspace.engine, ratio=_ESTIMATE_RATIO)
        self._workspace = workspace
        self._options = options
        self._records = workspace.records
        self._index = index
        self._counter = counter
        self._system = str(system) if system else None
        self._speaking = asyncio.Lock()
        self._tidying = asyncio.Lock()
        self._behind: set[asyncio.Task[None]] = set()
        self._wrapper: int | None = None
        self._documents = ChatDocuments(workspace, _documents(namespace))
        self._emit = emit
        self._warned: set[str] = set()
        self.facts = facts
        self.namespace = namespace

    async def send(
        self, text: str, *, key: str | None = None, emit: Emit = lambda event: None, on_text: TextSink | None = None
    ) -> Reply:
        """Say something, and get the answer. With a `key`, what was said under it before is not said again: it is
        answered from the record, or for the first time where it had no answer yet.

        Raises `ConfigError` for an input that is empty or too long, which is not stored; what the engine raises, after
        which the input waits for an answer (`retry`).
        """
        if not text.strip():
            raise ConfigError("the message is empty")
        async with self._speaking:
            said = None if key is None else await self._with_key(key, text)
            if said is not None and said.status.remembered:
                return await self._recorded(said)
            facts = await self._known(text if said is None else said.observation)
            room = await self._room(text if said is None else said.observation, facts)
            if said is None:
                new = NewMemory(text, key=key, status=MemoryStatus.OPEN)
                said = await self._records.memories.append(self.namespace.id, new)
                _check_same(said, text)
            if said.status.remembered:  # by somebody else with the same key, a moment ago
                return await self._recorded(said)
            return await self._answered(said, room, facts, emit=emit, on_text=on_text)

    async def retry(self, *, emit: Emit = lambda event: None, on_text: TextSink | None = None) -> Reply | None:
        """Answer the oldest input that waits for an answer; None where none does. Raises as `send`."""
        async with self._speaking:
            waiting = await self.waiting()
            if not waiting:
                return None
            facts = await self._known(waiting[0].observation)
            room = await self._room(waiting[0].observation, facts)
            return await self._answered(waiting[0], room, facts, emit=emit, on_text=on_text)

    async def waiting(self) -> list[Memory]:
        """What was said and has no answer: it was interrupted, or another process is at it."""
        return await self._records.memories.waiting(self.namespace.id)

    async def turns(self, count: int | None = None) -> list[Memory]:
        """The last turns, in order."""
        return (await self._records.memories.newest(self.namespace.id, count))[::-1]

    async def count(self) -> int:
        """How many turns are remembered."""
        return await self._records.memories.remembered(self.namespace.id)

    async def why(self, number: int | None = None) -> tuple[int, Mapping[str, JsonValue]]:
        """What was decided for a turn, the last one if none is named. Raises `NotFoundError`."""
        if number is None:
            last = await self._records.memories.newest(self.namespace.id, 1)
            if not last:
                raise NotFoundError("nothing was said yet")
            number = last[0].number
        found = await self._records.memory_decisions.load(self.namespace.id, number)
        return number, found if isinstance(found, dict) else {}

    async def search(self, question: str, *, k: int) -> list[tuple[Memory, float]]:
        """The `k` memories nearest to a text, the best first, with their scores."""
        async with self._index() as index:
            found = await index.search(question, k=k)
        stored = await self._records.memories.get(self.namespace.id, [one.number for one in found])
        by_number = {one.number: one for one in stored}
        return [(by_number[one.number], one.score) for one in found if one.number in by_number]

    async def forget(self, *numbers: int) -> int:
        """Erase memories with all that was made from them, facts too; how many there were."""
        await forget_facts(self._records, self.namespace, numbers)
        erased = await self._records.memories.erase(self.namespace.id, numbers)
        await self._catch_up_index()
        if self.facts is not None:
            await self.facts.catch_up()
        else:
            await scrub_facts(self._records, self.namespace)
        return erased

    async def undo(self) -> Memory | None:
        """Erase the last turn, answered or not; what it was."""
        memories = self._records.memories
        last = [*await memories.newest(self.namespace.id, 1), *await self.waiting()]
        if not last:
            return None
        newest = max(last, key=lambda one: one.number)
        await self.forget(newest.number)
        return newest

    async def set_system(self, system: str | None) -> None:
        """Give the session another system prompt, from now on and for later."""
        self._system = system or None
        await self._records.memories.set_up(self.namespace.id, {"system": system or ""})

    async def add(self, documents: Sequence[Document]) -> None:
        """Answer from these documents too, from now on and when the session is gone on with."""
        await self._documents.add(documents)
        await self._records.memories.set_up(self.namespace.id, {"documents": list(self._documents.ids)})

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The documents that are answered from."""
        return self._documents.ids

    async def settle(self) -> None:
        """Wait for what is done in the background: summaries of turns, and vectors."""
        while self._behind:
            await asyncio.gather(*self._behind)

    async def aclose(self) -> None:
        """End what is done in the background, which goes on when the session is opened again. Idempotent."""
        for task in self._behind:
            task.cancel()
        await asyncio.gather(*self._behind, return_exceptions=True)
        self._documents.close()

    def catch_up(self) -> None:
        """Do in the background what was left undone: vectors, and summaries of long turns."""
        task = asyncio.get_running_loop().create_task(self._catch_up())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    def _writer(self, engine: Engine) -> ChatWriter:
        return ChatWriter(engine, self._counter, namespace=self.namespace.id, system=self._system)

    async def _known(self, text: str) -> Sequence[Quoted]:
        """The facts about the user that every prompt is told."""
        if self.facts is None:
            return ()
        where = self.facts.namespace.id
        quoted: list[Quoted] = []
        left = self._workspace.engine.info.context_window * _FACTS_SHARE
        for fact in await self.facts.known(text):
            (tokens,) = await self._counter.count_tokens([fact.observation])
            left -= tokens + _FACT_TOKENS
            if left >= 0:
                quoted.append(Quoted(fact.observation, memory_reference(where, fact.number)))
        return quoted

    async def _room(self, text: str, facts: Sequence[Quoted]) -> Room:
        return await self._writer(self._workspace.engine).room(
            text, facts=facts, memory_tokens=self._options.memory_tokens, answer_tokens=self._options.answer_tokens
        )

    async def _recorded(self, said: Memory) -> Reply:
        decision: Mapping[str, JsonValue] = {}
        with suppress(NotFoundError):
            _, decision = await self.why(said.number)
        return Reply(said.number, said.response, said.status, decision, recorded=True)

    async def _answered(
        self, said: Memory, room: Room, facts: Sequence[Quoted], *, emit: Emit, on_text: TextSink | None
    ) -> Reply:
        calls: list[int] = []

        def noting(event: Event) -> None:
            if isinstance(event, CallFinished) and event.completion.call_id is not None:
                calls.append(event.completion.call_id)
            emit(event)

        found = await self._from_documents(said, noting)
        if found is not None:
            return await self._found(said, found, calls, on_text)
        async with self._run(noting) as run:
            written = WrittenAnswer(self._records, self.namespace.id, said.number, on_text)
            started = time.monotonic()
            decision = await self._decide(run, said, room)
            decided = time.monotonic() - started
            try:
                try:
                    answer = await self._written(run, said, decision, room, facts, on_text=written.take)
                except ContextTooLongError:  # without a tokenizer counts are estimates
                    decision = await self._decide(run, said, replace(room, memories=room.memories // 4))
                    answer = await self._written(run, said, decision, room, facts, on_text=written.take)
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
        self.catch_up()
        return Reply(stored.number, stored.response, status, shown, run.usage)

    async def _stored(
        self, said: Memory, text: str, status: MemoryStatus, calls: Sequence[int], decision: JsonValue
    ) -> Memory:
        """The memory with its answer: this one, or that of somebody who answered it in the same moment."""
        memories = self._records.memories
        try:
            return await memories.answer(
                self.namespace.id, said.number, text, status=status, calls=calls, decision=decision
            )
        except ConfigError:
            found = await memories.get(self.namespace.id, [said.number])
            if found and found[0].status.remembered:
                return found[0]
            raise

    async def _with_key(self, key: str, text: str) -> Memory | None:
        found = await self._records.memories.with_key(self.namespace.id, key)
        if found is not None:
            _check_same(found, text)
        return found

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._emit(Warned(message))

    async def _from_documents(self, said: Memory, emit: Emit) -> DocumentAnswer | None:
        if not self._documents.ids:
            return None
        before = await self._records.memories.newest(self.namespace.id, MOST_TURNS, before=said.number)
        return await self._documents.answer(said, before[::-1], namespace=self.namespace.id, emit=emit)

    async def _found(
        self, said: Memory, found: DocumentAnswer, calls: Sequence[int], on_text: TextSink | None
    ) -> Reply:
        text, status = found.answer.text, MemoryStatus.DONE
        await self._stored(said, text, status, calls, found.decision)
        if on_text is not None:
            on_text(text)
        self.catch_up()
        return Reply(said.number, text, status, found.decision, found.usage, found.answer)

    async def _written(
        self, run: OpenRun, said: Memory, decision: Decision, room: Room, facts: Sequence[Quoted], *, on_text: TextSink
    ) -> Answered:
        writer = self._writer(run.engine)
        return await writer.answer(
            said.number, said.observation, decision, room, facts=facts, emit=run.emit, on_text=on_text
        )

    async def _decide(self, run: OpenRun, said: Memory, room: Room) -> Decision:
        judge = MemoryJudge(run.engine, namespace=self.namespace.id, emit=run.emit)
        async with self._index() as index:
            policy = policy_of(self._options.policy, await self._stream(index), self._options.recall, judge)
            return await policy.decide(said.observation, before=said.number, budget=room.memories)

    async def _stream(self, index: MemoryIndex) -> MemoryStream:
        if self._wrapper is None:
            self._wrapper = await self._writer(self._workspace.engine).wrapper_tokens()
        rows = MemoryRows(self.namespace, self._records.memories, self._records.memory_vectors)
        return MemoryStream(rows, index, self._counter, wrapper=self._wrapper)

    @asynccontextmanager
    async def _run(self, emit: Emit, *, interactive: bool = True) -> AsyncGenerator[OpenRun, None]:
        request = self._request()
        async with open_run(self._workspace, request, fresh=False, interactive=interactive, emit=emit) as run:
            await self._records.memories.owns(self.namespace.id, run.id)
            yield run

    def _request(self) -> RunRequest:
        return RunRequest(
            kind="chat",
            title=str(self.namespace.name),
            document_ids=(),
            parameters={"namespace": self.namespace.id},
            model=self._workspace.engine.info.identity,
        )

    async def _catch_up(self) -> None:
        """Nothing of it is lost where it fails: it is begun again after the next answer, or the next opening."""
        async with self._tidying:
            for step in (self._catch_up_index, self._summarize, self._learn):
                try:
                    await step()
                except NotFoundError:
                    return  # the session was deleted meanwhile
                except LdaError as error:
                    self._warn(f"{error} (done behind the answers, and tried again after the next)")

    async def _catch_up_index(self) -> None:
        async with self._index() as index:
            await index.catch_up()

    async def _summarize(self) -> None:
        """Summarize the long ones of the next turns that were not looked at yet."""
        memories = self._records.memories
        found = await memories.find(self.namespace.name)
        until = 0 if found is None else found.settings.get(_SUMMARIZED, 0)
        turns = await memories.after(self.namespace.id, until if isinstance(until, int) else 0, _SUMMARIES_AT_ONCE)
        while turns and turns[-1].status is MemoryStatus.OPEN:
            turns.pop()
        if not turns:
            return
        long = [turn for turn in turns if is_long(turn)]
        if long:
            async with self._run(_ignore, interactive=False) as run:
                for turn in long:
                    summary = await summarize_turn(run.engine, self.namespace.id, turn, emit=run.emit)
                    if summary is not None:
                        await memories.summarize(self.namespace.id, turn.number, summary, of=turn.text)
        await memories.set_up(self.namespace.id, {_SUMMARIZED: turns[-1].number})

    async def _learn(self) -> None:
        """Keep the facts that turns hold."""
        if self.facts is not None and await self.facts.unread(self.namespace):
            async with self._run(_ignore, interactive=False) as run:
                await self.facts.learn(run.engine, self.namespace, emit=run.emit)


def _check_same(said: Memory, text: str) -> None:
    if said.observation != text:
        raise ConfigError(
            f"another message was said under the key {said.key!r}: {said.observation[:60]!r}; choose another key"
        )


def _ignore(event: Event) -> None:
    del event


def _documents(namespace: Namespace) -> list[str]:
    """The ids of the documents that a session answers from."""
    ids = namespace.settings.get("documents", [])
    return [str(one) for one in ids] if isinstance(ids, list) else []


@asynccontextmanager
async def open_chat(
    workspace: Workspace,
    name: NamespaceName,
    options: ChatOptions,
    *,
    indexes: MemoryIndexes | None = None,
    emit: Emit = lambda event: None,
) -> AsyncGenerator[ChatSession, None]:
    """The conversation of that name, gone on with where it was left, for as long as the context lasts.

    Where many conversations are open they share `indexes`; else it has its own. Memories whose time is over are erased
    first. Raises `StorageError`.
    """
    memories = workspace.records.memories
    namespace = await memories.open(name)
    await erase_expired(workspace.records)
    async with AsyncExitStack() as stack:
        if indexes is None:
            indexes = MemoryIndexes(limit_bytes=_OWN_INDEXES)
            stack.push_async_callback(indexes.aclose)
        index = memory_index(workspace, namespace, indexes, emit=emit)
        facts = None
        if options.facts:
            about = await memories.open(facts_name(name))
            facts = ChatFacts(workspace, about, memory_index(workspace, about, indexes, emit=_ignore))
        session = ChatSession(workspace, namespace, index, options, facts=facts, emit=emit)
        stack.push_async_callback(session.aclose)
        if options.system is not None and options.system != namespace.settings.get("system"):
            await session.set_system(options.system)
        async with index():  # what cannot be opened is told now
            session.catch_up()
        yield session
