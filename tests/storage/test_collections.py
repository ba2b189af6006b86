"""Collections remember every change; embeddings and selections come back as they were stored."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta

import numpy as np
import pytest

from longdoc.documents.document import Document
from longdoc.errors import NotFoundError, StorageError
from longdoc.storage.collections import Collections, Member
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.embeddings import EmbeddingKey, Embeddings
from longdoc.storage.runs import RunRequest, Runs
from longdoc.storage.selections import Selections

KEY = EmbeddingKey("d1", "model@1", "parts:1")


def with_database(location: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(location)) as database:
            for name in ("d1", "d2", "d3"):
                await Documents(database).save(Document(id=name, text="two words", format="txt"))
            await work(database)

    asyncio.run(main())


def test_a_collection_has_a_document_once_in_the_order_in_which_they_came(database: str) -> None:
    async def work(opened: Database) -> None:
        shelf = Collections(opened)
        assert await shelf.add("shelf", ["d2", "d1", "d2"]) == 2
        assert await shelf.add("shelf", ["d1", "d3"]) == 1
        collection = await shelf.get("shelf")
        assert collection.members == (Member(1, "d2"), Member(2, "d1"), Member(3, "d3"))
        assert collection.document_ids == ("d2", "d1", "d3")
        assert [document.id for document in await shelf.documents("shelf")] == ["d2", "d1", "d3"]

    with_database(database, work)


def test_every_change_has_the_next_number_and_is_remembered(database: str) -> None:
    async def work(opened: Database) -> None:
        shelf = Collections(opened)
        await shelf.add("shelf", ["d1", "d2"])
        await shelf.remove("shelf", "d2")
        await shelf.add("shelf", ["d2"])
        await shelf.remove("shelf", "d1")
        assert (await shelf.get("shelf")).members == (Member(1, "d1", 5), Member(2, "d2", 3), Member(4, "d2"))
        assert [document.id for document in await shelf.documents("shelf")] == ["d2"]
        with pytest.raises(NotFoundError, match="no document 'd1' in the collection 'shelf'"):
            await shelf.remove("shelf", "d1")

    with_database(database, work)


def test_collections_are_listed_with_what_they_hold(database: str) -> None:
    async def work(opened: Database) -> None:
        shelf = Collections(opened)
        assert await shelf.list() == ()
        await shelf.add("b", ["d1", "d2"])
        await shelf.add("a", ["d1", "d3"])
        await shelf.remove("a", "d1")
        await shelf.remove("a", "d3")
        rows = await shelf.list()
        assert [(row.name, row.documents, row.words) for row in rows] == [("a", 0, 0), ("b", 2, 4)]
        assert (await shelf.get("a")).created_at == rows[0].created_at

    with_database(database, work)


def test_a_deleted_collection_is_gone_and_one_of_its_name_is_new(database: str) -> None:
    async def work(opened: Database) -> None:
        shelf = Collections(opened)
        await shelf.add("shelf", ["d1"])
        before = await shelf.get("shelf")
        assert await shelf.made() == {"shelf": before.created_at}
        with pytest.raises(NotFoundError, match="no collection 'shelf'"):
            await shelf.delete("shelf", created_at=before.created_at - timedelta(seconds=1))
        await shelf.delete("shelf", created_at=before.created_at)
        for gone in (shelf.get("shelf"), shelf.documents("shelf"), shelf.delete("shelf")):
            with pytest.raises(NotFoundError, match="no collection 'shelf'"):
                await gone
        await shelf.add("shelf", ["d2"])
        after = await shelf.get("shelf")
        assert after.members == (Member(1, "d2"),)
        assert after.created_at > before.created_at

    with_database(database, work)


def test_a_document_that_is_not_stored_cannot_be_added(database: str) -> None:
    async def work(opened: Database) -> None:
        with pytest.raises(StorageError):
            await Collections(opened).add("shelf", ["d1", "unknown"])
        with pytest.raises(NotFoundError):
            await Collections(opened).get("shelf")

    with_database(database, work)


def test_additions_at_the_same_time_get_different_numbers(database: str) -> None:
    async def work(opened: Database) -> None:
        async with aclosing(await Database.open(database)) as other:
            shelves = [Collections(opened), Collections(other)]
            names = ["d1", "d2", "d3"] * 4
            added = await asyncio.gather(
                *(shelves[i % 2].add("shelf", [name]) for i, name in enumerate(names)), return_exceptions=True
            )
        assert sum(one for one in added if isinstance(one, int)) == 3
        assert [member.number for member in (await shelves[0].get("shelf")).members] == [1, 2, 3]

    with_database(database, work)


def test_embeddings_come_back_batch_by_batch_with_three_digits(database: str) -> None:
    async def work(opened: Database) -> None:
        stored = Embeddings(opened)
        vectors = np.random.default_rng(1).standard_normal((5, 8)).astype(np.float32)
        assert await stored.save(KEY, 1, vectors[:2])
        assert await stored.save(KEY, 0, vectors[:1])
        assert await stored.save(KEY, 0, vectors)
        assert not await stored.save(KEY, 0, vectors)
        assert await stored.counts(KEY) == {0: 5, 1: 2}
        found = await stored.load(KEY, 0)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, vectors, rtol=1e-3, atol=1e-4)
        with pytest.raises(NotFoundError):
            await stored.load(KEY, 2)

    with_database(database, work)


@pytest.mark.parametrize("other", [EmbeddingKey("d2", "model@1", "parts:1"), EmbeddingKey("d1", "model@2", "parts:1")])
def test_embeddings_of_another_document_or_embedder_stand_beside_them(database: str, other: EmbeddingKey) -> None:
    async def work(opened: Database) -> None:
        stored = Embeddings(opened)
        await stored.save(KEY, 0, np.ones((1, 2), np.float32))
        assert await stored.counts(other) == {}
        await stored.save(other, 0, np.zeros((1, 2), np.float32))
        assert (await stored.load(KEY, 0)).tolist() == [[1.0, 1.0]]

    with_database(database, work)


def test_a_selection_is_kept_for_its_run_and_goes_with_it(database: str) -> None:
    async def work(opened: Database) -> None:
        run = await Runs(opened).start(RunRequest("ask", "A book", ("d1",), {}, "m@1"))
        stored = Selections(opened)
        assert await stored.load(run.id) is None
        await stored.save(run.id, {"odd": "NUL \0, half a pair \ud800"})
        await stored.save(run.id, [1, {"score": 0.5}, None])
        assert await stored.load(run.id) == [1, {"score": 0.5}, None]
        await Runs(opened).delete(run.id)
        assert await stored.load(run.id) is None
        with pytest.raises(StorageError):
            await stored.save("unknown", {})

    with_database(database, work)
