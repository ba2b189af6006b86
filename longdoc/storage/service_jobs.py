"""Jobs of the service: refreshes that go on when the service does, and replies to requests that are sent again.

A job is done by one process at a time: who claims it is its owner for as long as it says now and then that it is there.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, or_, select, update

from longdoc.errors import ConfigError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_missing
from longdoc.storage.profile_types import Tenant
from longdoc.storage.schema import profiles, service_jobs, service_replies, tenants

LEASE: Final = timedelta(seconds=20)
"""So long after it was last heard of, a process is taken to have ended."""
_KEPT: Final = timedelta(hours=24)
"""How long a reply is kept."""
_ID_BYTES = 12


class JobStatus(StrEnum):
    """How far a job is; what is `PARKED` goes on when a service has the time."""

    QUEUED = "queued"
    RUNNING = "running"
    PARKED = "parked"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self in {JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class Job:
    """A job: what was asked (of a `user`, None for all), and how far it is. `report` is there once it is done."""

    id: str
    tenant: Tenant
    user: str | None
    request: Mapping[str, JsonValue]
    status: JobStatus
    planned: int
    done: int
    report: Mapping[str, JsonValue] | None
    error: str | None
    created_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredReply:
    """What was replied to a request, and the checksum of that."""

    request: str
    status: int
    body: JsonValue


class ServiceJobs:
    """The stored jobs and replies."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(self, tenant: int, profile: int | None, request: Mapping[str, JsonValue]) -> Job:
        """Store a job that is to be done."""
        row = self._row(tenant, profile, request)

        def work(connection: Connection) -> Job:
            connection.execute(insert(service_jobs).values(row))
            return _get(connection, tenant, str(row["id"]))

        return await self._database.write(work)

    async def add_once(
        self, tenant: int, profile: int | None, request: Mapping[str, JsonValue], *, key: str, checksum: str
    ) -> tuple[Job, bool]:
        """As `add`, or the job that was added under this key before; whether it was.

        Raises `ConfigError` where another request came under this key, `NotFoundError` where that job is gone.
        """
        row = self._row(tenant, profile, request)
        now = self._now()

        def work(connection: Connection) -> tuple[Job, bool]:
            found = _reply(connection, tenant, key)
            if found is not None:
                _check_same(found, checksum)
                return _get(connection, tenant, str(found.body)), True
            connection.execute(insert(service_jobs).values(row))
            reply = {"tenant_id": tenant, "key": key, "request": checksum, "status": 202, "body": row["id"]}
            connection.execute(insert(service_replies).values(**reply, created_at=now))
            return _get(connection, tenant, str(row["id"])), False

        return await self._database.write(work)

    async def get(self, tenant: int, id_: str) -> Job:
        """A job of a tenant. Raises `NotFoundError`."""
        return await self._database.read(lambda connection: _get(connection, tenant, id_))

    async def claim(self, owner: str) -> Job | None:
        """Take a job that waits, or whose owner was not heard of for long; None where there is none."""
        now = self._now()
        waits = service_jobs.c.status.in_([JobStatus.QUEUED, JobStatus.PARKED])
        lost = and_(service_jobs.c.status == JobStatus.RUNNING, service_jobs.c.seen_at < now - LEASE)
        first = select(service_jobs.c.id, service_jobs.c.tenant_id).where(or_(waits, lost))
        ordered = (
            first.order_by(service_jobs.c.created_at, service_jobs.c.id).limit(1).with_for_update(skip_locked=True)
        )

        def work(connection: Connection) -> Job | None:
            row = connection.execute(ordered).first()
            if row is None:
                return None
            values = {"status": JobStatus.RUNNING, "owner": owner, "seen_at": now}
            connection.execute(update(service_jobs).where(service_jobs.c.id == row.id).values(values))
            return _get(connection, row.tenant_id, row.id)

        # Looked for by a read first: a service that has nothing to do takes no write lock.
        anything = await self._database.read(lambda connection: connection.execute(first.limit(1)).first())
        return None if anything is None else await self._database.write(work)

    async def beat(self, owner: str, id_: str, *, planned: int, done: int) -> bool:
        """Say how far a job is, and that its owner is there; False where it is the owner's no more."""
        values = {"planned": planned, "done": done, "seen_at": self._now()}
        statement = update(service_jobs).where(_owned(owner, id_)).values(values)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    async def end(
        self,
        owner: str,
        id_: str,
        status: JobStatus,
        *,
        report: Mapping[str, JsonValue] | None = None,
        error: str | None = None,
    ) -> None:
        """Say what became of a job, or park it, unless it is the owner's no more."""
        ended = self._now() if status.ended else None
        values = {"status": status, "owner": None, "report": report, "error": error, "ended_at": ended}
        statement = update(service_jobs).where(_owned(owner, id_)).values(values)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def cancel(self, tenant: int, id_: str) -> Job:
        """Cancel a job of a tenant unless it has ended; what it is now. Raises `NotFoundError`."""
        open_ = service_jobs.c.status.in_([JobStatus.QUEUED, JobStatus.PARKED, JobStatus.RUNNING])
        mine = service_jobs.c.id == id_, service_jobs.c.tenant_id == tenant, open_
        values = {"status": JobStatus.CANCELLED, "owner": None, "ended_at": self._now()}

        def work(connection: Connection) -> Job:
            connection.execute(update(service_jobs).where(*mine).values(values))
            return _get(connection, tenant, id_)

        return await self._database.write(work)

    async def reply(self, tenant: int, key: str, *, checksum: str) -> StoredReply | None:
        """What was replied to a request under that key. Raises `ConfigError` where it was another request."""
        found = await self._database.read(lambda connection: _reply(connection, tenant, key))
        if found is not None:
            _check_same(found, checksum)
        return found

    async def keep_reply(self, tenant: int, key: str, reply: StoredReply) -> None:
        """Keep what was replied, unless there is a reply under that key."""
        row = {
            "tenant_id": tenant,
            "key": key,
            "request": reply.request,
            "status": reply.status,
            "body": reply.body,
            "created_at": self._now(),
        }
        await self._database.write(lambda connection: insert_missing(connection, service_replies, [row]))

    async def forget_old_replies(self) -> None:
        """Delete replies that are kept no longer."""
        old = delete(service_replies).where(service_replies.c.created_at < self._now() - _KEPT)
        await self._database.write(lambda connection: connection.execute(old).close())

    async def waiting(self) -> int:
        """How many jobs have not ended."""
        open_ = service_jobs.c.status.in_([JobStatus.QUEUED, JobStatus.PARKED, JobStatus.RUNNING])
        statement = select(func.count()).where(open_)
        return await self._database.read(lambda connection: connection.execute(statement).scalar_one())

    def _row(self, tenant: int, profile: int | None, request: Mapping[str, JsonValue]) -> dict[str, object]:
        now = self._now()
        return {
            "id": f"job_{secrets.token_hex(_ID_BYTES)}",
            "tenant_id": tenant,
            "profile_id": profile,
            "request": dict(request),
            "status": JobStatus.QUEUED,
            "owner": None,
            "planned": 0,
            "done": 0,
            "report": None,
            "error": None,
            "created_at": now,
            "seen_at": now,
            "ended_at": None,
        }


