"""What a long text says twice: runs of four words, and sentences that come again in later sections."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.evaluation.shares import Share
from longdoc.evaluation.writing_repeats import (
    near_duplicate_sentences,
    repeated_four_grams,
    repeated_four_grams_across,
)

KEEPER = "The old keeper climbed the winding stair to light the lamp."
GULLS = "Far below, grey gulls were quarrelling over what the tide had left."


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0),
        ("one two three", 0),
        ("one two three four", 0),
        ("One two three four. ONE, two; three four!", 0.2),
        ("a a a a a a", 2 / 3),
        ("春天来了春天来了", 0.2),
    ],
)
def test_the_share_of_runs_of_four_words_that_came_before(text: str, share: float) -> None:
    assert repeated_four_grams(text) == pytest.approx(share)


@pytest.mark.parametrize(
    ("sections", "share"),
    [
        ([], 0),
        (["one two three four"], 0),
        (["one two three four"] * 3, 1),
        (["one two three four", "one two three four five"], 0.5),
        (["one two three four", "a b c d a b c d"], 0),
        (["a b", "c d"], 0),
        (["它在海边。", "它在海边，笑了。"], 1 / 3),
        (["w x y z", "", "a b c d w x y z"], 0.2),
    ],
)
def test_runs_count_that_stood_in_a_section_before(sections: list[str], share: float) -> None:
    assert repeated_four_grams_across(sections) == pytest.approx(share)


@pytest.mark.parametrize(
    ("sections", "share"),
    [
        ([], Share(0, 0)),
        ([f"{KEEPER} {KEEPER}"], Share(0, 0)),
        ([KEEPER, GULLS], Share(0, 1)),
        ([KEEPER, f"{GULLS} {KEEPER}"], Share(1, 2)),
        ([KEEPER, GULLS, KEEPER.upper().replace(".", "!")], Share(1, 2)),
        ([KEEPER, "The old keeper climbed the narrow stair to light the lamp."], Share(1, 1)),
        ([KEEPER, "To light the lamp was what a keeper did, old or young, by a stair."], Share(0, 1)),
        (["He said yes.", "He said yes."], Share(0, 0)),
        ([f"{KEEPER} {GULLS}", f"{KEEPER} {KEEPER}"], Share(2, 2)),
        (["老守塔人慢慢爬上旋转楼梯去点灯。", "老守塔人慢慢走上旋转楼梯去点灯。"], Share(1, 1)),
    ],
)
def test_sentences_that_come_again_in_later_sections_are_found(sections: list[str], share: Share) -> None:
    assert near_duplicate_sentences(sections) == share


def test_a_changed_word_is_found_among_thousands_of_sentences() -> None:
    chance = random.Random(3)
    words = [f"{a}{b}" for a in "bdfgklmnprst" for b in ("ara", "elo", "imu", "oster", "undel")]
    sections = [[[chance.choice(words) for _ in range(14)] for _ in range(100)] for _ in range(30)]
    changed = [*sections[4][7][:6], "somewhere", *sections[4][7][7:]]
    texts = [" ".join(f"{' '.join(sentence).capitalize()}." for sentence in section) for section in sections]
    share = near_duplicate_sentences([*texts, f"{' '.join(changed).capitalize()}."])
    assert share == Share(1, 2901)


@given(sections=st.lists(st.text(), max_size=4))
def test_no_text_breaks_a_measure(sections: list[str]) -> None:
    assert 0 <= repeated_four_grams("\n\n".join(sections)) <= 1
    assert 0 <= repeated_four_grams_across(sections) <= 1
    share = near_duplicate_sentences(sections)
    assert 0 <= share.hits <= share.cases


@given(section=st.text())
def test_a_section_twice_repeats_all_of_itself(section: str) -> None:
    assert repeated_four_grams_across([section, section]) in {0, 1}
    share = near_duplicate_sentences([section, section])
    assert share.hits == share.cases


@pytest.mark.parametrize("kind", ["few words", "one sentence", "no spaces", "no ends"])
def test_100_000_words_are_measured_within_seconds_whatever_they_are(kind: str) -> None:
    chance = random.Random(7)
    words = KEEPER.lower().strip(".").split()
    text = {
        "few words": " ".join(chance.choice([*words, "end."]) for _ in range(100_000)),
        "one sentence": f"{KEEPER} " * 9000,
        "no spaces": "守塔人点灯。他看海，海看他，" * 8000,
        "no ends": "word " * 100_000,
    }[kind]
    sections = [text[start : start + 5000] for start in range(0, len(text), 5000)]
    started = time.process_time()
    near_duplicate_sentences(sections)
    repeated_four_grams_across(sections)
    repeated_four_grams(text)
    assert time.process_time() - started < 10
