"""Trying again to embed, by the same rule as `retry` does for engines."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from longdoc.engines.embedder import Embedder, EmbedderInfo
from longdoc.engines.embedder_batches import gather_or_cancel
from longdoc.engines.retry import Repetition, system_jitter
from longdoc.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_TEXTS_PER_CALL = 256


class RetryingEmbedder:
    """An embedder that repeats failed calls; the parameters are those of `RetryingEngine`.

    Many texts go to the inner embedder in calls of `texts_per_call`, all at once, so that a failure repeats no more
    than one of them; how many it works on at once is its own business.
    """

    def __init__(
        self,
        inner: Embedder,
        *,
        attempts: int = 5,
        texts_per_call: int = _TEXTS_PER_CALL,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = system_jitter,
        on_backoff: Callable[[EngineError], None] | None = None,
    ) -> None:
        self._inner = inner
        self._texts_per_call = texts_per_call
        self._repetition = Repetition(attempts=attempts, sleep=sleep, jitter=jitter, on_backoff=on_backoff)

    @property
    def info(self) -> EmbedderInfo:
        """See `Embedder`."""
        return self._inner.info

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`. Raises the last error when no try succeeds."""
        import numpy as np

        starts = range(0, max(1, len(texts)), self._texts_per_call)
        calls = (self._embed(texts[start : start + self._texts_per_call]) for start in starts)
        return np.concatenate(await gather_or_cancel(calls))

    async def aclose(self) -> None:
        """See `Embedder`."""
        await self._inner.aclose()

    async def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors, _ = await self._repetition.run(lambda: self._inner.embed(texts))
        return vectors
