"""How many calls an engine gets at once: a gate, and an engine that sends its calls through it.

What level is best is left to `concurrency`; refusals are heard here and close the gate for a while.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

from longdoc.engines.concurrency import ConcurrencySearch
from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink, Usage
from longdoc.errors import EngineError, EngineTimeoutError, RateLimitedError, RequestRefusedError

_START = 8
_QUEUED_SHARE = 8
_MOST = 1024
_PROMPT_WORK = 0.1
_LONGEST_PAUSE = 300.0


class AdaptiveLimiter:
    """A gate that lets a number of calls through at once, which it finds while running.

    It starts small, or a bit above `slots` (what the engine says it runs at once), so that the engine always has
    the next call in its queue; `fixed` holds it still. Refusals and timeouts lower the level; refusals close the gate
    for as long as the engine asks. Interactive calls go before others. Times are those of the running event loop.
    """

    def __init__(self, *, slots: int | None = None, fixed: int | None = None) -> None:
        start = fixed or (_with_queue(slots) if slots else _START)
        self._search = ConcurrencySearch(start=start, most=_MOST) if fixed is None else None
        self._level = start
        self._under_way = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._closed_until = 0.0
        self._answers = 0

    @property
    def answers(self) -> int:
        """Calls that were answered so far."""
        return self._answers

    @property
    def level(self) -> int:
        """Calls let through at once."""
        return self._level

    @property
    def under_way(self) -> int:
        """Calls that are through the gate now."""
        return self._under_way

    @asynccontextmanager
    async def slot(self, *, interactive: bool = False) -> AsyncGenerator[None, None]:
        """Hold a place at the engine; it is free again at the end, also when cancelled."""
        await self._enter(interactive)
        try:
            yield
        finally:
            self._leave()

    def done(self, usage: Usage) -> None:
        """Count an answer, and adapt where it completes a measurement."""
        self._answers += 1
        if self._search is None:
            return
        work = (usage.completion_tokens + usage.prompt_tokens * _PROMPT_WORK) or 1.0
        busy = bool(self._waiting) or self._under_way >= self._level - 1
        self._set_level(self._search.completed(work, now=_now(), busy=busy))

    def on_backoff(self, error: EngineError) -> None:
        """Hear of a failure that will be tried again.

        A refusal lowers the level and closes the gate. A timeout lowers the level: the call stood too long in the
        engine's queue, or was served beside too many others.
        """
        if not isinstance(error, RateLimitedError | EngineTimeoutError):
            return
        if self._search is not None and self._under_way <= self._level:  # else it started before the last change
            self._set_level(self._search.refused(now=_now()))
        if isinstance(error, RateLimitedError) and error.retry_after:
            self._close_for(min(error.retry_after, _LONGEST_PAUSE))

    def turn_away(self, error: EngineError) -> None:
        """Let everything that waits fail with `error`: the engine is lost, and waiting for it would take hours."""
        for _, _, place in self._waiting:
            if not place.done():
                place.set_exception(error)
        self._waiting.clear()

    async def _enter(self, interactive: bool) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (0 if interactive else 1, next(self._order), place))
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():  # let in and cancelled in one turn of the loop
                self._leave()
            raise

    def _leave(self) -> None:
        self._under_way -= 1
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self._under_way < self._level and _now() >= self._closed_until:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():  # else cancelled while it waited
                self._under_way += 1
                place.set_result(None)

    def _set_level(self, level: int) -> None:
        self._level = level
        self._admit()

    def _close_for(self, seconds: float) -> None:
        self._closed_until = max(self._closed_until, _now() + seconds)
        asyncio.get_running_loop().call_at(self._closed_until, self._admit)


class LimitedEngine:
    """Sends calls through the limiter's gate."""

    def __init__(self, inner: Engine, limiter: AdaptiveLimiter) -> None:
        self._inner = inner
        self._limiter = limiter

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`; a call that waits at the gate fails with the one that finds the engine lost.

        A call that never ends in time, while others are answered, is refused: the engine is there, but not for it.
        """
        async with self._limiter.slot(interactive=request.interactive):
            answered_before = self._limiter.answers
            try:
                completion = await self._inner.complete(request, on_text=on_text)
            except EngineTimeoutError as error:
                if self._limiter.answers > answered_before:
                    raise RequestRefusedError(f"{error}, at each attempt, while other calls were answered") from error
                self._limiter.turn_away(error)
                raise
            except EngineError as error:
                if error.resumable:  # and was tried again in vain, inside, where that could help
                    self._limiter.turn_away(error)
                raise
            self._limiter.done(completion.usage)
        return completion

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()


def _with_queue(slots: int) -> int:
    return min(_MOST, slots + max(1, slots // _QUEUED_SHARE))


def _now() -> float:
    return asyncio.get_running_loop().time()
