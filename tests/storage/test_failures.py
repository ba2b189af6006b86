import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from longdoc.errors import StorageError
from longdoc.storage.failures import storage_error
from tests.storage.postgres_server import PostgresServer

_CODES = sorted(
    name
    for name in dir(sqlite3)
    if name.startswith("SQLITE_") and name.removeprefix("SQLITE_") in {
        "AUTH", "BUSY", "CANTOPEN", "CONSTRAINT", "CORRUPT", "FULL", "IOERR", "LOCKED", "NOTADB", "PERM", "READONLY",
        "TOOBIG",
    }
)  # fmt: skip


def _wrapped(cause: Exception) -> DBAPIError:
    return OperationalError("SELECT 1", {}, cause)


@pytest.mark.parametrize("name", _CODES)
def test_every_failure_of_sqlite_that_a_user_can_mend_has_its_sentence(name: str) -> None:
    cause = sqlite3.OperationalError("as sqlite says it")
    cause.sqlite_errorcode = getattr(sqlite3, name) | (3 << 8)
    message = str(storage_error(_wrapped(cause), "x.db"))
    assert message.startswith("the database x.db ")
    assert "as sqlite says it" not in message


def test_another_failure_of_sqlite_is_told_as_it_is() -> None:
    assert "no such table: x" in str(storage_error(_wrapped(sqlite3.OperationalError("no such table: x")), "x.db"))


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (psycopg.errors.DiskFull, "disk is full"),
        (psycopg.errors.LockNotAvailable, "locked by another program"),
        (psycopg.errors.AdminShutdown, "does not answer"),
        (psycopg.errors.ConnectionFailure, "does not answer"),
        (psycopg.errors.InvalidPassword, "refuses this user"),
        (psycopg.errors.InvalidCatalogName, "createdb"),
        (psycopg.errors.InsufficientPrivilege, "grant it the right"),
        (psycopg.errors.ReadOnlySqlTransaction, "only takes reads"),
        (psycopg.errors.TooManyConnections, "max_connections"),
        (psycopg.errors.OutOfMemory, "out of memory"),
        (psycopg.errors.ForeignKeyViolation, "refuses the change"),
        (psycopg.errors.DataCorrupted, "is damaged"),
        (psycopg.errors.IoError, "disk reports an error"),
    ],
)
def test_failures_of_postgres_that_a_user_can_mend_have_their_sentences(
    failure: type[psycopg.Error], words: str
) -> None:
    assert words in str(storage_error(_wrapped(failure("as the server says it")), "postgresql://host/name"))


def test_an_exhausted_pool_has_its_sentence() -> None:
    assert "too busy" in str(storage_error(PoolTimeoutError("QueuePool limit"), "x.db"))


def test_a_failure_of_no_driver_is_told_as_it_is() -> None:
    assert "cannot be used: odd" in str(storage_error(SQLAlchemyError("odd"), "x.db"))


def test_a_file_locked_for_too_long_is_told(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'x.db'}", connect_args={"timeout": 0, "isolation_level": None})
    with engine.connect() as one, engine.connect() as other:
        one.execute(text("BEGIN EXCLUSIVE"))
        with pytest.raises(OperationalError) as caught:
            other.execute(text("BEGIN IMMEDIATE"))
        one.execute(text("ROLLBACK"))
    engine.dispose()
    assert "is locked by another program" in str(storage_error(caught.value, "x.db"))


def test_a_file_that_may_only_be_read_is_told(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "x.db").close()
    engine = create_engine(f"sqlite:///file:{tmp_path / 'x.db'}?mode=ro&uri=true")
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text("CREATE TABLE x (y)"))
    engine.dispose()
    assert "cannot be written; make the file and its folder writable" in str(storage_error(caught.value, "x.db"))


def test_the_translation_is_one_line_and_a_storage_error(postgres_server: PostgresServer) -> None:
    engine = create_engine(postgres_server.url("postgres").replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT nonsense"))
    engine.dispose()
    error = storage_error(caught.value, "x")
    assert isinstance(error, StorageError)
    assert "\n" not in str(error)
    assert 'column "nonsense" does not exist' in str(error)
