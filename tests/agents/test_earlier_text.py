"""What was said is found again, and goes."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.earlier_text import EarlierText, without_loops
from tests.agents.drafting import sentences
from tests.agents.long_lines import HOSTILE

SEA = "Salt comes from the sea and from the rock that lies below it."
TAX = "The tax on salt was hated by all who had to pay it."


def test_the_share_of_what_was_said() -> None:
    earlier = EarlierText([SEA])
    assert earlier.repeated_share(SEA.upper()) == 1
    assert earlier.repeated_share(TAX) == 0
    assert earlier.repeated_share("Salt comes from") == 0
    assert 0.3 < earlier.repeated_share(f"{SEA} {TAX}") < 0.6
    assert EarlierText().repeated_share(SEA) == 0
    assert EarlierText(["盐来自大海，也来自岩石。"]).repeated_share("盐来自大海，也来自岩石。") == 1


def test_sentences_that_were_said_go_and_paragraphs_stay() -> None:
    earlier = EarlierText([SEA])
    assert earlier.without_repeats(f"{SEA} {TAX}\n\nIt was old. {TAX}\n\n{SEA}\n\nIt ended.") == (
        f"{TAX}\n\nIt was old.\n\nIt ended."
    )
    assert earlier.without_repeats(SEA) == ""


def test_short_sentences_may_be_said_again() -> None:
    text = '"I don\'t know," she said.\n\n"What do you mean by that?" he asked.'
    assert EarlierText([text]).without_repeats(text) == text


def test_headings_tables_and_code_stay() -> None:
    row = "| one | two | three | four | five | six | seven | eight |"
    line = "total = one + two + three + four + five + six + seven + eight"
    text = f"# One of the things that we all know of salt\n\n{row}\n{row}\n\n```\n{line}\n\n{line}\n```"
    assert EarlierText([text]).without_repeats(text) == text


def test_loops_go_also_those_of_few_words() -> None:
    assert without_loops(f"{SEA} " + "It goes on. It goes round. " * 40) == f"{SEA} It goes on. It goes round."
    assert without_loops("- It goes on.\n" * 40) == "- It goes on."


@given(st.lists(st.sampled_from([SEA, TAX, "It was.", "\n\n", "- ", "海很大。"]), max_size=20))
def test_nothing_new_is_made_and_nothing_old_is_left(pieces: list[str]) -> None:
    text = " ".join(pieces)
    earlier = EarlierText([SEA])
    kept = earlier.without_repeats(text)
    assert SEA not in kept
    assert kept.count(TAX) <= 1
    assert earlier.without_repeats(kept) == kept
    assert set(kept.split()) <= set(text.split())


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_time_is_linear(name: str) -> None:
    text = HOSTILE[name](100_000)
    started = time.process_time()
    earlier = EarlierText([text])
    earlier.repeated_share(text)
    earlier.without_repeats(text)
    assert time.process_time() - started < 30


def test_a_whole_book_is_held() -> None:
    earlier = EarlierText(sentences(1_000, about=f"s{n}x") for n in range(100))
    assert earlier.repeated_share(sentences(1_000, about="s50x")) == 1
    assert earlier.repeated_share(sentences(1_000, about="other")) == 0


def test_of_what_says_much_again_what_is_new_is_left() -> None:
    earlier = EarlierText(["The lens was built by Abraham. It carried all the lights of the world. It took years."])
    text = (
        "## The lens\n\nIt took years. The lens was built by Abraham, they say. Ships came home by it.\n\n"
        "Ships came home by it.\n\nNobody slept."
    )
    assert earlier.only_new(text) == "## The lens\n\nIt took years. Ships came home by it.\n\nNobody slept."
    assert not earlier.only_new("It carried all the lights of the world.")
