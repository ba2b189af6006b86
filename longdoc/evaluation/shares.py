"""Shares of cases, with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_Z = 1.959964
"""The 97.5th percentile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """So many hits of so many cases; a case that failed is one without a hit."""

    hits: int
    cases: int

    @property
    def rate(self) -> float | None:
        """Hits of cases, in 0..1; None of no case."""
        return self.hits / self.cases if self.cases else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the rate (Wilson, 1927); None of no case."""
        return wilson_interval(self.hits, self.cases) if self.cases else None


def share_of(hits: Iterable[bool]) -> Share:
    """The share of cases that are hits."""
    found = list(hits)
    return Share(sum(found), len(found))


def wilson_interval(hits: int, cases: int) -> tuple[float, float]:
    """The 95 % score interval of a share; `cases` must be positive. It never leaves 0..1 and is never of no width."""
    rate, weight = hits / cases, _Z * _Z / cases
    middle = (rate + weight / 2) / (1 + weight)
    half = math.sqrt(rate * (1 - rate) * weight + weight * weight / 4) / (1 + weight)
    return max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half))
