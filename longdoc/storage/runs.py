"""Runs: what a user asked for, and what became of it.

Owns the identity and status of runs; their nodes are `nodes.py`, their calls are written by the ledger.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, delete, exists, func, select, update
from sqlalchemy.sql import Executable

from longdoc.errors import NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.lookup import resolve_id
from longdoc.storage.schema import calls, node_calls, nodes, run_calls, run_documents, runs

_ID_LENGTH = 10
_MOST_PARAMETERS = 10_000
"""Of one statement: SQLite takes 32,766, PostgreSQL 65,535."""

T = TypeVar("T")


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
        """Make a run, or open the one there is again; `fresh`: answers recorded before it do not count.

        An unfinished fresh run goes on as fresh as it began, whether `fresh` is said again or not, so that
        nothing is paid for twice. A finished one starts afresh if `fresh`, or is answered from the record. The
        documents must be stored: `StorageError` otherwise.
        """
        run_id = run_id_for(request.kind, request.document_ids, request.parameters, request.model)
        now = self._now()
        return await self._database.write(lambda connection: _start(connection, run_id, request, now, fresh=fresh))

    async def finish(
        self, run_id: str, status: RunStatus, *, result_node: str | None = None, error: str | None = None
    ) -> None:
        """Close a run. The result it had before is kept where none is given."""
        values = {"status": status, "finished_at": self._now(), "error": error}
        if result_node is not None:
            values["result_node"] = result_node
        statement = update(runs).where(runs.c.id == run_id).values(values)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def list(self, *, kind: str | None = None, limit: int | None = None) -> tuple[Run, ...]:
        """Runs, the last started first."""
        statement = select(runs).order_by(runs.c.started_at.desc(), runs.c.id).limit(limit)
        if kind is not None:
            statement = statement.where(runs.c.kind == kind)
        return await self._database.read(lambda connection: _select(connection, statement))

    async def count(self) -> int:
        """How many there are."""
        statement = select(func.count()).select_from(runs)
        return await self._database.read(lambda connection: connection.execute(statement).scalar_one())

    async def get(self, prefix: str) -> Run:
        """The run whose id begins so. Raises `NotFoundError` for none or several."""

        def work(connection: Connection) -> Run:
            run_id = resolve_id(connection, runs, prefix, thing="run")
            return _select(connection, select(runs).where(runs.c.id == run_id))[0]

        return await self._database.read(work)

    async def delete(self, run_id: str, *, with_calls: bool = False) -> int:
        """Delete a run and its nodes; `with_calls`: also the calls that no other run uses. Returns how many.

        Raises `NotFoundError`.
        """

        def work(connection: Connection) -> int:
            own = _own_calls(connection, run_id) if with_calls else []
            if connection.execute(delete(runs).where(runs.c.id == run_id)).rowcount == 0:
                raise NotFoundError(f"there is no run {run_id!r}")
            for some in _slices(own):
                connection.execute(delete(calls).where(calls.c.id.in_(some)))
            return len(own)

        return await self._database.write(work)


def _start(connection: Connection, run_id: str, request: RunRequest, now: datetime, *, fresh: bool) -> Run:
    found = _select(connection, select(runs).where(runs.c.id == run_id))
    before = found[0] if found else None
    fresh_since = _still_fresh_since(before)
    starts_afresh = fresh and fresh_since is None
    run = Run(
        id=run_id,
        kind=request.kind,
        title=request.title,
        parameters=request.parameters,
        model=request.model,
        document_ids=tuple(request.document_ids),
        status=RunStatus.RUNNING,
        created_at=now if before is None else before.created_at,
        started_at=now,
        fresh_since=now if starts_afresh else fresh_since,
        result_node=None if before is None or starts_afresh else before.result_node,
    )
    _save(connection, run)
    return run


def _still_fresh_since(before: Run | None) -> datetime | None:
    return None if before is None or before.status.finished else before.fresh_since


def _save(connection: Connection, run: Run) -> None:
    row = {column.name: getattr(run, column.name) for column in runs.c}
    insert_or_update(connection, runs, row)
    links = [
        {"run_id": run.id, "position": position, "document_id": document_id}
        for position, document_id in enumerate(run.document_ids)
    ]
    insert_missing(connection, run_documents, links)


def _select(connection: Connection, statement: Executable) -> tuple[Run, ...]:
    rows = connection.execute(statement).mappings().all()
    documents = _documents_of(connection, [row["id"] for row in rows])
    return tuple(_from_row(row, documents[row["id"]]) for row in rows)


def _documents_of(connection: Connection, run_ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
    for some in _slices(run_ids):
        statement = select(run_documents).where(run_documents.c.run_id.in_(some)).order_by(run_documents.c.position)
        for row in connection.execute(statement):
            found[row.run_id].append(row.document_id)
    return found


def _slices(values: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), _MOST_PARAMETERS):
        yield values[start : start + _MOST_PARAMETERS]


def _from_row(row: RowMapping, document_ids: Sequence[str]) -> Run:
    values: dict[str, Any] = {**row, "status": RunStatus(row["status"]), "document_ids": tuple(document_ids)}
    return Run(**values)


def _own_calls(connection: Connection, run_id: str) -> list[int]:
    """Calls of a run which no other run made or took, and no node of another run came from."""
    other = run_calls.alias()
    used_by_run = exists().where(other.c.call_id == run_calls.c.call_id, other.c.run_id != run_id)
    used_by_node = exists().where(
        node_calls.c.call_id == run_calls.c.call_id, node_calls.c.node_id == nodes.c.id, nodes.c.run_id != run_id
    )
    statement = select(run_calls.c.call_id).where(run_calls.c.run_id == run_id, ~used_by_run, ~used_by_node)
    return list(connection.execute(statement).scalars())
