"""Open indexes of many namespaces, as many as memory allows: the ones that were not used for longest go first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias

from longdoc.memory.index import MemoryIndex

IndexInUse: TypeAlias = Callable[[], AbstractAsyncContextManager[MemoryIndex]]
"""The index of one namespace, for as long as a context lasts."""


@dataclass(slots=True)
class _Place:
    """An index that is being opened or open, and by how many it is used at this moment."""

    opening: asyncio.Task[MemoryIndex]
    users: int = 0

    @property
    def failed(self) -> bool:
        """Whether it could not be opened."""
        return self.opening.done() and (self.opening.cancelled() or self.opening.exception() is not None)

    @property
    def index(self) -> MemoryIndex | None:
        """The index, None before it is open and where it could not be opened."""
        return self.opening.result() if self.opening.done() and not self.failed else None


class MemoryIndexes:
    """Indexes by namespace. Together they take `limit_bytes`, or as much as they need with None.

    Those in use and the one that was used last stay open, whatever they take. Safe for concurrent use on one event
    loop. Close it when it is not needed any more.
    """

    def __init__(self, *, limit_bytes: int | None) -> None:
        self._limit = limit_bytes
        self._places: OrderedDict[int, _Place] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def memory_bytes(self) -> int:
        """About what all of them take in memory."""
        return sum(place.index.memory_bytes for place in self._places.values() if place.index is not None)

    @asynccontextmanager
    async def using(
        self, namespace: int, opened: Callable[[], Awaitable[MemoryIndex]]
    ) -> AsyncGenerator[MemoryIndex, None]:
        """The index of a namespace, opened where it is not; it stays open while the context lasts.

        Raises what `opened` raises.
        """
        place = self._places.get(namespace)
        if place is None or place.failed:
            place = self._places[namespace] = _Place(asyncio.ensure_future(_awaited(opened)))
        self._places.move_to_end(namespace)
        place.users += 1
        try:
            yield await asyncio.shield(place.opening)
        finally:
            place.users -= 1
            if not place.users and self._places.get(namespace) is not place:
                self._close(place)
            self._make_room()

    async def drop(self, namespace: int) -> None:
        """Close the index of a namespace that is about to go. Whoever uses it at this moment has it to the end."""
        place = self._places.pop(namespace, None)
        if place is not None and not place.users:
            self._close(place)
        if self._closing:
            await asyncio.wait(self._closing)

    async def aclose(self) -> None:
        """Close all; nobody may be using one. Idempotent. Raises what the first one raises that cannot be closed."""
        while self._places:
            self._close(self._places.popitem(last=False)[1])
        for ended in await asyncio.gather(*self._closing, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    def _make_room(self) -> None:
        """Close those that are too many, behind whoever is at work."""
        for number, place in list(self._places.items())[:-1]:
            if self._limit is None or self.memory_bytes <= self._limit:
                return
            if not place.users:
                self._close(self._places.pop(number))

    def _close(self, place: _Place) -> None:
        task = asyncio.ensure_future(_closed(place))
        self._closing.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        """What could not be written is made again from the rows: nobody need hear of it."""
        self._closing.discard(task)
        if not task.cancelled():
            task.exception()


async def _awaited(opened: Callable[[], Awaitable[MemoryIndex]]) -> MemoryIndex:
    return await opened()


async def _closed(place: _Place) -> None:
    await asyncio.wait([place.opening])
    if place.index is not None:
        await place.index.aclose()
