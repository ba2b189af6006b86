"""The Python face of longdoc: `AsyncLongDoc`, and `LongDoc`, the same behind a loop of its own.

Grows by a method for each capability; what is here so far is conversations and users.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

from longdoc.agents.events import Emit
from longdoc.agents.profile_tasks import ProfileTask, load_tasks
from longdoc.app.api_profiles import AsyncUser, User
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.chat import ChatOptions, ChatSession, Reply, open_chat
from longdoc.app.loop_thread import CLOSED, LoopThread
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.memory.indexes import MemoryIndexes
from longdoc.storage.memory_types import Memory, NamespaceName
from longdoc.storage.profile_types import LOCAL_TENANT

_END: Final = object()
_MEGABYTE: Final = 1024 * 1024


class AsyncLongDoc:
    """longdoc for programs that have a loop. A context manager: it opens record and engine, and closes them.

    `settings` are those of the command line (`engine`, `model`, `base_url`, `database`, …), over environment and files.
    Opening raises `ConfigError`, `EngineError`, `StorageError`.

        async with AsyncLongDoc(engine="embedded") as lda:
            chat = await lda.chat("alice")
            async for piece in chat.stream("Where did I say I live?"):
                print(piece, end="")
    """

    def __init__(
        self, *, budget: Budget | None = None, notify: Callable[[str], None] | None = None, **settings: object
    ) -> None:
        self._settings = settings
        self._budget = budget or Budget()
        self._notify = notify or _ignore
        self._stack = AsyncExitStack()
        self._open: tuple[Workspace, MemoryIndexes] | None = None
        self._tasks: Mapping[str, ProfileTask] = {}
        self._chats: set[AsyncChat] = set()

    async def __aenter__(self) -> Self:
        settings = load_settings(self._settings)
        self._tasks = load_tasks(settings.profile_tasks)
        opened = open_workspace(settings, budget=self._budget, notify=self._notify, progress=_ignore)
        workspace = await self._stack.enter_async_context(opened)
        indexes = MemoryIndexes(limit_bytes=settings.memory_cache * _MEGABYTE)
        self._stack.push_async_callback(indexes.aclose)
        self._open = workspace, indexes
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._open = None
        async with self._stack:  # closed after the conversations, whatever becomes of these
            for chat in list(self._chats):
                await chat.aclose()

    async def chat(
        self, user: str, session: str = "main", *, agent: str = "default", options: ChatOptions | None = None
    ) -> AsyncChat:
        """The conversation of a user in a session, gone on with where it was left. Raises `StorageError`."""
        if self._open is None:
            raise ConfigError(CLOSED)
        workspace, indexes = self._open
        name = NamespaceName(user, agent, session)
        stack = AsyncExitStack()
        opened = await stack.enter_async_context(open_chat(workspace, name, options or ChatOptions(), indexes=indexes))
        chat = AsyncChat(opened, stack)
        self._chats.add(chat)
        stack.callback(self._chats.discard, chat)
        return chat

    async def user(self, name: str, *, tenant: str = LOCAL_TENANT) -> AsyncUser:
        """A user whom answers are made for, made where there is none. Raises `ConfigError`, `StorageError`."""
        if self._open is None:
            raise ConfigError(CLOSED)
        workspace, _ = self._open
        owner = await workspace.records.profiles.tenant(tenant)
        return AsyncUser(workspace, owner, await workspace.records.profiles.open(owner.id, name), self._tasks)


class AsyncChat:
    """A conversation: see `ChatSession`, which it holds as `session`. A context manager; one that is not closed is
    closed with longdoc itself."""

    def __init__(self, session: ChatSession, stack: AsyncExitStack) -> None:
        self.session = session
        self._stack = stack

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Free what the conversation holds; everything said is kept. Idempotent."""
        await self._stack.aclose()

    async def send(self, text: str, *, key: str | None = None, emit: Emit | None = None) -> Reply:
        """See `ChatSession.send`."""
        return await self.session.send(text, key=key, emit=emit or _ignore)

    async def stream(self, text: str, *, key: str | None = None) -> AsyncGenerator[str, None]:
        """The answer in pieces, as it is written. Who stops listening stops it, and keeps what was seen of it.

        Raises as `ChatSession.send`.
        """
        pieces: asyncio.Queue[str | object] = asyncio.Queue()
        task = asyncio.ensure_future(self.session.send(text, key=key, on_text=pieces.put_nowait))
        task.add_done_callback(lambda _: pieces.put_nowait(_END))
        heard = False
        try:
            while (piece := await pieces.get()) is not _END:
                heard = True
                yield str(piece)
            reply = await task
            if not heard:  # it was answered before
                yield reply.text
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def memories(self, count: int | None = None) -> Sequence[Memory]:
        """The last turns, in order."""
        return await self.session.turns(count)

    async def search(self, text: str, *, k: int = 10) -> Sequence[tuple[Memory, float]]:
        """See `ChatSession.search`."""
        return await self.session.search(text, k=k)

    async def forget(self, *numbers: int) -> int:
        """See `ChatSession.forget`."""
        return await self.session.forget(*numbers)

    async def undo(self) -> Memory | None:
        """See `ChatSession.undo`."""
        return await self.session.undo()

    async def why(self, number: int | None = None) -> Mapping[str, JsonValue]:
        """What was decided for a turn, the last one if none is named. Raises `NotFoundError`."""
        return (await self.session.why(number))[1]


