"""Windows found by their words: BM25 in a derived file, a SQLite database (FTS5) with the stamp of an index behind it.

A file never changes: `LexicalWriter` makes a new one that takes its place, so that searches under way, in this process
or another, go on in the old one. Owns the file; what a term is, is `terms.py`'s.
"""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from longdoc.errors import IndexUnusableError
from longdoc.retrieval.fts import TOKENIZER, most, phrase
from longdoc.retrieval.index_file import IndexStamp, unwritable, verify_index_file, verify_same, write_index_file
from longdoc.retrieval.terms import (
    Reference,
    index_terms,
    question_terms,
    reference_term,
    terms_identity,
)
from longdoc.retrieval.vector_index import Ids, Vectors

_LAYOUT = 1
"""Raised when the tables change, so that a file made before is not used."""

_TABLES = f"""
    CREATE VIRTUAL TABLE windows USING fts5(terms, tokenize="{TOKENIZER}");
    CREATE VIRTUAL TABLE vocabulary USING fts5vocab(windows, row);
    CREATE TABLE texts (id INTEGER PRIMARY KEY, digest INTEGER NOT NULL);
    CREATE INDEX texts_by_digest ON texts (digest, id);
"""
_CACHE = "PRAGMA cache_size = -32000"
_OPENED = "SELECT 1 FROM sqlite_master LIMIT 1"
"""SQLite opens a file when it first reads from it."""
_SEARCH = "SELECT rowid, -rank FROM windows WHERE windows MATCH ? ORDER BY rank, rowid LIMIT ?"
_COUNT = "SELECT count(*) FROM texts"
_HAVING = "SELECT count(*) FROM windows WHERE windows MATCH ?"
_HAS = "SELECT 1 FROM windows WHERE windows MATCH ? LIMIT 1"
_KNOWN = "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?"
_FIRST = "SELECT min(id) FROM texts WHERE digest = (SELECT digest FROM texts WHERE id = ?)"
_AFTER_BAR = "}"
"""The character after the bar that stands between a number and its name."""
_MOST_NAMES = 2000
_NEAR_SHARE, _NEAR_LEAST = 2, 8
"""How far apart the words of a quote may stand, for the number of its words: every other one may be left out of it."""
_KIND = "bm25"
_OPTIMIZED_FROM = 0.1
"""The share of windows that changed, from which on the whole index is worth writing anew: FTS5 merges smaller
changes by itself, a little at each of them."""


class LexicalIndex:
    """Texts under ids, found by BM25. Made by `load`. Every call blocks: run it in a thread.

    Safe for calls from several threads. `watermark` is how far in the record the index is.
    """

    def __init__(self, path: Path, stamp: IndexStamp) -> None:
        self._path = path
        self._stamp = stamp
        self._using = Lock()
        self._connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._connection.execute(_CACHE)
        self._connection.execute(_OPENED)

    @classmethod
    def load(cls, path: Path, *, identity: str) -> LexicalIndex:
        """Open what a `LexicalWriter` saved for the same identity.

        Raises `IndexUnusableError` where it is missing, damaged, or made otherwise.
        """
        stamp = verify_index_file(path, identity=lexical_identity(identity), dimensions=0)
        try:
            index = cls(path, stamp)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        try:
            verify_same(path, stamp)
        except IndexUnusableError:
            index.close()
            raise
        return index

    @property
    def watermark(self) -> int:
        """How far in the record it is."""
        return self._stamp.watermark

    @property
    def record(self) -> str:
        """A digest of what it knows of the record."""
        return self._stamp.record

    def __len__(self) -> int:
        with self._read() as connection:
            return connection.execute(_COUNT).fetchone()[0]

    def search(self, question: str, *, k: int) -> tuple[Ids, Vectors]:
        """The `k` best for a question, fewer where fewer have a word of it: ids and scores, the best first.

        A score is the share of the most that BM25 gives for this question: 1 would be a text of nothing but its words,
        rare ones counting more; those that no text has count too. A question of common words alone has low scores: it
        is measured by what one rare word would give. Equal scores are in the order of ids.
        Raises `IndexUnusableError` for a file that was damaged since.
        """
        asked = question_terms(question)
        with self._read() as connection:
            wanted = [phrase(term) for term in (*asked.terms, *_named(connection, asked.references))]
            ids, scores = _search(connection, wanted, k)
            return ids, scores / _most(connection, wanted) if len(ids) else scores

    def look_up(self, question: str, *, k: int) -> tuple[Ids, Vectors]:
        """The `k` best that have a reference of the question ("1 Samuel 3:4"), or what it quotes word for word.

        Where nothing has the words as they are quoted, what has all of them close together is meant. As `search`, but
        for scores: they are those of BM25.
        """
        asked = question_terms(question)
        with self._read() as connection:
            named = _named(connection, asked.references)
            wanted = [*map(phrase, named), *(_found(connection, quote) for quote in asked.quotes)]
            return _search(connection, list(filter(None, wanted)), k)

    def first_copies(self, ids: Sequence[int]) -> Mapping[int, int]:
        """By these ids, the lowest id with the same text; ids that are not there are left out."""
        with self._read() as connection:
            found = ((one, connection.execute(_FIRST, (one,)).fetchone()[0]) for one in ids)
            return {one: first for one, first in found if first is not None}

    def copy_to(self, path: Path) -> None:
        """Write the database alone, without the stamp."""
        shutil.copyfile(self._path, path)
        with path.open("r+b") as file:
            file.truncate(self._stamp.payload_bytes)

    def close(self) -> None:
        """Free the file. Idempotent."""
        with self._using:
            self._connection.close()

    @contextmanager
    def _read(self) -> Generator[sqlite3.Connection]:
        with self._using:
            try:
                yield self._connection
            except sqlite3.DatabaseError as error:
                raise _unusable(self._path, error) from error


