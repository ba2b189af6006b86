"""How a text should end."""

import pytest

from longdoc.agents.sentences import cut_to_sentence, ends_in_sentence

_FINISHED = [
    "It ends.",
    "Does it?",
    "“It does.”",
    "He left! ",
    "彼は行った。",
    "「そう。」",
    "गया।",
    "*So.*",
    "Վերջ։",
    "ပြီးပြီ။",
    "จบแล้ว",
    "ຈົບແລ້ວ",
]


@pytest.mark.parametrize("text", _FINISHED)
def test_finished_texts(text: str) -> None:
    assert ends_in_sentence(text)


@pytest.mark.parametrize("text", ["", "It does not", "and then,", "No. 5 is", "彼は"])
def test_unfinished_texts(text: str) -> None:
    assert not ends_in_sentence(text)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("One. Two and", "One."),
        ("“One!” said she and", "“One!”"),
        ("一。二", "一。"),
        ("No end here", "No end here"),
        ("Pi is 3.14 about", "Pi is 3.14 about"),
        ("Done. ", "Done."),
    ],
)
def test_cutting_at_the_last_sentence_end(text: str, kept: str) -> None:
    assert cut_to_sentence(text) == kept
