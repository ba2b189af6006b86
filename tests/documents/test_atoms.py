"""Sentences tile their text, at any length, and a long text has the sentences it would have in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents import atoms
from longdoc.documents.atoms import sentence_spans

SENTENCES = {
    "en": ["The lamp went out at 11:40. ", "Mr. Quill (who slept. He did.) rowed. ", "“Go! Now!” she cried. ", "Why? "],
    "zh": [
        "灯塔的灯在午夜之前熄灭了。",
        "他说：“灯灭了。船来了！”",
        "谁在那里？",
        "三点半，船到了；没有人（一个也没有。）回答。",
    ],
    "ja": ["「猫がいる。」と彼は言った。", "白い猫だ！", "誰もいない、と思った。"],
    "ru": ["Он пришёл домой. ", "Никто не ответил! ", "«Кто там? Кто?» — спросил он. "],
}
LANGUAGES = st.sampled_from(sorted(SENTENCES))


@st.composite
def long_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A language, and a text of its sentences of some 9,000 to 40,000 characters."""
    language = draw(LANGUAGES)
    rows = draw(st.lists(st.sampled_from(SENTENCES[language]), min_size=1, max_size=40))
    times = draw(st.integers(9_000, 40_000)) // len("".join(rows)) + 1
    return language, "".join(rows) * times


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all that is given to the splitter, which works as it does."""
    lengths: list[int] = []
    split = atoms.get_sentence_boundaries

    def counted(language: str, text: str) -> object:
        lengths.append(len(text))
        return split(language, text)

    monkeypatch.setattr(atoms, "get_sentence_boundaries", counted)
    return lengths


@given(long_texts())
def test_a_long_text_has_the_sentences_that_it_has_when_taken_at_once(text: tuple[str, str]) -> None:
    language, whole = text
    bounds = atoms.get_sentence_boundaries(language, whole)
    assert {start for start, _ in sentence_spans(whole, language)} == {bound["start_index"] for bound in bounds}


@given(LANGUAGES, st.text(max_size=400), st.integers(1, 60))
def test_sentences_tile_any_text(language: str, text: str, times: int) -> None:
    spans = sentence_spans(text * times, language)
    assert [start for start, _ in spans] == ([0, *(end for _, end in spans[:-1])] if text else [])
    assert all(start < end for start, end in spans)
    assert not text or spans[-1][1] == len(text) * times


@pytest.mark.parametrize(
    "unit",
    [
        "灯塔的灯在午夜之前熄灭了。",
        "「猫がいる。」",
        "“船来了。",
        "灯塔",
        "word ",
        "abc",
        "Who? No. ",
        "灯\n\n",
        "“a. ",
    ],
)
@pytest.mark.parametrize("size", [9_000, 64_000, 256_000])
def test_no_piece_is_long_and_little_is_read_twice(unit: str, size: int, pieces: list[int]) -> None:
    """What makes the time linear: the splitter's own grows with the square of what it is given at once."""
    text = (unit * size)[:size]
    sentence_spans(text, "zh")
    assert max(pieces) <= 8_000
    assert sum(pieces) <= 4 * size


def test_a_short_text_is_given_at_once(pieces: list[int]) -> None:
    sentence_spans("船来了。" * 2_000, "zh")
    assert pieces == [8_000]


def test_a_long_text_without_sentences_is_one_sentence() -> None:
    assert sentence_spans("word " * 10_000) == [(0, 50_000)]
    assert sentence_spans("灯塔" * 10_000, "zh") == [(0, 20_000)]


def test_a_quotation_that_never_ends_keeps_no_more_than_its_piece_in_one() -> None:
    text = "He said: “Go. " + "The ship came in. " * 3_000
    assert len(sentence_spans(text)) > 2_900
