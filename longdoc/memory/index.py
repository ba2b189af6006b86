"""The memories of one namespace, found by their words and by their meaning.

Derived from the rows and caught up with them before every search, so that what another process stored a moment ago is
found. Rows are the truth: every file here can be deleted at any time. Owns which change of the record is in which file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError, IndexUnusableError, LdaError, NotFoundError
from longdoc.memory.pieces import pieces
from longdoc.retrieval.word_index import TextChange, WordIndex
from longdoc.storage.memories import Memories
from longdoc.storage.memory_derived import MemoryVectors
from longdoc.storage.memory_types import Memory, MemoryFilter, Namespace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from longdoc.retrieval.faiss_index import FaissIndex

    Vectors: TypeAlias = NDArray[np.float32]

Lost: TypeAlias = Callable[[LdaError], None]
"""Told why there is no search by meaning, though there is an embedder."""
Progress: TypeAlias = Callable[[int, int], None]
"""Told how many changes of how many are in the index."""

_PIECE_BITS: Final = 8
_DEPTH = 100
"""How far down rankings are fused, at least."""
_MORE = 4
"""How many times more are asked for where too many were pieces of one memory, or are not meant."""
_DEEPEST = 10_000
"""How far down rankings are looked at for memories that are meant."""
_AT_ONCE = 1000
_EMBEDDED_AT_ONCE = 64
_BEFORE_SEARCH = 64
"""So many changes a search takes in before it looks."""
_SAVED_AFTER = 2000
"""So many changes are read from the rows when an index is opened, rather than writing its file anew."""
_WORDS = "words.db"
VECTORS_FILE: Final = "vectors.index"
_OPEN_BYTES = 4 * 1024 * 1024
"""What an open index takes beside its vectors, about."""


@dataclass(frozen=True, slots=True)
class Found:
    """A memory by its number, how well it fits, and the scores of the rankings it stands in."""

    number: int
    score: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MemoryRows:
    """The rows of a namespace: what its index is derived from."""

    namespace: Namespace
    memories: Memories
    vectors: MemoryVectors


class MemoryIndex:
    """Finds memories of one namespace, made by `open`. Without an embedder it searches by words alone.

    Safe for concurrent calls on one event loop; other processes may have the same namespace open.
    """

    def __init__(self, folder: Path, rows: MemoryRows, words: WordIndex, dense: _Dense | None, lost: Lost) -> None:
        self._folder = folder
        self._namespace = rows.namespace
        self._memories = rows.memories
        self._words = words
        self._dense = dense
        self._lost = lost
        self._catching_up = asyncio.Lock()

    @classmethod
    async def open(cls, folder: Path, rows: MemoryRows, embedder: Embedder | None, *, lost: Lost) -> MemoryIndex:
        """Open what lies in a folder, or begin anew. `lost` is told where the embedder fails, now or later.

        Raises `StorageError`.
        """
        words = await asyncio.to_thread(WordIndex, folder / _WORDS, identity=_identity(rows.namespace))
        dense = None
        if embedder is not None:
            try:
                dense = await _Dense.open(folder / VECTORS_FILE, rows, embedder)
            except (ConfigError, EngineError) as error:
                lost(error)
        return cls(folder, rows, words, dense, lost)

    @property
    def memory_bytes(self) -> int:
        """About what it takes in memory."""
        return _OPEN_BYTES + (0 if self._dense is None else self._dense.index.memory_bytes)

    async def catch_up(self, *, progress: Progress = lambda done, total: None, most: int | None = None) -> None:
        """Take in what changed since; vectors that were never made are made and stored. Raises `StorageError`.

        With `most` only so many changes, of words and of vectors each: the rest is left to who has the time.
        """
        last = await self._memories.last_change(self._namespace.id)
        await self._catch_up_words(last, most)
        if self._dense is not None:
            try:
                await self._catch_up_dense(self._dense, last, progress, most)
            except (ConfigError, EngineError) as error:
                self._lost(error)

    async def search(
        self, question: str, *, k: int, before: int | None = None, meant: MemoryFilter | None = None
    ) -> list[Found]:
        """The `k` best memories for a question, the best first, equal ones the later first.

        With `before` those with a smaller number, with `meant` those that are meant. The score is the mean of cosine
        and BM25 share (see `retrieval.hits.fuse`). Of very many changes that are not in the index yet, some are
        taken in first, and the others found when they are. Raises `StorageError`.
        """
        await self.catch_up(most=_BEFORE_SEARCH)
        vector = await self._vector(question)
        asked = max(k, _DEPTH)
        meant = None if meant is None or meant.everything else meant
        while True:
            fused = await self._fused(question, vector, asked)
            taken = await self._taken(fused, before, meant)
            if len(taken) >= k or len(fused) < asked:
                return taken[:k]
            if asked > _DEEPEST:
                return taken[:k]
            asked *= _MORE

    async def aclose(self) -> None:
        """Write what is worth it, and free all. Idempotent."""
        async with self._catching_up:
            if self._dense is not None:
                with suppress(NotFoundError):  # the namespace was deleted: nothing of it is written
                    if await self._memories.last_change(self._namespace.id) == self._dense.index.watermark:
                        await self._dense.save()  # else it may hold what was erased since
                self._dense = None
            await asyncio.to_thread(self._words.close)

    async def _vector(self, question: str) -> Vectors | None:
        """The question's vector; None where there is no search by meaning, or nothing to search with."""
        if self._dense is None:
            return None
        try:
            return await self._dense.vector(question)
        except (ConfigError, EngineError) as error:
            self._lost(error)
            return None

    async def _fused(self, question: str, vector: Vectors | None, depth: int) -> list[Found]:
        words, meaning = await asyncio.gather(self._by_words(question, depth), self._by_meaning(vector, depth))
        found = {"lexical": words, "dense": meaning}
        rankings = {name: ranking for name, ranking in found.items() if ranking}
        floors = {name: min(one.values()) if len(one) >= depth else 0.0 for name, one in rankings.items()}
        fused: list[Found] = []
        for number in {number for ranking in rankings.values() for number in ranking}:
            scores = {name: ranking[number] for name, ranking in rankings.items() if number in ranking}
            fused.append(Found(number, fmean((floors | scores).values()), scores))
        return sorted(fused, key=lambda one: (-one.score, -one.number))

    async def _by_words(self, question: str, depth: int) -> Mapping[int, float]:
        words = self._words
        try:
            ids, scores = await asyncio.to_thread(words.search, question, k=depth)
        except IndexUnusableError:
            async with self._catching_up:
                if self._words is words:
                    await self._renew_words()
            last = await self._memories.last_change(self._namespace.id)
            await self._catch_up_words(last, _BEFORE_SEARCH)
            ids, scores = await asyncio.to_thread(self._words.search, question, k=depth)
        return dict(zip(ids.tolist(), scores.tolist(), strict=True))

    async def _by_meaning(self, vector: Vectors | None, depth: int) -> Mapping[int, float]:
        return {} if self._dense is None or vector is None else await self._dense.search(vector, depth)

    async def _taken(self, fused: Sequence[Found], before: int | None, meant: MemoryFilter | None) -> list[Found]:
        earlier = [one for one in fused if before is None or one.number < before]
        if meant is None:
            return earlier
        rows = {
            one.number: one for one in await self._memories.get(self._namespace.id, [one.number for one in earlier])
        }
        return [one for one in earlier if one.number in rows and meant.takes(rows[one.number])]

    async def _catch_up_words(self, last: int, most: int | None) -> None:
        """Take in changes up to the one that was the last a moment ago, and any since."""
        done = 0
        while most is None or done < most:
            async with self._catching_up:
                try:
                    added = await self._add_words(last)
                except IndexUnusableError:
                    await self._renew_words()
                    added = await self._add_words(last)
            if added < _AT_ONCE:
                return
            done += added

    async def _add_words(self, last: int) -> int:
        """Take in the next changes; how many."""
        watermark = await asyncio.to_thread(lambda: self._words.watermark)
        if watermark == last:
            return 0
        if watermark > last and watermark > await self._memories.last_change(self._namespace.id):
            await self._renew_words()  # it is of another record, or of a later state of this one
            watermark = 0
        rows = await self._memories.changed(self._namespace.id, after=watermark, count=_AT_ONCE)
        if rows:
            changes = [TextChange(one.change, one.number, one.text if one.status.remembered else None) for one in rows]
            await asyncio.to_thread(self._words.apply, changes)
        return len(rows)

    async def _renew_words(self) -> None:
        await asyncio.to_thread(self._words.close)
        path = self._folder / _WORDS
        await asyncio.to_thread(path.unlink, missing_ok=True)
        self._words = await asyncio.to_thread(WordIndex, path, identity=_identity(self._namespace))

    async def _catch_up_dense(self, dense: _Dense, last: int, progress: Progress, most: int | None) -> None:
        """Few at a time, so that a search waits for a few only."""
        async with self._catching_up:
            if dense.index.watermark > last:
                last = await self._memories.last_change(self._namespace.id)
                if dense.index.watermark > last:
                    dense.renew()
        first, done = dense.index.watermark, 0
        if first == last:
            return
        while most is None or done < most:
            async with self._catching_up:
                rows = await self._memories.changed(
                    self._namespace.id, after=dense.index.watermark, count=_EMBEDDED_AT_ONCE
                )
                if not rows or self._dense is not dense:
                    return
                await dense.add(rows)
            done += len(rows)
            progress(dense.index.watermark - first, max(last, dense.index.watermark) - first)
            if len(rows) < _EMBEDDED_AT_ONCE:
                return