class LongDoc:
    """longdoc for programs without a loop, and for notebooks: `AsyncLongDoc` on a loop in a thread of its own.

    with LongDoc(engine="embedded") as lda:
        chat = lda.chat("alice")
        print(chat.send("My cat is called Kiki.").text)
    """

    def __init__(
        self, *, budget: Budget | None = None, notify: Callable[[str], None] | None = None, **settings: object
    ) -> None:
        self._inner = AsyncLongDoc(budget=budget, notify=notify, **settings)
        self._loop = LoopThread()

    def __enter__(self) -> Self:
        self._loop.start()
        try:
            self._loop.run(self._inner.__aenter__())
        except BaseException:
            self._loop.stop()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._loop.run(self._inner.__aexit__())
        finally:
            self._loop.stop()

    def chat(
        self, user: str, session: str = "main", *, agent: str = "default", options: ChatOptions | None = None
    ) -> Chat:
        """See `AsyncLongDoc.chat`."""
        return Chat(self._loop.run(self._inner.chat(user, session, agent=agent, options=options)), self._loop)

    def user(self, name: str, *, tenant: str = LOCAL_TENANT) -> User:
        """See `AsyncLongDoc.user`."""
        return User(self._loop.run(self._inner.user(name, tenant=tenant)), self._loop)


class Chat:
    """A conversation for programs without a loop: see `AsyncChat`."""

    def __init__(self, inner: AsyncChat, loop: LoopThread) -> None:
        self._inner = inner
        self._loop = loop

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """See `AsyncChat.aclose`."""
        self._loop.run(self._inner.aclose())

    def send(self, text: str, *, key: str | None = None) -> Reply:
        """See `ChatSession.send`."""
        return self._loop.run(self._inner.send(text, key=key))

    def stream(self, text: str, *, key: str | None = None) -> Iterator[str]:
        """See `AsyncChat.stream`."""
        return self._loop.iterate(self._inner.stream(text, key=key))

    def memories(self, count: int | None = None) -> Sequence[Memory]:
        """See `AsyncChat.memories`."""
        return self._loop.run(self._inner.memories(count))

    def search(self, text: str, *, k: int = 10) -> Sequence[tuple[Memory, float]]:
        """See `AsyncChat.search`."""
        return self._loop.run(self._inner.search(text, k=k))

    def forget(self, *numbers: int) -> int:
        """See `AsyncChat.forget`."""
        return self._loop.run(self._inner.forget(*numbers))

    def undo(self) -> Memory | None:
        """See `AsyncChat.undo`."""
        return self._loop.run(self._inner.undo())

    def why(self, number: int | None = None) -> Mapping[str, JsonValue]:
        """See `AsyncChat.why`."""
        return self._loop.run(self._inner.why(number))


def _ignore(*told: object) -> None:
    del told
