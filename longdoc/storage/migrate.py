"""Bringing a database to the schema of this program when it is opened.

Owns the check, the lock and the call of Alembic; the steps are in `migrations/`. Alembic is loaded only where there
is something to do.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from longdoc.errors import StorageError
from longdoc.storage.failures import storage_error
from longdoc.storage.schema import HEAD, VERSION_TABLE

MIGRATIONS: Final = Path(__file__).parent / "migrations"

_ADVISORY_LOCK = 0x6C6F6E67646F63  # "longdoc"
_WAL_PATIENCE_SECONDS = 30.0
_WAL_PAUSE_SECONDS = 0.05


def migrate(engine: Engine, location: str) -> None:
    """Make or update the tables; several processes may do it at once. Quick where nothing is to be done.

    Raises `StorageError`: also where the schema is newer than this program, and where a file is another program's.
    """
    try:
        _make_folder(engine)
        with engine.connect() as connection:
            current = _version(connection)
        if current != HEAD:
            _migrate(engine, location)
    except SQLAlchemyError as error:
        raise storage_error(error, location) from error
    except OSError as error:
        raise StorageError(f"the folder of the database {location} cannot be made: {error.strerror}") from error


def _make_folder(engine: Engine) -> None:
    if engine.dialect.name == "sqlite" and engine.url.database:
        Path(engine.url.database).parent.mkdir(parents=True, exist_ok=True)


def _version(connection: Connection) -> str | None:
    """The migration a database is at, None where it has none of our tables."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 our own name


def _migrate(engine: Engine, location: str) -> None:
    if engine.dialect.name == "sqlite":
        _refuse_foreign_file(engine, location)
        switch_to_wal(engine, location)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        # Another process may have been faster while this one waited for the lock.
        current = _version(connection)
        if current != HEAD:
            _upgrade(connection, current, location)


def _refuse_foreign_file(engine: Engine, location: str) -> None:
    with engine.begin() as connection:
        if inspect(connection).get_table_names() and _version(connection) is None:
            raise StorageError(
                f"the database {location} belongs to another program; choose another file with --database"
            )


def switch_to_wal(engine: Engine, location: str) -> None:
    """Let readers and the writer work at the same time, for good: the file remembers it.

    SQLite does not wait for another process that is switching, so this does.
    """
    deadline = time.monotonic() + _WAL_PATIENCE_SECONDS
    while True:
        try:
            with engine.connect() as connection:
                # By the driver, in no transaction: its errors are its own, which SQLAlchemy does not wrap.
                connection.connection.cursor().execute("PRAGMA journal_mode = WAL")
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise storage_error(error, location) from error
            time.sleep(_WAL_PAUSE_SECONDS)


def _upgrade(connection: Connection, current: str | None, location: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        if current is not None:
            ScriptDirectory.from_config(config).get_revision(current)
    except CommandError as error:
        raise StorageError(
            f"the database {location} was made by a newer longdoc (schema {current}, this one knows {HEAD}); "
            "upgrade longdoc with: pip install --upgrade longdoc"
        ) from error
    command.upgrade(config, "head")
