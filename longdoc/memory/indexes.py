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

    opening: asyncio.Future[MemoryIndex]
    users: int = 0

    @property
    def index(self) -> MemoryIndex | None:
        """The index, None before it is open and where it could not be opened."""
        done = self.opening.done() and not self.opening.cancelled() and self.opening.exception() is None
        return self.opening.result() if done else None


class MemoryIndexes:
    """Indexes by namespace. Those that nobody uses take `limit_bytes` at most, together with those in use.

    Safe for concurrent use on one event loop. Close it when it is not needed any more.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._places: OrderedDict[int, _Place] = OrderedDict()

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
        if place is None:
            place = self._places[namespace] = _Place(asyncio.ensure_future(opened()))
        self._places.move_to_end(namespace)
        place.users += 1
        try:
            yield await asyncio.shield(place.opening)
        finally:
            place.users -= 1
            if place.opening.done() and place.index is None and self._places.get(namespace) is place:
                del self._places[namespace]
            await self._make_room()

    async def aclose(self) -> None:
        """Close all; nobody may be using one. Idempotent."""
        while self._places:
            await _close(self._places.popitem(last=False)[1])

    async def _make_room(self) -> None:
        idle = [number for number, place in self._places.items() if not place.users and place.opening.done()]
        for number in idle:
            if self.memory_bytes <= self._limit:
                return
            place = self._places.get(number)
            if place is not None and not place.users:
                del self._places[number]
                await _close(place)


async def _close(place: _Place) -> None:
    await asyncio.wait([place.opening])
    if place.index is not None:
        await place.index.aclose()
