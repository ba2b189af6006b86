"""How a text should end, how long it is, and where it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.sentences import (
    count_words,
    cut_to_sentence,
    cut_to_words,
    ends_in_sentence,
    last_sentences,
)

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
        ("Anna left. Then Mr. Smith went to", "Anna left."),
        ("It was late. He met Prof. Weil and", "It was late."),
    ],
)
def test_cutting_at_the_last_sentence_end(text: str, kept: str) -> None:
    assert cut_to_sentence(text) == kept


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("It is so.", 3),
        ("Well-known — and “true”.", 3),
        ("She paid $3,000.50 in 1999.", 5),
        ("Don't.", 1),
        ("... ! — ?", 0),
        ("他走了。", 3),
        ("彼はＮＡＳＡへ行った", 7),
        ("Он ушёл домой.", 3),
        ("वह घर गया।", 3),
    ],
)
def test_words_are_counted_in_any_script(text: str, words: int) -> None:
    assert count_words(text) == words


SENTENCES = "One is here. Two is right here. Three is right over here."


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (1, "One is here."),
        (3, "One is here."),
        (6, "One is here. Two is right here."),
        (8, "One is here. Two is right here."),
        (90, SENTENCES),
    ],
)
def test_a_text_is_cut_at_the_sentence_that_is_closest(words: int, kept: str) -> None:
    assert cut_to_words(SENTENCES, words) == kept


@pytest.mark.parametrize(
    ("characters", "kept"),
    [(500, SENTENCES), (45, "Two is right here. Three is right over here."), (30, "Three is right over here.")],
)
def test_the_last_sentences_begin_with_a_sentence(characters: int, kept: str) -> None:
    assert last_sentences(SENTENCES, characters) == kept
    assert last_sentences(SENTENCES, 3) == "Three is right over here."


TEXTS = st.lists(
    st.sampled_from(["It is so.", "“Why?” asked Mr. Brown.", "他走了。", "no end", "...", "A. B.", "So!"]), max_size=9
).map(" ".join)


@given(TEXTS, st.integers(0, 40))
def test_cutting_gives_a_beginning_or_an_end_and_never_more(text: str, size: int) -> None:
    assert text.startswith(cut_to_sentence(text))
    assert text.startswith(cut_to_words(text, size))
    assert text.endswith(last_sentences(text, size))
    assert bool(cut_to_words(text, size)) == bool(text)
    assert bool(last_sentences(text, size)) == bool(text)
