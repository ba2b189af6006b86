"""Long messages are taken apart into what is asked and the text; answers of before lose their marks."""

import pytest

from longdoc.app.message_texts import LONG, parted, without_marks

_STORY = "\n\n".join(f"On day {number} the ship sailed past the rock in calm weather." for number in range(200))


@pytest.mark.parametrize(
    "asked",
    [
        "Who was the lighthouse keeper?",
        "Summarize the following text:",
        "Please summarize this in 100 words.",
        "Fasse den Text in drei Sätzen zusammen.",
        "Résumez ce texte, s'il vous plaît.",
        "这本书讲了什么？",
        "who is the captain",
        "Here is the log of a ship. My question: where did it sail?",
    ],
)
def test_what_is_asked_stands_before_the_text_or_after_it(asked: str) -> None:
    before = parted(f"{asked}\n\n{_STORY}")
    assert (before.instruction, before.document) == (asked, _STORY)
    if not asked.endswith(":"):
        after = parted(f"{_STORY}\n\n{asked}")
        assert (after.instruction, after.document) == (asked, _STORY)


def test_both_edges_may_ask() -> None:
    found = parted(f"Answer from this text:\n\n{_STORY}\n\nWhere did it sail?")
    assert (found.instruction, found.document) == ("Answer from this text:\n\nWhere did it sail?", _STORY)


def test_a_short_message_is_what_is_asked() -> None:
    assert parted("Once upon a time. The end?").document is None
    assert parted("x" * LONG).instruction == "x" * LONG


def test_a_text_alone_asks_nothing() -> None:
    text = f"CHAPTER ONE\n\n{_STORY}"
    assert parted(text).instruction == ""
    assert parted(text).document == text
    assert parted("word " * 2_000).instruction == ""


def test_marks_go_only_with_their_sources() -> None:
    answer = "It sailed. [1] It came back. [2][1]\n\n[1] Log, Day 1: “sailed”\n[2] Log: “came back”"
    assert without_marks(answer) == "It sailed. It came back."
    assert without_marks(f"{answer}\nand 3 more") == "It sailed. It came back."
    assert without_marks("See item [1] of the list.") == "See item [1] of the list."
