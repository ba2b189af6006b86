"""How the server misbehaves: which requests fail, and how. The same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What becomes of a request: an error, a connection closed or never answered on, or bytes that mean nothing."""

    ERROR = "500"
    CLOSED = "closed"
    HANG = "hang"
    GARBAGE = "garbage"


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """One of `kinds` for a share of all requests, drawn by their number."""

    kinds: tuple[Fault, ...] = ()
    rate: float = 0.0
    seed: int = 1

    def draw(self, number: int) -> Fault | None:
        """What becomes of the request with this number, None for nothing."""
        chance = random.Random(f"{self.seed}:{number}")
        return chance.choice(self.kinds) if self.kinds and chance.random() < self.rate else None


@dataclass(frozen=True, slots=True)
class Refusals:
    """Requests above `above` at once are refused with 429; `retry_after` is in seconds, None for no such header."""

    above: int | None = None
    retry_after: float | None = None

    def apply(self, under_way: int) -> bool:
        """Whether one more request is refused."""
        return self.above is not None and under_way >= self.above
