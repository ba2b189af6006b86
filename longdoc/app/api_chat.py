"""Conversations in the Python face."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final, Self

from longdoc.agents.events import Emit
from longdoc.app.api_inputs import Inputs, open_inputs
from longdoc.app.chat import ChatSession, Reply
from longdoc.app.loop_thread import LoopThread
from longdoc.json_value import JsonValue
from longdoc.storage.memory_types import Memory

_END: Final = object()


class AsyncChat:
    """A conversation: see `ChatSession`, which it holds as `session`. A context manager; one that is not closed is
    closed with longdoc itself.

    ```python
    async with await lda.chat("alice") as chat:
        print((await chat.send("My cat is called Kiki.")).text)
        async for piece in chat.stream("What is my cat called?"):
            print(piece, end="")
    ```
    """

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

    async def add(self, documents: Inputs) -> None:
        """Answer from these documents too, from now on and when the session is gone on with. Raises `DocumentError`."""
        await self.session.add(await open_inputs(documents))

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

    def send(self, text: str, *, key: str | None = None, emit: Emit | None = None) -> Reply:
        """See `ChatSession.send`."""
        return self._loop.run(self._inner.send(text, key=key, emit=emit))

    def stream(self, text: str, *, key: str | None = None) -> Iterator[str]:
        """See `AsyncChat.stream`."""
        return self._loop.iterate(self._inner.stream(text, key=key))

    def add(self, documents: Inputs) -> None:
        """See `AsyncChat.add`."""
        self._loop.run(self._inner.add(documents))

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


def _ignore(event: object) -> None:
    del event
