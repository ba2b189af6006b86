"""How often claims find the sentences they rest on, with the real embedder.

The constants of the alignment were fitted with chapters 1 to 5 of the example novella, SQuALITY and Moby-Dick; what is
asserted here is of the other chapters, and of other books.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from benchmarks.provenance_gold import (
    HELD_OUT,
    Gold,
    align_chapters,
    align_whole,
    read_gold,
    rejected,
    segment_sentences,
    sentence_of,
    telling,
)
from longdoc.documents.readers import read_document
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from longdoc.retrieval.alignment import Aligner
from tests.models import require_model

BOOKS = Path(__file__).parents[2].parent / "shared" / "data" / "books" / "standardebooks"
SEED = 20
SENTENCES = 150

Use: TypeAlias = Callable[[Callable[[Aligner], Coroutine[Any, Any, Any]]], Any]

needs_books = pytest.mark.skipif(not BOOKS.exists(), reason="the shared data folder ../shared/data is not here")


@pytest.fixture(scope="module")
def gold() -> Gold:
    return asyncio.run(read_gold())


@pytest.fixture(scope="module")
def meaning() -> Iterator[Use]:
    """An aligner with the real model, loaded once; one loop for all its tests."""
    with asyncio.Runner() as runner:
        embedder = runner.run(SentenceTransformersEmbedder.open(require_model("minilm-l6"), device="cpu"))
        aligner = Aligner(embedder)
        yield lambda work: runner.run(work(aligner))
        runner.run(embedder.aclose())


@pytest.fixture(params=["meaning", "wording"])
def use(request: pytest.FixtureRequest) -> Use:
    """An aligner with the real model, and one without any."""
    if request.param == "meaning":
        return request.getfixturevalue("meaning")
    return lambda work: asyncio.run(work(Aligner(None)))


@cache
def sentences(name: str) -> list[list[str]]:
    """The sentences of a book's segments."""
    document = read_document(BOOKS / name)
    segments = asyncio.run(segment_sentences(document))
    return [[sentence_of(document, span) for span in spans] for spans in segments]


def foreign_sentences(name: str) -> list[str]:
    told = telling(sentence for segment in sentences(name) for sentence in segment)
    return random.Random(SEED).sample(told, SENTENCES)


def test_sentences_of_summaries_find_what_they_rest_on(gold: Gold, meaning: Use) -> None:
    found = meaning(lambda aligner: align_chapters(aligner, [gold.chapters[number] for number in HELD_OUT]))
    assert found.accuracy >= 0.9
    assert found.accuracy_first >= 0.8


def test_sentences_of_the_whole_find_those_of_the_chapters_and_the_text(gold: Gold, meaning: Use) -> None:
    near, through = meaning(lambda aligner: align_whole(aligner, gold))
    assert near.accuracy >= 0.9
    assert through.accuracy >= 0.9


def test_wording_alone_finds_most(gold: Gold) -> None:
    aligner = Aligner(None)
    found = asyncio.run(align_chapters(aligner, [gold.chapters[number] for number in HELD_OUT]))
    near, through = asyncio.run(align_whole(aligner, gold))
    assert min(found.accuracy, near.accuracy, through.accuracy) >= 0.85


@needs_books
@pytest.mark.parametrize("book", ["frankenstein.epub", "war-and-peace.epub"])
def test_sentences_of_another_book_are_unsupported(gold: Gold, use: Use, book: str) -> None:
    foreign = foreign_sentences(book)
    segments = [gold.chapters[number].sources for number in HELD_OUT]
    assert use(lambda aligner: rejected(aligner, foreign, segments)) >= 0.95


@needs_books
def test_summaries_of_another_book_are_unsupported(gold: Gold, use: Use) -> None:
    claims = [claim for number in HELD_OUT for claim in gold.chapters[number].claims]
    segments = sentences("frankenstein.epub")[::12]
    assert use(lambda aligner: rejected(aligner, claims, segments)) >= 0.95
