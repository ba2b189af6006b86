"""Asking the same cases of several strategies, one by one or several at a time, and timing each.

Owns what happens to a case that fails; what is asked and what the answer is worth is for those who call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Generic, TypeAlias, TypeVar

from longdoc.agents.graph import run_graph
from longdoc.errors import LdaError

T = TypeVar("T")

Clock: TypeAlias = Callable[[], float]
"""Seconds from some moment on."""

system_clock: Clock = perf_counter


@dataclass(frozen=True, slots=True)
class Attempt(Generic[T]):
    """What came of asking once; `value` is None where it failed, and `error` says why."""

    value: T | None
    seconds: float
    error: str = ""


async def attempt_all(
    asks: Sequence[Callable[[], Awaitable[T]]],
    *,
    at_once: int,
    clock: Clock,
    seen: Callable[[int, Attempt[T]], None],
) -> list[Attempt[T]]:
    """Ask all, at most `at_once` at a time; what came of each, in their order, also told to `seen` as it comes.

    Seconds are those of each alone only where one is asked at a time. A failure that lasts is the result of what
    failed; one that a later run may overcome (see `LdaError.resumable`) is raised, as is any other exception.
    """
    found: dict[int, Attempt[T]] = {}

    async def work(number: int) -> None:
        found[number] = await _attempt(asks[number], clock)
        seen(number, found[number])

    await run_graph([()] * len(asks), work, at_once=at_once)
    return [found[number] for number in range(len(asks))]


async def _attempt(ask: Callable[[], Awaitable[T]], clock: Clock) -> Attempt[T]:
    began = clock()
    try:
        value = await ask()
    except LdaError as error:
        if error.resumable:
            raise
        return Attempt(None, clock() - began, str(error))
    return Attempt(value, clock() - began)
