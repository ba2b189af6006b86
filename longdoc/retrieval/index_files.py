"""The files derived from the rows of a collection: loaded, caught up with its last change, or built again.

Owns when a file may be used and how it is brought up to date; what is in a file is the business of the two kinds of
index, who may work in a folder `index_lock.py`'s. Nothing here is the truth: every file can be deleted at any time.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np

from longdoc.engines.embedder import Embedder
from longdoc.errors import IndexUnusableError
from longdoc.retrieval.index_file import IndexStamp, read_stamp
from longdoc.retrieval.index_rows import PARTS_KEY, WINDOWS_KEY, IndexRows
from longdoc.retrieval.index_tally import Tally
from longdoc.retrieval.lexical_index import LexicalIndex, LexicalWriter, lexical_identity
from longdoc.storage.collections import Member

if TYPE_CHECKING:
    from longdoc.retrieval.faiss_index import FaissIndex
    from longdoc.retrieval.vector_index import Ids

NUMBER_BITS: Final = 32
"""An id is the number of a member and, in its lower half, that of a window or part."""

_LEXICAL, _DENSE = "lexical.index", "dense.index"
_LEFTOVERS = ".*.new", ".*.part"
_WINDOWS, _PARTS = "windows", "parts"
_UNKNOWN = (0, 0)
_ADDED_AT_ONCE = 512
_Index = TypeVar("_Index")


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file lacks: the members to add and those to take out, and the number it is then at."""

    added: Sequence[Member]
    removed: Sequence[Member]
    watermark: int

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


class Contents:
    """Who is and was in a collection, and how their documents are cut: all that its indexes depend on."""

    def __init__(self, members: Sequence[Member], rows: IndexRows) -> None:
        self.members = tuple(members)
        self.rows = rows

    def changes_since(self, watermark: int) -> Changes:
        """What happened after a change, 0 for all of it."""
        last = max((max(member.number, member.removed or 0) for member in self.members), default=0)
        added = [member for member in self.members if member.number > watermark and member.removed is None]
        removed = [member for member in self.members if member.number <= watermark < (member.removed or 0)]
        return Changes(added, removed, last)

    async def digest(self, watermark: int) -> str:
        """What is equal for equal contents as they were after a change."""
        known = [
            (member.number, member.document_id, not 0 < (member.removed or 0) <= watermark)
            for member in self.members
            if member.number <= watermark
        ]
        layouts = await self.rows.layout_digests([document_id for _, document_id, there in known if there])
        digest = hashlib.sha256()
        for number, document_id, there in known:
            digest.update(repr((number, document_id, layouts.get(document_id) if there else there)).encode())
        return digest.hexdigest()


async def are_current(folder: Path, contents: Contents, embedder: Embedder | None) -> bool:
    """Whether the files in a folder lack nothing, by their stamps alone."""
    stamps = [await _stamp(folder / _LEXICAL, _lexical_identity(), contents)]
    if embedder is not None:
        stamps.append(await _stamp(folder / _DENSE, _dense_identity(embedder), contents))
    return all(stamp is not None and not contents.changes_since(stamp.watermark) for stamp in stamps)


def clear_leftovers(folder: Path) -> None:
    """Remove what was half written when somebody was killed; whoever asks is alone in the folder."""
    with suppress(OSError):
        for pattern in _LEFTOVERS:
            for leftover in folder.glob(pattern):
                leftover.unlink(missing_ok=True)


class LexicalFile:
    """The lexical index of a collection in a folder, as it was found there."""

    def __init__(self, folder: Path, contents: Contents, index: LexicalIndex | None) -> None:
        self._path = folder / _LEXICAL
        self._contents = contents
        self._index = index
        self.changes = contents.changes_since(0 if index is None else index.watermark)

    @classmethod
    async def find(cls, folder: Path, contents: Contents) -> LexicalFile:
        """Load the file. One that is missing, damaged, of another version or of other contents counts for nothing."""
        path, loaded = folder / _LEXICAL, None
        if await _stamp(path, _lexical_identity(), contents) is not None:
            loaded = await asyncio.to_thread(_usable, lambda: LexicalIndex.load(path, identity=WINDOWS_KEY))
        return cls(folder, contents, loaded)

    def expect(self, tally: Tally, estimates: Mapping[str, tuple[int, int]]) -> None:
        """Tell how many windows there are to add, about."""
        for member in self.changes.added:
            tally.expect(_WINDOWS, member.document_id, estimates.get(member.document_id, _UNKNOWN)[0])

    async def caught_up(self, tally: Tally) -> LexicalIndex:
        """The index with all changes in it, stored. Raises `StorageError`."""
        if self._index is not None and not self.changes:
            return self._index
        writer = await asyncio.to_thread(LexicalWriter, self._path, base=self._index)
        try:
            for member in self.changes.removed:
                await asyncio.to_thread(writer.remove, *_ids_of(member))
            for member in self.changes.added:
                await self._add(writer, member, tally)
            watermark = self.changes.watermark
            record = await self._contents.digest(watermark)
            await asyncio.to_thread(writer.save, identity=WINDOWS_KEY, watermark=watermark, record=record)
        finally:
            await asyncio.to_thread(writer.discard)
        self.close()
        return await asyncio.to_thread(LexicalIndex.load, self._path, identity=WINDOWS_KEY)

    def close(self) -> None:
        """Free the file that was found."""
        if self._index is not None:
            self._index.close()

    async def _add(self, writer: LexicalWriter, member: Member, tally: Tally) -> None:
        rows = self._contents.rows
        windows = (await rows.layout(member.document_id)).windows
        tally.expect(_WINDOWS, member.document_id, len(windows))
        text = await rows.text(member.document_id) if windows else ""
        first, _ = _ids_of(member)
        for start in range(0, len(windows), _ADDED_AT_ONCE):
            some = windows[start : start + _ADDED_AT_ONCE]
            texts = [text[window.start : window.end] for window in some]
            await asyncio.to_thread(writer.add, [first + window.index for window in some], texts)
            tally.add(len(some))


