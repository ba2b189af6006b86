"""Texts that come one by one, found by their words: BM25 in a SQLite file (FTS5) that is written where it lies.

Beside `lexical_index.py`, whose files never change and hold long documents: here a text is added in a millisecond, by
several processes, and a search takes about as long however many texts there are. Derived: what is damaged or of another
kind is thrown away, and its owner adds everything once more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from threading import Lock

import numpy as np
from filelock import FileLock

from longdoc.errors import IndexUnusableError, StorageError
from longdoc.retrieval.fts import TOKENIZER, most, phrase
from longdoc.retrieval.index_file import unwritable
from longdoc.retrieval.terms import index_terms, question_terms, terms_identity
from longdoc.retrieval.vector_index import Ids, Vectors

_LAYOUT = 1
"""Raised when the tables change, so that a file made before is not used."""
_TABLES = f"""
    CREATE TABLE about (identity TEXT NOT NULL, watermark INTEGER NOT NULL, size INTEGER NOT NULL);
    CREATE VIRTUAL TABLE words USING fts5(terms, tokenize="{TOKENIZER}");
"""
_SETTINGS = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
_LOCK_SECONDS = 60.0
_DAMAGE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""The latter where SQLite quotes what is no text any more."""
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY})
_CHECKED_BYTES = 16 * 1024 * 1024
"""Larger files are not looked through when they are opened."""
_SEARCH = "SELECT rowid, -rank FROM words WHERE words MATCH ? ORDER BY rank, rowid LIMIT ?"
_HAVING = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT ?)"
_SECURE = "INSERT INTO words (words, rank) VALUES ('secure-delete', 1)"
_OPTIMIZE = "INSERT INTO words (words) VALUES ('optimize')"
_THERE = "SELECT 1 FROM words WHERE rowid = ?"
_MOST_SCORED = 3000
"""So many texts are scored at most, those with the rarest words of a question: a word that more texts have tells little
of any, and to score them all would take as long as there are texts."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """A text under its id as a change left it; None: it is gone."""

    change: int
    id: int
    text: str | None


class WordIndex:
    """Texts under ids, and how far in the record they are. Every call blocks: run it in a thread.

    Safe for calls from several threads; several processes may have the same file open. Raises `StorageError` where it
    cannot be written, `IndexUnusableError` where it was damaged since it was opened.
    """

    def __init__(self, path: Path, *, identity: str) -> None:
        self._path = path
        self._identity = f"words:{_LAYOUT}; {terms_identity()}; {identity}"
        self._using = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(f".{path.name}.lock")):  # what another process makes is not what it will be
                self._connection = self._opened()
            self._scrubs = _scrubs(self._connection)
        except (sqlite3.Error, OSError) as error:
            raise unwritable(path, str(error)) from error

    @property
    def watermark(self) -> int:
        """The number of the last change that is in it, whoever brought it there."""
        return self._about()[0]

    def __len__(self) -> int:
        return self._about()[1]

    def apply(self, changes: Sequence[TextChange]) -> None:
        """Take changes in, in their order; those that another process took in meanwhile count once."""
        with self._using:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    erased = self._apply(changes)
                except BaseException:
                    self._connection.execute("ROLLBACK")
                    raise
                self._connection.execute("COMMIT")
                if erased:  # from the log of the file too, as far as nobody reads it at this moment
                    self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except _DAMAGE as error:
                raise self._failure(error) from error

    def search(self, question: str, *, k: int) -> tuple[Ids, Vectors]:
        """The `k` best for a question, fewer where fewer have a word of it: ids and scores, the best first.

        A score is the share of the most that BM25 gives for this question, as `LexicalIndex.search` has it. Where the
        words of a question are in very many texts, those with its rarest words alone are scored.
        """
        wanted = [phrase(term) for term in question_terms(question).terms]
        with self._using:
            try:
                return self._search(wanted, k)
            except _DAMAGE as error:
                raise self._failure(error) from error

    def close(self) -> None:
        """Free the file. Idempotent."""
        with self._using:
            self._connection.close()

    def _opened(self) -> sqlite3.Connection:
        """The file as it is, or a new one in its place where it is damaged or of another kind."""
        connection = _connect(self._path)
        with suppress(*_DAMAGE):
            if self._usable(connection):
                return connection
        connection.close()
        for leftover in (self._path, *(Path(f"{self._path}{end}") for end in ("-wal", "-shm"))):
            leftover.unlink(missing_ok=True)
        connection = _connect(self._path)
        connection.executescript(f"{_SETTINGS} BEGIN IMMEDIATE; {_TABLES}")
        connection.execute("INSERT INTO about VALUES (?, 0, 0)", (self._identity,))
        connection.execute("COMMIT")
        return connection

    def _usable(self, connection: sqlite3.Connection) -> bool:
        connection.executescript(_SETTINGS)
        row = connection.execute("SELECT identity FROM about").fetchone()
        if row != (self._identity,):
            return False
        if self._path.stat().st_size > _CHECKED_BYTES:
            return True
        whole = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        _in_transaction(connection, "INSERT INTO words (words) VALUES ('integrity-check')")
        return whole

    def _about(self) -> tuple[int, int]:
        with self._using:
            try:
                return self._connection.execute("SELECT watermark, size FROM about").fetchone()
            except _DAMAGE as error:
                raise self._failure(error) from error

    def _apply(self, changes: Sequence[TextChange]) -> bool:
        """Whether anything was taken out."""
        watermark, size = self._connection.execute("SELECT watermark, size FROM about").fetchone()
        deleted = False
        for change in changes:
            if change.change <= watermark:
                continue
            watermark = change.change
            if self._connection.execute(_THERE, (change.id,)).fetchone():
                self._connection.execute("DELETE FROM words WHERE rowid = ?", (change.id,))
                size -= 1
                deleted = True
            if change.text is not None:
                terms = " ".join(index_terms(change.text))
                self._connection.execute("INSERT INTO words (rowid, terms) VALUES (?, ?)", (change.id, terms))
                size += 1
        if deleted and not self._scrubs:  # what was deleted is still there, to be left out when it is merged
            self._connection.execute(_OPTIMIZE)
        self._connection.execute("UPDATE about SET watermark = ?, size = ?", (watermark, size))
        return deleted

    def _search(self, wanted: Sequence[str], k: int) -> tuple[Ids, Vectors]:
        total = self._connection.execute("SELECT size FROM about").fetchone()[0]
        having = {one: self._connection.execute(_HAVING, (one, _MOST_SCORED + 1)).fetchone()[0] for one in wanted}
        rarest = sorted((one for one in wanted if having[one]), key=having.__getitem__)
        scored = accumulate(having[one] for one in rarest)
        taken = [one for one, sum_so_far in zip(rarest, scored, strict=True) if sum_so_far <= _MOST_SCORED]
        if not taken or k <= 0:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        rows = self._connection.execute(_SEARCH, (" OR ".join(taken), k)).fetchall()
        bound = most(having.values(), total)
        ids, scores = zip(*rows, strict=True)
        return np.array(ids, np.int64), np.array(scores, np.float32) / bound

    def _failure(self, error: Exception) -> StorageError:
        """Damage is told apart from what passes: a full disk, a lock held for long."""
        code: int | None = getattr(error, "sqlite_errorcode", None)  # a closed connection has none
        if code is not None and code & 0xFF in _PASSING:
            return unwritable(self._path, str(error))
        return IndexUnusableError(str(self._path), f"cannot be used ({error})")


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None, check_same_thread=False)


def _scrubs(connection: sqlite3.Connection) -> bool:
    """Let what is deleted leave the file at once; False where SQLite (before 3.42) cannot."""
    try:
        _in_transaction(connection, _SECURE)
    except sqlite3.OperationalError:
        return False
    return True


def _in_transaction(connection: sqlite3.Connection, command: str) -> None:
    """Give FTS5 a command. By itself one leaves a reader open, and with it a view of the file as it was, from which a
    connection cannot go on to write once another one has written."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(command)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
