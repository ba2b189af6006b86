"""The Python face of longdoc for programs that have a loop: `AsyncLongDoc`. `api_sync.LongDoc` is the same for
programs that have none.

Owns what is open: record, engine, conversations, work under way. The capabilities are `api_capabilities`, those over
many documents `api_pipelines`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from typing import Final, Self, Unpack

from longdoc.agents.events import Emit
from longdoc.agents.profile_tasks import ProfileTask, load_tasks
from longdoc.app.api_chat import AsyncChat
from longdoc.app.api_inputs import Input, Inputs, open_input, open_inputs
from longdoc.app.api_keywords import ChatKeywords
from longdoc.app.api_pipelines import Pipelines
from longdoc.app.api_profiles import AsyncUser
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.chat import ChatOptions, open_chat
from longdoc.app.history import NodeDetails, RunDetails, RunSummary, node_details, run_details, run_summaries
from longdoc.app.indexing import Ingested, ingest
from longdoc.app.loop_thread import CLOSED
from longdoc.config import load_settings
from longdoc.documents.document import Document
from longdoc.engines.budget import Budget
from longdoc.errors import ConfigError
from longdoc.memory.indexes import MemoryIndexes
from longdoc.storage.memory_types import NamespaceName
from longdoc.storage.profile_types import LOCAL_TENANT

_MEGABYTE: Final = 1024 * 1024


class AsyncLongDoc(Pipelines):
    """longdoc for programs that have a loop. A context manager: it opens record and engine, and closes them.

    ```python
    from longdoc import AsyncLongDoc

    async with AsyncLongDoc() as longdoc:
        summary = await longdoc.summarize("book.epub", words=100)
        print(summary.text, summary.usage.calls)
    ```

    `settings` are those of the command line (`engine`, `model`, `base_url`, `database`, …), over environment and files;
    `budget` limits all that is asked through it, and `notify` is told in sentences which engine was chosen.

    Capabilities give a `Work`: `await` it for the result, iterate over it for its events. All of them take `fresh`
    (nothing counts that was recorded before) and `emit`, which hears the events too. What was asked before in the same
    words is answered from the record, and what was interrupted goes on where it stopped. They raise `ConfigError` for
    what cannot work, kinds of `DocumentError`, what the engine raises, and `BudgetExceededError`.
    """

    def __init__(
        self, *, budget: Budget | None = None, notify: Callable[[str], None] | None = None, **settings: object
    ) -> None:
        super().__init__()
        self._settings = settings
        self._budget = budget or Budget()
        self._notify = notify or _ignore
        self._stack = AsyncExitStack()
        self._open: tuple[Workspace, MemoryIndexes] | None = None
        self._profile_tasks: Mapping[str, ProfileTask] = {}
        self._chats: set[AsyncChat] = set()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def start(self) -> Self:
        """Open it where no `async with` is at hand; `aclose` closes it. Idempotent.

        Raises `ConfigError`, `EngineError`, `StorageError`.
        """
        if self._open is not None:
            return self
        settings = load_settings(self._settings)
        self._profile_tasks = load_tasks(settings.profile_tasks)
        opened = open_workspace(settings, budget=self._budget, notify=self._notify, progress=_ignore)
        workspace = await self._stack.enter_async_context(opened)
        indexes = MemoryIndexes(limit_bytes=settings.memory_cache * _MEGABYTE)
        self._stack.push_async_callback(indexes.aclose)
        self._open = workspace, indexes
        return self

    async def aclose(self) -> None:
        """Stop what is under way, and close conversations, engine and record. Idempotent."""
        self._open = None
        async with self._stack:  # closed after the conversations, whatever becomes of these
            while self._under_way:
                for task in self._under_way:
                    task.cancel()
                await asyncio.wait(self._under_way)
            for chat in list(self._chats):
                await chat.aclose()

    @property
    def workspace(self) -> Workspace:
        """Record, engine and embedder, for what has no method here. Raises `ConfigError` where it is not open."""
        if self._open is None:
            raise ConfigError(CLOSED)
        return self._open[0]

    @property
    def profile_tasks(self) -> Mapping[str, ProfileTask]:
        """What can be done for users, by name."""
        return self._profile_tasks

    async def open(self, source: Input | bytes, *, name: str | None = None) -> Document:
        """Read a document from a file, or from bytes with the `name` of a file, to ask more than one thing of it.

        Raises kinds of `DocumentError`.

        ```python
        notes = await lda.open(b"# Notes\\n\\nThe ferry leaves at nine.", name="notes.md")
        print((await lda.ask("When does the ferry leave?", notes)).text)
        ```
        """
        return await open_input(source, name=name)

    async def collect(self, collection: str, documents: Inputs, *, emit: Emit | None = None) -> Ingested:
        """Put documents into a collection, which is made where there is none, and index it.

        ```python
        await lda.collect("shelf", ["book.epub"])
        print((await lda.ask("Who keeps the light?", collection="shelf")).text)
        ```
        """
        workspace, read = self.workspace, await open_inputs(documents)
        return await ingest(workspace, read, collection=collection, emit=emit or _ignore)

    async def chat(
        self,
        user: str,
        session: str = "main",
        *,
        agent: str = "default",
        documents: Inputs = (),
        **options: Unpack[ChatKeywords],
    ) -> AsyncChat:
        """The conversation of a user in a session, gone on with where it was left, answered from documents where some
        are given. Takes the fields of `ChatOptions` by name (`policy`, `system`, `facts`, …).

        Raises `StorageError`, kinds of `DocumentError`.
        """
        workspace, asked, read = self.workspace, ChatOptions(**options), await open_inputs(documents)
        if self._open is None:
            raise ConfigError(CLOSED)
        name, stack = NamespaceName(user, agent, session), AsyncExitStack()
        opened = await stack.enter_async_context(open_chat(workspace, name, asked, indexes=self._open[1]))
        chat = AsyncChat(opened, stack)
        self._chats.add(chat)
        stack.callback(self._chats.discard, chat)
        try:
            if read:
                await opened.add(read)
        except BaseException:
            await chat.aclose()
            raise
        return chat

    async def user(self, name: str, *, tenant: str = LOCAL_TENANT) -> AsyncUser:
        """A user whom answers are made for, made where there is none. Raises `ConfigError`, `StorageError`."""
        workspace = self.workspace
        owner = await workspace.records.profiles.tenant(tenant)
        return AsyncUser(workspace, owner, await workspace.records.profiles.open(owner.id, name), self._profile_tasks)

    async def runs(self) -> list[RunSummary]:
        """All runs with what they took, the last started first.

        ```python
        for one in await lda.runs():
            print(one.run.id, one.run.kind, one.run.title, one.run.status, one.totals.calls)
        ```
        """
        return await run_summaries(self.workspace.records)

    async def run(self, run_id: str) -> RunDetails:
        """One run with its nodes and what it took, by its id or the beginning of that. Raises `NotFoundError`."""
        return await run_details(self.workspace.records, run_id)

    async def node(self, address: str) -> NodeDetails:
        """A node of a run ("<run>.<number>", or its result by the run's id): what it was made from, and the calls
        behind it. Raises `NotFoundError`.

        ```python
        summary = await lda.summarize("book.epub", words=100)
        node = await lda.node(summary.run_id)
        print([call.completion.usage.total_tokens for call in node.calls])
        ```
        """
        return await node_details(self.workspace.records, address)


def _ignore(*told: object) -> None:
    del told
