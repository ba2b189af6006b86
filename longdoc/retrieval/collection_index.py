"""Searching a collection of documents: by words, by meaning, and by both together.

Owns how what the two indexes find becomes hits; their files are `index_files.py`'s, what they are made from
`index_rows.py`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from filelock import FileLock, Timeout

from longdoc.engines.embedder import Embedder
from longdoc.errors import StorageError
from longdoc.retrieval.hits import Hit, fuse
from longdoc.retrieval.index_files import NUMBER_BITS, DenseFile, LexicalFile
from longdoc.retrieval.index_rows import IndexRows
from longdoc.retrieval.lexical_index import LexicalIndex
from longdoc.storage.collections import Member

if TYPE_CHECKING:
    from longdoc.retrieval.vector_index import Ids, VectorIndex, Vectors

    Found: TypeAlias = tuple[Ids, Vectors]
    Search: TypeAlias = Callable[[int], Awaitable[Found]]

LEXICAL: Final = "lexical"
DENSE: Final = "dense"
EXACT: Final = "exact"
"""The names of rankings, as `Hit.ranks` has them. The last is of what has a reference of the question, such as
"1 Samuel 3:4", or what it quotes; for most questions nothing has."""

_DEPTH = 100
"""How far down rankings are fused, at least."""
_FEW = 3
"""So few windows that have exactly what was asked for are what is looked for, whatever else is alike."""
_MORE = 4
"""How many times more are asked for where too many were copies, or parts of one window."""
_LOCK_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class DenseSearch:
    """Vectors of parts, and the embedder that made them."""

    index: VectorIndex
    embedder: Embedder


class CollectionIndex:
    """A `Searcher` of the documents of a collection, made by `open`. Windows with the same text are found as the first.

    Without an embedder it searches by words alone. Close it when it is not needed any more.
    """

    def __init__(
        self, members: Sequence[Member], rows: IndexRows, *, lexical: LexicalIndex, dense: DenseSearch | None
    ) -> None:
        self._documents = {member.number: member.document_id for member in members if member.removed is None}
        self._rows = rows
        self._lexical = lexical
        self._dense = dense

    @classmethod
    async def open(
        cls,
        folder: Path,
        members: Sequence[Member],
        rows: IndexRows,
        embedder: Embedder | None,
        *,
        progress: Callable[[int, int], None] = lambda done, total: None,
        waiting: Callable[[], None] = lambda: None,
    ) -> CollectionIndex:
        """Open the indexes in a folder, caught up with the members or built from the rows, which are made if missing.

        Stopped at any moment, it goes on where it was. `progress` is told how many stretches of text of how many are
        in the index; `waiting` is called where another process is at work in the folder. Raises `StorageError`,
        `ConfigError` where there is an embedder and no FAISS, and what the embedder raises.
        """
        async with _alone_in(folder, waiting):
            lexical = await LexicalFile.find(folder, members)
            try:
                dense = None if embedder is None else await DenseFile.find(folder, members, embedder)
                tally = await _tally(lexical, dense, rows, progress)
                search = None
                if dense is not None:
                    search = DenseSearch(await dense.caught_up(rows, progress=tally), dense.embedder)
                return cls(members, rows, lexical=await lexical.caught_up(rows, progress=tally), dense=search)
            except BaseException:
                lexical.close()
                raise

    @property
    def rankings(self) -> tuple[str, ...]:
        """The rankings there are: by words, and by meaning where there is an embedder."""
        return (LEXICAL,) if self._dense is None else (LEXICAL, DENSE)

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The documents, in the order of the collection."""
        return tuple(self._documents.values())

    async def search(self, question: str, *, k: int) -> list[Hit]:
        """See `Searcher`: by reciprocal rank fusion, which a few exact hits come before (1 is added to their scores).

        Raises what the embedder raises.
        """
        depth = max(k, _DEPTH)
        lexical, dense, exact = await asyncio.gather(
            self.lexical(question, k=depth), self.dense(question, k=depth), self._exact(question, k=depth)
        )
        fused = fuse({LEXICAL: lexical, DENSE: dense, EXACT: exact}, k=3 * depth)
        if len(exact) <= _FEW:
            first = [replace(hit, score=hit.score + 1.0) for hit in fused if EXACT in hit.ranks]
            fused = [*first, *(hit for hit in fused if EXACT not in hit.ranks)]
        return fused[:k]

    async def lexical(self, question: str, *, k: int) -> list[Hit]:
        """The `k` best windows by the words of a question, fewer where fewer have any of them."""
        return await self._ranking(LEXICAL, lambda n: asyncio.to_thread(self._lexical.search, question, k=n), k=k)

    async def dense(self, question: str, *, k: int) -> list[Hit]:
        """The `k` best windows by the meaning of their best parts; none without an embedder."""
        if self._dense is None:
            return []
        index, vector = self._dense.index, await self._dense.embedder.embed([question])

        async def search(n: int) -> Found:
            scores, ids = await asyncio.to_thread(index.search, vector, k=n)
            return await self._windows_of(ids[0][ids[0] >= 0], scores[0][ids[0] >= 0])

        return await self._ranking(DENSE, search, k=k)

    async def windows(self) -> list[Hit]:
        """All windows of all documents, in order; copies among them."""
        layouts = [(one, await self._rows.layout(one)) for one in self._documents.values()]
        return [Hit(one, window, 0.0) for one, layout in layouts for window in layout.windows]

    def close(self) -> None:
        """Free the files. Idempotent."""
        self._lexical.close()

    async def _exact(self, question: str, *, k: int) -> list[Hit]:
        return await self._ranking(EXACT, lambda n: asyncio.to_thread(self._lexical.look_up, question, k=n), k=k)

    async def _ranking(self, name: str, search: Search, *, k: int) -> list[Hit]:
        """The first `k` different windows that a search finds, asked for more and more."""
        asked = k
        while True:
            asked *= _MORE
            ids, scores = await search(asked)
            firsts = await asyncio.to_thread(self._lexical.first_copies, ids.tolist())
            best: dict[int, float] = {}
            for one, score in zip(ids.tolist(), scores.tolist(), strict=True):
                if one in firsts:
                    best.setdefault(firsts[one], score)
            if len(best) >= k or len(ids) < asked:
                hits = [await self._hit(one, score) for one, score in list(best.items())[:k]]
                return [replace(hit, ranks={name: rank}) for rank, hit in enumerate(hits, 1)]

    async def _hit(self, window: int, score: float) -> Hit:
        document_id = self._documents[window >> NUMBER_BITS]
        layout = await self._rows.layout(document_id)
        return Hit(document_id, layout.windows[window & ((1 << NUMBER_BITS) - 1)], score)

    async def _windows_of(self, parts: Ids, scores: Vectors) -> Found:
        """The windows of parts, as often as they have any, in the order of score and position."""
        numbers: Iterable[int] = np.unique(parts >> NUMBER_BITS).tolist()
        windows = np.empty_like(parts)
        for number in numbers:
            layout = await self._rows.layout(self._documents[number])
            there = parts >> NUMBER_BITS == number
            owners = np.frombuffer(layout.owners, np.uint32)[parts[there] & ((1 << NUMBER_BITS) - 1)]
            windows[there] = (number << NUMBER_BITS) + owners.astype(np.int64)
        order = np.lexsort((windows, -scores))
        return windows[order], scores[order]


async def _tally(
    lexical: LexicalFile, dense: DenseFile | None, rows: IndexRows, progress: Callable[[int, int], None]
) -> Callable[[int], None]:
    """Counts the windows and parts that are put into the indexes; cuts the documents that are not cut yet."""
    total = 0
    for member in lexical.changes.added:
        total += len((await rows.layout(member.document_id)).windows)
    for member in () if dense is None else dense.changes.added:
        total += len((await rows.layout(member.document_id)).parts)
    done = 0

    def add(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    if total:
        progress(0, total)
    return add


@asynccontextmanager
async def _alone_in(folder: Path, waiting: Callable[[], None]) -> AsyncGenerator[None, None]:
    """Keep other processes from working in a folder; waits for one that does."""
    lock = FileLock(folder / ".lock", thread_local=False)
    told = False
    while not await asyncio.to_thread(_acquired, lock, folder):
        if not told:
            waiting()
        told = True
        await asyncio.sleep(_LOCK_PAUSE_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _acquired(lock: FileLock, folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        return False
    except OSError as error:
        raise StorageError(f"the indexes in {folder} cannot be written: {error.strerror or error}") from error
    return True
