import asyncio
import os
import sqlite3
import threading
from contextlib import aclosing, closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, text

from longdoc.errors import StorageError
from longdoc.storage import database as module
from longdoc.storage.database import Database
from longdoc.storage.schema import texts
from tests.storage.postgres_server import PostgresServer


def _add(connection: Connection, sha256: str) -> str:
    connection.execute(texts.insert(), {"sha256": sha256, "body": b"body"})
    return sha256


def _all(connection: Connection) -> set[str]:
    return set(connection.execute(select(texts.c.sha256)).scalars())


def _fail(connection: Connection) -> None:
    _add(connection, "half done")
    raise ValueError("this one is bad")


async def _stored(location: str) -> set[str]:
    async with aclosing(await Database.open(location)) as database:
        return await database.read(_all)


def test_what_was_written_is_there_after_opening_again(database: str) -> None:
    async def write() -> None:
        async with aclosing(await Database.open(database)) as opened:
            assert await opened.write(lambda connection: _add(connection, "a")) == "a"

    asyncio.run(write())
    assert asyncio.run(_stored(database)) == {"a"}


def test_a_bad_write_fails_alone_among_those_committed_together(database: str) -> None:
    async def write() -> list[object]:
        async with aclosing(await Database.open(database)) as opened:
            hold = threading.Event()
            first = opened.enqueue(lambda connection: (hold.wait(10), _add(connection, "first"))[1])
            group = [opened.enqueue(lambda connection, i=i: _add(connection, str(i))) for i in range(5)]
            group.insert(2, opened.enqueue(_fail))
            hold.set()
            return list(await asyncio.gather(first, *group, return_exceptions=True))

    outcome = asyncio.run(write())
    assert [item for item in outcome if isinstance(item, str)] == ["first", "0", "1", "2", "3", "4"]
    assert [str(item) for item in outcome if isinstance(item, ValueError)] == ["this one is bad"]
    assert asyncio.run(_stored(database)) == {"first", "0", "1", "2", "3", "4"}


def test_writes_queued_together_are_committed_together(tmp_path: Path) -> None:
    async def transactions() -> int:
        async with aclosing(await Database.open(tmp_path / "x.db")) as opened:
            hold = threading.Event()
            first = opened.enqueue(lambda _: hold.wait(10))
            seen: set[object] = set()
            group = [opened.enqueue(lambda c: seen.add(c.get_transaction())) for _ in range(100)]
            hold.set()
            await asyncio.gather(first, *group)
            return len(seen)

    assert asyncio.run(transactions()) == 1


def test_cancelling_the_caller_does_not_lose_a_queued_write(database: str) -> None:
    async def write() -> None:
        async with aclosing(await Database.open(database)) as opened:
            hold = threading.Event()
            blocking = opened.enqueue(lambda _: hold.wait(10))
            task = asyncio.create_task(opened.write(lambda connection: _add(connection, "kept")))
            await asyncio.sleep(0)
            task.cancel()
            hold.set()
            with pytest.raises(asyncio.CancelledError):
                await task
            await blocking

    asyncio.run(write())
    assert asyncio.run(_stored(database)) == {"kept"}


def test_closing_does_the_queued_writes_first_and_refuses_later_ones(database: str) -> None:
    async def write() -> None:
        opened = await Database.open(database)
        queued = opened.enqueue(lambda connection: _add(connection, "queued"))
        await opened.aclose()
        await opened.aclose()
        assert queued.done() or await queued == "queued"
        with pytest.raises(StorageError, match="is closed"):
            await opened.write(lambda connection: _add(connection, "late"))

    asyncio.run(write())
    assert asyncio.run(_stored(database)) == {"queued"}


def test_many_reads_at_once_are_answered_while_writes_go_on(database: str) -> None:
    async def work() -> list[int]:
        async with aclosing(await Database.open(database)) as opened:
            writes = [opened.write(lambda connection, i=i: _add(connection, str(i))) for i in range(50)]
            counted = select(func.count()).select_from(texts)
            reads = [opened.read(lambda connection: connection.execute(counted).scalar_one()) for _ in range(50)]
            return list(await asyncio.gather(*reads, *writes))[:50]

    assert all(0 <= count <= 50 for count in asyncio.run(work()))


def test_sqlite_syncs_every_commit_and_lets_readers_work_beside_the_writer(tmp_path: Path) -> None:
    async def pragma(name: str) -> object:
        async with aclosing(await Database.open(tmp_path / "x.db")) as opened:
            return await opened.write(lambda connection: connection.execute(text(f"PRAGMA {name}")).scalar())

    assert asyncio.run(pragma("journal_mode")) == "wal"
    assert asyncio.run(pragma("synchronous")) == 2
    assert asyncio.run(pragma("foreign_keys")) == 1


def test_the_folder_of_a_new_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "x.db"
    asyncio.run(_stored(str(path)))
    assert path.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"folder of the database .* cannot be made"):
        asyncio.run(_stored(str(tmp_path / "file" / "x.db")))


def test_a_file_that_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is a letter to a friend, not a database" * 100)
    with pytest.raises(StorageError, match="is not a database"):
        asyncio.run(_stored(str(tmp_path / "x.db")))


