"""Nodes: what a run made, piece by piece, with what each was made from.

Owns the trees of all runs; what stands in a node is its agent's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database


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

        The run, the document, the children and the calls must be stored: `StorageError` otherwise.
        """
        ...

    async def get(self, node_id: str) -> Node:
        """A node. Raises `NotFoundError`."""
        ...

    async def children(self, node_id: str) -> tuple[Node, ...]:
        """What a node was made from, in order; none for one made from the text, or unknown."""
        ...

    async def calls(self, node_id: str) -> tuple[int, ...]:
        """The ids of the calls made for a node, in order of attempts."""
        ...

    async def of_run(self, run_id: str) -> tuple[Node, ...]:
        """All nodes of a run by number."""
        ...
