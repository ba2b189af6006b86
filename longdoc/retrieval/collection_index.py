"""Searching a collection of documents: by words, by meaning, and by both together.

Owns how what the two indexes find becomes hits; their files are `index_files.py`'s, what they are made from
`index_rows.py`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

import numpy as np

from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError, LdaError
from longdoc.retrieval.best_parts import AskedQuestion, best_parts
from longdoc.retrieval.hits import Hit, fuse
from longdoc.retrieval.index_files import (
    NUMBER_BITS,
    Contents,
    DenseFile,
    LexicalFile,
    are_current,
    clear_leftovers,
)
from longdoc.retrieval.index_lock import alone_in
from longdoc.retrieval.index_rows import IndexRows
from longdoc.retrieval.index_tally import Progress, Tally
from longdoc.retrieval.lexical_index import LexicalIndex
from longdoc.retrieval.statements import as_statement
from longdoc.storage.collections import Member

if TYPE_CHECKING:
    from longdoc.retrieval.vector_index import Ids, VectorIndex, Vectors

    Found: TypeAlias = tuple[Ids, Vectors, bool]
    Search: TypeAlias = Callable[[int], Awaitable[Found]]

Members: TypeAlias = Callable[[], Awaitable[Sequence[Member]]]
Lost: TypeAlias = Callable[[LdaError], None]
"""Told why there is no search by meaning, though there is an embedder."""

LEXICAL: Final = "lexical"
DENSE: Final = "dense"
EXACT: Final = "exact"
"""The names of rankings, as `Hit.ranks` has them. The last is of what has a reference of the question, such as
"1 Samuel 3:4", or what it quotes, where that is a few windows; for most questions nothing has."""

_DEPTH = 100
"""How far down rankings are fused, at least."""
_FEW = 3
"""So few windows that have exactly what was asked for are what is looked for, whatever else is alike."""
_MORE = 4
"""How many times more are asked for where too many were copies, or parts of one window."""


def raised(error: LdaError) -> NoReturn:
    """A `Lost` for where search by words alone will not do."""
    raise error


@dataclass(frozen=True, slots=True)
class DenseSearch:
    """Vectors of parts, and the embedder that made them."""

    index: VectorIndex
    embedder: Embedder


class CollectionIndex:
    """A `Searcher` of the documents of a collection, made by `open`. Windows with the same text are found as the first.

    Without an embedder it searches by words alone. Close it when it is not needed any more.
    """

    def __init__(self, contents: Contents, *, lexical: LexicalIndex, dense: DenseSearch | None, lost: Lost) -> None:
        self._documents = {member.number: member.document_id for member in contents.members if member.removed is None}
        self._rows = contents.rows
        self._lexical = lexical
        self._dense = dense
        self._lost = lost
        self._asked: tuple[str, Vectors] | None = None

    @classmethod
    async def open(
        cls,
        folder: Path,
        members: Members,
        rows: IndexRows,
        embedder: Embedder | None,
        *,
        progress: Progress = lambda done, total: None,
        waiting: Callable[[], None] = lambda: None,
        lost: Lost = raised,
    ) -> CollectionIndex:
        """Open the indexes in a folder, caught up with the members or built from the rows, which are made if missing.

        Where nothing is to be done, nobody is waited for. `members` tells who is in the collection at that moment: what
        was known before somebody else was waited for may be older than the files. Stopped at any moment, it goes on
        where it was. `progress` is told how many stretches of text of how many are in the index; `waiting` is called
        where another process is at work in the folder. Where the embedder fails (`EngineError`, `ConfigError`, also
        where FAISS is missing), now or at a search, `lost` is told and words alone are searched; unless told otherwise
        it raises. Raises `StorageError` and what `members` raises.
        """
        current = await _current(folder, Contents(await members(), rows), embedder, lost)
        if current is not None:
            return current
        async with alone_in(folder, waiting):
            await asyncio.to_thread(clear_leftovers, folder)
            contents = Contents(await members(), rows)
            lexical, dense = await _found(folder, contents, embedder, lost)
            return await _caught_up(contents, lexical, dense, Tally(progress), lost)

    @property
    def rankings(self) -> tuple[str, ...]:
        """The rankings there are: by words, and by meaning where there is an embedder."""
        return (LEXICAL,) if self._dense is None else (LEXICAL, DENSE)

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The documents, in the order of the collection."""
        return tuple(self._documents.values())

    async def search(self, question: str, *, k: int) -> list[Hit]:
        """See `Searcher`: by words and by meaning (`fuse`); a few exact hits come first (1 is added to their scores).

        Where the embedder fails, `lost` is told (see `open`), and the words of the question alone are searched for.
        """
        depth = max(k, _DEPTH)
        lexical, dense, exact = await asyncio.gather(
            self.lexical(question, k=depth), self._dense_if_any(question, k=depth), self._exact(question, k=depth)
        )
        rankings = {name: hits for name, hits in ((LEXICAL, lexical), (DENSE, dense)) if hits}
        fused = {hit.place: hit for hit in fuse(rankings, depth=depth)}
        for hit in exact if len(exact) <= _FEW else ():
            known = fused.get(hit.place, replace(hit, score=0.0))
            fused[hit.place] = replace(known, score=known.score + 1.0, ranks={**known.ranks, **hit.ranks})
        return sorted(fused.values(), key=lambda hit: (-hit.score, hit.place))[:k]

    async def lexical(self, question: str, *, k: int) -> list[Hit]:
        """The `k` best windows by the words of a question, fewer where fewer have any of them."""
        return await self._ranking(LEXICAL, lambda n: self._asked_for(self._lexical.search, question, n), k=k)

    async def dense(self, question: str, *, k: int) -> list[Hit]:
        """The `k` best windows by the meaning of their best parts; none without an embedder that reads the question.

        Of parts with the same text, as texts have that are quoted or come in several versions, the first one counts.
        Raises what the embedder raises.
        """
        if self._dense is None:
            return []
        index, vector = self._dense.index, await self._vector(self._dense, question)
        if vector is None:
            return []

        async def search(n: int) -> Found:
            scores, ids = await asyncio.to_thread(index.search, vector, k=n)
            found = ids[0] >= 0
            parts, near = await self._first_of_each(ids[0][found], scores[0][found])
            return *await self._windows_of(parts, near), len(ids[0][found]) < n

        return await self._ranking(DENSE, search, k=k)

    async def parts(self, question: str, hits: Sequence[Hit], *, count: int) -> list[list[Hit]]:
        """For each hit those of the `count` best parts of all that are of it: what the question is most likely about.

        See `best_parts`.
        """
        asked = AskedQuestion(question)
        if self._dense is not None:
            try:
                vector = await self._vector(self._dense, question)
                asked = AskedQuestion(question, None if vector is None else vector[0], self._dense.embedder)
            except (ConfigError, EngineError) as error:
                self._lost(error)
        return await best_parts(self._rows, asked, hits, count=count)

    async def windows(self) -> list[Hit]:
        """All windows of all documents, in order; copies among them."""
        layouts = [(one, await self._rows.layout(one)) for one in self._documents.values()]
        return [Hit(one, window, 0.0) for one, layout in layouts for window in layout.windows]

    def close(self) -> None:
        """Free the files. Idempotent."""
        self._lexical.close()

    async def _vector(self, dense: DenseSearch, question: str) -> Vectors | None:
        """The vector of the statement, shape (1, dimensions), None where it says nothing; the last one is kept."""
        if self._asked is None or self._asked[0] != question:
            self._asked = question, await dense.embedder.embed([as_statement(question)])
        vector = self._asked[1]
        return vector if vector.any() else None

    async def _dense_if_any(self, question: str, *, k: int) -> list[Hit]:
        try:
            return await self.dense(question, k=k)
        except (ConfigError, EngineError) as error:
            self._lost(error)
            return []

    async def _exact(self, question: str, *, k: int) -> list[Hit]:
        return await self._ranking(EXACT, lambda n: self._asked_for(self._lexical.look_up, question, n), k=k)

    async def _asked_for(self, search: Callable[..., tuple[Ids, Vectors]], question: str, n: int) -> Found:
        ids, scores = await asyncio.to_thread(search, question, k=n)
        return ids, scores, len(ids) < n

    async def _ranking(self, name: str, search: Search, *, k: int) -> list[Hit]:
        """The first `k` different windows that a search finds, asked for more and more."""
        asked = k
        while True:
            asked *= _MORE
            ids, scores, is_all = await search(asked)
            firsts = await asyncio.to_thread(self._lexical.first_copies, ids.tolist())
            best: dict[int, float] = {}
            for one, score in zip(ids.tolist(), scores.tolist(), strict=True):
                if one in firsts:
                    best.setdefault(firsts[one], score)
            if len(best) >= k or is_all:
                hits = [await self._hit(one, score) for one, score in list(best.items())[:k]]
                return [replace(hit, ranks={name: rank}) for rank, hit in enumerate(hits, 1)]

    async def _hit(self, window: int, score: float) -> Hit:
        document_id = self._documents[window >> NUMBER_BITS]
        layout = await self._rows.layout(document_id)
        return Hit(document_id, layout.windows[window & ((1 << NUMBER_BITS) - 1)], score)

    async def _first_of_each(self, parts: Ids, scores: Vectors) -> tuple[Ids, Vectors]:
        """Of parts with the same text the one that stands first, with the best score of them."""
        documents: Iterable[int] = np.unique(parts >> NUMBER_BITS).tolist()
        keys = {one: await self._rows.part_keys(self._documents[one]) for one in documents}
        best: dict[int, tuple[float, int]] = {}
        found: Iterable[tuple[int, float]] = zip(parts.tolist(), scores.tolist(), strict=True)
        for part, score in found:
            key = keys[part >> NUMBER_BITS][part & ((1 << NUMBER_BITS) - 1)]
            known = best.get(key, (score, part))
            best[key] = max(score, known[0]), min(part, known[1])
        near, firsts = zip(*best.values(), strict=True) if best else ((), ())
        return np.array(firsts, np.int64), np.array(near, np.float32)

    async def _windows_of(self, parts: Ids, scores: Vectors) -> tuple[Ids, Vectors]:
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


