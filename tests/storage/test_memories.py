"""Memories keep their numbers, their revisions and their order, whoever writes, and leave nothing when erased."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import aclosing, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, Message, Usage
from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.database import Database
from longdoc.storage.ledger import Ledger
from longdoc.storage.memories import Memories
from longdoc.storage.memory_derived import MemoryDecisions, MemoryVectors
from longdoc.storage.memory_types import Counted, MemoryFilter, MemoryKind, MemoryStatus, NamespaceName, NewMemory
from longdoc.storage.runs import RunRequest, Runs

ALICE = NamespaceName("alice", "default", "main")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
INFO = EngineInfo(engine="scripted", model="m", identity="m", context_window=2048)


def with_database(location: str, work: Callable[[Database], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(location)) as database:
            await work(database)

    asyncio.run(main())


def test_a_memory_comes_back_as_it_was_stored(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = await memories.open(ALICE)
        new = NewMemory("My cat is Kiki\0.", "Noted.", kind=MemoryKind.IMPORT, key="1", source={"file": "a"}, at=NOON)
        stored = await memories.append(space.id, new)
        assert (stored.number, stored.change, stored.status) == (1, 1, MemoryStatus.DONE)
        assert await memories.get(space.id, [1, 2]) == [stored]
        assert stored.text == "My cat is Kiki\0.\nNoted."
        assert (await memories.open(ALICE)).memories == 1

    with_database(database, work)


def test_what_has_the_key_of_another_is_that_one(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        rows = [NewMemory("one", key="a"), NewMemory("two"), NewMemory("again", key="a"), NewMemory("two")]
        stored = await memories.append_all(space, rows)
        assert [memory.number for memory in stored] == [1, 2, 1, 3]
        assert (await memories.append(space, NewMemory("later", key="a"))).observation == "one"
        assert (await memories.open(ALICE)).memories == 3

    with_database(database, work)


def test_an_open_memory_is_answered_once(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        await memories.append(space, NewMemory("Hello?", status=MemoryStatus.OPEN))
        assert [memory.number for memory in await memories.waiting(space)] == [1]
        assert await memories.newest(space) == []
        await memories.jot(space, 1, "Hel")
        assert (await memories.waiting(space))[0].response == "Hel"
        answered = await memories.answer(space, 1, "Hello.", status=MemoryStatus.DONE, calls=[7])
        await memories.jot(space, 1, "too late")
        assert answered.source == {"calls": [7]}
        assert (answered.response, answered.change) == ("Hello.", 2)
        assert await memories.newest(space) == [answered]
        with pytest.raises(ConfigError, match="not waiting for an answer"):
            await memories.answer(space, 1, "Again.", status=MemoryStatus.DONE)
        with pytest.raises(NotFoundError):
            await memories.answer(space, 2, "To nothing.", status=MemoryStatus.DONE)

    with_database(database, work)


def test_edits_keep_what_was_said_before_and_forget_what_was_made_of_it(database: str) -> None:
    async def work(opened: Database) -> None:
        memories, vectors = Memories(opened), MemoryVectors(opened)
        space = (await memories.open(ALICE)).id
        first = await memories.append(space, NewMemory("I live in Oslo.", "Nice."))
        assert await memories.summarize(space, 1, "Oslo", of=first.text)
        await vectors.save(space, "e", {1: np.eye(2, 4, dtype=np.float32)}, changes={1: first.change})
        edited = await memories.edit(space, 1, observation="I live in Bergen.")
        assert (edited.observation, edited.response, edited.summary) == ("I live in Bergen.", "Nice.", None)
        assert not await memories.summarize(space, 1, "Oslo", of=first.text)
        assert await vectors.load(space, "e", [1]) == {}
        assert await memories.edit(space, 1, observation="I live in Bergen.") == edited
        await memories.edit(space, 1, observation="I live in Narvik.")
        said = [(one.revision, one.observation) for one in await memories.history(space, 1)]
        assert said == [(1, "I live in Oslo."), (2, "I live in Bergen.")]

    with_database(database, work)


def test_changes_are_told_in_their_order(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        await memories.append_all(space, [NewMemory(str(i)) for i in range(5)])
        await memories.edit(space, 2, response="changed")
        await memories.erase(space, [1])
        numbers = [(memory.change, memory.number) for memory in await memories.changed(space, after=3, count=10)]
        assert numbers == [(4, 4), (5, 5), (6, 2), (7, 1)]
        assert await memories.last_change(space) == 7

    with_database(database, work)


def test_memories_are_found_by_kind_time_and_source(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        rows = [
            NewMemory("a", at=NOON, source={"file": "x"}),
            NewMemory("b", at=NOON + timedelta(days=1), kind=MemoryKind.FACT),
            NewMemory("c", at=NOON + timedelta(days=2), source={"file": "x"}),
        ]
        await memories.append_all(space, rows)

        async def found(meant: MemoryFilter, **more: int) -> list[int]:
            return [memory.number for memory in await memories.newest(space, meant=meant, **more)]

        assert await found(MemoryFilter()) == [3, 2, 1]
        assert await found(MemoryFilter(), before=3) == [2, 1]
        assert await found(MemoryFilter(since=NOON + timedelta(days=1))) == [3, 2]
        assert await found(MemoryFilter(until=NOON + timedelta(days=1))) == [1]
        assert await found(MemoryFilter(kinds=frozenset({MemoryKind.FACT}))) == [2]
        assert await found(MemoryFilter(source={"file": "x"}), count=1) == [3]
        others = [NewMemory(str(number), source={"file": "y" if number % 100 else "x"}) for number in range(1100)]
        await memories.append_all(space, others)
        several = await found(MemoryFilter(source={"file": "x"}))
        assert several == [*range(1004, 3, -100), 3, 1]  # pages of them
        assert await found(MemoryFilter(source={"file": "x"}), count=9) == several[:9]
        assert await found(MemoryFilter(source={"file": "x"}), before=4) == [3, 1]

    with_database(database, work)


def test_what_expires_is_erased_when_its_time_is_over(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened, now=lambda: NOON)
        space = (await memories.open(ALICE)).id
        await memories.append_all(
            space,
            [NewMemory("a", expires_at=NOON), NewMemory("b", expires_at=NOON + timedelta(1)), NewMemory("c")],
        )
        assert await memories.expired() == {space: [1]}
        assert await memories.remembered(space) == 2
        assert await memories.erase(space, [1]) == 1
        assert await memories.expired() == {}
        assert [memory.observation for memory in await memories.newest(space)] == ["c", "b"]

    with_database(database, work)


def test_counts_of_tokens_are_kept_until_a_memory_says_something_else(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        await memories.append_all(space, [NewMemory("a"), NewMemory("b")])
        assert await memories.summarize(space, 2, "s", of="b")
        read = await memories.get(space, [1, 2])
        counted = [Counted(one.number, one.change, one.summary, 5, 3 if one.summary else None) for one in read]
        stale = [Counted(1, 0, None, 9, None), Counted(2, read[1].change, None, 9, None)]
        memories.count(space, counted, counter="t")
        memories.count(space, stale, counter="t")
        await memories.append(space, NewMemory("behind the counts"))
        one, two = await memories.get(space, [1, 2])
        assert (one.tokens, one.counter, two.tokens, two.summary_tokens) == (5, "t", 5, 3)
        assert (await memories.edit(space, 1, observation="c")).tokens is None

    with_database(database, work)


def test_decisions_and_vectors_come_back(database: str) -> None:
    async def work(opened: Database) -> None:
        memories, vectors, decisions = Memories(opened), MemoryVectors(opened), MemoryDecisions(opened)
        space = (await memories.open(ALICE)).id
        await memories.append_all(space, [NewMemory("a"), NewMemory("b")])
        rows = np.eye(3, 8, dtype=np.float32)
        made = {1: rows, 2: rows[:1], 3: rows}
        await vectors.save(space, "e", made, changes={1: 0, 2: 0, 3: 0})
        assert await vectors.load(space, "e", [1, 2, 3]) == {}
        await vectors.save(space, "e", made, changes={1: 1, 2: 2, 3: 3})
        found = await vectors.load(space, "e", [1, 2, 3])
        assert {number: len(some) for number, some in found.items()} == {1: 3, 2: 1}
        assert np.array_equal(found[1], rows)
        assert await vectors.load(space, "other", [1]) == {}
        await memories.append(space, NewMemory("c", status=MemoryStatus.OPEN))
        await memories.answer(space, 3, "d", status=MemoryStatus.CUT, decision={"kept": [2]})
        assert await decisions.load(space, 3) == {"kept": [2]}
        with pytest.raises(NotFoundError, match="no decision"):
            await decisions.load(space, 2)

    with_database(database, work)


def test_nothing_to_remember_is_refused(database: str) -> None:
    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        with pytest.raises(ConfigError, match="empty"):
            await memories.append_all(space, [NewMemory("a"), NewMemory(" ")])
        assert await memories.newest(space) == []
        with pytest.raises(NotFoundError, match="deleted"):
            await memories.append(space + 1, NewMemory("a"))

    with_database(database, work)


def test_several_connections_append_without_loss_or_double(database: str) -> None:
    async def main() -> list[int]:
        async with aclosing(await Database.open(database)) as one, aclosing(await Database.open(database)) as two:
            both = [Memories(one), Memories(two)]
            space = (await both[0].open(ALICE)).id
            await asyncio.gather(*(both[i % 2].append(space, NewMemory(str(i), key=str(i // 2))) for i in range(60)))
            stored = await both[0].newest(space)
            assert len({memory.key for memory in stored}) == len(stored) == 30
            return sorted(memory.change for memory in stored)

    assert asyncio.run(main()) == list(range(1, 31))


def test_a_deleted_namespace_takes_its_runs_and_calls_with_it(database: str) -> None:
    async def work(opened: Database) -> None:
        memories, runs, ledger = Memories(opened), Runs(opened), Ledger(opened)
        space = (await memories.open(ALICE)).id
        own, other = [await runs.start(RunRequest(kind, kind, (), {}, "m")) for kind in ("chat", "ask")]
        await memories.owns(space, own.id)
        made = [await _call(ledger, words, run.id) for words, run in (("own", own), ("other", other))]
        shared = await _call(ledger, "shared", own.id)
        await ledger.find("shared", run_id=other.id)
        await memories.append(space, NewMemory("a"))
        assert (await memories.delete(ALICE)).id == space
        with pytest.raises(NotFoundError):
            await memories.delete(ALICE)
        assert await memories.find(ALICE) is None
        assert [run.id for run in await runs.list()] == [other.id]
        with pytest.raises(NotFoundError):
            await ledger.call(made[0])
        assert (await ledger.call(made[1])).completion.text == "other"
        assert (await ledger.call(shared)).completion.text == "shared"
        assert (await memories.open(ALICE)).id > space

    with_database(database, work)


def test_an_erased_memory_takes_the_calls_behind_it_with_it(database: str) -> None:
    async def work(opened: Database) -> None:
        memories, runs, ledger = Memories(opened), Runs(opened), Ledger(opened)
        space = (await memories.open(ALICE)).id
        run = await runs.start(RunRequest("chat", "chat", (), {}, "m"))
        await memories.owns(space, run.id)
        call = await _call(ledger, "own", run.id)
        await memories.append_all(space, [NewMemory("a", source={"calls": [call]}), NewMemory("b")])
        assert await memories.erase(space, [1, 1, 9]) == 1
        with pytest.raises(NotFoundError):
            await ledger.call(call)
        erased, left = await memories.get(space, [1, 2])
        assert (erased.status, erased.text, left.text) == (MemoryStatus.ERASED, "", "b")
        with pytest.raises(ConfigError, match="cannot be edited"):
            await memories.edit(space, 1, observation="back")

    with_database(database, work)


def test_no_byte_of_what_was_deleted_stays_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "longdoc.db"

    async def work(opened: Database) -> None:
        memories = Memories(opened)
        space = (await memories.open(ALICE)).id
        await memories.append_all(space, [NewMemory(f"a secret {i} " * 50) for i in range(100)])
        await memories.edit(space, 1, response="another secret")
        await memories.erase(space, [2])
        await memories.delete(ALICE)

    with_database(str(path), work)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM memories").fetchone() == (0,)
    assert b"secret" not in b"".join(file.read_bytes() for file in tmp_path.iterdir())


async def _call(ledger: Ledger, words: str, run_id: str) -> int:
    request = CompletionRequest((Message("user", words),), max_tokens=8)
    completion = Completion(words, FinishReason.STOP, Usage(1, 1), "m")
    recorded = await ledger.record(words, request, completion, INFO, run_id=run_id)
    assert recorded.call_id is not None
    return recorded.call_id
