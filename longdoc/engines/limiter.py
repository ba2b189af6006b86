"""How many calls an engine gets at once: found while running, halved when it says that it is too much.

Source of the idea: additive increase, multiplicative decrease (Chiu and Jain, 1989), with doubling at the start as
in TCP slow start, and throughput as the signal where a server queues instead of refusing.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink
from longdoc.errors import EngineError, RateLimitedError

_START = 4
_MOST = 1024
_GAIN = 1.05
"""Growth pays while throughput rises by at least this factor."""
_DEFAULT_PAUSE = 1.0


class AdaptiveLimiter:
    """A gate with a level that adapts; `fixed` holds it still, `slots` is what the engine says it can take.

    The level doubles while a window of answers (as many as the level, at least 8) shows rising throughput, then
    steps back to the last level that paid and probes one step up now and then. Refusals halve it and, with
    Retry-After, close the gate for that long. `interactive` calls go first.
    """

    def __init__(
        self, *, slots: int | None = None, fixed: int | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._adapts = fixed is None
        self._level = fixed or slots or _START
        self._growing = True
        self._under_way = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self._closed_until = 0.0
        self._best_level = self._level
        self._best_rate = 0.0
        self._window_done = 0
        self._window_work = 0
        self._window_started = clock()

    @property
    def level(self) -> int:
        """Calls let through at once."""
        return self._level

    @asynccontextmanager
    async def slot(self, *, interactive: bool = False) -> AsyncGenerator[None, None]:
        """Hold a place at the engine; freed at the end, also when cancelled."""
        await self._enter(interactive)
        try:
            yield
        finally:
            self._under_way -= 1
            self._admit()

    def done(self, work: int) -> None:
        """Count an answer with so much work (tokens) in it, and adapt at the end of a window."""
        self._window_done += 1
        self._window_work += work
        if self._adapts and self._window_done >= max(8, self._level):
            self._adapt()

    def on_backoff(self, error: EngineError) -> None:
        """Hear of a failure that will be tried again: a refusal halves the level and may close the gate."""
        if not isinstance(error, RateLimitedError):
            return
        pause = _DEFAULT_PAUSE if error.retry_after is None else error.retry_after
        now = self._clock()
        if self._adapts and now >= self._closed_until:
            self._level = max(1, self._level // 2)
            self._growing = False
            self._best_level, self._best_rate = self._level, 0.0
            self._restart_window()
        self._close_for(pause)

    async def _enter(self, interactive: bool) -> None:
        if not self._waiting and self._is_open():
            self._under_way += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (0 if interactive else 1, next(self._order), place))
        self._admit()
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._under_way -= 1
                self._admit()
            raise

    def _is_open(self) -> bool:
        return self._under_way < self._level and self._clock() >= self._closed_until

    def _admit(self) -> None:
        while self._waiting and self._is_open():
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self._under_way += 1
                place.set_result(None)

    def _close_for(self, seconds: float) -> None:
        self._closed_until = max(self._closed_until, self._clock() + seconds)
        asyncio.get_running_loop().call_later(seconds + 0.001, self._admit)

    def _adapt(self) -> None:
        elapsed = self._clock() - self._window_started
        rate = self._window_work / elapsed if elapsed > 0 else 0.0
        if rate >= self._best_rate * _GAIN:
            self._best_level, self._best_rate = self._level, rate
            self._level = min(_MOST, self._level * 2 if self._growing else self._level + max(1, self._level // 8))
        elif self._level > self._best_level:
            self._level, self._growing = self._best_level, False
        else:
            self._best_rate = rate
            self._level = min(_MOST, self._level + max(1, self._level // 8))
        self._restart_window()
        self._admit()

    def _restart_window(self) -> None:
        self._window_done = 0
        self._window_work = 0
        self._window_started = self._clock()


class LimitedEngine:
    """Passes calls through the limiter's gate."""

    def __init__(self, inner: Engine, limiter: AdaptiveLimiter) -> None:
        self._inner = inner
        self._limiter = limiter

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        async with self._limiter.slot(interactive=request.interactive):
            completion = await self._inner.complete(request, on_text=on_text)
        self._limiter.done(completion.usage.total_tokens)
        return completion

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()
