"""A million memories in one namespace: how fast one is recalled, added, and a session on them opened; and many
namespaces in bounded memory."""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.table import BenchmarkTable
from longdoc.documents.tokens import EstimatedTokens
from longdoc.engines.embedder import EmbedderInfo, unit_rows
from longdoc.errors import LdaError
from longdoc.memory.index import MemoryIndex, MemoryRows
from longdoc.memory.indexes import MemoryIndexes
from longdoc.memory.stream import MemoryStream
from longdoc.storage.database import Database
from longdoc.storage.memories import Memories
from longdoc.storage.memory_derived import MemoryVectors
from longdoc.storage.memory_types import NamespaceName, NewMemory

_MEMORIES = int(os.environ.get("LDA_BENCH_MEMORIES", "1000000"))
_NAMESPACES = int(os.environ.get("LDA_BENCH_NAMESPACES", "1000"))
_IN_EACH = 1000
_CACHE_BYTES = 256 * 1024 * 1024
_BLOCK = 5000
_DIMENSIONS = 384
_TOPICS = 4000
_WORDS = 60_000
_WORDS_EACH = 24
_ASKED = 200
_SEED = 7
_NEAREST = 20
_EMBEDDED_AT_ONCE = 64
"""Changes that an index takes in between two words on how far it is."""
_RECALL_MS, _RECALL_LATE_MS, _APPEND_MS, _OPEN_SECONDS = 20.0, 50.0, 10.0, 1.0


class _Made:
    """Texts of a vocabulary whose words are as common as those of a language, and vectors around topics."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(_SEED)
        self._topics = unit_rows(self._random.standard_normal((_TOPICS, _DIMENSIONS), np.float32))
        self.info = EmbedderInfo("made", "made", "made", _DIMENSIONS)

    def texts(self, count: int) -> list[str]:
        """Sentences of words by Zipf's law."""
        ranks = np.minimum(self._random.zipf(1.3, (count, _WORDS_EACH)), _WORDS)
        return [" ".join(f"w{rank:x}" for rank in row) for row in ranks.tolist()]

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors as near each other as those of texts on one topic."""
        topics = self._topics[self._random.integers(0, _TOPICS, len(texts))]
        noise = self._random.standard_normal((len(texts), _DIMENSIONS), np.float32) / np.sqrt(_DIMENSIONS)
        return unit_rows(topics + noise.astype(np.float32))

    async def aclose(self) -> None:
        """Nothing to free."""


def run() -> BenchmarkTable:
    """Fill a record, then measure."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measured(Path(folder)))


async def _measured(folder: Path) -> BenchmarkTable:
    made = _Made()
    rows: list[list[str]] = []
    async with aclosing(await Database.open(folder / "record.db")) as database:
        memories, vectors = Memories(database), MemoryVectors(database)
        one = await _one_namespace(folder, memories, vectors, made)
        many = await _many_namespaces(folder, memories, vectors, made)
    rows += [
        ["recall (embedding aside), median", f"{one['median']:.1f} ms", f"{_RECALL_MS:.0f} ms"],
        ["recall, 99th percentile", f"{one['late']:.1f} ms", f"{_RECALL_LATE_MS:.0f} ms"],
        ["append, indexed, median", f"{one['append']:.1f} ms", f"{_APPEND_MS:.0f} ms"],
        ["append, 99th percentile", f"{one['append_late']:.1f} ms", ""],
        ["start of a session, to the first recall", f"{one['open']:.2f} s", f"{_OPEN_SECONDS:.0f} s"],
        ["stored", f"{one['stored']:.0f} s for {_MEMORIES:,}", ""],
        ["indexed", f"{one['indexed']:.0f} s", ""],
        ["memory of the process", f"{one['peak'] / 1e9:.1f} GB", ""],
        [
            f"{_NAMESPACES:,} namespaces of {_IN_EACH:,}, one after the other",
            f"{many['held'] / 1e6:.0f} MB held in {many['open']:.0f} open indexes",
            f"{_CACHE_BYTES / 1e6:.0f} MB",
        ],
        ["their recall, opened anew each, median", f"{many['median']:.1f} ms", ""],
        ["growth of the process from the 100th to the last", f"{many['growth'] / 1e6:.0f} MB", ""],
    ]
    passed = (
        one["median"] < _RECALL_MS
        and one["late"] < _RECALL_LATE_MS
        and one["append"] < _APPEND_MS
        and one["open"] < _OPEN_SECONDS
        and many["held"] <= 1.2 * _CACHE_BYTES
    )
    return BenchmarkTable("A million memories", _how(), ["what", "measured", "target"], rows, passed)


