"""Exact match and F1 over tokens, as SQuAD counts them, and over characters where scripts have no spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.answer_scores import exact, token_f1

TEXTS = st.text(alphabet="aAbTthe, .“”年月日2２ \n", max_size=30)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("The Lamp.", "lamp"),
        ("“A lamp!”", "an  lamp\n"),
        ("don't", "dont"),
        ("U.S.", "us"),
        ("$5", "5"),
        ("２０２３年 5月。", "2023年5月"),
        ("他 喜欢写诗。", "他喜欢写诗"),
        ("", "…"),
    ],
)
def test_case_punctuation_articles_and_spaces_do_not_matter(answer: str, reference: str) -> None:
    assert exact(answer, reference)
    assert token_f1(answer, reference) == 1.0


@pytest.mark.parametrize(
    ("answer", "reference"),
    [("lamps", "lamp"), ("two lamps", "lamps two"), ("theatre", "atre"), ("选项A", "选项"), ("", "lamp"), ("é", "e")],
)
def test_other_words_and_another_order_are_not_the_same(answer: str, reference: str) -> None:
    assert not exact(answer, reference)


@pytest.mark.parametrize(
    ("answer", "reference", "f1"),
    [
        ("the red lamp", "a lamp", 2 / 3),
        ("two lamps", "lamps two", 1.0),
        ("lamp lamp", "lamp", 2 / 3),
        ("lamp lamp", "lamp lamp fell", 0.8),
        ("a chair", "the lamp", 0.0),
        ("写诗", "他写诗。", 0.8),
        ("GPT写诗", "gpt 唱歌", 1 / 3),
        ("등불", "등불 하나", 2 / 3),
        ("", "lamp", 0.0),
        ("lamp", "the", 0.0),
        ("", "", 1.0),
    ],
)
def test_f1_is_over_words_and_over_characters_of_chinese(answer: str, reference: str, f1: float) -> None:
    assert token_f1(answer, reference) == pytest.approx(f1)


@given(TEXTS, TEXTS)
def test_f1_is_symmetric_between_0_and_1_and_1_where_they_are_the_same(one: str, other: str) -> None:
    f1 = token_f1(one, other)
    assert 0.0 <= f1 <= 1.0
    assert f1 == token_f1(other, one)
    assert f1 == 1.0 or not exact(one, other)
