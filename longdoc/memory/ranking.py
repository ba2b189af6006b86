"""Ordering memories by relevance and, where asked for, recency.

Source: "Self-Controlled Memory" (2023), which adds the two without saying how; here both are scaled to the same span
first (min-max over the candidates), since similarities differ by about 0.1 and recency alone would decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from longdoc.memory.decision import Candidate


@dataclass(frozen=True, slots=True)
class Ranking:
    """`weight` is the share of recency in the order of memories (0: off), `decay` what is left of it a turn later."""

    weight: float = 0.0
    decay: float = 0.995


def rank(candidates: Sequence[Candidate], ranking: Ranking, *, now: int) -> list[Candidate]:
    """The candidates, the best first, ties to the later one; `now` is the number of the turn that recalls them."""
    relevance = _scaled([one.relevance for one in candidates])
    ages = [ranking.decay ** max(0, now - one.number) for one in candidates]
    recency = _scaled(ages)
    ranked = [
        replace(
            one,
            recency=ages[place] if ranking.weight else None,
            rank=(1 - ranking.weight) * relevance[place] + ranking.weight * recency[place],
        )
        for place, one in enumerate(candidates)
    ]
    return sorted(ranked, key=lambda one: (-one.rank, -one.number))


def _scaled(values: Sequence[float]) -> list[float]:
    """Min-max; where all are the same, 0."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]
