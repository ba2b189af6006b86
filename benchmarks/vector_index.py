"""A million vectors in the index: how fast, how right, how large; for vectors like real ones, and for harder ones."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sentencex import segment

from benchmarks.table import BenchmarkTable
from longdoc.app.embedder_choice import choose_embedder
from longdoc.config import load_settings
from longdoc.documents.readers import read_document
from longdoc.retrieval.faiss_index import EXACT_UP_TO, FaissIndex

_BOOK = Path("examples/novella.epub")
_VECTORS = 1_000_000
_BLOCK = 50_000
_QUERIES = 200
_ADDED = 1_000
_NEAREST = 10
_MIXED = 12
_IDENTITY = "benchmark"
_MOST_MILLISECONDS = 10.0
_LEAST_RECALL = 0.95
_MOST_ADD_SECONDS = 1.0
_MOST_PEAK_GB = 8.0

Matrix = NDArray[np.float32]
Maker = Callable[[Matrix, int, int], Matrix]


@dataclass(frozen=True, slots=True)
class _Measured:
    """One case; seconds, bytes, and shares of 1."""

    intrinsic: float
    exact_ms: float
    build: float
    recall: float
    median_ms: float
    late_ms: float
    add: float
    replace: float
    remove: float
    save: float
    load: float
    index_bytes: int
    peak_bytes: int


def run() -> BenchmarkTable:
    """Measure every case in a process of its own."""
    sentences = asyncio.run(_embedded_sentences())
    spawn = multiprocessing.get_context("spawn")
    cases: list[_Measured] = []
    for case in _MAKERS:
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            cases.append(pool.submit(_measure, case, sentences).result())
    passed = all(_passes(case) for case in cases[:-1]) and cases[-1].peak_bytes < _MOST_PEAK_GB * 1e9
    how = (
        f"{_VECTORS:,} vectors of {sentences.shape[1]} dimensions, added {_BLOCK:,} at a time, {os.cpu_count()} cores; "
        f"{_QUERIES} queries that are not among them, one at a time, against brute force. Like real ones: each is a "
        f"mixture of three of the {len(sentences)} MiniLM embeddings of the example book's sentences (weights "
        "Dirichlet 0.5), moved by a random amount (lognormal) in a direction mixed from six others; the intrinsic "
        f"dimension of the sentences themselves is {_intrinsic_dimension(sentences):.0f} (maximum likelihood, Levina "
        f"and Bickel, 2004; for {len(sentences)} vectors, as in the table). Without clusters: each is mixed from "
        f"{_MIXED} sentences (weights Dirichlet 1). Isotropic: normal numbers without any structure, where nothing is "
        "near and every approximate index fails; it has no target but memory."
    )
    return BenchmarkTable("A million vectors", how, ("what", *_MAKERS, "target"), _rows(cases), passed)


def _passes(case: _Measured) -> bool:
    return (
        case.median_ms < _MOST_MILLISECONDS
        and case.recall >= _LEAST_RECALL
        and max(case.add, case.replace) < _MOST_ADD_SECONDS
        and case.peak_bytes < _MOST_PEAK_GB * 1e9
    )


def _rows(cases: Sequence[_Measured]) -> list[list[str]]:
    def row(name: str, show: Callable[[_Measured], str], target: str = "") -> list[str]:
        return [name, *(show(case) for case in cases), target]

    return [
        row("intrinsic dimension", lambda case: f"{case.intrinsic:.0f}"),
        row(f"recall of the {_NEAREST} nearest", lambda case: f"{case.recall:.3f}", f">= {_LEAST_RECALL}"),
        row("search, median ms", lambda case: f"{case.median_ms:.2f}", f"< {_MOST_MILLISECONDS:g}"),
        row("search, 99th percentile, ms", lambda case: f"{case.late_ms:.2f}"),
        row(f"search of the largest exact index ({EXACT_UP_TO:,}), median ms", lambda case: f"{case.exact_ms:.2f}"),
        row("build, s", lambda case: f"{case.build:.0f}"),
        row(f"add {_ADDED:,} more, s", lambda case: f"{case.add:.3f}", f"< {_MOST_ADD_SECONDS:g}"),
        row(f"replace {_ADDED:,}, s", lambda case: f"{case.replace:.3f}", f"< {_MOST_ADD_SECONDS:g}"),
        row(f"remove {_ADDED:,}, s", lambda case: f"{case.remove:.3f}"),
        row("save, s", lambda case: f"{case.save:.1f}"),
        row("load, s", lambda case: f"{case.load:.1f}"),
        row("index, MB", lambda case: f"{case.index_bytes / 1e6:.0f}"),
        row("peak of the process, MB", lambda case: f"{case.peak_bytes / 1e6:.0f}", f"< {_MOST_PEAK_GB * 1000:g}"),
    ]


async def _embedded_sentences() -> Matrix:
    text = read_document(_BOOK).text
    sentences = [sentence.strip() for sentence in segment("en", text) if len(sentence.strip()) > 10]
    choice = await choose_embedder(load_settings(), notify=print, progress=_no_progress)
    try:
        return await choice.embedder.embed(sentences)
    finally:
        await choice.embedder.aclose()


def _no_progress(name: str, done: int, total: int | None) -> None:
    del name, done, total


def _measure(case: str, sentences: Matrix) -> _Measured:
    make = _MAKERS[case]
    queries = make(sentences, _QUERIES, 1)
    index = FaissIndex(sentences.shape[1], identity=_IDENTITY)
    build, exact_ms = 0.0, 0.0
    nearest = _Nearest(queries)
    for first in range(0, _VECTORS, _BLOCK):
        block = make(sentences, _BLOCK, 2 + first)
        nearest.see(block, first)
        build += _seconds(partial(index.add, np.arange(first, first + _BLOCK), block))
        if first + _BLOCK == EXACT_UP_TO:
            exact_ms = statistics.median(_searched(index, queries)[1])
    found, milliseconds = _searched(index, queries)
    more = make(sentences, _ADDED, 3)
    ids = np.arange(_VECTORS, _VECTORS + _ADDED)
    add, replace = _seconds(lambda: index.add(ids, more)), _seconds(lambda: index.add(ids, more[::-1]))
    remove = _seconds(lambda: index.remove(ids))
    save, load = _filed(index)
    return _Measured(
        intrinsic=_intrinsic_dimension(make(sentences, len(sentences), 4)),
        exact_ms=exact_ms,
        build=build,
        recall=nearest.recall(found),
        median_ms=statistics.median(milliseconds),
        late_ms=statistics.quantiles(milliseconds, n=100)[-1],
        add=add,
        replace=replace,
        remove=remove,
        save=save,
        load=load,
        index_bytes=index.memory_bytes,
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024),
    )


class _Nearest:
    """The nearest of every query by brute force, over vectors seen block by block."""

    def __init__(self, queries: Matrix) -> None:
        self._queries = queries
        self._scores = np.full((len(queries), _NEAREST), -np.inf, np.float32)
        self._ids = np.full((len(queries), _NEAREST), -1, np.int64)

    def see(self, block: Matrix, first: int) -> None:
        scores = np.concatenate([self._scores, self._queries @ block.T], axis=1)
        new = np.broadcast_to(np.arange(first, first + len(block)), (len(self._queries), len(block)))
        ids = np.concatenate([self._ids, new], axis=1)
        best = np.argpartition(-scores, _NEAREST, axis=1)[:, :_NEAREST]
        self._scores, self._ids = np.take_along_axis(scores, best, 1), np.take_along_axis(ids, best, 1)

    def recall(self, found: NDArray[np.int64]) -> float:
        shares = [np.isin(truth, row).mean() for truth, row in zip(self._ids, found, strict=True)]
        return float(np.mean(shares))


def _searched(index: FaissIndex, queries: Matrix) -> tuple[NDArray[np.int64], list[float]]:
    """What single searches find, and how many milliseconds each takes."""
    found: list[NDArray[np.int64]] = []
    milliseconds: list[float] = []
    for query in _single(queries):
        started = time.perf_counter()
        _, ids = index.search(query, k=_NEAREST)
        milliseconds.append((time.perf_counter() - started) * 1000)
        found.append(ids)
    return np.concatenate(found), milliseconds


def _single(queries: Matrix) -> Iterator[Matrix]:
    return (queries[place : place + 1] for place in range(len(queries)))


def _filed(index: FaissIndex) -> tuple[float, float]:
    """Seconds to save and to load."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.index"
        save = _seconds(lambda: index.save(path))
        return save, _seconds(lambda: FaissIndex.load(path, identity=_IDENTITY, dimensions=index.dimensions))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _like_real(sentences: Matrix, count: int, seed: int) -> Matrix:
    random = np.random.default_rng(seed)
    weights = random.dirichlet([0.5] * 3, count).astype(np.float32)
    picked = sentences[random.integers(0, len(sentences), (count, 3))]
    made: Matrix = np.einsum("nk,nkd->nd", weights, picked)
    directions = np.zeros_like(made)
    centred = sentences - sentences.mean(axis=0)
    for _ in range(6):
        other = centred[random.integers(0, len(sentences), count)]
        directions += random.standard_normal((count, 1), dtype=np.float32) * other
    amounts = np.float32(0.4) * random.lognormal(0.0, 0.5, (count, 1)).astype(np.float32)
    return _scaled(_scaled(made) + amounts * _scaled(directions))