class LexicalWriter:
    """A new file in the making, empty at first or as `base` is. Every call blocks, and waits for the one before it.

    Nothing is seen of it before `save`. One at a time may write for a path. Raises `StorageError` where it cannot.
    """

    def __init__(self, path: Path, *, base: LexicalIndex | None = None) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.new")
        self._using = Lock()
        self._changed = 0
        with self._writing():
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._part.unlink(missing_ok=True)
            try:
                self._connection = self._begun(base)
            except BaseException:
                self._part.unlink(missing_ok=True)
                raise

    def add(self, ids: Sequence[int], texts: Sequence[str]) -> None:
        """Add texts under ids that are not there yet."""
        with self._writing():
            rows = ((one, " ".join(index_terms(text))) for one, text in zip(ids, texts, strict=True))
            self._connection.executemany("INSERT INTO windows (rowid, terms) VALUES (?, ?)", rows)
            digests = zip(ids, map(_digest, texts), strict=True)
            self._connection.executemany("INSERT INTO texts (id, digest) VALUES (?, ?)", digests)
            self._changed += len(ids)

    def remove(self, first: int, last: int) -> None:
        """Remove the ids from `first` to `last`, both included, where they are there."""
        with self._writing():
            self._connection.execute("DELETE FROM windows WHERE rowid BETWEEN ? AND ?", (first, last))
            removed = self._connection.execute("DELETE FROM texts WHERE id BETWEEN ? AND ?", (first, last))
            self._changed += removed.rowcount

    def save(self, *, identity: str, watermark: int, record: str = "") -> None:
        """Put the file in its place in one step. Nothing can be added after that."""
        with self._writing():
            if self._changed > _OPTIMIZED_FROM * self._connection.execute(_COUNT).fetchone()[0]:
                self._connection.execute("INSERT INTO windows (windows) VALUES ('optimize')")
            self._connection.execute("COMMIT")
            self._connection.close()
            stamp = IndexStamp(
                identity=lexical_identity(identity), dimensions=0, watermark=watermark, kind=_KIND, record=record
            )
            write_index_file(self._path, stamp, lambda part: _move(self._part, part))

    def discard(self) -> None:
        """Leave things as they were. Harmless after `save`."""
        with self._writing():
            self._connection.close()
            self._part.unlink(missing_ok=True)

    def _begun(self, base: LexicalIndex | None) -> sqlite3.Connection:
        """The new file, in a transaction."""
        if base is not None:
            base.copy_to(self._part)
        connection = sqlite3.connect(self._part, isolation_level=None, check_same_thread=False)
        try:
            connection.executescript(f"{_CACHE}; PRAGMA journal_mode = off; PRAGMA synchronous = off")
            if base is None:
                connection.executescript(_TABLES)
            connection.execute("BEGIN")
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _writing(self) -> Generator[None]:
        try:
            with self._using:
                yield
        except (sqlite3.Error, OSError) as error:
            raise unwritable(self._path, str(error)) from error


def lexical_identity(identity: str) -> str:
    """The identity in the stamp of a lexical index of texts that were cut in such a way."""
    return f"lexical:{_LAYOUT}; {terms_identity()}; {identity}"


def _search(connection: sqlite3.Connection, wanted: Sequence[str], k: int) -> tuple[Ids, Vectors]:
    """The best of what has any of these, which are in the language of FTS5."""
    rows: list[tuple[int, float]] = []
    if wanted and k > 0:
        with closing(connection.execute(_SEARCH, (" OR ".join(wanted), k))) as cursor:
            rows = cursor.fetchall()
    return np.array([row[0] for row in rows], np.int64), np.array([row[1] for row in rows], np.float32)


def _most(connection: sqlite3.Connection, wanted: Sequence[str]) -> float:
    """The least upper bound of the BM25 of a text for these, and no less than for one word that one text has."""
    total: int = connection.execute(_COUNT).fetchone()[0]
    return most((connection.execute(_HAVING, (one,)).fetchone()[0] for one in wanted), total)


def _found(connection: sqlite3.Connection, quote: Sequence[str]) -> str | None:
    """What finds a quote: its terms one after the other, else all of them near each other; None where nothing does."""
    distance = _NEAR_SHARE * len(quote) + _NEAR_LEAST
    near = " ".join(phrase(term) for term in dict.fromkeys(quote))
    ways = (phrase(*quote), f"NEAR({near}, {distance})")
    return next((way for way in ways if connection.execute(_HAS, (way,)).fetchone() is not None), None)


def _named(connection: sqlite3.Connection, references: Sequence[Reference]) -> list[str]:
    """The terms in the index that mean these references."""
    terms: list[str] = []
    for reference in references:
        first = reference_term(reference.number)
        after = first[:-1] + _AFTER_BAR
        known = [row[0][len(first) :] for row in connection.execute(_KNOWN, (first, after, _MOST_NAMES))]
        terms.extend(reference_term(reference.number, name) for name in reference.spellings(known))
    return terms


def _digest(text: str) -> int:
    """What equal texts have in common, whatever the space between their words."""
    words = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big", signed=True)


def _move(source: Path, target: Path) -> None:
    source.replace(target)


def _unusable(path: Path, error: sqlite3.Error) -> IndexUnusableError:
    return IndexUnusableError(str(path), f"is damaged ({error})")
