"""Strategies that select from a text, tried on the same cases: what each finds, and what it takes.

Owns the trial and its outcomes; strategies are functions from a question to a ranking, whatever is behind them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from longdoc.evaluation.gold import GoldCase
from longdoc.evaluation.recall import BUDGETS, KS, Ranking, Recall, nothing_found, recall_of
from longdoc.evaluation.trials import Attempt, Clock, attempt_all, system_clock

Selector: TypeAlias = Callable[[str], Awaitable[Ranking]]
"""Ranks stretches of one text for a question."""


@dataclass(frozen=True, slots=True)
class ScoredRanking(Ranking):
    """A ranking that calls were made for; `recorded` of them were answered from the record.

    Where any was, nobody knows how long the ranking takes, whatever `seconds` says.
    """

    recorded: int = 0


@dataclass(frozen=True, slots=True)
class SelectionOutcome:
    """What a strategy selected for a case. One that failed found nothing, and `error` says why.

    `seconds` is None where nobody knows how long it takes, see `ScoredRanking`.
    """

    strategy: str
    case: GoldCase
    recall: Recall
    seconds: float | None
    calls: int = 0
    tokens: int = 0
    error: str = ""


def _ignore(outcome: SelectionOutcome) -> None:
    del outcome


async def try_selection(
    cases: Sequence[GoldCase],
    strategies: Mapping[str, Selector | Sequence[Selector]],
    *,
    budgets: Sequence[int] = BUDGETS,
    ks: Sequence[int] = KS,
    at_once: int = 1,
    clock: Clock = system_clock,
    seen: Callable[[SelectionOutcome], None] = _ignore,
) -> list[SelectionOutcome]:
    """Ask every case of every strategy; all cases are of the one text that the strategies select from.

    A strategy given as several selectors is asked by each, and has an outcome of each for every case (seeds of chance).
    Outcomes come strategy by strategy and are told to `seen` as they are there. Raises what a later run may overcome.
    """
    measure = partial(_outcome, ks=ks, budgets=budgets)
    jobs = [
        (name, selector, case)
        for name, given in strategies.items()
        for selector in ([given] if callable(given) else given)
        for case in cases
    ]
    outcomes: dict[int, SelectionOutcome] = {}

    def note(number: int, attempt: Attempt[Ranking]) -> None:
        name, _, case = jobs[number]
        outcomes[number] = measure(name, case, attempt)
        seen(outcomes[number])

    asks = [partial(selector, case.question) for _, selector, case in jobs]
    await attempt_all(asks, at_once=at_once, clock=clock, seen=note)
    return [outcomes[number] for number in range(len(jobs))]


def _outcome(
    name: str, case: GoldCase, attempt: Attempt[Ranking], *, ks: Sequence[int], budgets: Sequence[int]
) -> SelectionOutcome:
    ranking = attempt.value
    if ranking is None:
        return SelectionOutcome(name, case, nothing_found(ks=ks, budgets=budgets), attempt.seconds, error=attempt.error)
    recall = recall_of(ranking, case.spans, ks=ks, budgets=budgets)
    return SelectionOutcome(name, case, recall, _seconds(ranking, attempt.seconds), ranking.calls, ranking.tokens)


def _seconds(ranking: Ranking, measured: float) -> float | None:
    if isinstance(ranking, ScoredRanking) and ranking.recorded:
        return None
    return measured if ranking.seconds is None else ranking.seconds
