"""The index of a collection: what it finds, and that its files are never trusted."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document
from longdoc.documents.segments import Segment
from longdoc.engines.embedder import EmbedderInfo
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.errors import ConfigError, EngineUnavailableError, LdaError, NotFoundError, StorageError
from longdoc.retrieval.collection_index import CollectionIndex
from longdoc.retrieval.hits import Hit
from longdoc.retrieval.index_lock import lock_of
from longdoc.retrieval.index_rows import WINDOWS_KEY, IndexRows
from longdoc.retrieval.statements import as_statement
from longdoc.storage.collections import Member
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.embeddings import Embeddings

NAMES = ("Ada", "Bela", "Chike", "Dara", "Emil", "Fatima")
THINGS = ("lamp", "letter", "boat", "key", "ledger", "map")


class CountedEmbedder:
    """Hashed words of an embedder that counts what it is asked for, and fails after so many texts."""

    def __init__(self, name: str = "model-a", *, dimensions: int = 32, fails_after: int | None = None) -> None:
        self._inner = HashedEmbedder(dimensions=dimensions)
        self.info = EmbedderInfo("counted", name, f"{name}@1", dimensions)
        self.asked: list[str] = []
        self.fails_after = fails_after

    async def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        if self.fails_after is not None and len(self.asked) + len(texts) > self.fails_after:
            raise EngineUnavailableError("the embedder is gone")
        self.asked += texts
        return await self._inner.embed(texts)

    async def aclose(self) -> None:
        await self._inner.aclose()


def book(name: str, *, sentences: int = 150, start: int = 0) -> Document:
    """A book of sentences that no other book has."""
    builder = DocumentBuilder("text", f"{name}.txt")
    for day in range(start, start + sentences):
        builder.add_block(f"On day {day} of {name}, {NAMES[day % 6]} hid the {THINGS[day % 5]} below stone {day * 7}.")
    return builder.build()


class Place:
    """A record and a folder for indexes."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.documents = Documents(database)
        self.embeddings = Embeddings(database)
        self.folder = folder

    async def open(
        self, members: Sequence[Member], embedder: CountedEmbedder | None = None, *, folder: str = "index", **how: Any
    ) -> CollectionIndex:
        async def read() -> Sequence[Member]:
            return members

        return await self.open_read(read, embedder, folder=folder, **how)

    async def open_read(
        self,
        members: Callable[[], Awaitable[Sequence[Member]]],
        embedder: CountedEmbedder | None = None,
        *,
        folder: str = "index",
        **how: Any,
    ) -> CollectionIndex:
        rows = IndexRows(self.documents, self.embeddings)
        return await CollectionIndex.open(self.folder / folder, members, rows, embedder, **how)

    async def found(self, members: Sequence[Member], embedder: CountedEmbedder | None, **how: Any) -> list[list[Hit]]:
        """What the questions find in the index, opened and closed for it."""
        index = await self.open(members, embedder, **how)
        try:
            return [await index.search(question, k=5) for question in QUESTIONS]
        finally:
            index.close()


QUESTIONS = ("Who hid the lamp below stone 77?", "day 101", "What did Fatima do with the boat in alpha?", "zebra")
EMBEDDED = list(map(as_statement, QUESTIONS))
BOOKS = {name: book(name) for name in ("alpha", "beta", "gamma")}
MEMBERS = tuple(Member(number, document.id) for number, document in enumerate(BOOKS.values(), 1))


@asynccontextmanager
async def placed(path: Path) -> AsyncGenerator[Place, None]:
    database = await Database.open(path / "record.db")
    try:
        place = Place(database, path)
        for document in BOOKS.values():
            await place.documents.save(document)
        yield place
    finally:
        await database.aclose()


def with_place(path: Path, work: Callable[[Place], Awaitable[None]]) -> None:
    async def main() -> None:
        async with placed(path) as place:
            await work(place)

    asyncio.run(main())


def text_of(hit: Hit) -> str:
    text = next(document.text for document in BOOKS.values() if document.id == hit.document_id)
    return text[hit.segment.start : hit.segment.end]


