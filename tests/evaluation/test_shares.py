"""Shares and their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.shares import Share, share_of, wilson_interval


@pytest.mark.parametrize(
    ("hits", "cases", "interval"),
    [(0, 10, (0.0, 0.2775)), (5, 10, (0.2366, 0.7634)), (10, 10, (0.7225, 1.0)), (48, 50, (0.8654, 0.9890))],
)
def test_intervals_are_those_of_wilson(hits: int, cases: int, interval: tuple[float, float]) -> None:
    assert wilson_interval(hits, cases) == pytest.approx(interval, abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda cases: st.tuples(st.integers(0, cases), st.just(cases))))
def test_an_interval_holds_the_rate_and_stays_between_none_and_all(counts: tuple[int, int]) -> None:
    low, high = wilson_interval(*counts)
    assert 0 <= low <= counts[0] / counts[1] <= high <= 1
    assert low < high


def test_a_share_counts_hits() -> None:
    share = share_of([True, False, True, True])
    assert (share, share.rate) == (Share(3, 4), 0.75)


def test_a_share_of_nothing_says_nothing() -> None:
    assert (share_of([]).rate, share_of([]).interval) == (None, None)