class DenseFile:
    """The vector index of a collection in a folder, as it was found there."""

    def __init__(self, folder: Path, contents: Contents, index: FaissIndex, embedder: Embedder) -> None:
        self._path = folder / _DENSE
        self._contents = contents
        self._index = index
        self._embedder = embedder
        self.changes = contents.changes_since(index.watermark)

    @property
    def embedder(self) -> Embedder:
        """What makes its vectors."""
        return self._embedder

    @classmethod
    async def find(cls, folder: Path, contents: Contents, embedder: Embedder) -> DenseFile:
        """Load the file, see `LexicalFile`; one of another embedder counts for nothing too.

        Raises `ConfigError` where FAISS is missing.
        """
        from longdoc.retrieval.faiss_index import FaissIndex

        path, identity, dimensions = folder / _DENSE, _dense_identity(embedder), embedder.info.dimensions
        index = None
        if await _stamp(path, identity, contents) is not None:
            index = await asyncio.to_thread(
                _usable, lambda: FaissIndex.load(path, identity=identity, dimensions=dimensions)
            )
        return cls(folder, contents, FaissIndex(dimensions, identity=identity) if index is None else index, embedder)

    def expect(self, tally: Tally, estimates: Mapping[str, tuple[int, int]]) -> None:
        """Tell how many parts there are to add, about."""
        for member in self.changes.added:
            tally.expect(_PARTS, member.document_id, estimates.get(member.document_id, _UNKNOWN)[1])

    async def caught_up(self, tally: Tally) -> FaissIndex:
        """The index with all changes in it, stored; what is not embedded yet is. Raises what the embedder raises,
        and then the file is as it was."""
        rows = self._contents.rows
        for member in self.changes.added:
            tally.expect(_PARTS, member.document_id, len((await rows.layout(member.document_id)).parts))
            await rows.embed(member.document_id, self._embedder, progress=tally.add)
        if not self.changes:
            return self._index
        for member in self.changes.removed:
            first, _ = _ids_of(member)
            parts = len((await rows.layout(member.document_id)).parts)
            await asyncio.to_thread(self._index.remove, np.arange(first, first + parts))
        for member in self.changes.added:
            await self._add(member)
        self._index.watermark = self.changes.watermark
        self._index.record = await self._contents.digest(self.changes.watermark)
        await asyncio.to_thread(self._index.save, self._path)
        return self._index

    async def _add(self, member: Member) -> None:
        first, _ = _ids_of(member)
        async for vectors in self._contents.rows.embeddings(member.document_id, self._embedder):
            ids: Ids = np.arange(first, first + len(vectors))
            await asyncio.to_thread(self._index.add, ids, vectors)
            first += len(vectors)


async def _stamp(path: Path, identity: str, contents: Contents) -> IndexStamp | None:
    """The stamp of a file that was made so, of contents which these were once; None where there is no such file."""
    stamp = await asyncio.to_thread(_usable, lambda: read_stamp(path))
    if stamp is None or stamp.identity != identity or stamp.record != await contents.digest(stamp.watermark):
        return None
    return stamp


def _lexical_identity() -> str:
    return lexical_identity(WINDOWS_KEY)


def _dense_identity(embedder: Embedder) -> str:
    return f"{embedder.info.identity}; {PARTS_KEY}"


def _usable(load: Callable[[], _Index]) -> _Index | None:
    try:
        return load()
    except IndexUnusableError:
        return None


def _ids_of(member: Member) -> tuple[int, int]:
    """The first id that windows or parts of a member may have, and the last."""
    first = member.number << NUMBER_BITS
    return first, first + (1 << NUMBER_BITS) - 1
