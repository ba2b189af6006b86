"""Strategies that look at no question: what anything better must be better than."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from longdoc.evaluation.gold import seeded
from longdoc.evaluation.recall import RankedSpan, Ranking
from longdoc.evaluation.selection_trial import Selector

SEEDS: Final = 5
_MOST: Final = 256
"""How many stretches are ranked: more than any number or budget that is measured takes."""


def baselines(spans: Sequence[RankedSpan], *, most: int = _MOST) -> dict[str, Selector | Sequence[Selector]]:
    """Chance (five seeds), and cutting the text: its beginning, its end, both. `spans` are all stretches, in order."""
    return {
        "random": [random_selector(spans, seed=seed, most=most) for seed in range(SEEDS)],
        "head": _always(spans[:most]),
        "tail": _always(list(reversed(spans[-most:]))),
        "head and tail": _always(list(_from_both_ends(spans, most))),
    }


def random_selector(spans: Sequence[RankedSpan], *, seed: int, most: int = _MOST) -> Selector:
    """Stretches in an order of chance, another one for each question."""

    async def select(question: str) -> Ranking:
        return Ranking(seeded(seed, question).sample(spans, min(most, len(spans))))

    return select


def _always(spans: Sequence[RankedSpan]) -> Selector:
    """The same for every question; cutting a text passes nothing over."""

    async def select(question: str) -> Ranking:
        del question
        return Ranking(spans, misses=0)

    return select


def _from_both_ends(spans: Sequence[RankedSpan], most: int) -> Iterator[RankedSpan]:
    for number in range(min(most, len(spans))):
        yield spans[number // 2] if number % 2 == 0 else spans[-1 - number // 2]
