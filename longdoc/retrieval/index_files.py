"""The files derived from the rows of a collection: loaded, caught up with its last change, or built again.

Owns when a file may be used and how it is brought up to date; what is in a file is the business of the two kinds of
index. Nothing here is the truth: every file can be deleted at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import numpy as np

from longdoc.engines.embedder import Embedder
from longdoc.errors import IndexUnusableError
from longdoc.retrieval.index_rows import PARTS_KEY, WINDOWS_KEY, IndexRows
from longdoc.retrieval.lexical_index import LexicalIndex, LexicalWriter
from longdoc.storage.collections import Member

if TYPE_CHECKING:
    from longdoc.retrieval.faiss_index import FaissIndex
    from longdoc.retrieval.vector_index import Ids

Progress: TypeAlias = Callable[[int], None]
"""Told how many stretches of text more are in the index."""

NUMBER_BITS: Final = 32
"""An id is the number of a member and, in its lower half, that of a window or part."""

_LEXICAL, _DENSE = "lexical.index", "dense.index"
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


def changes_since(members: Sequence[Member], watermark: int) -> Changes:
    """What happened to a collection after a change, 0 for all of it."""
    last = max((max(member.number, member.removed or 0) for member in members), default=0)
    added = [member for member in members if member.number > watermark and member.removed is None]
    removed = [member for member in members if member.number <= watermark < (member.removed or 0)]
    return Changes(added, removed, last)


class LexicalFile:
    """The lexical index of a collection in a folder, as it was found there."""

    def __init__(self, folder: Path, members: Sequence[Member], index: LexicalIndex | None) -> None:
        self._path = folder / _LEXICAL
        self._index = index
        self.changes = changes_since(members, 0 if index is None else index.watermark)

    @classmethod
    async def find(cls, folder: Path, members: Sequence[Member]) -> LexicalFile:
        """Load the file. One that is missing, damaged, of another version or ahead of the record counts for nothing."""
        loaded = await asyncio.to_thread(_usable, lambda: LexicalIndex.load(folder / _LEXICAL, identity=WINDOWS_KEY))
        if loaded is not None and loaded.watermark > changes_since(members, 0).watermark:
            loaded.close()
            loaded = None
        return cls(folder, members, loaded)

    async def caught_up(self, rows: IndexRows, *, progress: Progress) -> LexicalIndex:
        """The index with all changes in it, stored. Raises `StorageError`."""
        if self._index is not None and not self.changes:
            return self._index
        writer = await asyncio.to_thread(LexicalWriter, self._path, base=self._index)
        try:
            for member in self.changes.removed:
                await asyncio.to_thread(writer.remove, *_ids_of(member))
            for member in self.changes.added:
                await self._add(writer, member, rows, progress)
            await asyncio.to_thread(writer.save, identity=WINDOWS_KEY, watermark=self.changes.watermark)
        finally:
            await asyncio.to_thread(writer.discard)
        self.close()
        return await asyncio.to_thread(LexicalIndex.load, self._path, identity=WINDOWS_KEY)

    def close(self) -> None:
        """Free the file that was found."""
        if self._index is not None:
            self._index.close()

    async def _add(self, writer: LexicalWriter, member: Member, rows: IndexRows, progress: Progress) -> None:
        windows = (await rows.layout(member.document_id)).windows
        text = await rows.text(member.document_id) if windows else ""
        first, _ = _ids_of(member)
        for start in range(0, len(windows), _ADDED_AT_ONCE):
            some = windows[start : start + _ADDED_AT_ONCE]
            texts = [text[window.start : window.end] for window in some]
            await asyncio.to_thread(writer.add, [first + window.index for window in some], texts)
            progress(len(some))


class DenseFile:
    """The vector index of a collection in a folder, as it was found there."""

    def __init__(self, folder: Path, members: Sequence[Member], index: FaissIndex, embedder: Embedder) -> None:
        self._path = folder / _DENSE
        self._index = index
        self._embedder = embedder
        self.changes = changes_since(members, index.watermark)

    @property
    def embedder(self) -> Embedder:
        """What makes its vectors."""
        return self._embedder

    @classmethod
    async def find(cls, folder: Path, members: Sequence[Member], embedder: Embedder) -> DenseFile:
        """Load the file, see `LexicalFile`; one of another embedder counts for nothing too.

        Raises `ConfigError` where FAISS is missing.
        """
        from longdoc.retrieval.faiss_index import FaissIndex

        identity, dimensions = f"{embedder.info.identity}; {PARTS_KEY}", embedder.info.dimensions
        path = folder / _DENSE
        index = await asyncio.to_thread(
            _usable, lambda: FaissIndex.load(path, identity=identity, dimensions=dimensions)
        )
        if index is None or index.watermark > changes_since(members, 0).watermark:
            index = FaissIndex(dimensions, identity=identity)
        return cls(folder, members, index, embedder)

    async def caught_up(self, rows: IndexRows, *, progress: Progress) -> FaissIndex:
        """The index with all changes in it, stored; what is not embedded yet is. Raises what the embedder raises."""
        for member in self.changes.added:
            await rows.embed(member.document_id, self._embedder, progress=progress)
        if not self.changes:
            return self._index
        for member in self.changes.removed:
            first, _ = _ids_of(member)
            parts = len((await rows.layout(member.document_id)).parts)
            await asyncio.to_thread(self._index.remove, np.arange(first, first + parts))
        for member in self.changes.added:
            await self._add(member, rows)
        self._index.watermark = self.changes.watermark
        await asyncio.to_thread(self._index.save, self._path)
        return self._index

    async def _add(self, member: Member, rows: IndexRows) -> None:
        first, _ = _ids_of(member)
        async for vectors in rows.embeddings(member.document_id, self._embedder):
            ids: Ids = np.arange(first, first + len(vectors))
            await asyncio.to_thread(self._index.add, ids, vectors)
            first += len(vectors)


def _usable(load: Callable[[], _Index]) -> _Index | None:
    try:
        return load()
    except IndexUnusableError:
        return None


def _ids_of(member: Member) -> tuple[int, int]:
    """The first id that windows or parts of a member may have, and the last."""
    first = member.number << NUMBER_BITS
    return first, first + (1 << NUMBER_BITS) - 1
