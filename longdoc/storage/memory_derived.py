"""What is stored beside memories and made from them: the vectors of their pieces, and what turns recalled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Connection, select

from longdoc.errors import NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_or_update
from longdoc.storage.memory_rows import MOST_ROWS, REMEMBERED, lock
from longdoc.storage.schema import memories, memory_decisions, memory_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = NDArray[np.float32]


def memory_folder(indexes: Path, namespace: int) -> Path:
    """Where what is derived from a namespace lies, in the folder of all that is derived."""
    return indexes / f"memory-{namespace}"


class MemoryVectors:
    """The stored vectors of memories, by number and by the embedder that made them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(
        self, namespace: int, embedder: str, vectors: Mapping[int, Vectors], *, changes: Mapping[int, int]
    ) -> None:
        """Store the vectors of the pieces of some memories as they were at `changes`, one row for a piece.

        Those that were changed or erased meanwhile get none. Numbers keep three digits.
        """
        rows = [
            {
                "namespace_id": namespace,
                "number": number,
                "embedder": embedder,
                "count": len(some),
                "vectors": some.astype("<f2").tobytes(),
            }
            for number, some in vectors.items()
        ]

        def work(connection: Connection) -> None:
            lock(connection, namespace)
            statement = select(memories.c.number, memories.c.change).where(
                memories.c.namespace_id == namespace, memories.c.number.in_(list(vectors)), REMEMBERED
            )
            there = {number for number, change in connection.execute(statement) if changes[number] == change}
            for row in rows:
                if row["number"] in there:
                    insert_or_update(connection, memory_vectors, row)

        await self._database.write(work)

    async def load(self, namespace: int, embedder: str, numbers: Sequence[int]) -> dict[int, Vectors]:
        """The vectors of these memories, of those that have any."""
        import numpy as np

        found: dict[int, Vectors] = {}
        for start in range(0, len(numbers), MOST_ROWS):
            statement = select(memory_vectors.c.number, memory_vectors.c.count, memory_vectors.c.vectors).where(
                memory_vectors.c.namespace_id == namespace,
                memory_vectors.c.embedder == embedder,
                memory_vectors.c.number.in_(list(numbers[start : start + MOST_ROWS])),
            )
            rows = await self._database.read(lambda connection, some=statement: connection.execute(some).all())
            for number, count, stored in rows:
                found[number] = np.frombuffer(stored, "<f2").reshape(count, -1).astype(np.float32)
        return found


class MemoryDecisions:
    """What was decided about memory at each turn; stored with its answer (`Memories.answer`)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, namespace: int, number: int) -> JsonValue:
        """The decision of a turn. Raises `NotFoundError`."""
        statement = select(memory_decisions.c.payload).where(
            memory_decisions.c.namespace_id == namespace, memory_decisions.c.number == number
        )
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        if row is None:
            raise NotFoundError(f"no decision is recorded for turn {number}")
        return row[0]
