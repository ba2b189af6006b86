"""What the sentences of nodes rest on: spans of the document and sentences of child nodes.

Owns keeping it; working it out is an agent's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Select, select

from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_or_update
from longdoc.storage.schema import node_supports, nodes


@dataclass(frozen=True, slots=True)
class SentenceSupport:
    """A sentence of a node, `text[start:end]`, and what it rests on.

    `spans` are offsets in the document, best first; `children` are sentences of the nodes it was made from: the id of
    the node and the number of the sentence in it. `score` is in 0..1; a sentence that is not `supported` has neither.
    """

    start: int
    end: int
    score: float
    supported: bool
    spans: tuple[tuple[int, int], ...] = ()
    children: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class NodeSupport:
    """The sentences of a node in order. `basis` is a hash of what this was worked out from, `aligner` by what."""

    node_id: str
    basis: str
    aligner: str
    sentences: tuple[SentenceSupport, ...]


_SENTENCES = TypeAdapter(tuple[SentenceSupport, ...])


class Supports:
    """The stored supports."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def save(self, support: NodeSupport) -> None:
        """Store what a node rests on, in place of what was stored before. The node must be stored."""
        row = {
            "node_id": support.node_id,
            "basis": support.basis,
            "aligner": support.aligner,
            "sentences": _SENTENCES.dump_python(support.sentences, mode="json"),
            "created_at": self._now(),
        }
        await self._database.write(lambda connection: insert_or_update(connection, node_supports, row))

    async def of_run(self, run_id: str) -> Mapping[str, NodeSupport]:
        """All that is stored for a run, by the id of the node."""
        joined = select(node_supports).join(nodes, nodes.c.id == node_supports.c.node_id)
        return await self._read(joined.where(nodes.c.run_id == run_id))

    async def of_nodes(self, node_ids: Sequence[str]) -> Mapping[str, NodeSupport]:
        """What is stored for some nodes, by their ids."""
        return await self._read(select(node_supports).where(node_supports.c.node_id.in_(node_ids)))

    async def _read(self, statement: Select[Any]) -> Mapping[str, NodeSupport]:
        def work(connection: Connection) -> dict[str, NodeSupport]:
            return {
                row.node_id: NodeSupport(row.node_id, row.basis, row.aligner, _SENTENCES.validate_python(row.sentences))
                for row in connection.execute(statement)
            }

        return await self._database.read(work)
