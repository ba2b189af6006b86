"""Runs: what a user asked for, and what became of it.

Owns the identity and status of runs; their nodes are `nodes.py`, their calls are written by the ledger.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Row, delete, exists, func, select, update

from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_or_update
from longdoc.storage.lookup import resolve_id
from longdoc.storage.schema import calls, node_calls, nodes, run_calls, run_documents, runs

_ID_LENGTH = 10


class RunStatus(StrEnum):
    """What became of a run; `STOPPED`, `INTERRUPTED`, `FAILED` and a `RUNNING` that was killed can be gone on with."""

    RUNNING = "running"
    DONE = "done"
    GAPS = "gaps"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def finished(self) -> bool:
        """Whether it came to its end, with gaps or without."""
        return self in {RunStatus.DONE, RunStatus.GAPS}


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What is asked for. Kind, documents, parameters and model make the run's id; the title is for people."""

    kind: str
    title: str
    document_ids: Sequence[str]
    parameters: Mapping[str, JsonValue]
    model: str


@dataclass(frozen=True, slots=True)
class Run:
    """A stored run. Answers recorded before `fresh_since` do not count for it; None: all do."""

    id: str
    kind: str
    title: str
    parameters: Mapping[str, JsonValue]
    model: str
    document_ids: tuple[str, ...]
    status: RunStatus
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None = None
    fresh_since: datetime | None = None
    result_node: str | None = None
    error: str | None = None


def run_id_for(kind: str, document_ids: Sequence[str], parameters: Mapping[str, JsonValue], model: str) -> str:
    """The id of a run: ten letters and digits, the same whenever the same is asked."""
    asked = to_canonical_json([kind, list(document_ids), dict(parameters), model])
    digest = hashlib.sha256(asked.encode()).digest()
    return base64.b32encode(digest).decode().lower()[:_ID_LENGTH]


class Runs:
    """The stored runs."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def start(self, request: RunRequest, *, fresh: bool = False) -> Run:
        """Make a run, or open the one there is again; `fresh` ignores answers recorded before now.

        An unfinished fresh run stays fresh since it began; a finished one is repeated from the record. The documents must be stored.
        """
        ...

    async def finish(
        self, run_id: str, status: RunStatus, *, result_node: str | None = None, error: str | None = None
    ) -> None:
        """Close a run. A result it had before is kept where none is given."""
        ...

    async def list(self, *, kind: str | None = None, limit: int | None = None) -> tuple[Run, ...]:
        """Runs, the last started first."""
        ...

    async def get(self, prefix: str) -> Run:
        """The run whose id begins so. Raises `NotFoundError` for none or several."""
        ...

    async def delete(self, run_id: str, *, with_calls: bool = False) -> int:
        """Delete a run and its nodes; with `with_calls` also the calls no other run uses, whose number is returned.

        Raises `NotFoundError`.
        """
        ...