def _without_clusters(sentences: Matrix, count: int, seed: int) -> Matrix:
    random = np.random.default_rng(seed)
    weights = random.dirichlet([1.0] * _MIXED, count).astype(np.float32)
    centred = sentences - sentences.mean(axis=0)
    made = np.zeros((count, sentences.shape[1]), np.float32)
    for part in range(_MIXED):
        made += weights[:, part : part + 1] * centred[random.integers(0, len(sentences), count)]
    return _scaled(made)


def _isotropic(sentences: Matrix, count: int, seed: int) -> Matrix:
    return _scaled(np.random.default_rng(seed).standard_normal((count, sentences.shape[1]), dtype=np.float32))


def _scaled(vectors: NDArray[np.floating[Any]]) -> Matrix:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _intrinsic_dimension(vectors: Matrix, *, neighbours: int = 20) -> float:
    """The mean over all vectors of the maximum-likelihood estimate from the distances of the nearest neighbours."""
    squared = np.maximum(2 - 2 * (vectors @ vectors.T), 1e-12)
    distances: Matrix = np.sqrt(np.sort(squared, axis=1)[:, 1 : neighbours + 1])
    growth: Matrix = np.log(distances[:, -1:] / distances[:, :-1])
    return float((1 / growth.mean(axis=1)).mean())


_MAKERS: Mapping[str, Maker] = {
    "like real ones": _like_real,
    "without clusters": _without_clusters,
    "isotropic": _isotropic,
}
