"""The arithmetic of scores: what counts, what is left out, and when there is no score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.booookscore import (
    BookScore,
    Judgement,
    Label,
    bootstrap_interval,
    score_book,
    score_system,
)

CLEAR = Judgement()
WHO = Judgement("Who is he?", (Label.ENTITY_OMISSION,))
WHY = Judgement("Why did she, and what trial?", (Label.CAUSAL_OMISSION, Label.EVENT_OMISSION))
FAILED = Judgement(failed="no JSON")


def test_a_score_is_the_share_of_sentences_that_confuse_nobody() -> None:
    book = score_book("a", "", [CLEAR, WHO, CLEAR, WHY])
    assert book.score == 0.5
    assert (book.sentences, book.confusing, book.failed) == (4, 2, 0)
    assert {label: count for label, count in book.labels.items() if count} == {
        Label.ENTITY_OMISSION: 1,
        Label.EVENT_OMISSION: 1,
        Label.CAUSAL_OMISSION: 1,
    }
    assert len(book.labels) == 8


def test_a_failed_sentence_leaves_both_parts_of_the_fraction_and_is_counted() -> None:
    book = score_book("a", "", [CLEAR, WHO, FAILED, FAILED])
    assert (book.score, book.failed, book.sentences) == (0.5, 2, 4)


def test_two_identical_sentences_are_two() -> None:
    assert score_book("a", "He ran. He ran.", [CLEAR, WHO]).score == 0.5


def test_a_summary_judged_in_part_is_incomplete_and_has_no_score() -> None:
    book = score_book("a", "", [CLEAR, None, WHO])
    assert (book.incomplete, book.missing, book.score) == (True, 1, None)


def test_a_summary_whose_sentences_all_failed_has_no_score() -> None:
    book = score_book("a", "", [FAILED])
    assert (book.incomplete, book.score) == (False, None)


def test_a_system_is_the_mean_over_books_not_over_sentences() -> None:
    books = [BookScore("short", 2, 1), BookScore("long", 98, 0)]
    system = score_system(books, seed=0)
    assert system.score == 0.75
    assert system.interval == (0.5, 1.0)


def test_books_without_a_score_are_left_out_by_name() -> None:
    system = score_system([BookScore("a", 4, 1), BookScore("b", 4, 1, missing=2)], seed=0)
    assert system.score == 0.75
    assert [book.name for book in system.left_out] == ["b"]


def test_no_book_no_score() -> None:
    assert score_system([], seed=0).score is None


@pytest.mark.parametrize("values", [[], [0.9]])
def test_fewer_than_two_books_have_no_interval(values: list[float]) -> None:
    assert bootstrap_interval(values, seed=0) is None


def test_the_seed_decides_the_interval() -> None:
    values = [(i * i % 97) / 97 for i in range(40)]
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(values, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_the_interval_lies_between_the_extremes(values: list[float]) -> None:
    interval = bootstrap_interval(values, seed=1)
    assert interval is not None
    low, high = interval
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9
