"""Memories are found by words and meaning as soon as they are stored, whoever did it; files are derived."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.errors import EngineUnavailableError, LdaError
from longdoc.memory import index as index_module
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.memory.pieces import MOST_PIECES, pieces
from longdoc.storage.database import Database
from longdoc.storage.memories import Memories
from longdoc.storage.memory_derived import MemoryVectors
from longdoc.storage.memory_types import MemoryFilter, MemoryKind, MemoryStatus, NamespaceName, NewMemory

ALICE = NamespaceName("alice")


class Counting(HashedEmbedder):
    """Counts the texts it embeds; fails while `broken`."""

    embedded = 0
    broken = False

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.broken:
            raise EngineUnavailableError("no embeddings today")
        self.embedded += len(texts)
        return await super().embed(texts)


class Place:
    """A namespace with its index in a folder."""

    def __init__(self, rows: MemoryRows, folder: Path) -> None:
        self.rows = rows
        self.folder = folder
        self.embedder = Counting()
        self.lost: list[LdaError] = []

    @property
    def id(self) -> int:
        return self.rows.namespace.id

    async def add(self, *texts: str, kind: MemoryKind = MemoryKind.TURN) -> None:
        await self.rows.memories.append_all(self.id, [NewMemory(text, kind=kind) for text in texts])

    async def opened(self, *, words_only: bool = False) -> MemoryIndex:
        embedder = None if words_only else self.embedder
        return await MemoryIndex.open(self.folder, self.rows, embedder, lost=self.lost.append)


def with_place(tmp_path: Path, work: Callable[[Place], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(tmp_path / "longdoc.db")) as database:
            memories = Memories(database)
            rows = MemoryRows(await memories.open(ALICE), memories, MemoryVectors(database))
            await work(Place(rows, tmp_path / "index"))

    asyncio.run(main())


async def found(index: MemoryIndex, question: str, k: int = 3, **more: object) -> list[int]:
    return [one.number for one in await index.search(question, k=k, **more)]  # pyright: ignore[reportArgumentType]


def test_what_is_stored_is_found_at_once(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        async with aclosing(await place.opened()) as index:
            assert await found(index, "Where is the lighthouse?") == []
            await place.add("The lighthouse stands in Bergen.", "I had soup.", "The cat is called Kiki.")
            assert (await found(index, "Where is the lighthouse?"))[0] == 1
            assert (await found(index, "What is the cat called?", k=1)) == [3]
            await place.add("There is another lighthouse in Oslo.")
            assert set(await found(index, "lighthouse", k=2)) == {1, 4}

    with_place(tmp_path, work)


def test_vectors_are_made_once(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        await place.add("one", "two")
        async with aclosing(await place.opened()) as index:
            await found(index, "one")
        async with aclosing(await place.opened()) as index:
            await found(index, "one")
        assert place.embedder.embedded == 2 + 2

    with_place(tmp_path, work)


def test_two_indexes_of_a_namespace_see_what_the_other_took_in(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        async with aclosing(await place.opened()) as one, aclosing(await place.opened()) as two:
            await place.add("The lighthouse stands in Bergen.")
            assert await found(one, "lighthouse") == await found(two, "lighthouse") == [1]
            await place.rows.memories.edit(place.id, 1, observation="The harbour is closed.")
            assert await found(two, "harbour") == [1]
            assert (await one.search("lighthouse", k=1))[0].scores.keys() == {"dense"}
            await place.rows.memories.erase(place.id, [1])
            assert await found(one, "harbour") == await found(two, "harbour") == []

    with_place(tmp_path, work)


def test_what_waits_for_an_answer_is_found_when_it_has_one(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        await place.rows.memories.append(place.id, NewMemory("Which key?", status=MemoryStatus.OPEN))
        async with aclosing(await place.opened()) as index:
            assert await found(index, "key") == []
            await place.rows.memories.answer(place.id, 1, "The brass key.", status=MemoryStatus.DONE)
            assert await found(index, "brass") == [1]

    with_place(tmp_path, work)


def test_a_search_keeps_to_what_is_meant(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        await place.add(*(f"The key number {i}." for i in range(300)))
        await place.add("A fact about a key.", kind=MemoryKind.FACT)
        async with aclosing(await place.opened()) as index:
            facts = MemoryFilter(kinds=frozenset({MemoryKind.FACT}))
            assert await found(index, "key", k=5, meant=facts) == [301]
            assert max(await found(index, "key", k=5, before=100)) < 100
            assert len(await found(index, "key", k=301)) == 301

    with_place(tmp_path, work)


@pytest.mark.parametrize("damage", ["words", "vectors", "both", "gone", "cut"])
def test_damaged_files_are_made_anew(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_SAVED_AFTER", 1)

    async def work(place: Place) -> None:
        await place.add(*(f"The key number {i}." for i in range(50)), "The lighthouse stands in Bergen.")
        async with aclosing(await place.opened()) as index:
            before = await index.search("Where is the lighthouse?", k=5)
        files = {"words": place.folder / "words.db", "vectors": place.folder / "vectors.index"}
        for name, path in files.items():
            if damage in {name, "both"}:
                data = bytearray(path.read_bytes())
                for at in range(200, len(data), 997):
                    data[at] ^= 0xFF
                path.write_bytes(data)
            elif damage == "gone":
                path.unlink()
            elif damage == "cut":
                path.write_bytes(path.read_bytes()[:-100])
        async with aclosing(await place.opened()) as index:
            assert await index.search("Where is the lighthouse?", k=5) == before
        assert place.embedder.embedded == 51 + 2

    with_place(tmp_path, work)


def test_files_of_another_record_are_not_used(tmp_path: Path) -> None:
    async def first(place: Place) -> None:
        await place.add("The lighthouse stands in Bergen.", "Another.")
        async with aclosing(await place.opened()) as index:
            assert await found(index, "lighthouse", k=1) == [1]

    async def second(place: Place) -> None:
        await place.add("I had soup.")
        async with aclosing(await place.opened()) as index:
            assert await found(index, "lighthouse") in ([], [1])
            assert [one.scores.keys() for one in await index.search("soup", k=3)] == [{"lexical", "dense"}]

    with_place(tmp_path, first)
    for file in tmp_path.glob("longdoc.db*"):
        file.unlink()
    with_place(tmp_path, second)


def test_a_file_from_later_than_the_record_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_SAVED_AFTER", 1)

    async def later(place: Place) -> None:
        await place.add("one", "two")
        async with aclosing(await place.opened()) as index:
            await found(index, "one")

    async def earlier(place: Place) -> None:
        async with aclosing(await place.opened()) as index:
            assert await found(index, "one") == []

    async def prepared(place: Place) -> None:
        del place

    with_place(tmp_path, prepared)
    saved = (tmp_path / "longdoc.db").read_bytes()
    with_place(tmp_path, later)
    (tmp_path / "longdoc.db").write_bytes(saved)
    with_place(tmp_path, earlier)


def test_words_alone_are_searched_where_the_embedder_fails(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        place.embedder.broken = True
        await place.add("The lighthouse stands in Bergen.", "I had soup.")
        async with aclosing(await place.opened()) as index:
            assert await found(index, "lighthouse") == [1]
            assert place.lost
            place.embedder.broken = False
            assert await found(index, "lighthouse", k=2) == [1, 2]
        async with aclosing(await place.opened(words_only=True)) as index:
            assert await found(index, "lighthouse") == [1]

    with_place(tmp_path, work)


@given(text=st.text(alphabet="ab .!\n。é", max_size=3000), size=st.integers(1, 500))
def test_pieces_tile_a_text(text: str, size: int) -> None:
    cut = pieces(text, characters=size)
    assert "".join(cut) == text
    assert 1 <= len(cut) <= MOST_PIECES


def test_a_text_of_any_length_has_few_pieces() -> None:
    assert len(pieces("word " * 100_000)) <= MOST_PIECES
    assert len(pieces("A sentence of a few words. " * 20_000)) <= MOST_PIECES
