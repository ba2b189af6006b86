"""Trials of selection: every case asked of every strategy, failures are misses, baselines look at no question."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from longdoc.errors import ContextTooLongError, EngineUnavailableError
from longdoc.evaluation.gold import GoldCase
from longdoc.evaluation.recall import RankedSpan, Ranking
from longdoc.evaluation.selection_baselines import baselines
from longdoc.evaluation.selection_trial import ScoredRanking, SelectionOutcome, Selector, try_selection

SPANS = [RankedSpan(100 * i, 100 * i + 100, 25) for i in range(40)]
CASES = [
    GoldCase(
        f"case-{i}", "plain", f"Where is {i}?", ("there",), ((100 * i + 10, 100 * i + 50),), depth=0.1, length=1000
    )
    for i in (0, 7, 39)
]


class Ticking:
    """A clock on which a second passes between two looks."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1.0
        return self._now


async def knowing(question: str) -> Ranking:
    number = int(question.removeprefix("Where is ").removesuffix("?"))
    return Ranking([SPANS[number], *SPANS], calls=2, tokens=30)


def tried(
    strategies: Mapping[str, Selector | Sequence[Selector]], *, at_once: int = 1, cases: Sequence[GoldCase] = CASES
) -> list[SelectionOutcome]:
    seen: list[SelectionOutcome] = []
    outcomes = asyncio.run(
        try_selection(
            cases, strategies, ks=(1, 4), budgets=(25, 500), at_once=at_once, clock=Ticking(), seen=seen.append
        )
    )
    assert {id(outcome) for outcome in seen} == {id(outcome) for outcome in outcomes}
    return outcomes


def test_each_case_is_asked_of_each_strategy_and_what_it_took_is_told() -> None:
    outcomes = tried({"knowing": knowing, "again": knowing})
    assert [(o.strategy, o.case.id) for o in outcomes] == [
        (name, case.id) for name in ("knowing", "again") for case in CASES
    ]
    assert all((o.recall.rank, o.recall.selected(25), o.calls, o.tokens) == (1, True, 2, 30) for o in outcomes)
    assert [o.seconds for o in outcomes] == [1.0] * 6


def test_a_ranking_that_the_record_helped_with_has_no_time() -> None:
    async def scored(question: str) -> Ranking:
        recorded = 1 if question == CASES[0].question else 0
        return ScoredRanking(SPANS, calls=2, tokens=30, seconds=7.0, recorded=recorded)

    assert [outcome.seconds for outcome in tried({"scored": scored})] == [None, 7.0, 7.0]


def test_several_at_once_come_out_in_their_order() -> None:
    waiting = {case.question: asyncio.Event() for case in CASES}

    async def last_first(question: str) -> Ranking:
        """Answers the first question only after the others."""
        waiting[question].set()
        for other in CASES if question == CASES[0].question else ():
            await waiting[other.question].wait()
        return await knowing(question)

    outcomes = tried({"slow": last_first}, at_once=3)
    assert [outcome.case for outcome in outcomes] == CASES


def test_a_case_that_fails_is_a_miss_and_says_why() -> None:
    async def failing(question: str) -> Ranking:
        if question == CASES[1].question:
            raise ContextTooLongError("too long")
        return await knowing(question)

    outcomes = tried({"failing": failing})
    assert [outcome.error for outcome in outcomes] == ["", "too long", ""]
    assert [outcome.recall.found(4) for outcome in outcomes] == [True, False, True]
    assert outcomes[1].recall.within == {25: 0.0, 500: 0.0}


def test_what_a_later_run_may_overcome_stops_the_trial() -> None:
    async def gone(question: str) -> Ranking:
        raise EngineUnavailableError(question)

    with pytest.raises(EngineUnavailableError):
        tried({"gone": gone})


def test_cutting_the_text_finds_what_stands_where_it_is_left() -> None:
    outcomes = tried(baselines(SPANS))
    found = {
        name: [o.recall.found(4) for o in outcomes if o.strategy == name] for name in ("head", "tail", "head and tail")
    }
    assert found == {
        "head": [True, False, False],
        "tail": [False, False, True],
        "head and tail": [True, False, True],
    }


def test_cutting_the_text_passes_nothing_over() -> None:
    short_end = [RankedSpan(0, 100, 25), RankedSpan(100, 200, 25), RankedSpan(200, 204, 1)]
    end = GoldCase("end", "plain", "?", ("x",), ((201, 203),))
    outcomes = asyncio.run(try_selection([end], {"head": baselines(short_end)["head"]}, ks=(1,), budgets=(30, 51)))
    assert outcomes[0].recall.within == {30: 0.0, 51: 1.0}


def test_chance_is_tried_with_five_seeds_and_finds_its_share() -> None:
    cases = [GoldCase(f"{i}", "plain", f"{i}?", ("x",), ((100 * (i % 40), 100 * (i % 40) + 9),)) for i in range(400)]
    outcomes = tried({"random": baselines(SPANS)["random"]}, cases=cases)
    assert len(outcomes) == 5 * 400
    assert sum(o.recall.found(4) for o in outcomes) / 2000 == pytest.approx(4 / 40, abs=0.03)
    assert sum(o.recall.selected(500) for o in outcomes) / 2000 == pytest.approx(500 / 1000, abs=0.05)


def test_chance_comes_out_again() -> None:
    random = {"random": baselines(SPANS)["random"]}
    assert [o.recall for o in tried(random)] == [o.recall for o in tried(random)]


def test_no_more_is_ranked_than_is_needed() -> None:
    found = baselines(SPANS, most=3)
    assert all(
        len(asyncio.run(selector("?")).spans) == 3
        for given in found.values()
        for selector in ([given] if callable(given) else given)
    )
