"""Nodes: what a run made, piece by piece, with what each was made from.

Owns the trees of all runs; what stands in a node is its agent's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select
from sqlalchemy.sql import Executable

from longdoc.errors import NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.schema import node_calls, node_children, nodes


class NodeStatus(StrEnum):
    """How a node came out: as it should, cut to fit, or not at all."""

    DONE = "done"
    TRUNCATED = "truncated"
    GAP = "gap"


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a run's work, `id` is "<run_id>.<number>".

    `start` and `end` are offsets into the text of the document it stands for; `tokens` is the length of its
    text, `word_limit` what was asked for; `created_at` is set when it is first stored.
    """

    id: str
    run_id: str
    number: int
    level: int
    title: str
    text: str
    status: NodeStatus = NodeStatus.DONE
    reason: str = ""
    document_id: str | None = None
    start: int | None = None
    end: int | None = None
    tokens: int = 0
    word_limit: int | None = None
    created_at: datetime | None = field(default=None, compare=False)


class Nodes:
    """The stored nodes."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def save(self, node: Node, *, children: Sequence[str] = (), calls: Sequence[int] = ()) -> None:
        """Store a node, or replace the one with its id; children by id and calls in order. In one write.

        Run, document, children and calls must be stored: `StorageError` otherwise.
        """
        row = asdict(node) | {"created_at": self._now()}
        child_rows = [{"node_id": node.id, "position": i, "child_id": child} for i, child in enumerate(children)]
        call_rows = [{"node_id": node.id, "attempt": i, "call_id": call} for i, call in enumerate(calls)]

        def work(connection: Connection) -> None:
            insert_or_update(connection, nodes, row, keep=frozenset({"created_at"}))
            for table, rows in ((node_children, child_rows), (node_calls, call_rows)):
                connection.execute(delete(table).where(table.c.node_id == node.id))
                insert_missing(connection, table, rows)

        await self._database.write(work)

    async def get(self, node_id: str) -> Node:
        """A node. Raises `NotFoundError`."""
        found = await self._read(select(nodes).where(nodes.c.id == node_id))
        if not found:
            raise NotFoundError(f"there is no node {node_id!r}")
        return found[0]

    async def children(self, node_id: str) -> tuple[Node, ...]:
        """What a node was made from, in order; none for one made from the text itself."""
        joined = select(nodes).join(node_children, node_children.c.child_id == nodes.c.id)
        return await self._read(joined.where(node_children.c.node_id == node_id).order_by(node_children.c.position))

    async def calls(self, node_id: str) -> tuple[int, ...]:
        """The ids of the calls made for a node, in order of attempts."""
        found = select(node_calls.c.call_id).where(node_calls.c.node_id == node_id).order_by(node_calls.c.attempt)
        return await self._database.read(lambda connection: tuple(connection.execute(found).scalars()))

    async def of_run(self, run_id: str) -> tuple[Node, ...]:
        """All nodes of a run by number."""
        return await self._read(select(nodes).where(nodes.c.run_id == run_id).order_by(nodes.c.number))

    async def edges(self, run_id: str) -> tuple[tuple[str, str], ...]:
        """The ids of all parents of a run with each of their children: parents by number, children in order."""
        joined = select(node_children.c.node_id, node_children.c.child_id).join(
            nodes, nodes.c.id == node_children.c.node_id
        )
        statement = joined.where(nodes.c.run_id == run_id).order_by(nodes.c.number, node_children.c.position)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return tuple((row.node_id, row.child_id) for row in rows)

    async def keep_first(self, run_id: str, count: int) -> None:
        """Delete the nodes of a run whose number is `count` or more: an earlier, larger plan left them."""
        statement = delete(nodes).where(nodes.c.run_id == run_id, nodes.c.number >= count)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def _read(self, statement: Executable) -> tuple[Node, ...]:
        rows = await self._database.read(lambda connection: connection.execute(statement).mappings().all())
        return tuple(map(_from_row, rows))


def _from_row(row: RowMapping) -> Node:
    values: dict[str, Any] = {**row, "status": NodeStatus(row["status"])}
    return Node(**values)
