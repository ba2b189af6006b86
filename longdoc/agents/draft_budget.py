"""How the words of a draft are shared out among its sections, before it is written and while it is.

Source: AgentWrite ("LongWriter", 2024, arXiv 2408.07055) has sections of 200 to 1,000 words, within which models keep a
length; that budgets add up to what was asked for, and are shared out again, is our own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

LEAST_SECTION, USUAL_SECTION, MOST_SECTION = 200, 800, 1_000
"""Words of a section."""
SHORT_REQUEST: Final = 500
"""With fewer words a text is written in one go."""
TOLERANCE: Final = 0.15
"""How far a section may be from its budget, as a share of it."""
_LEAST_SHARE, _MOST_SHARE = 0.5, 1.5
_FLAT = 15_000
_CHAPTERED = 60_000
_CHAPTER, _PART = 5_000, 20_000
_LEAST_WEIGHT = 1e-9


def section_bounds(words: int, most: int = MOST_SECTION) -> tuple[int, int]:
    """The fewest and the most sections that a text of so many words may have, each of at most `most` words."""
    fewest = max(1, math.ceil(words / most))
    return fewest, max(fewest, words // LEAST_SECTION)


def usual_sections(words: int, most: int = MOST_SECTION) -> int:
    """How many sections a text of so many words has best."""
    fewest, many = section_bounds(words, most)
    return min(max(round(words / min(USUAL_SECTION, most)), fewest), many)


def group_size(words: int, flat: int = _FLAT) -> int | None:
    """The size in words of the parts or chapters that a text of so many words is divided into before its sections.

    None where a flat plan holds it: up to 15,000 words, or `flat` where that is less. Over 60,000 it is divided into
    parts first, each of which is divided again.
    """
    flat = min(flat, _FLAT)
    if words <= flat:
        return None
    return _PART if words > _CHAPTERED else min(_CHAPTER, flat)


def share_out(total: int, weights: Sequence[float]) -> list[int]:
    """Whole numbers in proportion to weights, by largest remainder; their sum is `total`, each at least 1 if it can be.

    Weights that are not positive numbers count as the mean of those that are.
    """
    if not weights:
        return []
    used = _usable(weights)
    scale = total / sum(used)
    shares = [math.floor(weight * scale) for weight in used]
    by_remainder = sorted(range(len(used)), key=lambda number: (shares[number] - used[number] * scale, number))
    for number in by_remainder[: total - sum(shares)]:
        shares[number] += 1
    if total >= len(shares):
        for number in (at for at, share in enumerate(shares) if not share):
            shares[max(range(len(shares)), key=shares.__getitem__)] -= 1
            shares[number] = 1
    return shares


def kept_within(shares: Sequence[int], least: int, most: int) -> list[int]:
    """The same sum with every share within these bounds, as near to what it was as can be.

    Where the bounds cannot hold the sum, they are widened just enough for that.
    """
    if not shares:
        return []
    total, count = sum(shares), len(shares)
    least, most = min(least, total // count), max(most, math.ceil(total / count))
    kept = [min(max(share, least), most) for share in shares]
    left = total - sum(kept)
    room = [most - share if left > 0 else share - least for share in kept]
    moved = _spread(abs(left), room)
    return [share + (more if left > 0 else -more) for share, more in zip(kept, moved, strict=True)]


def redistributed(budgets: Sequence[int], written: Sequence[int | None], target: int) -> list[int]:
    """The budgets of sections that are not written (None), so that all together come to the target.

    What is left is shared in proportion to the first budgets, each kept within 0.5 to 1.5 times its own. The result has
    what was written in the place of sections that are.
    """
    first = [budget for budget, one in zip(budgets, written, strict=True) if one is None]
    left = target - sum(one for one in written if one is not None)
    least, most = math.ceil(sum(first) * _LEAST_SHARE), math.floor(sum(first) * _MOST_SHARE)
    # bounds in proportion to budgets hold for each where they hold for the sum
    shares = iter(share_out(min(max(left, least), most), first))
    return [next(shares) if one is None else one for one in written]


def _usable(weights: Sequence[float]) -> list[float]:
    """Weights that can be reckoned with: positive, and none greater than 1."""
    good = [float(weight) for weight in weights if weight > 0 and math.isfinite(weight)]
    greatest = max(good, default=1.0)
    scaled = [max(weight / greatest, _LEAST_WEIGHT) for weight in good]
    mean = sum(scaled) / len(scaled) if scaled else 1.0
    left = iter(scaled)
    return [next(left) if weight > 0 and math.isfinite(weight) else mean for weight in weights]


def _spread(amount: int, room: Sequence[int]) -> list[int]:
    """An amount shared out in proportion to room, none over its own. The amount is at most the sum of all room."""
    whole = max(1, sum(room))
    shares = [amount * one // whole for one in room]
    for number in sorted(range(len(room)), key=lambda one: -room[one])[: amount - sum(shares)]:
        shares[number] += 1
    return shares
