"""Pipelines: many documents, a few in memory, one that fails is told and the rest go on."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
import weakref
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pyarrow as pa
import pytest

from longdoc import Budget, Document
from longdoc.app.pipelines import map_documents
from longdoc.documents.readers import read_document
from longdoc.errors import BudgetExceededError, ConfigError, DocumentError, EngineAuthError, LdaError
from longdoc.storage.runs import RunStatus
from tests.app.api_records import book_in, face, letters, sync_face
from tests.app.test_results import Answer, html_of

BOOKS = Path(__file__).parents[2].parent / "shared" / "data" / "books"
BOOK_SUFFIXES = {".epub", ".txt", ".html", ".pdf"}
EMPTY = {"page-blanche.epub", "svg-in-spine.epub"}
"""Books of pictures."""


def documents(count: int) -> list[Document]:
    return [Document(id=str(number), text="Text.", format="text", source=str(number)) for number in range(count)]


def others() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


class Bench:
    """Work that waits until it is told which document is done; `begun` are those it has begun with."""

    def __init__(self, failures: dict[str, LdaError] | None = None) -> None:
        self.begun: list[str] = []
        self._failures = failures or {}
        self._done: dict[str, asyncio.Event] = {}

    async def __call__(self, document: Document) -> Answer:
        self.begun.append(document.id)
        await self._event(document.id).wait()
        if document.id in self._failures:
            raise self._failures[document.id]
        return Answer(text=document.id)

    def finish(self, *ids: int) -> None:
        for one in ids:
            self._event(str(one)).set()

    def _event(self, one: str) -> asyncio.Event:
        return self._done.setdefault(one, asyncio.Event())


async def began(bench: Bench, *ids: int) -> None:
    while bench.begun != [str(one) for one in ids]:
        await asyncio.sleep(0)


def test_results_come_as_they_are_done_and_as_many_are_under_way_as_may_be() -> None:
    async def main() -> None:
        bench = Bench()
        taken: list[str] = []

        def sources() -> Iterator[Document]:
            for one in documents(5):
                taken.append(one.id)
                yield one

        pipeline = map_documents(sources(), bench, at_once=2)
        first = asyncio.ensure_future(anext(pipeline))
        await began(bench, 0, 1)
        assert taken == ["0", "1"]
        bench.finish(1)
        assert (await first).text == "1"
        await began(bench, 0, 1, 2)
        assert taken == ["0", "1", "2"]
        bench.finish(0, 2, 3, 4)
        assert sorted([one.number async for one in pipeline]) == [0, 2, 3, 4]
        assert not others()

    asyncio.run(main())


def test_results_in_order_wait_for_the_first() -> None:
    async def main() -> None:
        bench = Bench()
        pipeline = map_documents(documents(4), bench, at_once=3, ordered=True)
        first = asyncio.ensure_future(anext(pipeline))
        await began(bench, 0, 1, 2)
        bench.finish(1, 2, 3)
        assert not (await asyncio.wait([first], timeout=0))[0]
        assert "3" not in bench.begun
        bench.finish(0)
        assert [(await first).number, *[one.number async for one in pipeline]] == [0, 1, 2, 3]

    asyncio.run(main())


def test_one_that_fails_is_told_and_the_rest_go_on() -> None:
    async def main() -> None:
        error = DocumentError("is torn", source="2")
        bench = Bench({"2": error})
        bench.finish(0, 1, 2, 3)
        mapped = [one async for one in map_documents(documents(4), bench, ordered=True)]
        assert [one.error for one in mapped] == [None, None, error, None]
        assert [one.ok for one in mapped] == [True, True, False, True]
        assert [one.text for one in mapped] == ["0", "1", "", "3"]
        assert mapped[1].result.text == "1"
        with pytest.raises(DocumentError, match="torn"):
            _ = mapped[2].result

    asyncio.run(main())


@pytest.mark.parametrize("ordered", [True, False])
def test_what_stops_all_begins_no_other_and_is_raised_after_what_was_under_way(ordered: bool) -> None:
    async def main() -> None:
        bench = Bench({"1": EngineAuthError("the key is refused")})
        pipeline = map_documents(documents(9), bench, at_once=3, ordered=ordered)
        heard: list[str] = []

        async def listen() -> None:
            async for one in pipeline:
                heard.append(one.text)  # noqa: PERF401 what was heard before it is raised

        listening = asyncio.ensure_future(listen())
        await began(bench, 0, 1, 2)
        bench.finish(1)
        for _ in range(9):
            await asyncio.sleep(0)
        bench.finish(0, 2)
        with pytest.raises(EngineAuthError):
            await listening
        assert sorted(heard) == ["0", "2"]
        assert len(bench.begun) == 3

    asyncio.run(main())


def test_a_mistake_in_the_work_ends_it_and_leaves_nothing_running() -> None:
    async def broken(document: Document) -> Answer:
        if document.id == "0":
            raise RuntimeError("a mistake")
        return await Bench()(document)

    async def main() -> None:
        with pytest.raises(RuntimeError, match="a mistake"):
            _ = [one async for one in map_documents(documents(4), broken)]
        assert not others()

    asyncio.run(main())


def test_rows_of_results_and_failures_make_one_table(tmp_path: Path) -> None:
    good = letters(tmp_path, 2)
    with sync_face(tmp_path) as lda:
        mapped = list(lda.map_summaries([*good, tmp_path / "missing.epub"], ordered=True, words=20))
    table = pd.DataFrame([one.row() for one in mapped])
    assert table["source"].tolist() == [*map(str, good), str(tmp_path / "missing.epub")]
    assert table["error"].isna().tolist() == [True, True, False]
    assert pa.Table.from_pandas(table).num_rows == 3
    rows = [row for one in mapped for row in one.source_rows()]
    assert {row["source"] for row in rows} <= set(map(str, good))
    assert "no such file" in html_of(mapped[2])
    assert html_of(mapped[0]).startswith("<h4>")


def test_each_capability_over_many_documents(tmp_path: Path) -> None:
    paths = letters(tmp_path, 2)
    with sync_face(tmp_path) as lda:
        answers = list(lda.map_answers("When does the ferry leave?", paths))
        checks = list(lda.map_checks("The ferry leaves at nine.", paths, at_once=1))
        drafts = list(lda.map_drafts("a 60 word note", paths))
        assert all(one.text for one in [*answers, *checks, *drafts])
        assert len({one.result.draft.name for one in drafts}) == 2
        runs = {one.run.id for one in lda.runs()}
        assert {one.run_id for one in [*answers, *checks, *drafts]} == runs
        with pytest.raises(ConfigError, match="list of paths"):
            lda.map_summaries("book.epub")
        with pytest.raises(ConfigError, match="at least 1"):
            lda.map_summaries(paths, at_once=0)
        with pytest.raises(ConfigError, match="no method"):
            lda.map_summaries(paths, method="magic")


def test_the_same_document_twice_is_one_run(tmp_path: Path) -> None:
    [letter] = letters(tmp_path, 1)
    with sync_face(tmp_path) as lda:
        first, second = lda.map_summaries([letter, str(letter)], words=20)
        assert first.run_id == second.run_id
        assert sorted([first.usage.calls > 0, second.usage.calls > 0]) == [False, True]


def test_a_spent_budget_ends_it(tmp_path: Path) -> None:
    with sync_face(tmp_path, budget=Budget(max_calls=2)) as lda:
        pipeline = lda.map_answers("When?", letters(tmp_path, 5), at_once=1)
        assert [next(pipeline).ok, next(pipeline).ok] == [True, True]
        with pytest.raises(BudgetExceededError):
            next(pipeline)


def test_who_leaves_the_loop_leaves_nothing_running_and_what_was_paid_for_is_kept(tmp_path: Path) -> None:
    paths = [*letters(tmp_path, 3), book_in(tmp_path)]

    async def main() -> None:
        async with face(tmp_path) as lda:
            async for one in lda.map_summaries(paths, ordered=True, words=60, segment_tokens=400):
                assert one.number == 0
                break
            while others():  # the loop ends what nobody listens to any more
                await asyncio.sleep(0)
            runs = await lda.runs()
            assert {one.run.status for one in runs} <= {RunStatus.DONE, RunStatus.INTERRUPTED}
            paid = sum(one.totals.calls for one in runs)
            assert paid
            again = [one async for one in lda.map_summaries(paths, words=60, segment_tokens=400)]
            assert all(one.ok for one in again)
            made = sum(one.usage.calls for one in again)
            assert sum(one.totals.calls for one in await lda.runs()) == paid + made

    asyncio.run(main())


def test_who_leaves_the_loop_without_a_loop_has_it_stopped_then(tmp_path: Path) -> None:
    with sync_face(tmp_path) as lda:
        for one in lda.map_summaries([*letters(tmp_path, 3), book_in(tmp_path)], ordered=True, words=60):
            assert one.ok
            break
        assert RunStatus.RUNNING not in {one.run.status for one in lda.runs()}


def test_closing_stops_a_pipeline(tmp_path: Path) -> None:
    paths = letters(tmp_path, 9)

    async def main() -> None:
        async with face(tmp_path) as lda:
            pipeline = lda.map_summaries(paths, words=20)
            await anext(pipeline)
        assert not others()
        with pytest.raises(ConfigError, match="context manager"):
            _ = [one async for one in pipeline]

    asyncio.run(main())
    with sync_face(tmp_path) as lda:
        left = lda.map_summaries(paths, words=30)
        next(left)
    with pytest.raises(ConfigError, match="context manager"):
        next(left)


class Watched(Document):
    """A document whose end is noted: `living` are those in memory."""

    living: ClassVar[set[int]] = set()

    @classmethod
    def of(cls, document: Document) -> Watched:
        watched = cls(**{field.name: getattr(document, field.name) for field in fields(document)})
        cls.living.add(id(watched))
        weakref.finalize(watched, cls.living.discard, id(watched))
        return watched


def opened(paths: Iterable[Path]) -> Iterator[Document | Path]:
    """Documents, each read when it is its turn; of what cannot be read the path."""
    for path in paths:
        try:
            document = Watched.of(read_document(path))
        except DocumentError:
            yield path
        else:
            yield document
            del document


def test_memory_does_not_grow_with_the_documents(tmp_path: Path) -> None:
    few = letters(tmp_path, 4, words=2_000)

    async def passed(paths: Sequence[Path]) -> int:
        """Bytes in use after a pass whose results nobody keeps."""
        async with face(tmp_path) as lda:
            async for one in lda.map_summaries(opened(paths), at_once=2, words=60, segment_tokens=3_000):
                assert one.ok
                assert len(Watched.living) <= 3, "two under way and the one in hand"
                del one
            gc.collect()
            assert not Watched.living
            return tracemalloc.get_traced_memory()[0]

    asyncio.run(passed(few))
    tracemalloc.start()
    try:
        once = asyncio.run(passed(few))
        often = asyncio.run(passed(few * 5))
    finally:
        tracemalloc.stop()
    assert often - once < 16 * few[0].stat().st_size, "the texts of 16 more documents are not kept"


@pytest.mark.skipif(not BOOKS.exists(), reason="the shared data folder ../shared/data is not here")
@pytest.mark.timeout(900)
def test_all_books_with_one_that_is_broken(tmp_path: Path) -> None:
    books = sorted(path for path in BOOKS.rglob("*") if path.suffix in BOOK_SUFFIXES)
    broken = tmp_path / "broken.epub"
    broken.write_bytes(book_in(tmp_path).read_bytes()[:4000])

    async def main() -> dict[int, str | None]:
        became: dict[int, str | None] = {}
        async with face(tmp_path) as lda:
            shelf = opened([*books[:3], broken, *books[3:]])
            async for one in lda.map_summaries(shelf, words=200, segment_tokens=6_000, sources=False):
                assert len(Watched.living) <= 5, "four under way and the one in hand"
                assert bool(one.text) == one.ok
                became[one.number] = None if one.error is None else str(one.error)
                del one
        return became

    became = asyncio.run(main())
    assert sorted(became) == list(range(len(books) + 1))
    failed = {reason.partition(":")[0] for reason in became.values() if reason is not None}
    assert failed == {"broken.epub", *EMPTY}
