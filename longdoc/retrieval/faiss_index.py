"""A vector index over FAISS: exact while it is small, approximate once it has grown.

Owns locking, replacing and the change from one kind to the other; what the kinds are is `faiss_kinds`', what lies in
a file `index_file`'s.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import Literal

import numpy as np

from longdoc.errors import ConfigError, IndexUnusableError
from longdoc.retrieval.faiss_kinds import (
    Block,
    CellIndex,
    FlatIndex,
    build_approximate,
    capacity,
    contents,
    memory_bytes,
    new_exact,
    search_settings,
)
from longdoc.retrieval.faiss_library import all_cores, faiss, gpu_copy, one_core
from longdoc.retrieval.index_file import IndexStamp, verify_index_file, verify_same, write_index_file
from longdoc.retrieval.vector_index import Ids, Vectors

EXACT_UP_TO = 50_000
_GPU_QUERIES = 64
_GPU_NEIGHBOURS = 2048
_QUERIES_PER_CORE = 4


class FaissIndex:
    """See `VectorIndex`. Above `exact_up_to` vectors it becomes approximate by itself, and stays so.

    An addition that makes it approximate, or finds it four times larger than its cells were made for, builds it anew
    (minutes for millions); searches go on meanwhile and find what was there before.
    """

    def __init__(self, dimensions: int, *, identity: str, exact_up_to: int = EXACT_UP_TO) -> None:
        self.watermark = 0
        self.record = ""
        self._identity = identity
        self._exact_up_to = exact_up_to
        self._index: FlatIndex | CellIndex = new_exact(dimensions)
        self._on_gpu: faiss.Index | None = None
        self._changing = Lock()
        self._using = Lock()

    @classmethod
    def load(cls, path: Path, *, identity: str, dimensions: int, exact_up_to: int = EXACT_UP_TO) -> FaissIndex:
        """Read what `save` wrote. Blocks.

        Raises `IndexUnusableError` where the file is missing, damaged, or made with another embedder.
        """
        stamp = verify_index_file(path, identity=identity, dimensions=dimensions)
        loaded = cls(dimensions, identity=identity, exact_up_to=exact_up_to)
        loaded.watermark, loaded.record = stamp.watermark, stamp.record
        loaded._index = _read(path)
        verify_same(path, stamp)
        return loaded

    @property
    def identity(self) -> str:
        """See `VectorIndex`."""
        return self._identity

    @property
    def dimensions(self) -> int:
        """See `VectorIndex`."""
        return self._index.d

    @property
    def kind(self) -> Literal["exact", "approximate"]:
        """See `VectorIndex`."""
        return "approximate" if isinstance(self._index, faiss.IndexIVFScalarQuantizer) else "exact"

    @property
    def memory_bytes(self) -> int:
        """See `VectorIndex`."""
        return memory_bytes(self._index)

    def __len__(self) -> int:
        return self._index.ntotal

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """See `VectorIndex`."""
        self._check(vectors)
        if ids.shape != (len(vectors),):
            raise ConfigError(f"{len(vectors)} vectors cannot be added under ids of shape {ids.shape}")
        if not np.isfinite(vectors).all():
            raise ConfigError("vectors that hold no numbers (NaN or infinity) cannot be added")
        if not len(ids):
            return
        ids, vectors = _last_of_each(ids, vectors)
        with self._changing:
            if len(self) + len(ids) > self._room():
                self._rebuild(ids, vectors)
                return
            with self._using, all_cores():
                self._on_gpu = None
                self._index.remove_ids(faiss.IDSelectorBatch(ids))
                self._index.add_with_ids(vectors, ids)

    def remove(self, ids: Ids) -> int:
        """See `VectorIndex`."""
        with self._changing, self._using, all_cores():
            self._on_gpu = None
            return self._index.remove_ids(faiss.IDSelectorBatch(np.ascontiguousarray(ids, np.int64)))

    def search(self, vectors: Vectors, *, k: int) -> tuple[Vectors, Ids]:
        """See `VectorIndex`. Few vectors keep one core busy, many all."""
        self._check(vectors)
        vectors = np.ascontiguousarray(vectors, np.float32)
        with self._using, one_core() if len(vectors) < _QUERIES_PER_CORE else all_cores():
            settings = search_settings(self._index, k)
            scores, ids = self._searched(len(vectors), k).search(vectors, k, params=settings)
        return np.where(ids < 0, np.float32(-np.inf), scores), ids

    def save(self, path: Path) -> None:
        """See `VectorIndex`."""
        with self._changing:
            stamp = IndexStamp(
                identity=self._identity,
                dimensions=self.dimensions,
                watermark=self.watermark,
                kind=self.kind,
                record=self.record,
            )
            write_index_file(path, stamp, lambda part: _write(self._index, part))

    def _check(self, vectors: Vectors) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.dimensions:
            raise ConfigError(f"vectors of shape {vectors.shape} do not fit an index of {self.dimensions} dimensions")

    def _room(self) -> int:
        if isinstance(self._index, faiss.IndexIVFScalarQuantizer):
            return capacity(self._index)
        return self._exact_up_to

    def _rebuild(self, ids: Ids, vectors: Vectors) -> None:
        """Build a larger index of what is there and what is new beside the one in use, then take its place."""

        def blocks() -> Iterator[Block]:
            for old_ids, old_vectors in contents(self._index):
                kept = ~np.isin(old_ids, ids)
                yield old_ids[kept], old_vectors[kept]
            yield ids, vectors

        index = build_approximate(self.dimensions, len(self) + len(ids), blocks)
        with self._using:
            self._index, self._on_gpu = index, None

    def _searched(self, queries: int, k: int) -> FlatIndex | CellIndex | faiss.Index:
        """The index, or its copy on the GPU where many queries come at once (it is made anew after a change)."""
        if queries < _GPU_QUERIES or k > _GPU_NEIGHBOURS:
            return self._index
        self._on_gpu = self._on_gpu or gpu_copy(self._index)
        return self._on_gpu or self._index


def _write(index: faiss.Index, path: Path) -> None:
    """Through a file of Python's: FAISS overlooks what fails when it closes its own. Raises `OSError`."""
    with path.open("wb") as file:
        writer = faiss.PyCallbackIOWriter(file.write)  # pyright: ignore - the stubs do not know it
        faiss.write_index(index, writer)  # pyright: ignore[reportUnknownArgumentType]


def _read(path: Path) -> FlatIndex | CellIndex:
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise IndexUnusableError(str(path), "cannot be read by this version of FAISS") from error
    if isinstance(index, faiss.IndexIVFScalarQuantizer | faiss.IndexIDMap):
        return index
    raise IndexUnusableError(str(path), "is of a kind that this version does not know")


def _last_of_each(ids: Ids, vectors: Vectors) -> Block:
    """Each id once, with its last vector."""
    kept, places = np.unique(ids[::-1], return_index=True)
    return np.ascontiguousarray(kept, np.int64), np.ascontiguousarray(vectors[::-1][places], np.float32)
