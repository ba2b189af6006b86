"""Claims checked against excerpts: both directions are asked for, and a verdict stands only on quotes that stand."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.claim_checker import ClaimCheck, ClaimChecker, Verdict
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import InvalidOutputError
from longdoc.retrieval.excerpts import Excerpt
from tests.agents.asking import CHAPTERS, Quote, excerpts_of, in_turn, story

STORY = story()
EXCERPTS = excerpts_of(STORY, *CHAPTERS.values())
ROWED: Quote = (1, "Marta Quill rowed across the sound")
QUIET: Quote = (2, "the night had been quiet")
INVENTED: Quote = (1, "The pilot rowed across the sound")


def said(
    verdict: object, *, supporting: tuple[Quote, ...] = (), contradicting: tuple[Quote, ...] = (), reason: str = "So."
) -> str:
    sides = {"supporting": supporting, "contradicting": contradicting}
    quotes = {side: [{"excerpt": n, "words": words} for n, words in given] for side, given in sides.items()}
    return json.dumps({**quotes, "reason": reason, "verdict": verdict})


def check(*answers: str, excerpts: list[Excerpt] = EXCERPTS) -> ClaimCheck:
    engine = ScriptedEngine(in_turn([*answers, *answers[-1:]]), context_window=32_000)
    return asyncio.run(ClaimChecker(engine).check("Marta rowed.", excerpts, max_tokens=8000, emit=lambda _: None))


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (said("true", supporting=(ROWED,)), Verdict.TRUE),
        (said("false", contradicting=(ROWED,)), Verdict.FALSE),
        (said("true", supporting=(ROWED,), contradicting=(QUIET,)), Verdict.TRUE),
        (said("false", supporting=(ROWED,), contradicting=(QUIET,)), Verdict.FALSE),
        (said("true", supporting=(INVENTED, ROWED)), Verdict.TRUE),
        (said("not_stated"), Verdict.NOT_STATED),
        (said("not_stated", supporting=(ROWED,), contradicting=(QUIET,)), Verdict.NOT_STATED),
    ],
)
def test_a_verdict_that_its_quotes_bear_stands(answer: str, verdict: Verdict) -> None:
    checked = check(answer)
    assert (checked.verdict, checked.said, checked.overruled) == (verdict, verdict, False)
    assert checked.reason == "So."
    assert checked.claim == "Marta rowed."


@pytest.mark.parametrize(
    ("answer", "direction"),
    [
        (said("true"), "supports"),
        (said("true", supporting=(INVENTED,)), "supports"),
        (said("true", contradicting=(ROWED,)), "supports"),
        (said("false", contradicting=(INVENTED,)), "contradicts"),
        (said("false", supporting=(ROWED,)), "contradicts"),
        (said("true", supporting=(ROWED,), contradicting=(ROWED,)), "supports"),
    ],
)
def test_a_verdict_without_a_quote_that_stands_becomes_not_stated_and_says_so(answer: str, direction: str) -> None:
    checked = check(answer)
    assert checked.verdict is Verdict.NOT_STATED
    assert checked.overruled
    assert f"quoted nothing from the text that {direction} the claim" in checked.reason
    assert checked.reason.endswith("It wrote: So.")


def test_evidence_is_kept_by_its_direction_and_invented_quotes_are_counted() -> None:
    checked = check(said("true", supporting=(ROWED, INVENTED), contradicting=(QUIET, (9, "nobody rowed at all there"))))
    assert [citation.quote for citation in checked.supporting] == ["Marta Quill rowed across the sound"]
    assert [citation.quote for citation in checked.contradicting] == ["the night had been quiet"]
    assert checked.dropped == 2
    assert str(checked.contradicting[0].place) == "The Morning, page 2"


@pytest.mark.parametrize(
    ("spelled", "verdict"),
    [
        ("True.", Verdict.TRUE),
        (True, Verdict.TRUE),
        ("not stated", Verdict.NOT_STATED),
        ("NOT-STATED", Verdict.NOT_STATED),
    ],
)
def test_verdicts_are_read_in_any_spelling(spelled: object, verdict: Verdict) -> None:
    assert check(said(spelled, supporting=(ROWED,))).verdict is verdict


def test_without_excerpts_nothing_is_stated_and_no_call_is_made() -> None:
    engine = ScriptedEngine(lambda _: "never asked")
    checked = asyncio.run(ClaimChecker(engine).check("x", [], max_tokens=100, emit=lambda _: None))
    assert checked.verdict is Verdict.NOT_STATED
    assert engine.calls == []


def test_answers_that_cannot_be_used_are_an_error_at_last() -> None:
    with pytest.raises(InvalidOutputError):
        check(*[said("perhaps")] * 3)
    assert check("well", said("true", supporting=(ROWED,))).verdict is Verdict.TRUE


def brief(words: str, verdict: object) -> str:
    return json.dumps({"excerpt": 1, "words": words, "verdict": verdict})


@pytest.mark.parametrize(
    ("answer", "said_last", "verdict"),
    [
        (brief(ROWED[1], "TRUE"), Verdict.TRUE, Verdict.TRUE),
        (brief(ROWED[1], False), Verdict.FALSE, Verdict.FALSE),
        (brief(INVENTED[1], "true"), Verdict.TRUE, Verdict.NOT_STATED),
        (brief("", "true"), Verdict.TRUE, Verdict.NOT_STATED),
        (brief(" ", "not stated"), Verdict.NOT_STATED, Verdict.NOT_STATED),
        ('{"excerpt": null, "words": null, "verdict": "not_stated"}', Verdict.NOT_STATED, Verdict.NOT_STATED),
        (brief(ROWED[1], "true").replace('"excerpt": 1', '"excerpt": "Excerpt 1"'), Verdict.TRUE, Verdict.TRUE),
    ],
)
def test_a_model_that_does_not_weigh_both_directions_is_asked_for_one_quote(
    answer: str, said_last: Verdict, verdict: Verdict
) -> None:
    checked = check("well", "well", answer)
    assert (checked.verdict, checked.said) == (verdict, said_last)
    assert "one quotation" in checked.reason
    assert "It wrote" not in checked.reason  # it gave no reason
    quoted = [citation.quote for citation in (*checked.supporting, *checked.contradicting)]
    assert quoted == ([ROWED[1]] if verdict is not Verdict.NOT_STATED else [])


def test_an_answer_that_runs_into_its_limit_is_not_asked_for_again_unchanged() -> None:
    engine = ScriptedEngine(in_turn(['{"supporting": [' + "the night, " * 400, brief(ROWED[1], "true")]))
    checking = ClaimChecker(engine).check("Marta rowed.", EXCERPTS, max_tokens=60, emit=lambda _: None)
    assert asyncio.run(checking).verdict is Verdict.TRUE
    assert [request.origin and request.origin.name for request in engine.calls] == ["ask/check", "ask/verdict"]


def test_the_excerpts_stand_before_the_claim_and_both_sides_are_asked_for_before_the_verdict() -> None:
    engine = ScriptedEngine(lambda _: said("not_stated"))
    asyncio.run(ClaimChecker(engine).check("Marta rowed.", EXCERPTS, max_tokens=400, emit=lambda _: None))
    request = engine.calls[0]
    user = request.messages[-1].content
    assert user.index("the night had been quiet") < user.index("<claim>\nMarta rowed.\n</claim>")
    assert request.json_schema is not None
    order = list(request.json_schema["properties"])  # pyright: ignore[reportArgumentType]
    assert order == ["supporting", "contradicting", "reason", "verdict"]


words = st.one_of(
    st.text(max_size=40),
    st.sampled_from([ROWED[1], QUIET[1], INVENTED[1], "He paid Marta 41 crowns", "He paid Marta 40 crowns"]),
)
quotes = st.lists(st.tuples(st.integers(-1, 3), words), max_size=4).map(tuple)


@given(st.sampled_from(list(Verdict)), quotes, quotes)
def test_no_verdict_of_true_or_false_stands_on_nothing(
    verdict: Verdict, pro: tuple[Quote, ...], con: tuple[Quote, ...]
) -> None:
    checked = check(said(verdict, supporting=pro, contradicting=con))
    assert checked.verdict is not Verdict.TRUE or checked.supporting
    assert checked.verdict is not Verdict.FALSE or checked.contradicting
    for citation in (*checked.supporting, *checked.contradicting):
        assert STORY.text[citation.start : citation.end] == citation.quote
    assert not set(checked.supporting) & set(checked.contradicting)
