"""Where a database is, and how connections to it are set up.

Owns URLs, drivers, pragmas and pools; what runs on the connections is left to `database.py`.
"""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from longdoc.errors import StorageError
from longdoc.storage.compact_json import to_json

READERS: Final = 4
"""How many reads run at once."""

_LOCK_SECONDS: Final = 60
_CONNECT_SECONDS: Final = 10
_WAL_BYTES_KEPT: Final = 64 * 1024 * 1024


def database_url(location: str | Path) -> URL:
    """The URL of a SQLite file (given by its path) or of a PostgreSQL database (given by its address).

    Raises `StorageError` for an address that is neither.
    """
    text = str(location)
    if "://" not in text:
        return URL.create("sqlite", database=str(Path(text).expanduser()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:  # the latter for a port that is no number
        raise StorageError("the address of the database cannot be read; it looks like postgresql://…") from error
    if url.get_backend_name() in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite" and url.database and not url.database.startswith((":memory:", "file:")):
        return URL.create("sqlite", database=url.database)
    raise StorageError(f"{shown(url)} is no database longdoc can use: give the path of a file or postgresql://…")


def shown(url: URL) -> str:
    """A location as it may be shown: the path of a file, or an address without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def reading_engine(url: URL) -> Engine:
    """An engine whose transactions read."""
    return _engine(url, begin="BEGIN", size=READERS)


def writing_engine(url: URL) -> Engine:
    """An engine whose transactions write: on SQLite they take the file's write lock when they begin.

    A transaction that takes it later fails at once where another process wrote in between.
    """
    return _engine(url, begin="BEGIN IMMEDIATE", size=1)


def _engine(url: URL, *, begin: str, size: int) -> Engine:
    options: dict[str, Any] = {"pool_size": size, "max_overflow": 0, "json_serializer": to_json}
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _LOCK_SECONDS}, **options)
        _set_up_sqlite(engine, begin)
        return engine
    try:
        return create_engine(url, connect_args={"connect_timeout": _CONNECT_SECONDS}, pool_pre_ping=True, **options)
    except ModuleNotFoundError as error:
        raise StorageError("PostgreSQL needs its driver; install it with: pip install 'longdoc[postgres]'") from error


def _set_up_sqlite(engine: Engine, begin: str) -> None:
    def on_connect(connection: SqliteConnection, _record: object) -> None:
        # The driver would begin transactions by itself, too late and never for reads: `on_begin` does it.
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")  # what is erased is not to be read in free pages
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
