"""Repeated words, counted in threes."""

import pytest

from longdoc.evaluation.repetition import repeated_trigrams


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0),
        ("One two", 0),
        ("One two three four", 0),
        ("One two three. One, two, THREE!", 0.25),
        ("a a a a a", 2 / 3),
        ("It's Ada's lamp it’s new", 0),
    ],
)
def test_the_share_of_runs_of_three_words_that_came_before(text: str, share: float) -> None:
    assert repeated_trigrams(text) == pytest.approx(share)
