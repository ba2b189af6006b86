"""What runs chose to answer from, with the scores of every stage; what is in it is an agent's business."""

from __future__ import annotations

from sqlalchemy import select

from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_or_update
from longdoc.storage.schema import selections


class Selections:
    """The stored selections, one for a run."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def save(self, run_id: str, payload: JsonValue) -> None:
        """Store what a run chose, in place of what was stored before. Raises `StorageError` for an unknown run."""
        row = {"run_id": run_id, "payload": payload, "created_at": self._now()}
        await self._database.write(lambda connection: insert_or_update(connection, selections, row))

    async def load(self, run_id: str) -> JsonValue | None:
        """What a run chose, None where nothing is stored."""
        statement = select(selections.c.payload).where(selections.c.run_id == run_id)
        return await self._database.read(lambda connection: connection.execute(statement).scalar())
