"""Verses: each a block, looked up by reference and by words that stand nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError, DocumentError, MalformedDocumentError
from longdoc.evaluation.verses import read_verses, verse_cases
from tests.evaluation.published_sets import DATA, needs

BIBLE = DATA / "books" / "text" / "bible-kjv.txt"
LINES = [
    f"Ge{chapter}:{verse} In day {chapter} of year {verse} the {word} rose, and nobody  saw it go down again."
    for chapter, word in enumerate(("sun", "moon", "river", "smoke"), 1)
    for verse in range(1, 6)
]
REFRAIN = [f"Psa1:{verse} And the mill went round and round and round." for verse in range(1, 6)]


def written(folder: Path, *lines: str) -> Path:
    path = folder / "verses.txt"
    path.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return path


def test_every_verse_is_a_block_that_begins_with_its_reference(tmp_path: Path) -> None:
    text = read_verses(written(tmp_path, *LINES))
    assert len(text.verses) == len(text.document.blocks) == 20
    verse = text.verses[7]
    assert verse.reference == "Ge2:3"
    assert text.document.text[verse.start : verse.end] == f"Ge2:3 {verse.text}"
    assert verse.text == "In day 2 of year 3 the moon rose, and nobody saw it go down again."


def test_a_length_takes_whole_verses_from_the_beginning(tmp_path: Path) -> None:
    text = read_verses(written(tmp_path, *LINES), length=200)
    assert 0 < len(text.verses) < 20
    assert estimate_tokens(text.document.text) == pytest.approx(200, abs=20)
    assert text.verses[0].reference == "Ge1:1"


def test_cases_ask_for_verses_by_reference_and_by_words(tmp_path: Path) -> None:
    text = read_verses(written(tmp_path, *LINES))
    gold = verse_cases(text, each=5, seed=0, length=1000)
    by_span = {verse.span: verse for verse in text.verses}
    assert [case.kind for case in gold.cases] == ["reference"] * 5 + ["words"] * 5
    assert len({case.id for case in gold.cases}) == 10
    for case in gold.cases[:5]:
        verse = by_span[case.spans[0]]
        assert case.question == f"What does verse {verse.reference} say?"
        assert case.answers == (verse.text,)
    for case in gold.cases[5:]:
        verse = by_span[case.spans[0]]
        words = case.question.partition("“")[2].partition("”")[0]
        assert case.answers == (verse.reference,)
        assert words in verse.text
        assert text.document.text.count(words) == 1
        assert len(words.split()) == 6
    assert {case.length for case in gold.cases} == {1000}


def test_verses_that_say_what_others_say_are_not_asked_for_by_words(tmp_path: Path) -> None:
    text = read_verses(written(tmp_path, *REFRAIN, LINES[0]))
    assert [case.answers for case in verse_cases(text, each=3, seed=0).cases if case.kind == "words"] == [("Ge1:1",)]


def test_cases_come_from_the_seed(tmp_path: Path) -> None:
    text = read_verses(written(tmp_path, *LINES))
    assert verse_cases(text, each=5, seed=1).cases == verse_cases(text, each=5, seed=1).cases
    assert verse_cases(text, each=5, seed=1).cases != verse_cases(text, each=5, seed=2).cases


def test_more_cases_than_verses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 20 verses"):
        verse_cases(read_verses(written(tmp_path, *LINES)), each=21, seed=0)


def test_a_line_that_is_no_verse_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match="line 2"):
        read_verses(written(tmp_path, LINES[0], "Chapter 2"))


def test_what_is_no_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "verses.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DocumentError, match="UTF-8"):
        read_verses(path)


@needs(BIBLE)
def test_the_published_text_has_all_its_verses_and_can_be_asked_at_a_million_tokens() -> None:
    assert len(read_verses(BIBLE).verses) == 31_102
    text = read_verses(BIBLE, length=1_000_000)
    assert estimate_tokens(text.document.text) == pytest.approx(1_000_000, rel=0.001)
    gold = verse_cases(text, each=100, seed=0)
    assert len(gold.cases) == 200
