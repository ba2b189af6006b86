"""The gold summary of the example book: every quote is in its chapter, once, and every reference has a target."""

import json
from pathlib import Path
from typing import Any

import pytest

from longdoc.documents.document import Document, Section
from longdoc.documents.readers import read_document

EXAMPLES = Path(__file__).parents[2] / "examples"
CHAPTERS = range(1, 12)


@pytest.fixture(scope="module")
def novella() -> Document:
    return read_document(EXAMPLES / "novella.epub")


@pytest.fixture(scope="module")
def sections(novella: Document) -> dict[int, Section]:
    found = [section for section in novella.walk_sections() if section.title.startswith("Chapter ")]
    return dict(enumerate(found, start=1))


@pytest.fixture(scope="module")
def gold() -> dict[str, Any]:
    return json.loads((EXAMPLES / "novella-summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def chapters(gold: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    return {chapter["chapter"]: chapter["sentences"] for chapter in gold["chapters"]}


def test_it_is_the_summary_of_this_book(
    gold: dict[str, Any], novella: Document, sections: dict[int, Section], chapters: dict[int, list[dict[str, Any]]]
) -> None:
    assert gold["title"] == novella.title
    assert list(sections) == list(CHAPTERS)
    assert [chapter["chapter"] for chapter in gold["chapters"]] == list(CHAPTERS)
    assert {number: len(sentences) for number, sentences in chapters.items() if not 8 <= len(sentences) <= 12} == {}


@pytest.mark.parametrize("number", CHAPTERS)
def test_each_quote_is_in_its_chapter_and_nowhere_else(
    number: int, novella: Document, sections: dict[int, Section], chapters: dict[int, list[dict[str, Any]]]
) -> None:
    section = sections[number]
    for sentence in chapters[number]:
        quotes = sentence["quotes"]
        assert 1 <= len(quotes) == len(set(quotes)) <= 4, sentence["text"]
        for quote in quotes:
            assert novella.text.count(quote) == 1, quote
            start = novella.text.index(quote)
            blocks = [block for block in novella.blocks if block.start <= start and start + len(quote) <= block.end]
            assert len(blocks) == 1, f"not inside one paragraph: {quote}"
            assert section.start <= start < section.end, f"not in chapter {number}: {quote}"


def test_the_whole_rests_on_every_chapter(gold: dict[str, Any], chapters: dict[int, list[dict[str, Any]]]) -> None:
    referred: set[int] = set()
    for sentence in gold["whole"]:
        assert sentence["rests_on"], sentence["text"]
        for chapter, index in sentence["rests_on"]:
            assert 0 <= index < len(chapters[chapter]), sentence["text"]
            referred.add(chapter)
    assert referred == set(CHAPTERS)
    assert 200 <= sum(len(sentence["text"].split()) for sentence in gold["whole"]) <= 300
