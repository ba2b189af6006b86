"""How many requests a key may make: a bucket of tokens for each, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_MINUTE = 60.0


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """Buckets by key: each holds a minute's requests and is filled evenly."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def take(self, key: str, per_minute: int) -> float | None:
        """Take a request's token; None where there was one, else the seconds until there is."""
        now = self._clock()
        bucket = self._buckets.setdefault(key, _Bucket(float(per_minute), now))
        bucket.tokens = min(float(per_minute), bucket.tokens + (now - bucket.filled_at) * per_minute / _MINUTE)
        bucket.filled_at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return None
        return (1 - bucket.tokens) * _MINUTE / per_minute
