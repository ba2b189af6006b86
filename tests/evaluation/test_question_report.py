"""Figures of trials: who is put together with whom, and what is averaged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from longdoc.evaluation.answer_match import AnswerScore
from longdoc.evaluation.answer_trial import NO_REPLY, AnswerOutcome, Reply, SortOutcome
from longdoc.evaluation.gold import GoldCase
from longdoc.evaluation.question_report import By, CaseShare, answer_figures, order_figures, selection_figures
from longdoc.evaluation.recall import Recall
from longdoc.evaluation.selection_trial import SelectionOutcome
from longdoc.evaluation.shares import Share
from longdoc.evaluation.tsort import OrderScore, SortCase

CASE = GoldCase("1", "plain", "?", ("x",), ((0, 1),), depth=0.0, length=8000)


def outcome(strategy: str, *, rank: int | None, case: GoldCase = CASE, error: str = "") -> SelectionOutcome:
    held = 1.0 if rank is not None else 0.0
    return SelectionOutcome(
        strategy, case, Recall(rank, {1: held, 4: held}, {512: held}, {512: 0.25}, rank, {}), 2.0, 1, 10, error
    )


def test_a_group_is_counted_and_averaged() -> None:
    cases = [replace(CASE, id=str(number)) for number in range(3)]
    outcomes = [
        outcome("bm25", rank=1, case=cases[0]),
        outcome("bm25", rank=2, case=cases[1]),
        outcome("bm25", rank=None, case=cases[2], error="too long"),
    ]
    (figures,) = selection_figures(outcomes)
    assert figures.group.strategy == "bm25"
    assert (figures.group.kind, figures.group.length, figures.group.depth) == (None, None, None)
    assert figures.cases == 3
    assert figures.found == {1: CaseShare(1, 3), 4: CaseShare(2, 3)}
    assert figures.selected == {512: CaseShare(2, 3)}
    assert figures.best[1] == pytest.approx(2 / 3)
    assert figures.inside == {512: 0.25}
    assert figures.mrr == pytest.approx(0.5)
    assert (figures.effort.seconds, figures.effort.calls, figures.effort.tokens, figures.effort.failed) == (2, 1, 10, 1)


def test_a_case_tried_with_several_seeds_counts_once_by_their_mean() -> None:
    cases = [replace(CASE, id=str(number)) for number in range(20)]
    outcomes = [
        outcome("random", rank=1 if seed == 0 or number < 5 else None, case=case)
        for seed in range(5)
        for number, case in enumerate(cases)
    ]
    (figures,) = selection_figures(outcomes)
    assert figures.cases == 20
    assert figures.found[1] == CaseShare(pytest.approx(5 + 15 / 5), 20)  # pyright: ignore[reportArgumentType]
    assert figures.found[1].interval == Share(8, 20).interval, "of 20 cases, not of 100 tries"


def test_an_interval_of_hits_that_are_no_whole_number_holds_both_neighbours() -> None:
    share = CaseShare(2.6, 20)
    below, above = Share(2, 20).interval, Share(3, 20).interval
    assert below is not None
    assert above is not None
    assert (share.rate, share.interval) == (pytest.approx(0.13), (below[0], above[1]))


def test_cases_that_other_strategies_alone_were_tried_on_are_missing() -> None:
    short, long = CASE, replace(CASE, id="2", length=64_000)
    outcomes = [outcome("bm25", rank=1, case=short), outcome("bm25", rank=None, case=long), outcome("xl3m", rank=1)]
    assert [(one.group.strategy, one.missing) for one in selection_figures(outcomes)] == [("bm25", 0), ("xl3m", 1)]
    by_length = selection_figures(outcomes, by=(By.LENGTH,))
    assert [(one.group.strategy, one.group.length, one.missing) for one in by_length] == [
        ("bm25", 8000, 0),
        ("bm25", 64_000, 0),
        ("xl3m", 8000, 0),
    ]


def test_time_is_the_mean_of_the_cases_whose_time_is_known() -> None:
    times = [2.0, None, 4.0]
    outcomes = [
        replace(outcome("bm25", rank=1, case=replace(CASE, id=str(number))), seconds=seconds)
        for number, seconds in enumerate(times)
    ]
    assert selection_figures(outcomes)[0].effort.seconds == 3.0
    assert selection_figures(outcomes[1:2])[0].effort.seconds is None


def test_groups_come_by_strategy_kind_length_and_depth() -> None:
    cases = [
        replace(CASE, kind=kind, length=length, depth=depth)
        for kind in ("plain", "bridge")
        for length in (64_000, 8000)
        for depth in (0.5, None, 0.0)
    ]
    outcomes = [outcome(strategy, rank=1, case=case) for case in cases for strategy in ("dense", "bm25")]
    by_all = selection_figures(outcomes, by=By)
    assert len(by_all) == 24
    assert [(f.group.strategy, f.group.kind, f.group.length, f.group.depth) for f in by_all[:4]] == [
        ("dense", "plain", 8000, None),
        ("dense", "plain", 8000, 0.0),
        ("dense", "plain", 8000, 0.5),
        ("dense", "plain", 64_000, None),
    ]
    by_kind = selection_figures(outcomes, by=(By.KIND,))
    assert [(f.group.strategy, f.group.kind, f.cases) for f in by_kind] == [
        ("dense", "plain", 6),
        ("dense", "bridge", 6),
        ("bm25", "plain", 6),
        ("bm25", "bridge", 6),
    ]


def test_nothing_gives_no_figures() -> None:
    assert (selection_figures([], by=By), answer_figures([]), order_figures([])) == ([], [], [])


def test_answers_are_counted_whole_and_in_part() -> None:
    cases = [replace(CASE, id=str(number)) for number in range(3)]
    outcomes = [
        AnswerOutcome("reader", cases[0], Reply("x", 1, 10), AnswerScore(1.0), 1.0),
        AnswerOutcome("reader", cases[1], Reply("y", 1, 10), AnswerScore(0.5), 1.0),
        AnswerOutcome("reader", cases[2], NO_REPLY, AnswerScore(0.0), 1.0, "refused"),
    ]
    (figures,) = answer_figures(outcomes, by=(By.LENGTH,))
    assert (figures.group.length, figures.right, figures.given, figures.effort.failed) == (
        8000,
        CaseShare(1, 3),
        0.5,
        1,
    )


def test_orders_are_counted_by_length() -> None:
    case = SortCase("1", "Mill", ("a", "b", "c", "d"), (1, 2, 3, 4), "", "", (0, 9), 2000)
    right = OrderScore(valid=True, whole=True, pairs=1.0)
    outcomes = [SortOutcome("reader", case, NO_REPLY, score, 1.0) for score in (right, None)]
    outcomes.append(SortOutcome("reader", replace(case, length=1000), NO_REPLY, right, 1.0))
    found = order_figures(outcomes)
    assert [(f.group.length, f.figures.whole, f.figures.pairs, f.figures.invalid) for f in found] == [
        (1000, Share(1, 1), 1.0, 0),
        (2000, Share(1, 2), 0.5, 1),
    ]
