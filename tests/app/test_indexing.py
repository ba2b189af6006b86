"""Indexes of given documents and of named collections, over a real record."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from filelock import FileLock

from longdoc.agents.events import Event, Indexed, Warned
from longdoc.app.bootstrap import Library, open_records
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.indexing import add_documents, ingest, open_index, remove_collection, remove_document
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import Settings
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.errors import EngineUnavailableError, LdaError, NotFoundError
from longdoc.retrieval.index_folders import KEPT, IndexFolders
from longdoc.retrieval.index_lock import lock_of
from tests.retrieval.test_collection_index import BOOKS, CountedEmbedder, text_of

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
    return len([folder for folder in (path / "record.db.indexes").iterdir() if not folder.name.startswith(".")])


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


def test_a_record_that_was_put_back_does_not_get_the_index_of_what_came_after(tmp_path: Path) -> None:
    """Both records are at their second change, and the folder of the index is the same."""

    async def first(library: Library, events: list[Event]) -> None:
        await ingest(library, [ALPHA], collection="shelf", emit=events.append)

    def then(name: str) -> None:
        added = BOOKS[name]

        async def work(library: Library, events: list[Event]) -> None:
            await ingest(library, [added], collection="shelf", emit=events.append)
            index = await open_index(library, [], collection="shelf", emit=events.append)
            hits = await index.lexical(f"What was on day 98 of {name}?", k=100)
            assert f"On day 98 of {name}" in text_of(hits[0])
            assert {hit.document_id for hit in hits} == {ALPHA.id, added.id}
            index.close()

        with_library(tmp_path, work)

    with_library(tmp_path, first)
    shutil.copy(tmp_path / "record.db", tmp_path / "record.kept")
    then("beta")
    shutil.copy(tmp_path / "record.kept", tmp_path / "record.db")
    then("gamma")


def test_records_beside_each_other_have_indexes_of_their_own(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    folders = {
        Settings(database=str(tmp_path / name), indexes_dir=folder).indexes_directory(str(tmp_path / name))
        for name in ("longdoc.db", "longdoc.bak")
        for folder in (None, shared)
    }
    assert len(folders) == 4
    served = Settings(indexes_dir=shared)
    assert served.indexes_directory("postgresql://host/a") != served.indexes_directory("postgresql://host/b")
    assert Settings().indexes_directory("postgresql://host/a") != Settings().indexes_directory("postgresql://host/b")


def test_indexes_that_nobody_needs_are_removed_when_another_is_opened(tmp_path: Path) -> None:
    async def work(library: Library, events: list[Event]) -> None:
        (await open_index(library, [ALPHA], collection=None, emit=events.append)).close()
        (await open_index(library, [BETA], collection=None, emit=events.append)).close()
        await ingest(library, [GAMMA], collection="shelf", emit=events.append)
        for number in range(KEPT + 5):
            old = library.records.indexes / f"documents-{number}"
            old.mkdir()
            os.utime(old, (number, number))
        (library.records.indexes / "collection-of-nobody").mkdir()
        (await open_index(library, [ALPHA], collection=None, emit=events.append)).close()
        assert indexes(tmp_path) == KEPT + 1
        assert not (library.records.indexes / "collection-of-nobody").exists()
        assert not (library.records.indexes / "documents-0").exists()
        events.clear()
        for documents, collection in (([ALPHA], None), ([BETA], None), ([], "shelf")):
            (await open_index(library, documents, collection=collection, emit=events.append)).close()
        assert events == []

    with_library(tmp_path, work)


def test_a_collection_is_removed_when_nobody_works_on_its_index(tmp_path: Path) -> None:
    """Who waited to index it finds it gone, and makes no folder for it."""

    async def work(library: Library, events: list[Event]) -> None:
        await add_documents(library.records, [ALPHA], collection="shelf")
        found = await library.records.collections.get("shelf")
        folder = IndexFolders(library.records.indexes).of_collection("shelf", found.created_at)
        with FileLock(lock_of(folder)):
            waited: list[bool] = []
            removing = asyncio.create_task(
                remove_collection(library.records, "shelf", waiting=lambda: waited.append(True))
            )
            await asyncio.sleep(0.3)
            opening = asyncio.create_task(open_index(library, [], collection="shelf", emit=events.append))
            await asyncio.sleep(0.3)
            assert (waited, removing.done(), opening.done()) == ([True], False, False)
            assert "shelf" in await library.records.collections.made()
        await removing
        with pytest.raises(NotFoundError, match="there is no collection 'shelf'"):
            await opening
        assert indexes(tmp_path) == 0

    (tmp_path / "record.db.indexes" / ".locks").mkdir(parents=True)
    with_library(tmp_path, work)


@pytest.mark.parametrize("fails_after", [0, 10_000])
def test_an_embedder_that_fails_when_it_is_used_leaves_words(tmp_path: Path, fails_after: int) -> None:
    """It fails while the texts are embedded, or not before the question is."""
    embedder = CountedEmbedder(fails_after=fails_after)

    async def work(library: Library, events: list[Event]) -> None:
        lost: list[LdaError] = []
        index = await open_index(library, [ALPHA], collection=None, emit=events.append, lost=lost.append)
        embedder.fails_after = 0
        assert (await index.search(QUESTION, k=3))[0].document_id == ALPHA.id
        assert index.rankings == (("lexical",) if fails_after == 0 else ("lexical", "dense"))
        warnings = [event.message for event in events if isinstance(event, Warned)]
        assert [str(error) for error in lost] == ["the embedder is gone"]
        assert len(warnings) == 1
        assert "by their words alone" in warnings[0]
        assert "the embedder is gone" in warnings[0]
        index.close()

    with_library(tmp_path, work, lambda: EmbedderChoice(embedder, "counted"))


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
