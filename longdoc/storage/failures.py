"""What went wrong with the database, in words that say what to do.

Owns the one translation from SQLAlchemy and its drivers to `StorageError`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from longdoc.errors import StorageError

_READ_ONLY = "cannot be written; make the file and its folder writable, or choose another with --database"
_LOCKED = "is locked by another program for too long; wait for it or end it, then run the same command again"
_FULL = "cannot grow: the disk is full; free some space, then run the same command again"
_DAMAGED = "is damaged; restore it from a copy, or move it away to start a new one"
_UNREACHABLE = "does not answer; start the server, or check host, port and network in the address"
_BROKEN_RULE = "refuses the change, because what it belongs to is not there (deleted meanwhile?)"

_SQLITE: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_AUTH: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; check that its folder exists and is writable",
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_NOTADB: "is not a database; choose another file with --database",
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_IOERR: "cannot be read or written: the disk reports an error or is full",
    sqlite3.SQLITE_TOOBIG: "cannot hold a text this large; use a PostgreSQL database",
    sqlite3.SQLITE_CONSTRAINT: _BROKEN_RULE,
}
"""By primary result code."""

_POSTGRES: Final[Mapping[str, str]] = {
    "08": _UNREACHABLE,
    "23": _BROKEN_RULE,
    "25006": "only takes reads; connect to the primary server",
    "28": "refuses this user; check name and password in the address",
    "3D": "does not exist; make it with createdb",
    "42501": "does not let this user do that; grant it the right to create and change tables",
    "53100": _FULL,
    "53200": "is out of memory; try again when the server has less to do",
    "53300": "has no connection left; close others, or raise max_connections",
    "55P03": _LOCKED,
    "57014": _LOCKED,
    "57P": _UNREACHABLE,
    "58": "cannot be read or written: the server's disk reports an error",
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
}
"""By SQLSTATE, or the beginning of one."""


def storage_error(error: SQLAlchemyError | sqlite3.Error, location: str) -> StorageError:
    """The `StorageError` for a failure of the database at `location`; raise it from the failure."""
    return StorageError(f"the database {location} {_what_happened(error)}")


def _what_happened(error: SQLAlchemyError | sqlite3.Error) -> str:
    if isinstance(error, sqlite3.Error):
        return _sqlite_sentence(error) or f"reports: {_first_line(error)}"
    if isinstance(error, PoolTimeoutError):
        return "is too busy: no connection came free; run fewer requests at once"
    if not isinstance(error, DBAPIError) or error.orig is None:
        return f"cannot be used: {error}"
    cause = error.orig
    known = _sqlite_sentence(cause) if isinstance(cause, sqlite3.Error) else _postgres_sentence(cause)
    return known or f"reports: {_first_line(cause)}"


def _sqlite_sentence(cause: sqlite3.Error) -> str | None:
    # Errors of the driver itself carry no code.
    code: int | None = getattr(cause, "sqlite_errorcode", None)
    return None if code is None else _SQLITE.get(code & 0xFF)


def _postgres_sentence(cause: BaseException) -> str | None:
    state: str | None = getattr(cause, "sqlstate", None)
    if state is not None:
        return next((_POSTGRES[state[:n]] for n in (5, 3, 2) if state[:n] in _POSTGRES), None)
    return _connection_sentence(str(cause)) if type(cause).__name__ in _CONNECTION_ERRORS else None


_CONNECTION_ERRORS = {"OperationalError", "ConnectionTimeout", "InterfaceError"}
"""What psycopg raises without a SQLSTATE when a connection is not made or breaks."""


def _connection_sentence(message: str) -> str:
    """A refused connection carries no SQLSTATE, only the server's words."""
    if "does not exist" in message:
        return f"cannot be used: {message.splitlines()[-1].rpartition('FATAL:')[2].strip()}"
    if "authentication failed" in message or "no password supplied" in message:
        return _POSTGRES["28"]
    return _UNREACHABLE


def _first_line(cause: BaseException) -> str:
    return next(iter(str(cause).splitlines()), type(cause).__name__)