async def _current(folder: Path, contents: Contents, embedder: Embedder | None, lost: Lost) -> CollectionIndex | None:
    """The index as it lies there, None where there is anything to do to it."""
    if not await are_current(folder, contents, embedder):
        return None
    lexical, dense = await _found(folder, contents, embedder, lost)
    if lexical.changes or (dense is not None and dense.changes):  # the stamp was right, and what it stands for was not
        lexical.close()
        return None
    return await _caught_up(contents, lexical, dense, Tally(), lost)


async def _found(
    folder: Path, contents: Contents, embedder: Embedder | None, lost: Lost
) -> tuple[LexicalFile, DenseFile | None]:
    """What is in a folder, as it is."""
    dense = None
    if embedder is not None:
        try:
            dense = await DenseFile.find(folder, contents, embedder)
        except ConfigError as error:
            lost(error)
    return await LexicalFile.find(folder, contents), dense


async def _caught_up(
    contents: Contents, lexical: LexicalFile, dense: DenseFile | None, tally: Tally, lost: Lost
) -> CollectionIndex:
    """The index of both files with all changes in them: of words first, which do whatever becomes of the embedder."""
    with ExitStack() as opened:
        opened.callback(lexical.close)
        await _expect(contents, lexical, dense, tally)
        async with tally.telling():
            words = await lexical.caught_up(tally)
            opened.callback(words.close)
            meaning = None if dense is None else await _dense_search(dense, tally, lost)
        opened.pop_all()
        return CollectionIndex(contents, lexical=words, dense=meaning, lost=lost)


async def _dense_search(dense: DenseFile, tally: Tally, lost: Lost) -> DenseSearch | None:
    try:
        return DenseSearch(await dense.caught_up(tally), dense.embedder)
    except (ConfigError, EngineError) as error:
        tally.settle()
        lost(error)
        return None


async def _expect(contents: Contents, lexical: LexicalFile, dense: DenseFile | None, tally: Tally) -> None:
    files = [lexical] if dense is None else [lexical, dense]
    added = {member.document_id for file in files for member in file.changes.added}
    estimates = await contents.rows.estimates(sorted(added))
    for file in files:
        file.expect(tally, estimates)
