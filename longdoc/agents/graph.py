"""Running work that depends on other work: each piece starts when its own dependencies are done."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Sequence

from longdoc.errors import LdaError

_MOST_AT_ONCE = 1024


async def run_graph(
    dependencies: Sequence[Sequence[int]],
    work: Callable[[int], Awaitable[None]],
    *,
    at_once: int = _MOST_AT_ONCE,
) -> None:
    """Run `work(i)` for every i, after all of `dependencies[i]` (smaller numbers), lowest number first.

    At most `at_once` pieces are open at a time, which bounds memory; how many calls an engine gets at once is
    its limiter's business. When a piece raises an `LdaError`, nothing new starts, what is under way is let
    finish (its calls are paid for), and the first error is raised. Any other exception cancels the rest.
    """
    run = _GraphRun(dependencies, work)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(dependencies))):
            group.create_task(run.worker())
    if run.error is not None:
        raise run.error


class _GraphRun:
    def __init__(self, dependencies: Sequence[Sequence[int]], work: Callable[[int], Awaitable[None]]) -> None:
        self._work = work
        self._missing = [len(needed) for needed in dependencies]
        self._dependents: list[list[int]] = [[] for _ in dependencies]
        for number, needed in enumerate(dependencies):
            for dependency in needed:
                self._dependents[dependency].append(number)
        self._ready = [number for number, missing in enumerate(self._missing) if missing == 0]
        self._left = len(dependencies)
        self._changed = asyncio.Condition()
        self.error: LdaError | None = None

    async def worker(self) -> None:
        while (number := await self._next()) is not None:
            try:
                await self._work(number)
            except LdaError as error:
                self.error = self.error or error
            await self._finished(number)

    async def _next(self) -> int | None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._ready or self._left == 0 or self.error is not None)
            return heapq.heappop(self._ready) if self._ready and self.error is None else None

    async def _finished(self, number: int) -> None:
        async with self._changed:
            self._left -= 1
            for dependent in self._dependents[number]:
                self._missing[dependent] -= 1
                if self._missing[dependent] == 0:
                    heapq.heappush(self._ready, dependent)
            self._changed.notify_all()
