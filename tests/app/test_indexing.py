"""Indexes of given documents and of named collections, over a real record."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from longdoc.agents.events import Event, Indexed, Warned
from longdoc.app.bootstrap import Library, open_records
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.indexing import add_documents, ingest, open_index, remove_collection, remove_document
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import Settings
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.errors import EngineUnavailableError, NotFoundError
from tests.retrieval.test_collection_index import BOOKS, CountedEmbedder

ALPHA, BETA, GAMMA = BOOKS.values()
QUESTION = "Who hid the boat on day 98 of alpha?"

Work = Callable[[Library, list[Event]], Awaitable[None]]


def with_library(path: Path, work: Work, choose: Callable[[], EmbedderChoice] | None = None) -> None:
    async def chosen() -> EmbedderChoice:
        return EmbedderChoice(CountedEmbedder(), "counted") if choose is None else choose()

    async def main() -> None:
        async with open_records(Settings(database=str(path / "record.db"))) as records:
            await work(Library(records, LateEmbedder(chosen, notify=lambda _: None)), [])

    asyncio.run(main())


def indexes(path: Path) -> int:
    return len(list((path / "record.indexes").iterdir()))


def test_given_documents_have_one_index_in_whatever_order_they_come(tmp_path: Path) -> None:
    async def work(library: Library, events: list[Event]) -> None:
        first = await open_index(library, [ALPHA, BETA], collection=None, emit=events.append)
        found = await first.search(QUESTION, k=3)
        assert events[-1] == Indexed(events[-1].total, events[-1].total)  # pyright: ignore[reportAttributeAccessIssue]
        events.clear()
        again = await open_index(library, [BETA, ALPHA, BETA], collection=None, emit=events.append)
        assert (await again.search(QUESTION, k=3), events) == (found, [])
        other = await open_index(library, [ALPHA], collection=None, emit=events.append)
        assert other.document_ids == (ALPHA.id,)
        assert indexes(tmp_path) == 2
        for index in (first, again, other):
            index.close()

    with_library(tmp_path, work)


def test_a_collection_follows_what_is_put_in_and_taken_out(tmp_path: Path) -> None:
    async def work(library: Library, events: list[Event]) -> None:
        assert (await ingest(library, [ALPHA, BETA], collection="shelf", emit=events.append)).new == 2
        assert (await ingest(library, [BETA, GAMMA], collection="shelf", emit=events.append)).new == 1
        await remove_document(library.records, "shelf", ALPHA.id[:6])
        index = await open_index(library, [], collection="shelf", emit=events.append)
        hits = await index.search(QUESTION, k=100)
        assert index.document_ids == (BETA.id, GAMMA.id)
        assert {hit.document_id for hit in hits} == {BETA.id, GAMMA.id}
        index.close()
        with pytest.raises(NotFoundError, match="no document begins"):
            await remove_document(library.records, "shelf", ALPHA.id)

    with_library(tmp_path, work)


def test_documents_given_with_a_collection_are_not_put_into_it(tmp_path: Path) -> None:
    async def work(library: Library, events: list[Event]) -> None:
        await add_documents(library.records, [ALPHA], collection="shelf")
        index = await open_index(library, [ALPHA, BETA], collection="shelf", emit=events.append)
        assert index.document_ids == (ALPHA.id,)
        index.close()

    with_library(tmp_path, work)


def test_a_removed_collection_takes_its_index_with_it(tmp_path: Path) -> None:
    async def work(library: Library, events: list[Event]) -> None:
        await ingest(library, [ALPHA], collection="shelf", emit=events.append)
        await remove_collection(library.records, "shelf")
        assert indexes(tmp_path) == 0
        with pytest.raises(NotFoundError, match="there is no collection 'shelf'"):
            await open_index(library, [], collection="shelf", emit=events.append)
        await ingest(library, [BETA], collection="shelf", emit=events.append)
        index = await open_index(library, [], collection="shelf", emit=events.append)
        assert {hit.document_id for hit in await index.search(QUESTION, k=9)} == {BETA.id}
        index.close()

    with_library(tmp_path, work)


def _hashed() -> EmbedderChoice:
    return EmbedderChoice(HashedEmbedder(), "hashed words")


def _gone() -> EmbedderChoice:
    raise EngineUnavailableError("the server does not answer")


@pytest.mark.parametrize("choose", [_hashed, _gone])
def test_without_a_model_it_searches_by_words_and_says_so(tmp_path: Path, choose: Callable[[], EmbedderChoice]) -> None:
    async def work(library: Library, events: list[Event]) -> None:
        index = await open_index(library, [ALPHA], collection=None, emit=events.append)
        assert index.rankings == ("lexical",)
        assert any(isinstance(event, Warned) and "words alone" in event.message for event in events)
        index.close()

    with_library(tmp_path, work, choose)
