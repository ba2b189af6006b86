"""Open indexes of many namespaces, as many as memory allows: the ones that were not used for longest go first."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from longdoc.memory.index import MemoryIndex


class MemoryIndexes:
    """Indexes by namespace. They take about `limit_bytes` together, but the one in use is always open."""

    def __init__(self, *, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._open: OrderedDict[int, MemoryIndex] = OrderedDict()
        self._opening = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def memory_bytes(self) -> int:
        """About what all of them take in memory."""
        return sum(index.memory_bytes for index in self._open.values())

    async def get(self, namespace: int, opened: Callable[[], Awaitable[MemoryIndex]]) -> MemoryIndex:
        """The index of a namespace, opened where it is not. Raises what `opened` raises."""
        async with self._opening:
            index = self._open.get(namespace)
            if index is None:
                index = self._open[namespace] = await opened()
            self._open.move_to_end(namespace)
            while len(self._open) > 1 and self.memory_bytes > self._limit:
                _, oldest = self._open.popitem(last=False)
                await oldest.aclose()
            return index

    async def close(self, namespace: int) -> None:
        """Close the index of a namespace, if it is open."""
        async with self._opening:
            index = self._open.pop(namespace, None)
            if index is not None:
                await index.aclose()

    async def aclose(self) -> None:
        """Close all. Idempotent."""
        async with self._opening:
            while self._open:
                _, index = self._open.popitem(last=False)
                await index.aclose()
