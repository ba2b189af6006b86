"""Which replies give the answer."""

import pytest

from longdoc.evaluation.answer_match import score_anywhere, score_start
from longdoc.evaluation.gold import GoldCase

A, B = "2831f68d-3946-4bf6-a5e7-4f0bec7b4058", "c46ef4ad-e4ed-4806-95e2-3ba1e423a448"


def case(*answers: str, all_answers: bool = False, wrong: tuple[str, ...] = ()) -> GoldCase:
    return GoldCase("1", "x", "?", answers, ((0, 1),), all_answers=all_answers, wrong_answers=wrong)


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("12345", True),
        ("The number is 12345.", True),
        ("It's “12345”!", True),
        ("123456", False),
        ("A12345", False),
        ("12 345", False),
        ("", False),
    ],
)
def test_a_number_counts_as_a_whole_word_anywhere(reply: str, right: bool) -> None:
    assert score_anywhere(reply, case("12345")).right == right


def test_any_of_several_names_in_whatever_case_and_spacing_counts() -> None:
    names = case("Hurneth Trovard", "Trovard")
    assert score_anywhere("It was hurneth\ntrovard", names).right
    assert score_anywhere("Mr. TROVARD.", names).right
    assert not score_anywhere("Hurneth", names).right


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        (A, True),
        (f'"{A}"', True),
        (f"`{A.upper()}`.", True),
        (f"{A}0", False),
        (f"The value is {A}", False),
        (B, False),
        ("", False),
    ],
)
def test_a_value_counts_at_the_beginning(reply: str, right: bool) -> None:
    assert score_start(reply, case(A, all_answers=True)).right == right


def test_of_a_list_the_share_given_is_told() -> None:
    asked = case(A, B, all_answers=True)
    assert score_start(f"{B}, {A}", asked).right
    half = score_start(f"Only {B}", asked)
    assert (half.share, half.right) == (0.5, False)


def test_parts_of_answers_may_hold_marks_of_patterns() -> None:
    assert score_anywhere("It is a+b (c).", case("a+b (c)")).right


@pytest.mark.parametrize(
    ("reply", "right"),
    [
        ("12345", True),
        ("The ticket is 12345, and 123456 is none.", True),
        ("54321, 12345, 99999, 11111", False),
        ("12345, not 54321", False),
    ],
)
def test_a_reply_with_the_answer_to_another_question_is_wrong(reply: str, right: bool) -> None:
    """Who copies out all numbers has found none."""
    assert score_anywhere(reply, case("12345", wrong=("54321", "99999", "11111"))).right == right


def test_copied_values_are_no_share_of_a_list() -> None:
    asked = case(A, all_answers=True, wrong=(B,))
    assert score_start(A, asked).right
    assert score_start(f"{A}, {B}", asked).share == 0.0
    assert score_start(f"{A}, {B}", case(A, "x", all_answers=True, wrong=(B,))).share == 0.0
