"""What is done behind the answers of a session: vectors, summaries of long turns, facts about the user."""

from __future__ import annotations

import asyncio

from longdoc.agents.events import Emit, Event, Warned
from longdoc.agents.turn_summary import is_long, summarize_turn
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat_facts import ChatFacts
from longdoc.app.chat_runs import open_chat_run
from longdoc.errors import LdaError, NotFoundError
from longdoc.memory.indexes import IndexInUse
from longdoc.storage.memory_types import MemoryStatus, Namespace

_SUMMARIES_AT_ONCE = 64
_SUMMARIZED = "summarized_until"


class ChatUpkeep:
    """The upkeep of a session, one pass at a time. What fails is told once, as a warning.

    Nothing is lost where it fails or is ended: it is begun again after the next answer, or the next opening.
    """

    def __init__(
        self, workspace: Workspace, namespace: Namespace, index: IndexInUse, *, facts: ChatFacts | None, emit: Emit
    ) -> None:
        self._workspace = workspace
        self._memories = workspace.records.memories
        self._namespace = namespace
        self._index = index
        self._facts = facts
        self._emit = emit
        self._tidying = asyncio.Lock()
        self._behind: set[asyncio.Task[None]] = set()
        self._warned: set[str] = set()

    def begin(self) -> None:
        """Do what was left undone, in the background."""
        task = asyncio.get_running_loop().create_task(self._catch_up())
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)

    async def settle(self) -> None:
        """Wait for what is done in the background."""
        while self._behind:
            await asyncio.gather(*self._behind)

    async def aclose(self) -> None:
        """End what is done in the background. Idempotent."""
        for task in self._behind:
            task.cancel()
        await asyncio.gather(*self._behind, return_exceptions=True)

    async def catch_up_index(self) -> None:
        """Take in what changed, so that what was erased is searched no more. Raises `StorageError`."""
        async with self._index() as index:
            await index.catch_up()

    async def _catch_up(self) -> None:
        async with self._tidying:
            for step in (self.catch_up_index, self._summarize, self._learn):
                try:
                    await step()
                except NotFoundError:
                    return  # the session was deleted meanwhile
                except LdaError as error:
                    self._warn(f"{error} (done behind the answers, and tried again after the next)")

    async def _summarize(self) -> None:
        """Summarize the long ones of the next turns that were not looked at yet."""
        memories, namespace = self._memories, self._namespace
        found = await memories.find(namespace.name)
        until = 0 if found is None else found.settings.get(_SUMMARIZED, 0)
        turns = await memories.after(namespace.id, until if isinstance(until, int) else 0, _SUMMARIES_AT_ONCE)
        while turns and turns[-1].status is MemoryStatus.OPEN:
            turns.pop()
        if not turns:
            return
        long = [turn for turn in turns if is_long(turn)]
        if long:
            async with open_chat_run(self._workspace, namespace, interactive=False, emit=_ignore) as run:
                for turn in long:
                    summary = await summarize_turn(run.engine, namespace.id, turn, emit=run.emit)
                    if summary is not None:
                        await memories.summarize(namespace.id, turn.number, summary, of=turn.text)
        await memories.set_up(namespace.id, {_SUMMARIZED: turns[-1].number})

    async def _learn(self) -> None:
        """Keep the facts that turns hold."""
        if self._facts is not None and await self._facts.unread(self._namespace):
            async with open_chat_run(self._workspace, self._namespace, interactive=False, emit=_ignore) as run:
                await self._facts.learn(run.engine, self._namespace, emit=run.emit)

    def _warn(self, message: str) -> None:
        if message not in self._warned:
            self._warned.add(message)
            self._emit(Warned(message))


def _ignore(event: Event) -> None:
    del event