def _owned(owner: str, id_: str) -> ColumnElement[bool]:
    return and_(
        service_jobs.c.id == id_, service_jobs.c.owner == owner, service_jobs.c.status == JobStatus.RUNNING.value
    )


_COLUMNS = ("request", "status", "planned", "done", "report", "error", "created_at", "ended_at")
_SELECT: Select[Any] = (
    select(
        service_jobs.c.id,
        service_jobs.c.tenant_id,
        tenants.c.name.label("tenant"),
        tenants.c.created_at.label("tenant_at"),
        profiles.c.user,
        *(service_jobs.c[name] for name in _COLUMNS),
    )
    .join_from(service_jobs, tenants, service_jobs.c.tenant_id == tenants.c.id)
    .outerjoin(profiles, service_jobs.c.profile_id == profiles.c.id)
)


def _get(connection: Connection, tenant: int, id_: str) -> Job:
    mine = service_jobs.c.id == id_, service_jobs.c.tenant_id == tenant
    row = connection.execute(_SELECT.where(*mine)).first()
    if row is None:
        raise NotFoundError(f"there is no job {id_!r}")
    return _job(row)


def _job(row: Row[Any]) -> Job:
    values: dict[str, Any] = {name: getattr(row, name) for name in ("id", "user", *_COLUMNS)}
    values["status"] = JobStatus(row.status)
    return Job(tenant=Tenant(row.tenant_id, row.tenant, row.tenant_at), **values)


def _reply(connection: Connection, tenant: int, key: str) -> StoredReply | None:
    mine = service_replies.c.tenant_id == tenant, service_replies.c.key == key
    row = connection.execute(select(service_replies).where(*mine)).first()
    return None if row is None else StoredReply(row.request, row.status, row.body)


def _check_same(found: StoredReply, checksum: str) -> None:
    if found.request != checksum:
        raise ConfigError("another request came under this Idempotency-Key; choose another key")
