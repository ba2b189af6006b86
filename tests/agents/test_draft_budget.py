"""Budgets add up exactly, whatever the weights and whatever was written."""

import math

from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.draft_budget import (
    LEAST_SECTION,
    MOST_SECTION,
    group_size,
    kept_within,
    redistributed,
    section_bounds,
    share_out,
    usual_sections,
)

WEIGHTS = st.lists(st.floats(), min_size=1, max_size=60)
BUDGETS = st.lists(st.integers(20, 1_000), min_size=1, max_size=60)


@given(st.integers(0, 100_000), WEIGHTS)
def test_shares_add_up_for_any_weights(total: int, weights: list[float]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    assert len(shares) == len(weights)
    assert min(shares) >= (1 if total >= len(weights) else 0)


def test_shares_are_in_proportion_and_a_weight_that_is_none_is_the_mean() -> None:
    assert share_out(1_000, [1, 2, 3, 4]) == [100, 200, 300, 400]
    assert share_out(100, [1, 1, 1]) == [34, 33, 33]
    assert share_out(900, [100, 0, 200, -5, math.inf, math.nan]) == [100, 150, 200, 150, 150, 150]
    assert share_out(10, [0, 0]) == [5, 5]
    assert share_out(5, [1e308, 1e308, 5e-324]) == [2, 2, 1]
    assert share_out(7, []) == []


@given(st.lists(st.integers(0, 5_000), max_size=60), st.integers(0, 2_000), st.integers(0, 2_000))
def test_bounds_keep_the_sum_and_hold_where_they_can(shares: list[int], one: int, other: int) -> None:
    least, most = sorted((one, other))
    kept = kept_within(shares, least, most)
    assert sum(kept) == sum(shares)
    if shares and least * len(shares) <= sum(shares) <= most * len(shares):
        assert all(least <= share <= most for share in kept)


@given(st.integers(1, 200_000), st.integers(LEAST_SECTION, MOST_SECTION))
def test_the_number_of_sections_lets_each_be_of_a_sensible_size(words: int, most: int) -> None:
    fewest, many = section_bounds(words, most)
    assert 1 <= fewest <= usual_sections(words, most) <= many
    assert math.ceil(words / fewest) <= most
    assert many == fewest or words // many >= LEAST_SECTION
    if most == MOST_SECTION:
        assert fewest == math.ceil(words / 1_000)
        assert many == max(1, words // 200, fewest)


def test_what_a_flat_plan_holds_has_no_groups() -> None:
    assert [group_size(words) for words in (600, 15_000, 15_001, 60_000, 60_001)] == [None, None, 5_000, 5_000, 20_000]
    assert group_size(4_000, flat=1_600) == 1_600


@given(BUDGETS, st.data())
def test_what_is_left_is_shared_out_anew(budgets: list[int], data: st.DataObject) -> None:
    written = data.draw(st.lists(st.none() | st.integers(0, 2_000), min_size=len(budgets), max_size=len(budgets)))
    target = data.draw(st.integers(0, 2 * sum(budgets)))
    result = redistributed(budgets, written, target)
    still = [(budget, share) for budget, share, one in zip(budgets, result, written, strict=True) if one is None]
    assert [share for share, one in zip(result, written, strict=True) if one is not None] == [
        one for one in written if one is not None
    ]
    assert all(math.floor(budget / 2) <= share <= math.ceil(budget * 1.5) for budget, share in still)
    left, first = target - sum(one or 0 for one in written), sum(budget for budget, _ in still)
    if still and 0.5 * first <= left <= 1.5 * first:
        assert sum(result) == target


def test_one_too_long_section_is_made_up_for_by_all_that_follow() -> None:
    assert redistributed([300, 300, 600], [390, None, None], 1_200) == [390, 270, 540]
    assert redistributed([300, 300, 600], [0, None, None], 1_200) == [0, 400, 800]
    assert redistributed([300, 300, 600], [1_150, None, None], 1_200) == [1_150, 150, 300]


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(-10, 100))
def test_tiny_budgets_come_to_an_end(budgets: list[int], target: int) -> None:
    assert len(redistributed(budgets, [None] * len(budgets), target)) == len(budgets)