class _Dense:
    """Vectors of pieces in memory, and the file they are written to when many are new."""

    def __init__(self, path: Path, rows: MemoryRows, embedder: Embedder, index: FaissIndex) -> None:
        self._path = path
        self._namespace = rows.namespace
        self._vectors = rows.vectors
        self._embedder = embedder
        self._saved = index.watermark
        self._erased = False
        self.index = index

    @classmethod
    async def open(cls, path: Path, rows: MemoryRows, embedder: Embedder) -> _Dense:
        """The vectors in a file, or none yet. Raises `ConfigError` where FAISS is missing."""
        index = None
        with suppress(IndexUnusableError):
            index = await asyncio.to_thread(_loaded, path, rows.namespace, embedder)
        return cls(path, rows, embedder, index or _new(rows.namespace, embedder))

    def renew(self) -> None:
        """Begin anew."""
        self.index = _new(self._namespace, self._embedder)
        self._saved = 0

    async def add(self, rows: Sequence[Memory]) -> None:
        """Take in memories as they are now, in the order of their changes."""
        there = [one for one in rows if one.status.remembered]
        vectors = await self._vectors_of(there)
        await asyncio.to_thread(self._add, rows, [one.number for one in there], vectors)

    async def vector(self, question: str) -> Vectors | None:
        """The question's vector, shape (1, dimensions); None where it says nothing to the embedder. Raises what that
        raises."""
        vector = await self._embedder.embed([question])
        return vector if vector.any() else None

    async def search(self, vector: Vectors, k: int) -> Mapping[int, float]:
        """The nearest memories, by the nearest of their pieces."""
        asked = k
        while True:
            scores, ids = await asyncio.to_thread(self.index.search, vector, k=min(asked, max(1, len(self.index))))
            best: dict[int, float] = {}
            for one, score in zip(ids[0].tolist(), scores[0].tolist(), strict=True):
                if one >= 0 and len(best) < k:
                    best.setdefault(one >> _PIECE_BITS, score)
            if len(best) >= k or asked >= len(self.index):
                return best
            asked *= _MORE

    async def save(self) -> None:
        """Write the file where many changes are not in it, or something is in it that was changed or erased since."""
        if self.index.watermark - self._saved < _SAVED_AFTER and not (self._erased and self._path.exists()):
            return
        await asyncio.to_thread(self.index.save, self._path)
        self._saved = self.index.watermark

    async def _vectors_of(self, rows: Sequence[Memory]) -> dict[int, Vectors]:
        identity = self._embedder.info.identity
        found = await self._vectors.load(self._namespace.id, identity, [one.number for one in rows])
        missing = [one for one in rows if one.number not in found]
        cut = [pieces(one.text) for one in missing]
        flat = [piece for some in cut for piece in some]
        if not flat:
            return found
        # As they are stored, so that it makes no difference to a search who made them and when.
        made = (await self._embedder.embed(flat)).astype(np.float16).astype(np.float32)
        start = 0
        new: dict[int, Vectors] = {}
        for memory, some in zip(missing, cut, strict=True):
            new[memory.number] = made[start : start + len(some)]
            start += len(some)
        changes = {one.number: one.change for one in missing}
        await self._vectors.save(self._namespace.id, identity, new, changes=changes)
        return found | new

    def _add(self, rows: Sequence[Memory], numbers: Sequence[int], vectors: Mapping[int, Vectors]) -> None:
        highest = int(self.index.record or 0)
        stale = [
            np.arange(one.number << _PIECE_BITS, (one.number + 1) << _PIECE_BITS)
            for one in rows
            if one.number <= highest
        ]
        if stale:
            self._erased = True
            self.index.remove(np.concatenate(stale))
        if numbers:
            ids = [np.arange(len(vectors[one]), dtype=np.int64) + (one << _PIECE_BITS) for one in numbers]
            every = np.concatenate([vectors[one] for one in numbers])
            like_something = every.any(axis=1)  # others would be found before what is unlike the question
            self.index.add(np.concatenate(ids)[like_something], every[like_something])
        self.index.watermark = rows[-1].change
        self.index.record = str(max([highest, *numbers]))


def _identity(namespace: Namespace) -> str:
    """What a file is of: numbers of namespaces are never used twice in a record, but there are other records."""
    return f"namespace {namespace.id} of {namespace.created_at.isoformat()}"


def _dense_identity(namespace: Namespace, embedder: Embedder) -> str:
    return f"{_identity(namespace)}; {embedder.info.identity}"


def _loaded(path: Path, namespace: Namespace, embedder: Embedder) -> FaissIndex:
    from longdoc.retrieval.faiss_index import FaissIndex

    return FaissIndex.load(path, identity=_dense_identity(namespace, embedder), dimensions=embedder.info.dimensions)


def _new(namespace: Namespace, embedder: Embedder) -> FaissIndex:
    from longdoc.retrieval.faiss_index import FaissIndex

    return FaissIndex(embedder.info.dimensions, identity=_dense_identity(namespace, embedder))