def test_it_finds_by_words_by_meaning_and_by_both(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        index = await place.open(MEMBERS, CountedEmbedder())
        question = "Who hid the lamp on day 100 of beta?"
        (lexical, *_), (dense, *_), (fused, *_) = [
            await search(question, k=3) for search in (index.lexical, index.dense, index.search)
        ]
        assert (index.rankings, lexical.ranks, dense.ranks) == (("lexical", "dense"), {"lexical": 1}, {"dense": 1})
        assert "On day 100 of beta" in text_of(lexical)
        assert "On day 100 of beta" in text_of(fused)
        assert set(fused.ranks) == {"lexical", "dense", "exact"}
        assert len(await index.search(question, k=1000)) == len(await index.windows())
        index.close()

    with_place(tmp_path, work)


def test_a_few_windows_that_have_exactly_what_is_asked_for_come_first(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        index = await place.open(MEMBERS, CountedEmbedder())
        for question in (
            "What does it say of day 101 of gamma?",
            "day gamma Fatima hid below stone 707",
            'Where is "Fatima hid the letter below stone 707" in gamma?',
        ):
            hits = await index.search(question, k=10)
            assert any("On day 101 of gamma" in text_of(hit) for hit in hits if hit.ranks.get("exact"))
            exact = ["exact" in hit.ranks for hit in hits]
            assert exact == sorted(exact, reverse=True)
            assert [hit.score for hit in hits] == sorted([hit.score for hit in hits], reverse=True)
        many = await index.search('Where is "below stone"?', k=10)
        assert many
        assert not any("exact" in hit.ranks for hit in many), "so many have it that it tells nothing"
        index.close()

    with_place(tmp_path, work)


def test_without_an_embedder_it_searches_by_words_alone(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        index = await place.open(MEMBERS)
        assert index.rankings == ("lexical",)
        assert await index.dense("lamp", k=3) == []
        hits = await index.search("On day 33 of gamma", k=3)
        assert "On day 33 of gamma" in text_of(hits[0])
        assert await index.search("zebra", k=3) == []
        index.close()

    with_place(tmp_path, work)


def test_the_same_text_is_found_once_and_as_the_first(tmp_path: Path) -> None:
    same = DocumentBuilder("text", "same.txt")
    for _ in range(900):
        same.add_block("The notice says that smoking is not allowed in any of the rooms of this house by order.")

    async def work(place: Place) -> None:
        document = same.build()
        await place.documents.save(document)
        members = [Member(1, document.id), Member(2, MEMBERS[0].document_id)]
        index = await place.open(members, CountedEmbedder())
        for search in (index.lexical, index.dense, index.search):
            hits = await search("Is smoking allowed in the rooms?", k=6)
            assert hits[0].segment.index == 0
            texts = [
                document.text[hit.segment.start : hit.segment.end] for hit in hits if hit.document_id == document.id
            ]
            assert len(texts) == len({" ".join(text.split()) for text in texts})
        index.close()

    with_place(tmp_path, work)


def test_windows_that_are_equally_good_are_in_order(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        index = await place.open(MEMBERS)
        hits = await index.lexical("hid stone", k=100)
        by_score: dict[float, list[tuple[int, int]]] = {}
        numbers = {member.document_id: member.number for member in MEMBERS}
        for hit in hits:
            by_score.setdefault(hit.score, []).append((numbers[hit.document_id], hit.segment.start))
        assert len(hits) > 10
        assert all(places == sorted(places) for places in by_score.values())
        index.close()

    with_place(tmp_path, work)


def test_opened_again_it_embeds_nothing_and_finds_the_same(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        first, second = CountedEmbedder(), CountedEmbedder()
        found = await place.found(MEMBERS, first)
        assert await place.found(MEMBERS, second) == found
        assert second.asked == EMBEDDED
        parts = [part for member in MEMBERS for part in (await _parts(place, member))]
        assert first.asked == parts + EMBEDDED

    with_place(tmp_path, work)


async def _parts(place: Place, member: Member) -> list[str]:
    layout = await IndexRows(place.documents, place.embeddings).layout(member.document_id)
    text = await place.documents.load_text(member.document_id)
    return [text[part.start : part.end] for part in layout.parts]


def test_stopped_while_embedding_it_goes_on_and_embeds_nothing_twice(tmp_path: Path) -> None:
    long = book("delta", sentences=6000)

    async def work(place: Place) -> None:
        await place.documents.save(long)
        members = (*MEMBERS, Member(4, long.id))
        stopped = CountedEmbedder(fails_after=700)
        with pytest.raises(EngineUnavailableError):
            await place.open(members, stopped)
        assert 400 < len(stopped.asked) <= 700
        resumed, whole = CountedEmbedder(), CountedEmbedder()
        found = await place.found(members, resumed)
        asked = stopped.asked + resumed.asked[: -len(QUESTIONS)]
        assert sorted(asked) == sorted([part for member in members for part in await _parts(place, member)])
        assert await place.found(members, whole, folder="other") == found

    with_place(tmp_path, work)


def test_cancelled_at_any_moment_it_is_opened_the_next_time(tmp_path: Path) -> None:
    long = book("delta", sentences=4000)

    async def work(place: Place) -> None:
        await place.documents.save(long)
        members = (*MEMBERS, Member(4, long.id))
        for tenths in range(12):
            opening = asyncio.create_task(place.open(members, CountedEmbedder()))
            done, _ = await asyncio.wait([opening], timeout=tenths / 10)
            opening.cancel()
            if done:
                opening.result().close()
            await asyncio.gather(opening, return_exceptions=True)
        found = await place.found(members, CountedEmbedder())
        assert found == await place.found(members, CountedEmbedder(), folder="other")

    with_place(tmp_path, work)


def test_a_document_of_two_collections_is_embedded_once(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (await place.open(MEMBERS[:2], CountedEmbedder(), folder="one")).close()
        second = CountedEmbedder()
        (await place.open(MEMBERS[1:], second, folder="two")).close()
        assert second.asked == await _parts(place, MEMBERS[2])

    with_place(tmp_path, work)


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _flipped(share: float) -> Callable[[Path], None]:
    def flip(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[int(share * len(content))] ^= 0x10
        path.write_bytes(content)

    return flip


@pytest.mark.parametrize("name", ["lexical.index", "dense.index"])
@pytest.mark.parametrize(
    "damage", [Path.unlink, _cut_off, _emptied, _flipped(0.01), _flipped(0.4), _flipped(0.95), _flipped(0.999)]
)
def test_a_damaged_file_is_built_again_from_the_record(
    tmp_path: Path, name: str, damage: Callable[[Path], None]
) -> None:
    async def work(place: Place) -> None:
        found = await place.found(MEMBERS, CountedEmbedder())
        damage(tmp_path / "index" / name)
        again = CountedEmbedder()
        assert await place.found(MEMBERS, again) == found
        assert again.asked == EMBEDDED
        untouched = (tmp_path / "index" / name).stat().st_mtime_ns
        assert await place.found(MEMBERS, again) == found
        assert (tmp_path / "index" / name).stat().st_mtime_ns == untouched

    with_place(tmp_path, work)


def test_vectors_of_another_embedder_are_not_used(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        found = await place.found(MEMBERS, CountedEmbedder())
        other = CountedEmbedder("model-b", dimensions=16)
        assert await place.found(MEMBERS, other) == await place.found(MEMBERS, other, folder="fresh")
        assert len(other.asked) > len(QUESTIONS) * 2
        back = CountedEmbedder()
        assert await place.found(MEMBERS, back) == found
        assert back.asked == EMBEDDED

    with_place(tmp_path, work)


def test_a_file_that_knows_more_than_the_record_is_not_used(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (await place.open(MEMBERS, CountedEmbedder())).close()
        changed = (MEMBERS[0], Member(2, MEMBERS[2].document_id))
        assert await place.found(changed, CountedEmbedder()) == await place.found(
            changed, CountedEmbedder(), folder="fresh"
        )

    with_place(tmp_path, work)


def test_files_of_another_record_that_came_equally_far_are_not_used(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (await place.open(MEMBERS[:2], CountedEmbedder())).close()
        other = (MEMBERS[0], Member(2, MEMBERS[2].document_id))
        found = await place.found(other, CountedEmbedder())
        assert found == await place.found(other, CountedEmbedder(), folder="fresh")
        assert {hit.document_id for hits in found for hit in hits} <= {member.document_id for member in other}

    with_place(tmp_path, work)


def test_files_of_documents_that_are_cut_otherwise_are_not_used(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (await place.open(MEMBERS)).close()
        first = MEMBERS[0].document_id
        windows = await place.documents.segmentation(first, WINDOWS_KEY)
        assert windows is not None
        whole = windows[0]
        last = windows[-1].end
        await place.documents.save_segmentation(
            first, WINDOWS_KEY, [Segment(0, whole.start, last, 9000, whole.role, whole.section)]
        )
        index = await place.open(MEMBERS)
        hits = await index.search("On day 149 of alpha", k=100)
        assert [hit.segment.end for hit in hits if hit.document_id == first] == [last]
        index.close()

    with_place(tmp_path, work)


def test_members_are_those_of_the_moment_when_nobody_else_is_at_work(tmp_path: Path) -> None:
    """Who knew fewer members before it waited does not throw away what others made meanwhile."""

    async def work(place: Place) -> None:
        (await place.open(MEMBERS, CountedEmbedder())).close()
        written = [(tmp_path / "index" / name).stat().st_mtime_ns for name in ("lexical.index", "dense.index")]
        views = [MEMBERS[:1], MEMBERS]

        async def members() -> Sequence[Member]:
            return views.pop(0)

        index = await place.open_read(members, CountedEmbedder())
        assert index.document_ids == tuple(member.document_id for member in MEMBERS)
        index.close()
        assert written == [(tmp_path / "index" / name).stat().st_mtime_ns for name in ("lexical.index", "dense.index")]

    with_place(tmp_path, work)


@settings(max_examples=12)
@given(st.lists(st.lists(st.sampled_from(sorted(BOOKS)), max_size=3), min_size=1, max_size=5))
def test_caught_up_with_any_changes_it_is_as_one_built_at_once(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[str]]
) -> None:
    """In every round a book that is there is taken out, one that is not is put in."""

    async def work(place: Place) -> None:
        members: list[Member] = []
        change = 0
        for number, names in enumerate(rounds):
            for name in names:
                change += 1
                there = next((m for m in members if m.document_id == BOOKS[name].id and m.removed is None), None)
                if there is not None:
                    members[members.index(there)] = Member(there.number, there.document_id, change)
                else:
                    members.append(Member(change, BOOKS[name].id))
            caught_up = await place.found(members, CountedEmbedder())
            assert caught_up == await place.found(members, CountedEmbedder(), folder=f"fresh-{number}")
            present = {member.document_id for member in members if member.removed is None}
            assert {hit.document_id for hits in caught_up for hit in hits} <= present

    with_place(tmp_path_factory.mktemp("changes"), work)


def test_an_empty_collection_and_an_empty_document_find_nothing(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        await place.documents.save(Document("empty", "", "text"))
        assert await place.found((), CountedEmbedder()) == [[], [], [], []]
        assert await place.found((Member(1, "empty"),), CountedEmbedder(), folder="other") == [[], [], [], []]

    with_place(tmp_path, work)


def test_progress_goes_from_nothing_to_all_and_is_silent_where_nothing_is_to_be_done(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        told: list[tuple[int, int]] = []
        await place.found(MEMBERS, CountedEmbedder(), progress=lambda *step: told.append(step))
        parts = sum([len(await _parts(place, member)) for member in MEMBERS])
        assert told[0][0] == 0
        assert told[-1][0] == told[-1][1] > parts
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert all(done <= total for done, total in told)
        told.clear()
        await place.found(MEMBERS, CountedEmbedder(), progress=lambda *step: told.append(step))
        assert told == []

    with_place(tmp_path, work)


def test_it_waits_for_another_process_at_work_in_the_folder(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        lock_of(tmp_path / "index").parent.mkdir()
        other = FileLock(lock_of(tmp_path / "index"), thread_local=False)
        other.acquire()
        waited: list[bool] = []
        opening = asyncio.create_task(place.open(MEMBERS, waiting=lambda: waited.append(True)))
        await asyncio.sleep(0.5)
        assert (waited, opening.done()) == ([True], False)
        other.release()
        (await opening).close()

    with_place(tmp_path, work)


def test_what_is_current_is_opened_whoever_works_in_the_folder(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        found = await place.found(MEMBERS, CountedEmbedder())
        with FileLock(lock_of(tmp_path / "index")):
            waited: list[bool] = []
            assert await place.found(MEMBERS, CountedEmbedder(), waiting=lambda: waited.append(True)) == found
        assert waited == []

    with_place(tmp_path, work)


def test_tasks_of_one_process_wait_for_each_other_without_a_word(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        waited: list[bool] = []
        embedder = CountedEmbedder()
        indexes = await asyncio.gather(
            *(place.open(MEMBERS, embedder, waiting=lambda: waited.append(True)) for _ in range(4))
        )
        for index in indexes:
            index.close()
        parts = [part for member in MEMBERS for part in await _parts(place, member)]
        assert (waited, sorted(embedder.asked)) == ([], sorted(parts))

    with_place(tmp_path, work)


def test_what_a_killed_build_left_half_written_is_removed(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (tmp_path / "index").mkdir()
        for name in (".lexical.index.new", ".lexical.index.part", ".dense.index.part"):
            (tmp_path / "index" / name).write_bytes(b"half")
        (await place.open(MEMBERS)).close()
        assert [path.name for path in (tmp_path / "index").iterdir() if not path.name.endswith(".lock")] == [
            "lexical.index"
        ]

    with_place(tmp_path, work)


class BrokenEmbedder(CountedEmbedder):
    """One that opens and cannot be used, as where its weights are damaged."""

    async def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        raise ConfigError("the weights are damaged")


@pytest.mark.parametrize("embedder", [BrokenEmbedder(), CountedEmbedder(fails_after=0)])
def test_where_the_embedder_fails_words_alone_are_indexed_and_searched(
    tmp_path: Path, embedder: CountedEmbedder
) -> None:
    async def work(place: Place) -> None:
        lost: list[LdaError] = []
        told: list[tuple[int, int]] = []
        index = await place.open(MEMBERS, embedder, lost=lost.append, progress=lambda *step: told.append(step))
        assert (index.rankings, len(lost)) == (("lexical",), 1)
        assert "On day 33 of gamma" in text_of((await index.search("On day 33 of gamma", k=3))[0])
        assert (told[-1][0], len(lost)) == (told[-1][1], 1)
        index.close()
        assert await place.found(MEMBERS, CountedEmbedder()) == await place.found(
            MEMBERS, CountedEmbedder(), folder="fresh"
        )

    with_place(tmp_path, work)


def test_where_the_embedder_fails_what_was_complete_stays(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (await place.open(MEMBERS[:2], CountedEmbedder())).close()
        complete = (tmp_path / "index" / "dense.index").read_bytes()
        (await place.open(MEMBERS, CountedEmbedder(fails_after=0), lost=lambda _: None)).close()
        (await place.open(MEMBERS, CountedEmbedder("model-b", fails_after=0), lost=lambda _: None)).close()
        assert (tmp_path / "index" / "dense.index").read_bytes() == complete
        resumed = CountedEmbedder()
        (await place.open(MEMBERS, resumed)).close()
        assert resumed.asked == await _parts(place, MEMBERS[2])

    with_place(tmp_path, work)


def test_where_a_question_cannot_be_embedded_words_find_what_they_can(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        (await place.open(MEMBERS, CountedEmbedder())).close()
        lost: list[LdaError] = []
        index = await place.open(MEMBERS, CountedEmbedder(fails_after=0), lost=lost.append)
        assert (index.rankings, lost) == (("lexical", "dense"), [])
        hits = await index.search("On day 33 of gamma", k=3)
        assert ("On day 33 of gamma" in text_of(hits[0]), len(lost)) == (True, 1)
        with pytest.raises(EngineUnavailableError):
            await index.dense("On day 33 of gamma", k=3)
        index.close()

    with_place(tmp_path, work)


class CuttingWatched(Documents):
    """Stored documents that count how many were cut."""

    cut = 0

    async def save_segmentation(self, document_id: str, key: str, segments: Sequence[Segment]) -> None:
        await super().save_segmentation(document_id, key, segments)
        self.cut += key == WINDOWS_KEY


def test_progress_is_told_before_and_while_documents_are_cut(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        database = await Database.open(tmp_path / "record.db")
        place.documents = documents = CuttingWatched(database)
        told: list[tuple[int, int, int]] = []

        def progress(done: int, total: int) -> None:
            told.append((documents.cut, done, total))

        (await place.open(MEMBERS, CountedEmbedder(), progress=progress)).close()
        (cut, done, total), (*_, whole) = told[0], told[-1]
        assert (cut, done) == (0, 0)
        assert whole / 2 < total < whole * 2
        assert any(done > 0 and cut < len(MEMBERS) for cut, done, _ in told)
        await database.aclose()

    with_place(tmp_path, work)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("")

    async def work(place: Place) -> None:
        with pytest.raises(StorageError, match="cannot write the index"):
            await place.open(MEMBERS)

    with_place(tmp_path, work)


def test_a_document_that_is_not_stored_is_told(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        with pytest.raises(NotFoundError):
            await place.open((Member(1, "unknown"),))

    with_place(tmp_path, work)


@pytest.mark.parametrize("by_meaning", [True, False])
def test_the_best_parts_of_segments_are_what_the_question_is_about(tmp_path: Path, *, by_meaning: bool) -> None:
    async def work(place: Place) -> None:
        index = await place.open(MEMBERS, CountedEmbedder() if by_meaning else None)
        for day in (0, 31, 100, 149):
            question = f"Who hid what on day {day} of beta?"
            hits = await index.lexical(question, k=3)
            found = await index.parts(question, hits, count=4)
            assert sum(map(len, found)) == 4
            assert any(f"On day {day} of beta" in text_of(part) for part in found[0])
            for hit, parts in zip(hits, found, strict=True):
                assert all(part.document_id == hit.document_id for part in parts)
                for part in (found_part.segment for found_part in parts):
                    assert hit.segment.start <= part.start < part.end <= hit.segment.end
                    assert part.end - part.start < (hit.segment.end - hit.segment.start) / 2
        index.close()

    with_place(tmp_path, work)


def test_parts_are_found_by_words_where_the_embedder_fails(tmp_path: Path) -> None:
    async def work(place: Place) -> None:
        embedder, told = CountedEmbedder(), list[LdaError]()
        index = await place.open(MEMBERS, embedder, lost=told.append)
        hits = await index.lexical("Who hid what on day 31 of beta?", k=1)
        embedder.fails_after = 0
        ((part,),) = await index.parts("Who hid what on day 31 of beta?", hits, count=1)
        assert "On day 31 of beta" in text_of(part)
        assert len(told) == 1
        index.close()

    with_place(tmp_path, work)


def test_copies_of_a_part_do_not_crowd_out_what_else_is_alike(tmp_path: Path) -> None:
    """The same words in texts that are cut at other places, as in versions of one work: their windows differ."""
    blame = "flood, fire or the war is to blame for it."
    clause = (
        "The lessee shall keep the roof, the gutters, the chimneys and the outer walls of the mill in good repair, and "
        f"shall answer for all damage that comes of neglect, unless {blame}"
    )

    def version(number: int) -> Document:
        builder = DocumentBuilder("text", f"version {number}.txt")
        for day in range(150):
            builder.add_block(f"On day {day} of version {number}, {NAMES[day % 6]} hid the {THINGS[day % 5]} again.")
            if day == 60 + number:
                builder.add_block(clause)
        return builder.build()

    versions = [version(number) for number in range(8)]
    members = tuple(Member(number, document.id) for number, document in enumerate(versions, 1))

    async def work(place: Place) -> None:
        for document in versions:
            await place.documents.save(document)
        index = await place.open(members, CountedEmbedder(dimensions=256))
        hits = await index.dense("and shall answer for all damage that comes of neglect, unless " + blame, k=5)
        assert [hit.score > 0.9 for hit in hits] == [True, False, False, False, False]
        assert hits[0].document_id == versions[0].id
        everything = await index.dense(clause, k=10_000)
        assert len({hit.place for hit in everything}) == len(everything) > 5
        index.close()

    with_place(tmp_path, work)
