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
_ENDED_KEPT: Final = timedelta(days=7)
"""How long a job is kept once it has ended."""
MOST_OPEN: Final = 1_000
"""Jobs of a tenant that have not ended."""
MOST_LOST: Final = 5
"""So often a job goes on after a process that was not heard of any more; then it has failed."""
LOST: Final = "lost"
"""The error of a job whose processes were lost so often."""
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
        """Store a job that is to be done, or find the same one that waits already.

        Raises `ConfigError` where too many of the tenant's have not ended.
        """
        row = self._row(tenant, profile, request)
        return await self._database.write(lambda connection: _added(connection, row))

    async def add_once(
        self, tenant: int, profile: int | None, request: Mapping[str, JsonValue], *, key: str, checksum: str
    ) -> tuple[Job, bool]:
        """As `add`, or the job that was added under this key before; whether it was.

        Raises `ConfigError` where another request came under this key, or too many jobs of the tenant have not ended,
        `NotFoundError` where that job is gone.
        """
        row = self._row(tenant, profile, request)
        now = self._now()

        def work(connection: Connection) -> tuple[Job, bool]:
            found = _reply(connection, tenant, key)
            if found is not None:
                _check_same(found, checksum)
                return _get(connection, tenant, str(found.body)), True
            job = _added(connection, row)
            reply = {"tenant_id": tenant, "key": key, "request": checksum, "status": 202, "body": job.id}
            connection.execute(insert(service_replies).values(**reply, created_at=now))
            return job, False

        return await self._database.write(work)

    async def get(self, tenant: int, id_: str) -> Job:
        """A job of a tenant. Raises `NotFoundError`."""
        return await self._database.read(lambda connection: _get(connection, tenant, id_))

    async def claim(self, owner: str) -> Job | None:
        """Take a job that waits, or whose owner was not heard of for long; None where there is none.

        Of the tenants that have one, the one with the fewest under way is next; of several, the one whose turn was
        longest ago.
        """
        now = self._now()
        lost = and_(service_jobs.c.status == JobStatus.RUNNING, service_jobs.c.seen_at < now - LEASE)
        free = or_(service_jobs.c.status.in_([JobStatus.QUEUED, JobStatus.PARKED]), lost)

        def work(connection: Connection) -> Job | None:
            for tenant in _in_turn(connection, free, ~lost):
                if (job := _claimed(connection, tenant, free, owner, now)) is not None:
                    return job
            return None

        # Looked for by a read first: a service that has nothing to do takes no write lock.
        first = select(service_jobs.c.id).where(free).limit(1)
        anything = await self._database.read(lambda connection: connection.execute(first).first())
        return None if anything is None else await self._database.write(work)

    async def beat(
        self, owner: str, id_: str, *, planned: int, done: int, report: Mapping[str, JsonValue] | None = None
    ) -> bool:
        """Say how far a job is, and that its owner is there; False where it is the owner's no more. A `report` of what
        was done so far is there for who takes it over."""
        values: dict[str, object] = {"planned": planned, "done": done, "seen_at": self._now()}
        if report is not None:
            values["report"] = report
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
        values: dict[str, object] = {"status": status, "owner": None, "error": error, "ended_at": ended}
        if report is not None:
            values["report"] = report
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

    async def forget_old(self) -> None:
        """Delete replies, and jobs that have ended, which are kept no longer; and let what anybody erased leave the
        log, where a reader kept it there."""
        await self.forget_old_replies()
        old = delete(service_jobs).where(service_jobs.c.ended_at < self._now() - _ENDED_KEPT)
        await self._database.write(lambda connection: connection.execute(old).close())
        await self._database.checkpoint()

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


def _added(connection: Connection, row: Mapping[str, Any]) -> Job:
    """The job that is to be done, or the same one that waits. One that is running may have come by already what has
    changed since, so that another one comes behind it."""
    tenant = row["tenant_id"]
    mine = service_jobs.c.tenant_id == tenant
    profile = service_jobs.c.profile_id
    same = profile.is_(None) if row["profile_id"] is None else profile == row["profile_id"]
    waits = service_jobs.c.status.in_([JobStatus.QUEUED, JobStatus.PARKED])
    waiting = select(service_jobs.c.id, service_jobs.c.request).where(mine, same, waits)
    for found in connection.execute(waiting.order_by(service_jobs.c.created_at)).all():
        if found.request == row["request"]:
            return _get(connection, tenant, found.id)
    open_ = select(func.count()).where(mine, service_jobs.c.ended_at.is_(None))
    if connection.execute(open_).scalar_one() >= MOST_OPEN:
        raise ConfigError(f"{MOST_OPEN} jobs have not ended; wait for them, or refresh all users with one")
    connection.execute(insert(service_jobs), row)
    return _get(connection, tenant, row["id"])


def _in_turn(connection: Connection, free: ColumnElement[bool], heard: ColumnElement[bool]) -> list[int]:
    """The tenants that have a job which is free, in the order of their turns."""
    tenant = service_jobs.c.tenant_id
    wait = connection.execute(select(tenant, func.min(service_jobs.c.created_at)).where(free).group_by(tenant)).all()
    since = {row[0]: row[1] for row in wait}
    if len(since) < 2:
        return list(since)
    running = select(tenant, func.count()).where(service_jobs.c.status == JobStatus.RUNNING, heard).group_by(tenant)
    under_way = {row[0]: row[1] for row in connection.execute(running).all()}
    begun = service_jobs.c.status != JobStatus.QUEUED
    turns = select(tenant, func.max(service_jobs.c.seen_at)).where(tenant.in_(list(since)), begun).group_by(tenant)
    last = {row[0]: row[1].timestamp() for row in connection.execute(turns).all()}
    return sorted(since, key=lambda one: (under_way.get(one, 0), last.get(one, 0.0), since[one]))


def _claimed(connection: Connection, tenant: int, free: ColumnElement[bool], owner: str, now: datetime) -> Job | None:
    """The oldest free job of a tenant, taken; those whose processes were lost too often have failed."""
    oldest = (
        select(service_jobs.c.id, service_jobs.c.status, service_jobs.c.lost)
        .where(service_jobs.c.tenant_id == tenant, free)
        .order_by(service_jobs.c.created_at, service_jobs.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    while (row := connection.execute(oldest).first()) is not None:
        lost = row.lost + (row.status == JobStatus.RUNNING)
        failed = lost > MOST_LOST
        values: dict[str, object] = {"status": JobStatus.RUNNING, "owner": owner, "seen_at": now, "lost": lost}
        if failed:
            values |= {"status": JobStatus.FAILED, "owner": None, "error": LOST, "ended_at": now}
        connection.execute(update(service_jobs).where(service_jobs.c.id == row.id).values(values))
        if not failed:
            return _get(connection, tenant, row.id)
    return None


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
