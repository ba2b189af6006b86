import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import aclosing, closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from longdoc.errors import StorageError
from longdoc.storage.database import Database
from longdoc.storage.location import database_url, writing_engine
from longdoc.storage.migrate import MIGRATIONS, switch_to_wal
from longdoc.storage.schema import HEAD, VERSION_TABLE, metadata

_OPEN = "import asyncio, sys; from longdoc.storage.database import Database; asyncio.run(Database.open(sys.argv[1]))"


async def _execute(location: str, statement: str) -> None:
    async with aclosing(await Database.open(location)) as database:
        await database.write(lambda connection: connection.execute(text(statement)).close())


def test_the_migrated_schema_is_the_one_described(database: str) -> None:
    async def differences() -> list[object]:
        async with aclosing(await Database.open(database)) as opened:
            return await opened.read(
                lambda connection: compare_metadata(
                    MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}), metadata
                )
            )

    assert asyncio.run(differences()) == []


def test_the_newest_migration_is_the_one_the_schema_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_opening_a_migrated_database_does_not_load_alembic(database: str) -> None:
    asyncio.run(_execute(database, "SELECT 1"))
    script = f"{_OPEN}; print('alembic' in sys.modules)"
    opened = subprocess.run([sys.executable, "-c", script, database], capture_output=True, text=True, check=True)
    assert opened.stdout.strip() == "False"


def test_processes_that_open_a_new_database_at_the_same_time_all_succeed(database: str) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", _OPEN, database]) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4


def test_a_database_of_a_newer_program_is_refused(database: str) -> None:
    asyncio.run(_execute(database, f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"newer longdoc \(schema 9999"):
        asyncio.run(Database.open(database))


def test_a_sqlite_file_of_another_program_is_left_alone(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    with pytest.raises(StorageError, match="belongs to another program"):
        asyncio.run(Database.open(path))


def _file_being_read(path: Path) -> sqlite3.Connection:
    """A connection that holds the lock which switching a file to a log needs, and which nothing waits for."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE a (b)")
    connection.execute("BEGIN")
    connection.execute("SELECT * FROM a").fetchall()
    return connection


def test_switching_to_a_log_waits_for_whoever_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longdoc.storage.location._LOCK_SECONDS", 0)
    with closing(_file_being_read(tmp_path / "a.db")) as other:
        release = threading.Timer(0.3, other.execute, ["COMMIT"])
        release.start()
        switch_to_wal(writing_engine(database_url(tmp_path / "a.db")), "a.db")
        release.join()
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_file_that_is_read_for_too_long_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longdoc.storage.location._LOCK_SECONDS", 0)
    monkeypatch.setattr("longdoc.storage.migrate._WAL_PATIENCE_SECONDS", 0.2)
    with closing(_file_being_read(tmp_path / "a.db")), pytest.raises(StorageError, match=r"a\.db is locked by another"):
        switch_to_wal(writing_engine(database_url(tmp_path / "a.db")), "a.db")
