"""TSort: neighbouring stretches that can be put in order again; answers give one order or count for nothing."""

from __future__ import annotations

import re
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document
from longdoc.documents.readers import read_document
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError
from longdoc.evaluation.tsort import CHANCE, SortCase, read_order, score_order, sort_cases, sort_figures
from tests.evaluation.published_sets import DATA, needs

GATSBY = DATA / "qa" / "nocha" / "books" / "the_great_gatsby_f_scott_fitzgerald.txt"


def book(paragraphs: int = 400) -> Document:
    builder = DocumentBuilder("text", "mill.txt")
    for number in range(paragraphs):
        if number % 20 == 0:
            builder.add_block(f"Chapter {number // 20 + 1}", BlockKind.HEADING, level=1)
        if number % 20 == 10:
            builder.add_block("XIV.")
        builder.add_block(f"Paragraph {number} of the story. " + "The wheel turned, and the water ran on. " * 4)
    return builder.build()


def in_order(case: SortCase) -> list[str]:
    return [case.before, *(case.stretches[number - 1] for number in case.order), case.after]


def numbers(text: str) -> list[int]:
    return [int(number) for number in re.findall(r"Paragraph (\d+)", text)]


@given(st.integers(600, 8000), st.integers(0, 20))
def test_in_the_right_order_the_parts_are_a_stretch_of_the_book(length: int, seed: int) -> None:
    document = book()
    cases = sort_cases(document, length=length, count=5, seed=seed)
    assert len({case.span for case in cases}) == len(cases) > 0
    for case in cases:
        told = numbers("\n\n".join(in_order(case)))
        assert told == list(range(told[0], told[0] + len(told)))
        assert told == numbers(document.text[slice(*case.span)])
        assert sorted(case.order) == [1, 2, 3, 4]
        assert score_order(case, f"Answer: {case.answer}").whole


def test_parts_have_their_shares_of_the_length_and_no_heading() -> None:
    for case in sort_cases(book(), length=4000, count=20, seed=1):
        sizes = [estimate_tokens(part) for part in in_order(case)]
        assert sizes == pytest.approx([400, 800, 800, 800, 800, 400], abs=60)
        assert not re.search(r"Chapter|XIV", "".join(in_order(case)))


def test_all_orders_come_up() -> None:
    orders = {case.order for case in sort_cases(book(2000), length=600, count=400, seed=0)}
    assert orders == set(permutations((1, 2, 3, 4)))


def test_cases_come_from_the_seed() -> None:
    assert sort_cases(book(), length=1000, count=5, seed=3) == sort_cases(book(), length=1000, count=5, seed=3)
    assert sort_cases(book(), length=1000, count=5, seed=3) != sort_cases(book(), length=1000, count=5, seed=4)


def test_a_book_that_is_too_short_is_refused() -> None:
    with pytest.raises(ConfigError, match="ask for less"):
        sort_cases(book(20), length=8000, count=1, seed=0)


def test_a_book_whose_paragraphs_are_too_long_is_refused() -> None:
    with pytest.raises(ConfigError, match="too long"):
        sort_cases(book(), length=60, count=5, seed=0)


@pytest.mark.parametrize(
    ("reply", "order"),
    [
        ("Answer: 3 > 1 > 4 > 2", (3, 1, 4, 2)),
        ("3, 1, 4, 2", (3, 1, 4, 2)),
        ("I think 1 comes before 2.\nanswer: [3] > [1] > [4] > [2].", (3, 1, 4, 2)),
        ("First I thought 1 > 2 > 3 > 4.\nAnswer: 3 > 1 > 4 > 2", (3, 1, 4, 2)),
        ("The answer is: 3, then 1, then 4, then 2", (3, 1, 4, 2)),
        ("Answer: 3 > 1 > 4 > 2\n\n(so 3 > 1 > 4 > 2)", (3, 1, 4, 2)),
        ("3 -> 1 -> 4 -> 2", (3, 1, 4, 2)),
        ("", None),
        ("I do not know.", None),
        ("Answer: 3 > 1 > 4", None),
        ("Answer: 3 > 1 > 4 > 3", None),
        ("Answer: 3 > 1 > 4 > 2 > 5", None),
        ("Answer: 13 > 1 > 4 > 2", None),
        ("Answer: 3 > 1 > 4 > 2 or 1 > 3 > 4 > 2", None),
        ("1 > 2 > 3 > 4, or rather 3 > 1 > 4 > 2", None),
        ("1 > 2 > 3 > 4\nAnswer:", None),
    ],
)
def test_a_reply_gives_exactly_one_order_or_none(reply: str, order: tuple[int, ...] | None) -> None:
    assert read_order(reply) == order


def test_pairs_are_counted_and_a_reply_without_an_order_is_wrong_in_all() -> None:
    (case,) = sort_cases(book(), length=1000, count=1, seed=0)
    a, b, c, d = case.order
    scores = [score_order(case, reply) for reply in (f"{b} > {a} > {c} > {d}", f"{d} > {c} > {b} > {a}", "no idea")]
    assert [(score.valid, score.whole) for score in scores] == [(True, False), (True, False), (False, False)]
    assert [score.pairs for score in scores] == [5 / 6, 0.0, 0.0]


def test_figures_count_what_failed_as_wrong() -> None:
    (case,) = sort_cases(book(), length=1000, count=1, seed=0)
    figures = sort_figures([score_order(case, case.answer), score_order(case, "no idea"), None])
    assert (figures.whole.hits, figures.whole.cases, figures.invalid) == (1, 3, 2)
    assert figures.pairs == pytest.approx(1 / 3)
    assert sort_figures([]).pairs is None


def test_guessing_is_right_one_time_in_24() -> None:
    (case,) = sort_cases(book(), length=1000, count=1, seed=0)
    replies = [" > ".join(map(str, order)) for order in permutations((1, 2, 3, 4))]
    figures = sort_figures([score_order(case, reply) for reply in replies])
    assert figures.whole.rate == pytest.approx(CHANCE)
    assert figures.pairs == pytest.approx(0.5)


@needs(GATSBY)
def test_numbers_of_chapters_of_a_real_book_are_left_out() -> None:
    for case in sort_cases(read_document(GATSBY), length=16_000, count=5, seed=0):
        assert not [line for line in "\n".join(in_order(case)).splitlines() if re.fullmatch(r"[IVX]+\.?", line)]
