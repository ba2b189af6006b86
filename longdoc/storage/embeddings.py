"""Stored embeddings: the vectors of a document's parts, batch by batch, in half the space they are made in."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import ColumnElement, Connection, and_, select

from longdoc.errors import NotFoundError
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_or_update
from longdoc.storage.schema import embeddings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EmbeddingKey:
    """What was embedded and how: a document, the identity of the embedder, and what its parts depend on."""

    document_id: str
    embedder: str
    layout: str


class Embeddings:
    """The stored vectors. Equal keys and batches have equal vectors, whoever made them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, key: EmbeddingKey, batch: int, vectors: Vectors) -> bool:
        """Store a batch, one row for a part; when this returns, it is on disk. False where it was there already.

        Numbers keep three digits. Raises `StorageError` where the document is not stored.
        """
        row = asdict(key) | {"batch": batch, "count": len(vectors), "vectors": vectors.astype("<f2").tobytes()}
        stored = select(embeddings.c.count).where(_is(key), embeddings.c.batch == batch)

        def work(connection: Connection) -> bool:
            if connection.execute(stored).scalar() == len(vectors):
                return False
            insert_or_update(connection, embeddings, row)
            return True

        return await self._database.write(work)

    async def counts(self, key: EmbeddingKey) -> dict[int, int]:
        """How many vectors each stored batch has, by the number of the batch."""
        statement = select(embeddings.c.batch, embeddings.c.count).where(_is(key))
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {batch: count for batch, count in rows}  # noqa: C416 - rows are no pairs to a type checker

    async def load(self, key: EmbeddingKey, batch: int) -> Vectors:
        """The vectors of a batch. Raises `NotFoundError`."""
        import numpy as np

        statement = select(embeddings.c.count, embeddings.c.vectors).where(_is(key), embeddings.c.batch == batch)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        if row is None:
            raise NotFoundError(f"there are no embeddings {batch} of the document {key.document_id!r}")
        count, vectors = row
        return np.frombuffer(vectors, "<f2").reshape(count, -1).astype(np.float32)


def _is(key: EmbeddingKey) -> ColumnElement[bool]:
    return and_(*(embeddings.c[name] == value for name, value in asdict(key).items()))
