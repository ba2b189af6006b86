"""Trials of answers and of orders."""

from __future__ import annotations

import asyncio

from longdoc.documents.builder import DocumentBuilder
from longdoc.errors import RequestRefusedError
from longdoc.evaluation.answer_match import score_anywhere
from longdoc.evaluation.answer_trial import Reply, try_answers, try_sorting
from longdoc.evaluation.gold import GoldCase
from longdoc.evaluation.tsort import SortCase, sort_cases

CASES = [GoldCase(f"{i}", "passkey", f"Number {i}?", (str(i),), ((0, 1),)) for i in range(3)]


def test_right_wrong_and_failed_answers_are_told_apart() -> None:
    async def answer(case: GoldCase) -> Reply:
        if case.id == "2":
            raise RequestRefusedError("refused")
        return Reply(f"It is {'0' if case.id == '0' else 'unknown'}.", calls=1, tokens=9)

    outcomes = asyncio.run(try_answers(CASES, {"reader": answer}, score=score_anywhere))
    assert [(o.strategy, o.score.right, o.error) for o in outcomes] == [
        ("reader", True, ""),
        ("reader", False, ""),
        ("reader", False, "refused"),
    ]
    assert [o.reply.calls for o in outcomes] == [1, 1, 0]


def test_a_reply_that_the_record_helped_with_has_no_time_unless_it_says_so() -> None:
    replies = [Reply("0"), Reply("1", calls=2, recorded=1), Reply("2", calls=1, seconds=0.5, recorded=1)]

    async def answer(case: GoldCase) -> Reply:
        return replies[int(case.id)]

    outcomes = asyncio.run(try_answers(CASES, {"reader": answer}, score=score_anywhere, clock=lambda: 3.0))
    assert [outcome.seconds for outcome in outcomes] == [0.0, None, 0.5]


def test_orders_are_scored_and_failures_have_no_score() -> None:
    builder = DocumentBuilder("text", "mill.txt")
    for number in range(100):
        builder.add_block(f"Paragraph {number}. " + "The wheel turned, and the water ran on. " * 3)
    cases = sort_cases(builder.build(), length=600, count=3, seed=0)

    async def sort(case: SortCase) -> Reply:
        if case is cases[2]:
            raise RequestRefusedError("refused")
        return Reply(f"Answer: {case.answer}" if case is cases[0] else "I cannot tell.")

    outcomes = asyncio.run(try_sorting(cases, {"reader": sort}))
    assert [o.score and (o.score.valid, o.score.whole) for o in outcomes] == [(True, True), (False, False), None]
    assert outcomes[2].error == "refused"
