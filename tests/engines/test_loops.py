"""Answers that go round in circles are found, and others are not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.engines.loops import LoopWatch, ends_in_loop

SENTENCE = "and the story is told in the style of a great old sailor who looks at the sea, "


@pytest.mark.parametrize(
    ("unit", "times", "loops"),
    [
        (SENTENCE, 4, False),  # 79 characters: one too few
        (SENTENCE, 8, True),
        (SENTENCE * 3, 4, True),
        ("no ", 100, False),
        ("no ", 200, True),
        (f"{'word ' * 155}end. ", 4, True),
        (f"{'word ' * 165}end. ", 4, False),
    ],
)
def test_the_same_stretch_four_times_is_a_loop(unit: str, times: int, loops: bool) -> None:
    assert ends_in_loop(f"It begins otherwise. {unit * times}") is loops


def test_it_must_be_the_end_that_loops() -> None:
    assert not ends_in_loop(SENTENCE * 8 + "Then the boy spoke.")


@given(st.integers(80, 800), st.integers(0, 1000), st.integers(1, 50))
def test_whatever_its_length_a_loop_is_heard_within_five_rounds(period: int, before: int, piece: int) -> None:
    chance = random.Random(period)
    letters = "abcdefghijklmnopqrstuvwxyz ,."
    unit = "".join(chance.choices(letters, k=period))
    text = "".join(chance.choices(letters, k=before)) + unit * 5
    watch = LoopWatch()
    heard = [watch.loops(text[start : start + piece]) for start in range(0, len(text), piece)]
    assert any(heard)
    assert not any(heard[: (before + 3 * period) // piece])


@given(st.lists(st.sampled_from(["Yes.", "No.", "It rains.", "Ahab came on deck and looked."]), max_size=150))
def test_what_is_not_periodic_is_no_loop(sentences: list[str]) -> None:
    numbered = " ".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences))
    assert not ends_in_loop(numbered)
