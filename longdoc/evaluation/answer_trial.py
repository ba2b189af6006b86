"""Strategies that answer, tried on the same cases: what share of their answers is right, and what it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from longdoc.evaluation.answer_match import WRONG, AnswerScore
from longdoc.evaluation.gold import GoldCase
from longdoc.evaluation.trials import Attempt, Clock, attempt_all, system_clock
from longdoc.evaluation.tsort import OrderScore, SortCase, score_order


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered, and what it took; `recorded` of the calls were answered from the record.

    `seconds` where that is known better than by the clock, which tells nothing where there are recorded calls.
    """

    text: str
    calls: int = 0
    tokens: int = 0
    seconds: float | None = None
    recorded: int = 0


Answerer: TypeAlias = Callable[[GoldCase], Awaitable[Reply]]
"""Answers the question of a case from its text."""

Sorter: TypeAlias = Callable[[SortCase], Awaitable[Reply]]
"""Puts stretches in order."""

NO_REPLY = Reply("")


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """What a strategy answered. A case that failed is wrong, and `error` says why.

    `seconds` is None where nobody knows how long it takes.
    """

    strategy: str
    case: GoldCase
    reply: Reply
    score: AnswerScore
    seconds: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class SortOutcome:
    """How a strategy put stretches in order; `score` is None where it failed, and `error` says why.

    `seconds` is None where nobody knows how long it takes.
    """

    strategy: str
    case: SortCase
    reply: Reply
    score: OrderScore | None
    seconds: float | None
    error: str = ""


async def try_answers(
    cases: Sequence[GoldCase],
    strategies: Mapping[str, Answerer],
    *,
    score: Callable[[str, GoldCase], AnswerScore],
    at_once: int = 1,
    clock: Clock = system_clock,
) -> list[AnswerOutcome]:
    """Have every strategy answer every case; outcomes strategy by strategy. Raises what a later run may overcome."""
    jobs = [(name, answer, case) for name, answer in strategies.items() for case in cases]
    attempts = await attempt_all(
        [partial(answer, case) for _, answer, case in jobs], at_once=at_once, clock=clock, seen=_ignore
    )
    return [_answered(name, case, attempt, score) for (name, _, case), attempt in zip(jobs, attempts, strict=True)]


async def try_sorting(
    cases: Sequence[SortCase],
    strategies: Mapping[str, Sorter],
    *,
    at_once: int = 1,
    clock: Clock = system_clock,
) -> list[SortOutcome]:
    """Have every strategy sort every case; outcomes strategy by strategy. Raises what a later run may overcome."""
    jobs = [(name, sort, case) for name, sort in strategies.items() for case in cases]
    attempts = await attempt_all(
        [partial(sort, case) for _, sort, case in jobs], at_once=at_once, clock=clock, seen=_ignore
    )
    return [_sorted(name, case, attempt) for (name, _, case), attempt in zip(jobs, attempts, strict=True)]


def _ignore(number: int, attempt: Attempt[Reply]) -> None:
    del number, attempt


def _answered(
    name: str, case: GoldCase, attempt: Attempt[Reply], score: Callable[[str, GoldCase], AnswerScore]
) -> AnswerOutcome:
    reply = attempt.value
    scored = WRONG if reply is None else score(reply.text, case)
    return AnswerOutcome(name, case, reply or NO_REPLY, scored, _seconds(attempt), attempt.error)


def _sorted(name: str, case: SortCase, attempt: Attempt[Reply]) -> SortOutcome:
    reply = attempt.value
    scored = None if reply is None else score_order(case, reply.text)
    return SortOutcome(name, case, reply or NO_REPLY, scored, _seconds(attempt), attempt.error)


def _seconds(attempt: Attempt[Reply]) -> float | None:
    reply = attempt.value or NO_REPLY
    if reply.seconds is not None:
        return reply.seconds
    return None if reply.recorded else attempt.seconds
