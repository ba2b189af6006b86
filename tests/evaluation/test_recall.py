"""What a ranking holds: whole spans only, all of them, in k stretches or in a budget."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.gold import Span
from longdoc.evaluation.recall import (
    MOST_MISSES,
    RankedSpan,
    Ranking,
    covered_share,
    joined,
    nothing_found,
    recall_of,
    select_within,
    share_inside,
)


def ranked(*spans: tuple[int, int], misses: int = MOST_MISSES) -> Ranking:
    """Stretches with a token for each character."""
    return Ranking([RankedSpan(start, end, end - start) for start, end in spans], misses=misses)


_SPANS = st.tuples(st.integers(0, 300), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))
_RANKINGS = st.lists(_SPANS, max_size=25).map(lambda spans: ranked(*spans))


def test_a_span_is_found_by_the_first_stretch_that_holds_it_whole() -> None:
    recall = recall_of(ranked((0, 100), (90, 190), (80, 180)), [(85, 105)], ks=(1, 2, 3), budgets=(1000,))
    assert recall.rank == 3
    assert [recall.found(k) for k in (1, 2, 3)] == [False, False, True]
    assert recall.reciprocal_rank == 1 / 3


def test_the_reciprocal_rank_is_that_of_the_first_stretch_that_holds_any_span() -> None:
    recall = recall_of(ranked((0, 50), (100, 150), (200, 250)), [(110, 120), (210, 220)], ks=(1, 2, 3), budgets=())
    assert (recall.first, recall.rank, recall.reciprocal_rank) == (2, 3, 1 / 2)
    assert [recall.found(k) for k in (1, 2, 3)] == [False, False, True], "recall@k needs them all"
    half = recall_of(ranked((0, 50)), [(10, 20), (210, 220)], ks=(1,), budgets=())
    assert (half.first, half.rank, half.reciprocal_rank) == (1, None, 1.0)


def test_two_spans_are_found_when_both_are() -> None:
    recall = recall_of(ranked((0, 50), (100, 150), (200, 250)), [(10, 20), (210, 220)], ks=(1, 2, 3), budgets=(50, 150))
    assert recall.rank == 3
    assert recall.best == {1: 0.5, 2: 0.5, 3: 1.0}
    assert recall.within == {50: 0.5, 150: 1.0}
    assert [recall.selected(budget) for budget in (50, 150)] == [False, True]


def test_stretches_that_overlap_hold_together_what_none_holds_alone() -> None:
    recall = recall_of(ranked((0, 100), (80, 180)), [(50, 150)], ks=(1, 2), budgets=(100, 180))
    assert (recall.rank, recall.best, recall.within) == (None, {1: 0.0, 2: 1.0}, {100: 0.0, 180: 1.0})


def test_what_is_not_in_the_ranking_has_no_rank() -> None:
    recall = recall_of(ranked((0, 100)), [(200, 210)], ks=(1,), budgets=(100,))
    assert (recall.rank, recall.reciprocal_rank, recall.found(1), recall.selected(100)) == (None, 0.0, False, False)


def test_an_empty_ranking_and_a_failed_one_hold_nothing() -> None:
    assert recall_of(ranked(), [(0, 5)], ks=(1,), budgets=(10,)) == nothing_found(ks=(1,), budgets=(10,))


def test_nothing_to_be_found_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing"):
        recall_of(ranked((0, 5)), [])


def test_a_budget_skips_what_does_not_fit_and_goes_on() -> None:
    assert select_within(ranked((0, 100), (200, 800), (1000, 1060)), 160) == [(0, 100), (1000, 1060)]


def test_a_ranking_may_pass_nothing_over() -> None:
    assert select_within(ranked((0, 100), (200, 800), (1000, 1060), misses=0), 160) == [(0, 100)]


def test_what_two_stretches_share_is_paid_once() -> None:
    assert select_within(ranked((0, 100), (80, 180), (180, 200)), 200) == [(0, 200)]


def test_a_first_stretch_that_is_too_long_is_cut() -> None:
    assert select_within(ranked((100, 300), (400, 700)), 50) == [(100, 150)]


@given(_RANKINGS, st.integers(1, 400))
def test_a_selection_is_in_order_without_overlaps_and_within_its_budget(ranking: Ranking, budget: int) -> None:
    selected = select_within(ranking, budget)
    assert sum(end - start for start, end in selected) <= budget
    assert all(a[1] < b[0] for a, b in pairwise(selected))
    assert bool(selected) == bool(ranking.spans)


@given(_RANKINGS)
def test_with_enough_tokens_everything_is_selected(ranking: Ranking) -> None:
    assert select_within(ranking, 10_000) == joined(ranking.spans)


@given(_RANKINGS, st.lists(_SPANS, min_size=1, max_size=3))
def test_recall_agrees_with_trying_every_stretch_and_never_falls_with_k(ranking: Ranking, spans: list[Span]) -> None:
    recall = recall_of(ranking, spans, ks=range(1, 10), budgets=(100,))
    for k in range(1, 10):
        best = ranking.spans[:k]
        found = all(any(r.start <= start and end <= r.end for r in best) for start, end in spans)
        assert recall.found(k) == found
        characters = {place for r in best for place in range(r.start, r.end)}
        assert recall.best[k] == sum(set(range(*span)) <= characters for span in spans) / len(spans)
    shares = list(recall.best.values())
    assert shares == sorted(shares)


def test_a_span_at_the_border_of_a_stretch_is_whole() -> None:
    assert covered_share([(0, 10), (10, 20), (5, 21)], [(0, 20)]) == pytest.approx(2 / 3)


def test_of_what_is_selected_the_share_in_the_spans_is_told() -> None:
    assert share_inside([(0, 10), (20, 40)], [(5, 10), (30, 50)]) == 0.5
    assert share_inside([], [(5, 10)]) == 0.0
    recall = recall_of(ranked((0, 50), (100, 150)), [(100, 200)], ks=(1,), budgets=(50, 100))
    assert recall.inside == {50: 0.0, 100: 0.5}


def test_of_the_best_stretches_the_share_that_lies_in_a_long_span_is_told() -> None:
    ranking = ranked((100, 150), (0, 50), (90, 140), (180, 220))
    recall = recall_of(ranking, [(100, 200)], ks=(1, 2, 3, 4, 8), budgets=())
    assert recall.precision == pytest.approx({1: 1.0, 2: 0.5, 3: 2 / 3, 4: 0.5, 8: 0.5})
    assert recall_of(ranked(), [(100, 200)], ks=(1,), budgets=()).precision == {1: 0.0}
