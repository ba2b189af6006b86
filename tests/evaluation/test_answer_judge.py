"""A model as the judge of answers: right, wrong, or no judgement."""

import asyncio

import pytest

from longdoc.engines.scripted import ScriptedEngine
from longdoc.evaluation.answer_judge import AnswerJudge


def judged(answer: str, *said: str) -> tuple[bool | None, int]:
    """The mark, and how often was asked."""
    left = list(said)
    engine = ScriptedEngine(lambda _: left.pop(0))
    judge = AnswerJudge(engine, emit=lambda _: None)
    return asyncio.run(judge.right("Where is the lamp?", "Riga", answer)), len(engine.calls)


@pytest.mark.parametrize(
    ("said", "mark"),
    [
        (('{"reason": "It says Riga.", "right": true}',), True),
        (('{"reason": "It says Oslo.", "right": false}',), False),
        (("Yes.", '{"reason": "", "right": true}'), True),
        (("Yes.", "Still yes."), None),
    ],
)
def test_a_mark_is_what_the_judge_says(said: tuple[str, ...], mark: bool | None) -> None:
    assert judged("In Riga, I think.", *said) == (mark, len(said))


def test_an_empty_answer_is_wrong_without_asking() -> None:
    assert judged(" ") == (False, 0)
