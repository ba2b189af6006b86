"""Whether what was selected for a question holds what it takes to answer it.

Owns rankings of stretches and what is measured of them; who ranks is a strategy's business. A span counts only whole.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.evaluation.gold import Span

KS: Final = (1, 2, 4, 8, 16, 32, 64)
BUDGETS: Final = (512, 1024, 2048, 4096, 8192)

MOST_MISSES: Final = 32
"""How many stretches in a row may be too long for what is left before a budget counts as spent."""

_MOSTLY: Final = 0.5


@dataclass(frozen=True, slots=True)
class RankedSpan:
    """A stretch of a text, `text[start:end]`, that was ranked."""

    start: int
    end: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """Stretches, the best first, and what it took to rank them: calls and their tokens.

    `misses` in a row that are too long for what is left of a budget are passed over. `seconds` is what it took, where
    that is known better than by the clock: calls that were answered from the record took longer.
    """

    spans: Sequence[RankedSpan]
    calls: int = 0
    tokens: int = 0
    misses: int = MOST_MISSES
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Recall:
    """What a ranking holds of the spans of a case.

    `rank` counts stretches from 1 until each span lies whole in one of them, None where the ranking does not hold them
    all; `first` counts until one span does. `best` and `within` are the shares of spans that lie whole in the k best
    stretches, and in what is selected within a budget of tokens, where stretches that overlap or touch are one. Where
    spans are longer than stretches, the other way round says something: `inside` is the share of what is selected
    within a budget that lies in the spans, `precision` the share of the k best stretches that lie in them for the most
    part.
    """

    rank: int | None
    best: Mapping[int, float]
    within: Mapping[int, float]
    inside: Mapping[int, float]
    first: int | None
    precision: Mapping[int, float]

    def found(self, k: int) -> bool:
        """Whether each span lies whole in one of the k best stretches."""
        return self.rank is not None and self.rank <= k

    def selected(self, budget: int) -> bool:
        """Whether all spans lie whole in what is selected within a budget."""
        return self.within[budget] == 1.0

    @property
    def reciprocal_rank(self) -> float:
        """1 / first: of the first stretch that holds any span whole, 0 where there is none."""
        return 0.0 if self.first is None else 1 / self.first


def nothing_found(*, ks: Sequence[int], budgets: Sequence[int]) -> Recall:
    """What a ranking that failed holds."""
    among, within = dict.fromkeys(ks, 0.0), dict.fromkeys(budgets, 0.0)
    return Recall(rank=None, best=among, within=within, inside=within, first=None, precision=among)


def recall_of(
    ranking: Ranking, spans: Sequence[Span], *, ks: Sequence[int] = KS, budgets: Sequence[int] = BUDGETS
) -> Recall:
    """What a ranking holds of some spans, all of which are needed. Raises `ValueError` for none."""
    if not spans:
        raise ValueError("there is nothing to be found")
    selected = {budget: select_within(ranking, budget) for budget in budgets}
    return Recall(
        rank=_rank(ranking.spans, spans),
        best={k: covered_share(spans, joined(ranking.spans[:k])) for k in ks},
        within={budget: covered_share(spans, stretches) for budget, stretches in selected.items()},
        inside={budget: share_inside(stretches, spans) for budget, stretches in selected.items()},
        first=_first_rank(ranking.spans, spans),
        precision={k: _precision(ranking.spans[:k], spans) for k in ks},
    )


def select_within(ranking: Ranking, budget: int) -> list[Span]:
    """What fits a budget of tokens, in the order of the text: stretches from the best downwards, too long ones skipped.

    Of a stretch that overlaps others only what is new costs tokens, in proportion to its characters. The first one is
    cut where it alone is too long.
    """
    taken = _Taken(float(budget))
    misses = 0
    for span in ranking.spans:
        if misses > ranking.misses:
            break
        misses = 0 if taken.take(span) else misses + 1
    if not taken.spans and ranking.spans:
        first = ranking.spans[0]
        return [(first.start, first.start + int((first.end - first.start) * budget / first.tokens))]
    return taken.spans


def joined(spans: Sequence[RankedSpan]) -> list[Span]:
    """The stretches in the order of the text, those that overlap or touch as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if found and span.start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], span.end))
        else:
            found.append((span.start, span.end))
    return found


def covered_share(spans: Sequence[Span], stretches: Sequence[Span]) -> float:
    """The share of spans that lie whole in one of some stretches, which are in order and do not overlap."""
    starts = [start for start, _ in stretches]
    return sum(_holds(starts, stretches, span) for span in spans) / len(spans)


def share_inside(stretches: Sequence[Span], spans: Sequence[Span]) -> float:
    """What share of the characters of some stretches lies in spans that do not overlap; 0 of no character."""
    size = sum(end - start for start, end in stretches)
    held = sum(max(0, min(end, b) - max(start, a)) for start, end in stretches for a, b in spans)
    return held / size if size else 0.0


def _holds(starts: Sequence[int], stretches: Sequence[Span], span: Span) -> bool:
    number = bisect_right(starts, span[0]) - 1
    return number >= 0 and span[1] <= stretches[number][1]


def _rank(ranking: Sequence[RankedSpan], spans: Sequence[Span]) -> int | None:
    left = set(spans)
    for number, stretch in enumerate(ranking, 1):
        left = {span for span in left if not _within(span, stretch)}
        if not left:
            return number
    return None


def _first_rank(ranking: Sequence[RankedSpan], spans: Sequence[Span]) -> int | None:
    holding = (number for number, stretch in enumerate(ranking, 1) if any(_within(span, stretch) for span in spans))
    return next(holding, None)


def _within(span: Span, stretch: RankedSpan) -> bool:
    return stretch.start <= span[0] and span[1] <= stretch.end


def _precision(stretches: Sequence[RankedSpan], spans: Sequence[Span]) -> float:
    """The share of stretches of which more than half lies in the spans: some stand across a border. 0 of none."""
    lying = [share_inside([(one.start, one.end)], spans) > _MOSTLY for one in stretches]
    return sum(lying) / len(lying) if lying else 0.0


class _Taken:
    """Stretches that do not touch each other, in order, and the tokens that are left."""

    def __init__(self, left: float) -> None:
        self.spans: list[Span] = []
        self._left = left

    def take(self, span: RankedSpan) -> bool:
        """Take a stretch; False, and nothing taken, where it does not fit."""
        low = bisect_left(self.spans, span.start, key=lambda taken: taken[1])
        high = bisect_right(self.spans, span.end, key=lambda taken: taken[0])
        around = self.spans[low:high]
        held = sum(min(end, span.end) - max(start, span.start) for start, end in around)
        size = span.end - span.start
        cost = span.tokens * (size - held) / size if size else 0.0
        if cost > self._left:
            return False
        self._left -= cost
        merged = (min([span.start, *(start for start, _ in around)]), max([span.end, *(end for _, end in around)]))
        self.spans[low:high] = [merged]
        return True
