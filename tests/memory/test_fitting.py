"""Fitting ends within its budget for any sizes, asks no more than it needs, and drops the worst first."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.memory.decision import Candidate, Fitted, Form, Judgement
from longdoc.memory.fitting import Fitting, fit, in_full
from longdoc.memory.ranking import Ranking, rank


class Scripted:
    """A judge that answers from a list, again and again."""

    def __init__(self, answers: Sequence[Judgement]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def judge(self, question: str, candidates: Sequence[Candidate]) -> Sequence[Judgement]:
        first = len(self.asked)
        self.asked += [one.full for one in candidates]
        return [self.answers[place % len(self.answers)] for place in range(first, len(self.asked))]


def memory(number: int, tokens: int, summary: int | None = None) -> Candidate:
    short = None if summary is None else f"s{number} " * summary
    return Candidate(number, f"m{number} " * tokens, tokens, short, summary or 0)


async def cut(text: str, tokens: int) -> tuple[str, int]:
    words = text.split()[:tokens]
    return " ".join(words), len(words)


def fitted(
    ranked: Sequence[Candidate],
    budget: int,
    *,
    flash: Candidate | None = None,
    judge: Scripted | None = None,
    judge_min_tokens: int = 0,
) -> Fitting:
    before = None if flash is None else in_full(flash)
    return asyncio.run(
        fit("?", ranked, flash=before, budget=budget, judge=judge, cut=cut, judge_min_tokens=judge_min_tokens)
    )


def forms(fitting: Fitting) -> dict[int, Form]:
    return {one.candidate.number: one.form for one in fitting.fitted}


def total(fitting: Fitting) -> int:
    return sum(one.tokens for one in (*fitting.fitted, *filter(None, [fitting.flash])))


SIZES = st.tuples(st.integers(0, 3000), st.none() | st.integers(0, 4000))
ANSWERS = st.lists(
    st.builds(Judgement, st.sampled_from([True, False, None]), st.sampled_from([True, False, None])), min_size=1
)


@given(
    sizes=st.lists(SIZES, max_size=20),
    flash=st.none() | st.integers(0, 3000),
    budget=st.integers(0, 6000),
    answers=st.none() | ANSWERS,
    least=st.sampled_from([0, 800]),
)
def test_it_ends_within_its_budget_for_any_sizes(
    sizes: list[tuple[int, int | None]], flash: int | None, budget: int, answers: list[Judgement] | None, least: int
) -> None:
    ranked = [memory(number, *size) for number, size in enumerate(sizes, 1)]
    judge = None if answers is None else Scripted(answers)
    before = None if flash is None else memory(99, flash)
    result = fitted(ranked, budget, flash=before, judge=judge, judge_min_tokens=least)
    assert total(result) <= budget
    assert [one.candidate.number for one in result.fitted] == sorted(one.number for one in ranked)
    assert len(judge.asked if judge else []) == result.asked <= max(0, len(ranked) - 1)
    for one in (*result.fitted, *filter(None, [result.flash])):
        assert one.tokens == len(one.text.split())
        assert (one.form is Form.DROPPED) == (one.text == "" and one.form is not Form.FULL)


def test_what_fits_stays_as_it_is_and_nobody_is_asked() -> None:
    judge = Scripted([Judgement(useful=False)])
    result = fitted([memory(1, 50), memory(2, 50)], 150, flash=memory(3, 50), judge=judge)
    assert set(forms(result).values()) == {Form.FULL}
    assert judge.asked == []


def test_what_is_useless_goes_and_what_a_summary_tells_is_summarized() -> None:
    judge = Scripted([Judgement(useful=False), Judgement(useful=True, enough=True)])
    result = fitted([memory(1, 100, 10), memory(2, 100, 10), memory(3, 100, 10)], 110, judge=judge)
    assert forms(result) == {1: Form.FULL, 2: Form.SUMMARY, 3: Form.DROPPED}
    assert [text[:2] for text in judge.asked] == ["m3", "m2"]


def test_no_more_are_asked_of_than_have_to_go() -> None:
    judge = Scripted([Judgement(useful=False)])
    fitted([memory(number, 100) for number in range(1, 7)], 450, judge=judge)
    assert [text[:2] for text in judge.asked] == ["m6", "m5"]


def test_short_memories_are_not_judged() -> None:
    judge = Scripted([Judgement(useful=False)])
    result = fitted([memory(1, 900, 10), memory(2, 900, 10), memory(3, 100, 5)], 950, judge=judge, judge_min_tokens=800)
    assert [text[:2] for text in judge.asked] == ["m2"]
    assert forms(result) == {1: Form.FULL, 2: Form.DROPPED, 3: Form.SUMMARY}


def test_an_answer_that_cannot_be_used_is_counted_and_drops_nothing() -> None:
    judge = Scripted([Judgement()])
    result = fitted([memory(1, 100, 60), memory(2, 100, 60)], 160, judge=judge)
    assert (result.asked, result.malformed) == (1, 1)
    assert forms(result) == {1: Form.FULL, 2: Form.SUMMARY}


def test_summaries_that_are_too_long_together_end_with_the_best_memory() -> None:
    result = fitted([memory(1, 500, 400), memory(2, 500, 400), memory(3, 500, 400)], 400)
    assert forms(result) == {1: Form.SUMMARY, 2: Form.DROPPED, 3: Form.DROPPED}


def test_the_last_one_is_cut_and_then_flash_memory() -> None:
    result = fitted([memory(1, 500)], 100, flash=memory(2, 60))
    assert forms(result) == {1: Form.CUT}
    assert total(result) == 100
    result = fitted([memory(1, 500)], 100, flash=memory(2, 600))
    assert forms(result) == {1: Form.DROPPED}
    assert result.flash is not None
    assert (result.flash.form, result.flash.tokens) == (Form.CUT, 100)


@pytest.mark.parametrize("ranked", [[], [memory(1, 10)]])
def test_no_memory_and_one_memory_work(ranked: list[Candidate]) -> None:
    assert total(fitted(ranked, 100)) == sum(one.full_tokens for one in ranked)


def test_a_summary_that_is_not_shorter_is_not_taken() -> None:
    result = fitted([memory(1, 50, 50), memory(2, 50, 80)], 60)
    assert forms(result) == {1: Form.FULL, 2: Form.DROPPED}


def candidates(*relevances: float) -> list[Candidate]:
    return [Candidate(number, "", 0, relevance=one) for number, one in enumerate(relevances, 1)]


def order(ranked: Sequence[Candidate]) -> list[int]:
    return [one.number for one in ranked]


def test_relevance_alone_decides_unless_recency_is_asked_for() -> None:
    assert order(rank(candidates(0.9, 0.5, 0.9), Ranking(), now=9)) == [3, 1, 2]
    assert order(rank(candidates(0.50, 0.49, 0.48), Ranking(weight=0.9), now=9)) == [3, 2, 1]
    assert rank(candidates(0.9), Ranking(), now=9)[0].recency is None
    assert rank([], Ranking(), now=1) == []


def test_the_same_candidates_have_the_same_order() -> None:
    some = candidates(0.3, 0.3, 0.3)
    assert order(rank(some, Ranking(), now=4)) == order(rank(some[::-1], Ranking(), now=4)) == [3, 2, 1]


def test_what_is_told_of_a_memory_has_none_of_its_text() -> None:
    one = Fitted(memory(1, 5), Form.FULL, "a secret", 5)
    assert "secret" not in str(one.to_json())