def test_a_folder_in_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        asyncio.run(_stored(str(tmp_path)))


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_file_that_is_only_readable_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    asyncio.run(_stored(str(path)))
    path.chmod(0o400)

    async def write() -> None:
        async with aclosing(await Database.open(path)) as opened:
            await opened.write(lambda connection: _add(connection, "a"))

    with pytest.raises(StorageError, match="cannot be written; make the file and its folder writable"):
        asyncio.run(write())


def test_a_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(StorageError, match=r"secret-free.*does not answer; start the server") as caught:
        asyncio.run(Database.open("postgresql://me:passw0rd@127.0.0.1:1/secret-free"))
    assert "passw0rd" not in str(caught.value)


def test_a_database_the_server_does_not_have_is_an_error(postgres_server: PostgresServer) -> None:
    with pytest.raises(StorageError, match='database "nowhere" does not exist'):
        asyncio.run(Database.open(postgres_server.url("nowhere")))


@pytest.mark.parametrize(
    "location",
    ["mysql://host/name", "sqlite://", "postgresql://host:port/name", "://", "sqlite:///:memory:", "sqlite:///file:x"],
)
def test_an_address_of_another_kind_is_an_error(location: str) -> None:
    with pytest.raises(StorageError, match="postgresql://"):
        asyncio.run(Database.open(location))


def test_a_full_disk_is_an_error_and_keeps_what_was_there(tmp_path: Path) -> None:
    async def fill() -> None:
        async with aclosing(await Database.open(tmp_path / "x.db")) as opened:
            await opened.write(lambda connection: _add(connection, "small"))
            await opened.write(lambda connection: connection.execute(text("PRAGMA max_page_count = 60")).close())
            await opened.write(lambda c: c.execute(texts.insert(), {"sha256": "big", "body": bytes(10**6)}).close())

    with pytest.raises(StorageError, match="the disk is full"):
        asyncio.run(fill())
    assert asyncio.run(_stored(str(tmp_path / "x.db"))) == {"small"}


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    asyncio.run(_stored(str(path)))
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StorageError, match="is damaged"):
        asyncio.run(_stored(str(path)))


def test_a_broken_link_between_rows_is_an_error(database: str) -> None:
    async def write() -> None:
        statement = text("INSERT INTO run_documents (run_id, position, document_id) VALUES ('no', 0, 'no')")
        async with aclosing(await Database.open(database)) as opened:
            await opened.write(lambda connection: connection.execute(statement).close())

    with pytest.raises(StorageError, match="refuses the change"):
        asyncio.run(write())


def test_sqlite_is_new_enough_for_what_is_used() -> None:
    assert sqlite3.sqlite_version_info >= (3, 35)


def test_what_a_reader_keeps_in_the_log_leaves_it_once_the_reader_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(module, "_SHORT_SECONDS", 0.01)
    monkeypatch.setattr(module, "_SOON_SECONDS", 0.01)
    path, log = tmp_path / "a.db", tmp_path / "a.db-wal"

    async def work() -> None:
        async with aclosing(await Database.open(path)) as opened:
            await opened.write(lambda connection: _add(connection, "Xylophonquark"))
            with closing(sqlite3.connect(path, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                assert reader.execute("SELECT count(*) FROM texts").fetchone() == (1,)
                await opened.write(lambda connection: connection.execute(texts.delete()).close())
                assert not await opened.checkpoint()
                assert b"Xylophonquark" in log.read_bytes()
            async with asyncio.timeout(10):
                while log.stat().st_size:
                    await asyncio.sleep(0.01)
            assert b"Xylophonquark" not in path.read_bytes()
            assert await opened.checkpoint()

    asyncio.run(work())


def test_a_small_erasure_leaves_the_log_without_anybody_waiting_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SOON_SECONDS", 0.01)
    path, log = tmp_path / "a.db", tmp_path / "a.db-wal"

    async def work() -> None:
        async with aclosing(await Database.open(path)) as opened:
            for _ in range(3):
                await opened.write(lambda connection: _add(connection, "Xylophonquark"))
                await opened.write(lambda connection: connection.execute(texts.delete()).close())
                opened.checkpoint_soon()
            async with asyncio.timeout(10):
                while log.stat().st_size:
                    await asyncio.sleep(0.01)
            assert b"Xylophonquark" not in path.read_bytes()

    asyncio.run(work())


def test_a_database_that_is_closed_at_once_still_empties_its_log(tmp_path: Path) -> None:
    path, log = tmp_path / "a.db", tmp_path / "a.db-wal"

    async def work() -> None:
        async with aclosing(await Database.open(path)):  # as another process has it open
            async with aclosing(await Database.open(path)) as opened:
                await opened.write(lambda connection: _add(connection, "Xylophonquark"))
                await opened.write(lambda connection: connection.execute(texts.delete()).close())
                opened.checkpoint_soon()
            assert not log.exists() or b"Xylophonquark" not in log.read_bytes()
            assert b"Xylophonquark" not in path.read_bytes()

    asyncio.run(work())
