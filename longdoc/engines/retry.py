"""Trying again: bounded, with growing and jittered waits, only what may succeed later."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from secrets import SystemRandom
from typing import TypeVar

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink
from longdoc.errors import EngineError, RateLimitedError

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0
_LONGEST_RETRY_AFTER = 300.0
_Result = TypeVar("_Result")
system_jitter = SystemRandom().random
"""Random numbers from 0 up to 1."""


class Repetition:
    """The rule by which what failed is tried again; see `RetryingEngine` for it in words."""

    def __init__(
        self,
        *,
        attempts: int,
        sleep: Callable[[float], Awaitable[None]],
        jitter: Callable[[], float],
        on_backoff: Callable[[EngineError], None] | None,
    ) -> None:
        self._attempts = attempts
        self._sleep = sleep
        self._jitter = jitter
        self._on_backoff = on_backoff or _ignore

    async def run(
        self, attempt: Callable[[], Awaitable[_Result]], *, may_repeat: Callable[[], bool] = lambda: True
    ) -> tuple[_Result, int]:
        """What the first try that succeeds gives, and how many failed before it. Raises the last error."""
        retries = 0
        while True:
            try:
                return await attempt(), retries
            except EngineError as error:
                retries += 1
                if not error.retryable or not may_repeat() or retries >= self._attempts or _too_long(error):
                    raise
                self._on_backoff(error)
                await self._sleep(self._wait(error, retries))

    def _wait(self, error: EngineError, retries: int) -> float:
        grown = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (retries - 1))
        jittered = grown * (0.5 + self._jitter() / 2)
        asked = error.retry_after if isinstance(error, RateLimitedError) else None
        return max(jittered, asked or 0.0)


class RetryingEngine:
    """An engine that repeats failed calls.

    Up to `attempts` tries in all. Waits double from one second up to a minute, each shortened by up to half at
    random; a `retry_after` that is longer is honoured, but one over five minutes ends the call at once. A call
    whose text was already passed on is not repeated. `on_backoff` hears of every error that leads to a wait.
    """

    def __init__(
        self,
        inner: Engine,
        *,
        attempts: int = 5,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = system_jitter,
        on_backoff: Callable[[EngineError], None] | None = None,
    ) -> None:
        self._inner = inner
        self._repetition = Repetition(attempts=attempts, sleep=sleep, jitter=jitter, on_backoff=on_backoff)

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`. Raises the last error when no try succeeds."""
        heard = _Listener(on_text)
        sink = heard if on_text is not None else None
        completion, retries = await self._repetition.run(
            lambda: self._inner.complete(request, on_text=sink), may_repeat=lambda: not heard.heard
        )
        return replace(completion, retries=completion.retries + retries)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`. Raises the last error when no try succeeds."""
        counts, _ = await self._repetition.run(lambda: self._inner.count_tokens(texts))
        return counts

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()


class _Listener:
    """A sink that remembers whether anything was passed on."""

    def __init__(self, sink: TextSink | None) -> None:
        self._sink = sink
        self.heard = False

    def __call__(self, text: str) -> None:
        self.heard = True
        if self._sink is not None:
            self._sink(text)


def _too_long(error: EngineError) -> bool:
    return isinstance(error, RateLimitedError) and (error.retry_after or 0.0) > _LONGEST_RETRY_AFTER


def _ignore(error: EngineError) -> None:
    """Nobody asked to hear of it."""
