"""The two kinds of index behind `FaissIndex`: how they are built, sized, and emptied into another one.

Exact is a flat matrix. Approximate is an inverted file over k-means cells (Jégou et al., "Product Quantization for
Nearest Neighbor Search", 2011, section IV) whose vectors are kept as 16-bit floats: half the memory at no loss that
a search would show, nothing to refine, and what is taken out can go into the next index as it is. 8-bit codes were
measured too: they are no faster, and lose one neighbour in fifty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from longdoc.retrieval.faiss_library import all_cores, faiss, gpu_copy
from longdoc.retrieval.vector_index import Ids, Vectors

Block: TypeAlias = tuple[Ids, Vectors]
FlatIndex: TypeAlias = faiss.IndexIDMap
CellIndex: TypeAlias = faiss.IndexIVFScalarQuantizer

_SEED = 7
_ROUNDS = 8
_TRAINING_VECTORS_PER_CELL = 50
_CELLS_PER_ROOT = 2.0
_PROBES_PER_ROOT = 3.0
_CANDIDATES_PER_NEIGHBOUR = 20
_LEAST_LOOKED_AT = 150_000
"""Vectors, which takes a few milliseconds. What is unlike everything else lies in any cell: of needles among 127,000
vectors of a book, a search through one cell in nine missed one in three."""
_HALF_BYTES = 2


def new_exact(dimensions: int) -> FlatIndex:
    """An empty exact index."""
    return faiss.IndexIDMap(faiss.IndexFlatIP(dimensions))


def build_approximate(dimensions: int, size: int, blocks: Callable[[], Iterable[Block]]) -> CellIndex:
    """An approximate index of `size` vectors, which `blocks` gives twice: to learn cells from, and to add.

    Takes the square root of `size` as long for each vector. The same vectors give the same index.
    """
    cells = max(1, min(size, round(_CELLS_PER_ROOT * math.sqrt(size))))
    index = faiss.IndexIVFScalarQuantizer(
        faiss.IndexFlatIP(dimensions),
        dimensions,
        cells,
        faiss.ScalarQuantizer.QT_fp16,
        faiss.METRIC_INNER_PRODUCT,
        False,
    )
    index.cp.seed, index.cp.niter, index.cp.spherical = _SEED, _ROUNDS, True
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = _TRAINING_VECTORS_PER_CELL
    with all_cores():
        accelerator = gpu_copy(faiss.IndexFlatIP(dimensions))
        if accelerator is not None:
            index.clustering_index = accelerator
        index.train(_sample(blocks(), size, wanted=cells * _TRAINING_VECTORS_PER_CELL))
        for ids, vectors in blocks():
            index.add_with_ids(vectors, ids)
    index.clustering_index = None  # pyright: ignore[reportAttributeAccessIssue] - the stubs know no null pointer
    return index


def search_settings(index: FlatIndex | CellIndex, k: int) -> faiss.SearchParameters | None:
    """How many cells a search looks into: what measurement asks for, and more where few vectors are left in them."""
    if not isinstance(index, faiss.IndexIVFScalarQuantizer):
        return None
    usual = max(_PROBES_PER_ROOT * math.sqrt(index.nlist), index.nlist * _LEAST_LOOKED_AT / max(1, index.ntotal))
    for_enough = _CANDIDATES_PER_NEIGHBOUR * k * index.nlist / max(1, index.ntotal)
    settings = faiss.SearchParametersIVF()
    settings.nprobe = min(index.nlist, math.ceil(max(usual, for_enough)))
    return settings


def capacity(index: CellIndex) -> int:
    """How many vectors its cells are good for: four times what they were made for."""
    return round((2.0 / _CELLS_PER_ROOT * index.nlist) ** 2)


def memory_bytes(index: FlatIndex | CellIndex) -> int:
    """Bytes of vectors, ids and centres of cells."""
    ids = 8 * index.ntotal
    if isinstance(index, faiss.IndexIVFScalarQuantizer):
        return ids + index.ntotal * index.d * _HALF_BYTES + index.nlist * index.d * 4
    return ids + index.ntotal * index.d * 4


def contents(index: FlatIndex | CellIndex) -> Iterator[Block]:
    """Everything in an index, piece by piece."""
    if not isinstance(index, faiss.IndexIVFScalarQuantizer):
        yield faiss.vector_to_array(index.id_map), index.index.reconstruct_n(0, index.ntotal)
        return
    cells = index.invlists
    if cells is None:
        return
    for cell in range(index.nlist):
        size = cells.list_size(cell)
        if size:
            ids = faiss.rev_swig_ptr(cells.get_ids(cell), size)
            codes = faiss.rev_swig_ptr(cells.get_codes(cell), size * index.code_size)
            yield ids.copy(), codes.view(np.float16).reshape(size, index.d).astype(np.float32)


def _sample(blocks: Iterable[Block], size: int, *, wanted: int) -> Vectors:
    """About `wanted` of `size` vectors, evenly from all blocks."""
    random = np.random.default_rng(_SEED)
    share = min(1.0, wanted / size)
    return np.concatenate([vectors[random.random(len(vectors)) < share] for _, vectors in blocks])
