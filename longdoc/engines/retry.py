"""Trying again: bounded, with growing and jittered waits, and only what may succeed later."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, TextSink
from longdoc.errors import EngineError, RateLimitedError

Sleep: TypeAlias = Callable[[float], Awaitable[None]]
OnBackoff: TypeAlias = Callable[[EngineError], None]

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_LONGEST_ASKED_WAIT = 120.0


class RetryingEngine:
    """Tries a call up to `attempts` times; `on_backoff` hears of every failure that will be tried again.

    A server's Retry-After is honoured up to two minutes. A call is not tried again after a part of its answer
    has been passed to `on_text`.
    """

    def __init__(
        self,
        inner: Engine,
        *,
        attempts: int = 5,
        on_backoff: OnBackoff | None = None,
        sleep: Sleep = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._inner = inner
        self._attempts = attempts
        self._on_backoff = on_backoff
        self._sleep = sleep
        self._jitter = jitter

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._inner.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`; raises the last error when every attempt failed."""
        heard = _Heard(on_text)
        attempt = 0
        while True:
            try:
                completion = await self._inner.complete(request, on_text=None if on_text is None else heard)
            except EngineError as error:
                attempt += 1
                if not error.retryable or attempt >= self._attempts or heard.anything:
                    raise
                if self._on_backoff is not None:
                    self._on_backoff(error)
                await self._sleep(self._wait(error, attempt))
            else:
                return replace(completion, retries=attempt)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._inner.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._inner.aclose()

    def _wait(self, error: EngineError, attempt: int) -> float:
        if isinstance(error, RateLimitedError) and error.retry_after is not None:
            return min(error.retry_after, _LONGEST_ASKED_WAIT)
        return min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (attempt - 1)) * (0.5 + self._jitter() / 2)


class _Heard:
    """A text sink that remembers whether anything went through."""

    def __init__(self, sink: TextSink | None) -> None:
        self._sink = sink
        self.anything = False

    def __call__(self, text: str) -> None:
        self.anything = True
        if self._sink is not None:
            self._sink(text)
