"""What a vector index is: the protocol. An index is derived from the record and can always be built again."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
Ids: TypeAlias = NDArray[np.int64]


class VectorIndex(Protocol):
    """Vectors under ids, found again by inner product. Every call blocks: run it in a thread.

    Safe for calls from several threads. Vectors are rows of `dimensions` numbers, of length 1 for the inner product
    to be the cosine. `watermark` is how far in the record the index is, `record` a digest of what it knows of it; its
    owner sets both and `save` keeps them.
    """

    watermark: int
    record: str

    @property
    def identity(self) -> str:
        """The embedder that made the vectors (`EmbedderInfo.identity`)."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        ...

    @property
    def kind(self) -> Literal["exact", "approximate"]:
        """Whether a search always finds the nearest, or nearly always."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Bytes that vectors and ids take in memory."""
        ...

    def __len__(self) -> int:
        """How many ids it holds."""
        ...

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Add vectors of shape (len(ids), dimensions); one under an id that is there takes its place.

        Raises `ConfigError` for shapes that do not fit, and for NaN and infinity.
        """
        ...

    def remove(self, ids: Ids) -> int:
        """Remove ids; how many of them were there."""
        ...

    def search(self, vectors: Vectors, *, k: int) -> tuple[Vectors, Ids]:
        """The `k` nearest of each row, nearest first: scores and ids, both of shape (len(vectors), k).

        Where fewer are found, rows end with the score -inf and the id -1. Raises `ConfigError` for another number of
        dimensions.
        """
        ...

    def save(self, path: Path) -> None:
        """Write to a file in one step: after a crash there is the old file or the new one. Raises `StorageError`."""
        ...
