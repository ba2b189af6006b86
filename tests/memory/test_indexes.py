"""Open indexes of many namespaces: shared, bounded, and closed behind whoever is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from longdoc.errors import StorageError
from longdoc.memory.index import MemoryIndex
from longdoc.memory.indexes import MemoryIndexes

SIZE = 10


class Opener:
    """Opens made indexes, notes what is open, and fails or waits where it is told to."""

    def __init__(self) -> None:
        self.opened: list[int] = []
        self.open: set[int] = set()
        self.fails = False
        self.close_fails = False
        self.gate = asyncio.Event()
        self.gate.set()

    def of(self, namespace: int) -> Callable[[], Awaitable[MemoryIndex]]:
        async def opened() -> MemoryIndex:
            await self.gate.wait()
            if self.fails:
                raise StorageError("the disk is full")
            self.opened.append(namespace)
            self.open.add(namespace)
            return cast("MemoryIndex", _Index(self, namespace))

        return opened


class _Index:
    memory_bytes = SIZE

    def __init__(self, opener: Opener, namespace: int) -> None:
        self._opener = opener
        self._namespace = namespace

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self._opener.open.discard(self._namespace)
        if self._opener.close_fails:
            raise StorageError("the disk is full")


async def use(indexes: MemoryIndexes, opener: Opener, *namespaces: int) -> None:
    for namespace in namespaces:
        async with indexes.using(namespace, opener.of(namespace)):
            assert namespace in opener.open
    for _ in range(10):
        await asyncio.sleep(0)  # what is closed behind


def test_those_used_last_stay_open_within_the_limit() -> None:
    async def work() -> None:
        opener, indexes = Opener(), MemoryIndexes(limit_bytes=2 * SIZE)
        await use(indexes, opener, 1, 2, 1, 3)
        assert (opener.opened, opener.open, indexes.memory_bytes) == ([1, 2, 3], {1, 3}, 2 * SIZE)
        await use(indexes, opener, 2)
        assert opener.open == {3, 2}
        await indexes.aclose()
        await indexes.aclose()
        assert not opener.open

    asyncio.run(work())


@pytest.mark.parametrize(("limit", "open_after"), [(0, {2}), (None, {1, 2})])
def test_the_last_one_stays_open_whatever_it_takes(limit: int | None, open_after: set[int]) -> None:
    async def work() -> None:
        opener, indexes = Opener(), MemoryIndexes(limit_bytes=limit)
        await use(indexes, opener, 1, 1, 2, 2, 2)
        assert (opener.opened, opener.open) == ([1, 2], open_after)
        await indexes.aclose()

    asyncio.run(work())


def test_one_in_use_is_opened_once_and_not_closed() -> None:
    async def work() -> None:
        opener, indexes = Opener(), MemoryIndexes(limit_bytes=0)
        opener.gate.clear()
        both = asyncio.gather(use(indexes, opener, 1), use(indexes, opener, 1))
        await asyncio.sleep(0)
        opener.gate.set()
        await both
        async with indexes.using(1, opener.of(1)):
            await use(indexes, opener, 2, 3)
            assert opener.open == {1, 3}
        assert opener.opened == [1, 2, 3]
        await indexes.aclose()

    asyncio.run(work())


def test_one_that_could_not_be_opened_is_tried_again() -> None:
    async def work() -> None:
        opener, indexes = Opener(), MemoryIndexes(limit_bytes=0)
        opener.fails = True
        opener.gate.clear()
        task = asyncio.ensure_future(use(indexes, opener, 1))
        await asyncio.sleep(0)
        task.cancel()  # nobody hears of the failure
        await asyncio.wait([task])
        opener.gate.set()
        await asyncio.sleep(0)
        with pytest.raises(StorageError):
            await use(indexes, opener, 1)
        opener.fails = False
        await use(indexes, opener, 1)
        assert opener.open == {1}
        await indexes.aclose()

    asyncio.run(work())


def test_who_is_at_work_does_not_hear_of_what_could_not_be_closed() -> None:
    async def work() -> None:
        opener, indexes = Opener(), MemoryIndexes(limit_bytes=0)
        opener.close_fails = True
        await use(indexes, opener, 1, 2, 3)
        assert opener.open == {3}
        with pytest.raises(StorageError):
            await indexes.aclose()
        assert not opener.open

    asyncio.run(work())
