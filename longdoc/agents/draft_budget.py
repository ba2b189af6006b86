"""How the words of a draft are shared out among its sections, before it is written and while it is.

Source: AgentWrite ("LongWriter", 2024, arXiv 2408.07055) has sections of 200 to 1,000 words, within which models keep a
length; that budgets add up to what was asked for, and are shared out again, is our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

LEAST_SECTION, USUAL_SECTION, MOST_SECTION = 200, 800, 1_000
"""Words of a section."""
SHORT_REQUEST = 500
"""With fewer words a text is written in one go."""
TOLERANCE = 0.15
"""How far a section may be from its budget, as a share of it."""
_LEAST_SHARE, _MOST_SHARE = 0.5, 1.5
_FLAT = 15_000
_CHAPTERED = 60_000
_CHAPTER, _PART = 5_000, 20_000


def section_bounds(words: int, most: int = MOST_SECTION) -> tuple[int, int]:
    """The fewest and the most sections that a text of so many words may have, each of at most `most` words."""
    fewest = math.ceil(words / most)
    return fewest, max(1, fewest, words // LEAST_SECTION)


def usual_sections(words: int, most: int = MOST_SECTION) -> int:
    """How many sections a text of so many words has best."""
    fewest, many = section_bounds(words, most)
    return min(max(round(words / min(USUAL_SECTION, most)), fewest), many)


def group_sizes(words: int, flat: int = _FLAT) -> tuple[int, ...]:
    """The sizes in words of what a text is divided into before its sections, the largest first: parts, chapters.

    Empty where a flat plan holds it, which has up to 15,000 words, or `flat` where that is less.
    """
    if words <= min(flat, _FLAT):
        return ()
    return (_CHAPTER,) if words <= _CHAPTERED else (_PART, _CHAPTER)


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to weights, by largest remainder; their sum is `total`, each at least 1 if it can be.

    Weights that are not positive numbers count as the mean of those that are.
    """
    if not weights:
        return []
    good = [weight for weight in weights if weight > 0 and math.isfinite(weight)]
    mean = sum(good) / len(good) if good else 1.0
    used = [weight if weight > 0 and math.isfinite(weight) else mean for weight in weights]
    scale = max(0, total - len(used)) / sum(used)
    least = 1 if total >= len(used) else 0
    exact = [least + weight * (scale if least else total / sum(used)) for weight in used]
    shares = [math.floor(one) for one in exact]
    by_remainder = sorted(range(len(used)), key=lambda number: (shares[number] - exact[number], number))
    for number in by_remainder[: total - sum(shares)]:
        shares[number] += 1
    return shares


def redistributed(budgets: Sequence[int], written: Sequence[int | None], target: int) -> list[int]:
    """The budgets of sections that are not written (None), so that all together come to the target.

    What is left is shared in proportion to the first budgets, each kept within 0.5 to 1.5 times its own; the others
    take over what one cannot. The result has what was written in the place of sections that are.
    """
    result = [one or 0 for one in written]
    open_ones = [number for number, one in enumerate(written) if one is None]
    left = target - sum(result)
    while open_ones:
        total = sum(budgets[number] for number in open_ones)
        shares = share_out(max(0, left), [budgets[number] for number in open_ones])
        bounds = {number: (budgets[number] * _LEAST_SHARE, budgets[number] * _MOST_SHARE) for number in open_ones}
        outside = [
            (number, bounds[number][left > total])
            for number, share in zip(open_ones, shares, strict=True)
            if not bounds[number][0] <= share <= bounds[number][1]
        ]
        if not outside:
            for number, share in zip(open_ones, shares, strict=True):
                result[number] = share
            return result
        for number, bound in outside:
            result[number] = max(1, round(bound))
            left -= result[number]
            open_ones.remove(number)
    return result
