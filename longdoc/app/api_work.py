"""A capability at work: awaited for its result, iterated over for its events, cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, Self, TypeVar

from longdoc.agents.events import Emit, Event

T = TypeVar("T")


class Work(Generic[T]):
    """What the methods of `AsyncLongDoc` give: `await` it for the result, or iterate over it for its events first.

    ```python
    work = lda.summarize("book.epub", words=100)
    async for event in work:
        print(type(event).__name__)
    summary = await work
    ```

    It begins when it is first awaited or iterated over. Who stops listening does not stop it: `cancel` does, and so do
    leaving it as a context manager and closing longdoc. Everything paid for until then is kept, and the same request
    goes on from there. Errors are raised where it is awaited, and at the end of its events.
    """

    def __init__(
        self,
        begin: Callable[[Emit], Coroutine[Any, Any, T]],
        *,
        emit: Emit | None = None,
        under_way: set[asyncio.Future[Any]],
    ) -> None:
        self._begin = begin
        self._emit = emit
        self._under_way = under_way
        self._task: asyncio.Task[T] | None = None
        self._events: asyncio.Queue[Event | None] | None = None
        self._told = False

    def __await__(self) -> Generator[Any, None, T]:
        return self.result().__await__()

    async def result(self) -> T:
        """The result, as `await` gives it; a coroutine, which a task group can begin."""
        return await self._started()

    def __aiter__(self) -> Self:
        if self._events is None:
            self._events = asyncio.Queue()
            self._started().add_done_callback(self._ended)
        return self

    async def __anext__(self) -> Event:
        task, events = self._started(), self.__aiter__()._events
        if events is None or self._told:
            raise StopAsyncIteration
        try:
            event = await events.get()
        except asyncio.CancelledError:
            await self._stopped()
            raise
        if event is None:
            self._told = True
            await task  # raises what ended it
            raise StopAsyncIteration
        return event

    async def __aenter__(self) -> Self:
        self._started()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._stopped()

    def cancel(self) -> None:
        """Stop it where it is; awaiting it raises `CancelledError` then."""
        self._started().cancel()

    def _started(self) -> asyncio.Task[T]:
        if self._task is None:
            self._task = asyncio.ensure_future(self._begin(self._hear))
            self._under_way.add(self._task)
            self._task.add_done_callback(self._under_way.discard)
        return self._task

    def _hear(self, event: Event) -> None:
        if self._emit is not None:
            self._emit(event)
        if self._events is not None:
            self._events.put_nowait(event)

    def _ended(self, task: asyncio.Future[T]) -> None:
        if self._events is not None:
            self._events.put_nowait(None)

    async def _stopped(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
