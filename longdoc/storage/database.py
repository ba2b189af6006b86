"""The database: opened, migrated, read from by a few threads and written to by one.

Owns threads and transactions; tables are `schema.py`, and what is read and written is the repositories'.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from longdoc.errors import StorageError
from longdoc.storage.failures import storage_error
from longdoc.storage.location import READERS, database_url, reading_engine, shown, writing_engine
from longdoc.storage.migrate import migrate
from longdoc.storage.writer import GroupWriter

T = TypeVar("T")

_PATIENCE_SECONDS = 2.0
"""How long a checkpoint that somebody waits for waits for readers, which no write begins behind."""
_SOON_SECONDS, _LONGEST_SECONDS = 1.0, 60.0
"""When a checkpoint behind others' backs is tried first, and how far apart at most."""
_SHORT_SECONDS = 0.2
"""How long such a one waits for readers."""


class Database:
    """An open database. Used from one event loop; other processes may use the same database."""

    def __init__(self, location: str, *, reading: Engine, writing: Engine) -> None:
        self._location = location
        self._engines = (reading, writing)
        self._reading = reading
        self._readers = ThreadPoolExecutor(READERS, "longdoc-reader")
        self._writer = GroupWriter(writing, location)
        self._closed = False
        self._erased = False
        self._erasing: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, location: str | Path) -> Database:
        """Open the SQLite file at a path, or a PostgreSQL database by its URL; made and migrated where needed.

        Raises `StorageError`.
        """
        return await asyncio.to_thread(cls._open, location)

    @classmethod
    def _open(cls, location: str | Path) -> Database:
        url = database_url(location)
        reading, writing = reading_engine(url), writing_engine(url)
        try:
            migrate(writing, shown(url))
        except BaseException:
            writing.dispose()
            raise
        return cls(shown(url), reading=reading, writing=writing)

    @property
    def location(self) -> str:
        """Where it is: the path of a file, or an address without its password."""
        return self._location

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a thread, in a transaction that is not kept.

        Raises `StorageError`, and what `work` raises.
        """
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in the writer's thread; when this returns, it is on disk.

        `work` must do nothing but use its connection: it may be run again, see `GroupWriter`. Cancelling
        the caller does not undo it. Raises `StorageError`, and what `work` raises.
        """
        return await self.enqueue(work)

    def enqueue(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Queue a write at once, without waiting for anything: as `write`, but in its place in line on return."""
        self._check_open()
        return asyncio.wrap_future(self._writer.submit(work))

    async def checkpoint(self) -> bool:
        """Let what was erased leave the log of a SQLite file too. False where somebody reads it at this moment: it is
        then tried again, later and later, as long as the database is open."""
        if await asyncio.to_thread(self._checkpoint, _PATIENCE_SECONDS):
            return True
        self.checkpoint_soon()
        return False

    def checkpoint_soon(self) -> None:
        """Have a checkpoint in a moment, without waiting for it: for many small erasures there is one."""
        self._erased = True
        if self._erasing is None or self._erasing.done():
            self._erasing = asyncio.create_task(self._keep_trying())

    async def _keep_trying(self) -> None:
        wait = _SOON_SECONDS
        while self._erased:
            await asyncio.sleep(wait)
            self._erased = False  # what is erased from here on may come behind this checkpoint
            if await asyncio.to_thread(self._checkpoint, _SHORT_SECONDS):
                wait = _SOON_SECONDS
            else:
                self._erased = True
                wait = min(2 * wait, _LONGEST_SECONDS)

    def _checkpoint(self, patience: float) -> bool:
        """Empty the log; False where it is in use for longer than so many seconds."""
        if self._reading.url.get_backend_name() != "sqlite" or self._reading.url.database is None:
            return True
        try:
            with closing(sqlite3.connect(self._reading.url.database, timeout=patience)) as connection:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError:
            return False
        return not busy

    async def aclose(self) -> None:
        """Do the writes that are queued and close all connections. Idempotent."""
        self._closed = True
        if self._erasing is not None:
            self._erasing.cancel()
            await asyncio.wait([self._erasing])
        await asyncio.to_thread(self._close)
        if self._erased or (self._erasing is not None and self._erasing.cancelled()):
            self._erased, self._erasing = False, None
            await asyncio.to_thread(self._checkpoint, _PATIENCE_SECONDS)

    def _close(self) -> None:
        self._writer.close()
        self._readers.shutdown(wait=True)
        for engine in self._engines:
            engine.dispose()

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError(f"the database {self._location} is closed")

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._reading.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise storage_error(error, self._location) from error
