"""Group commit: the one thread that writes.

Owns transactions of writes and the order they happen in; what is written is the repositories' business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from longdoc.storage.failures import storage_error

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Write:
    """A queued write: `run` does it and returns what tells the caller, to be called once it is on disk."""

    run: Callable[[Connection], Callable[[], None]]
    fail: Callable[[BaseException], None]


class GroupWriter:
    """Commits whatever is queued as one transaction, then the next; nobody hears of a write before it is on disk.

    Where a group fails it is rolled back and each write tried alone, so that a bad one fails by itself. Work
    may therefore run twice and must do nothing but use its connection. Thread-safe.
    """

    def __init__(self, engine: Engine, location: str) -> None:
        self._engine = engine
        self._location = location
        self._queue: deque[_Write] = deque()
        self._thread = ThreadPoolExecutor(1, "longdoc-writer")

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue a write; it will be done whether or not anybody waits for it.

        Failures of the database arrive as `StorageError`. Not to be used after `close`.
        """
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # from here on it cannot be cancelled

        def run(connection: Connection) -> Callable[[], None]:
            result = work(connection)
            return lambda: done.set_result(result)

        self._queue.append(_Write(run, done.set_exception))
        self._thread.submit(self._drain)
        return done

    def close(self) -> None:
        """Do what is queued and end the thread. Blocks; idempotent."""
        self._thread.shutdown(wait=True)

    def _drain(self) -> None:
        # One drain is queued per write; the first of them takes all, the others find nothing.
        group = [self._queue.popleft() for _ in range(len(self._queue))]
        if group:
            self._commit(group)

    def _commit(self, group: Sequence[_Write]) -> bool:
        """Do a group of writes; False where the database let nobody write, which says nothing about the writes."""
        begun = False
        try:
            with self._engine.begin() as connection:
                begun = True
                finished = [write.run(connection) for write in group]
        except BaseException as error:  # whatever it is, it belongs to the callers that wait for it
            self._failed(group, error, alone=not begun)
            return begun
        for tell in finished:
            tell()
        return True

    def _failed(self, group: Sequence[_Write], error: BaseException, *, alone: bool) -> None:
        if alone or len(group) == 1:
            for write in group:
                write.fail(self._translated(error))
            return
        for position, write in enumerate(group):
            if not self._commit([write]):
                self._failed(group[position + 1 :], error, alone=True)
                return

    def _translated(self, error: BaseException) -> BaseException:
        if not isinstance(error, SQLAlchemyError):
            return error
        translated = storage_error(error, self._location)
        translated.__cause__ = error
        return translated