def _how() -> str:
    return (
        f"{_MEMORIES:,} memories of {_WORDS_EACH} words (Zipf) in one namespace, vectors of {_DIMENSIONS} numbers "
        f"around {_TOPICS:,} topics, made without a model; {_ASKED} questions, {_NEAREST} recalled, with what is read "
        "of each from the record. A session is opened from its files, which are in the cache of the disk."
    )


async def _one_namespace(folder: Path, memories: Memories, vectors: MemoryVectors, made: _Made) -> dict[str, float]:
    namespace = await memories.open(NamespaceName("one"))
    started = time.perf_counter()
    for _ in range(0, _MEMORIES, _BLOCK):
        await memories.append_all(namespace.id, [NewMemory(text) for text in made.texts(_BLOCK)])
    stored = time.perf_counter() - started
    rows = MemoryRows(namespace, memories, vectors)
    index = await MemoryIndex.open(folder / "one", rows, made, lost=_raise)
    started = time.perf_counter()
    await index.catch_up(progress=_told)
    indexed = time.perf_counter() - started
    await index.aclose()
    started = time.perf_counter()
    index = await MemoryIndex.open(folder / "one", rows, made, lost=_raise)
    stream = MemoryStream(rows, index, EstimatedTokens())
    await stream.search(made.texts(1)[0], k=_NEAREST, before=_MEMORIES + 1)
    opened = time.perf_counter() - started
    asked = await _times([partial(stream.search, text, k=_NEAREST, before=10**9) for text in made.texts(_ASKED)])

    async def append(text: str) -> None:
        await memories.append(namespace.id, NewMemory(text))
        await index.catch_up()

    added = await _times([partial(append, text) for text in made.texts(_ASKED)])
    await index.aclose()
    return {
        "stored": stored,
        "indexed": indexed,
        "open": opened,
        "median": statistics.median(asked) * 1000,
        "late": _late(asked) * 1000,
        "append": statistics.median(added) * 1000,
        "append_late": _late(added) * 1000,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


async def _many_namespaces(folder: Path, memories: Memories, vectors: MemoryVectors, made: _Made) -> dict[str, float]:
    indexes = MemoryIndexes(limit_bytes=_CACHE_BYTES)
    times: list[float] = []
    early = 0.0
    for number in range(_NAMESPACES):
        namespace = await memories.open(NamespaceName(f"user {number}"))
        await memories.append_all(namespace.id, [NewMemory(text) for text in made.texts(_IN_EACH)])
        rows = MemoryRows(namespace, memories, vectors)
        place = folder / "many" / str(number)
        index = await MemoryIndex.open(place, rows, made, lost=_raise)
        await index.catch_up()
        await index.aclose()

        async def opened(place: Path = place, rows: MemoryRows = rows) -> MemoryIndex:
            return await MemoryIndex.open(place, rows, made, lost=_raise)

        started = time.perf_counter()
        async with indexes.using(namespace.id, opened) as index:
            await index.search(made.texts(1)[0], k=_NEAREST)
        times.append(time.perf_counter() - started)
        if number == min(100, _NAMESPACES // 2):
            early = _resident()
    held = {"held": float(indexes.memory_bytes), "open": float(len(indexes)), "growth": _resident() - early}
    await indexes.aclose()
    return {**held, "median": statistics.median(times) * 1000}


async def _times(calls: Sequence[Callable[[], Awaitable[object]]]) -> list[float]:
    times: list[float] = []
    for call in calls:
        started = time.perf_counter()
        await call()
        times.append(time.perf_counter() - started)
    return times


def _late(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.99) - 1]


def _resident() -> float:
    """Bytes of the process in memory now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _told(done: int, total: int) -> None:
    if done * 20 // total != (done - _EMBEDDED_AT_ONCE) * 20 // total:
        print(f"indexed {done:,} of {total:,}", flush=True)


def _raise(error: LdaError) -> None:
    raise error
