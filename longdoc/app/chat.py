"""Conversations without end: what is said is stored before it is answered, and what helps is recalled for each turn.

Owns the session and its turns; how an answer is made and what is done behind it are parts of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from longdoc.agents.events import Emit
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat_answers import ChatAnswers, ChatOptions, Prepared, Reply
from longdoc.app.chat_documents import ChatDocuments
from longdoc.app.chat_facts import ChatFacts, facts_name, forget_facts
from longdoc.app.chat_upkeep import ChatUpkeep
from longdoc.app.memory_access import erase_expired, memory_index, scrub_facts
from longdoc.documents.document import Document
from longdoc.engines.engine import TextSink
from longdoc.errors import ConfigError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.memory.indexes import IndexInUse, MemoryIndexes
from longdoc.storage.memory_types import Memory, MemoryStatus, Namespace, NamespaceName, NewMemory

__all__ = ["ChatOptions", "ChatSession", "Reply", "open_chat"]


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
        self._records = workspace.records
        self._index = index
        self._speaking = asyncio.Lock()
        self._documents = ChatDocuments(workspace, _documents(namespace))
        self._answers = ChatAnswers(
            workspace,
            namespace,
            index,
            options,
            documents=self._documents,
            facts=facts,
            system=str(system) if system else None,
        )
        self._upkeep = ChatUpkeep(workspace, namespace, index, facts=facts, emit=emit)
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
            prepared = await self._answers.prepare(text if said is None else said.observation)
            if said is None:
                new = NewMemory(text, key=key, status=MemoryStatus.OPEN)
                said = await self._records.memories.append(self.namespace.id, new)
                _check_same(said, text)
            if said.status.remembered:  # by somebody else with the same key, a moment ago
                return await self._recorded(said)
            return await self._answered(said, prepared, emit=emit, on_text=on_text)

    async def retry(self, *, emit: Emit = lambda event: None, on_text: TextSink | None = None) -> Reply | None:
        """Answer the oldest input that waits for an answer; None where none does. Raises as `send`."""
        async with self._speaking:
            waiting = await self.waiting()
            if not waiting:
                return None
            prepared = await self._answers.prepare(waiting[0].observation)
            return await self._answered(waiting[0], prepared, emit=emit, on_text=on_text)

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
        await self._upkeep.catch_up_index()
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
        self._answers.system = system or None
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
        await self._upkeep.settle()

    async def aclose(self) -> None:
        """End what is done in the background, which goes on when the session is opened again. Idempotent."""
        await self._upkeep.aclose()
        self._documents.close()

    def catch_up(self) -> None:
        """Do in the background what was left undone: vectors, and summaries of long turns."""
        self._upkeep.begin()

    async def _with_key(self, key: str, text: str) -> Memory | None:
        found = await self._records.memories.with_key(self.namespace.id, key)
        if found is not None:
            _check_same(found, text)
        return found

    async def _recorded(self, said: Memory) -> Reply:
        decision: Mapping[str, JsonValue] = {}
        with suppress(NotFoundError):
            _, decision = await self.why(said.number)
        return Reply(said.number, said.response, said.status, decision, recorded=True)

    async def _answered(self, said: Memory, prepared: Prepared, *, emit: Emit, on_text: TextSink | None) -> Reply:
        reply = await self._answers.answer(said, prepared, emit=emit, on_text=on_text)
        self._upkeep.begin()
        return reply


def _check_same(said: Memory, text: str) -> None:
    if said.observation != text:
        raise ConfigError(
            f"another message was said under the key {said.key!r}: {said.observation[:60]!r}; choose another key"
        )


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
            indexes = MemoryIndexes(limit_bytes=None)
            stack.push_async_callback(indexes.aclose)
        index = memory_index(workspace, namespace, indexes, emit=emit)
        facts = None
        if options.facts:
            about = await memories.open(facts_name(name))
            facts = ChatFacts(workspace, about, memory_index(workspace, about, indexes, emit=lambda event: None))
        session = ChatSession(workspace, namespace, index, options, facts=facts, emit=emit)
        stack.push_async_callback(session.aclose)
        if options.system is not None and options.system != namespace.settings.get("system"):
            await session.set_system(options.system)
        async with index():  # where it cannot be opened, that is told now
            session.catch_up()
        yield session
