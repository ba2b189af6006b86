"""Jobs of many tenants: each in turn, the same one once, and not for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest

from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage import service_jobs as module
from longdoc.storage.database import Database
from longdoc.storage.profiles import Profiles
from longdoc.storage.service_jobs import LEASE, LOST, MOST_LOST, JobStatus, ServiceJobs


def _with(location: str, work: Callable[[ServiceJobs, Profiles, list[datetime]], Awaitable[None]]) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    def ticking() -> datetime:
        now[0] += timedelta(milliseconds=1)
        return now[0]

    async def opened() -> None:
        async with aclosing(await Database.open(location)) as database:
            await work(ServiceJobs(database, now=ticking), Profiles(database), now)

    asyncio.run(opened())


def test_no_tenant_waits_for_all_jobs_of_another(database: str) -> None:
    async def work(jobs: ServiceJobs, profiles: Profiles, now: list[datetime]) -> None:
        del now
        tenants = [(await profiles.tenant(name)).id for name in ("a", "b", "c")]
        for number in range(6):
            await jobs.add(tenants[0], None, {"number": number})
        claimed = [await jobs.claim("one") for _ in range(2)]
        for tenant in tenants[1:]:
            for number in range(2):
                await jobs.add(tenant, None, {"number": number})
        turns: list[str] = []
        for _ in range(8):
            done = claimed.pop(0)
            assert done is not None
            await jobs.beat("one", done.id, planned=1, done=1)
            await jobs.end("one", done.id, JobStatus.DONE)
            job = await jobs.claim("one")
            assert job is not None
            turns.append(job.tenant.name)
            claimed.append(job)
        assert "".join(turns) == "bcabcaaa"

    _with(database, work)


def test_the_same_job_waits_once_and_comes_behind_one_that_runs(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_OPEN", 3)

    async def work(jobs: ServiceJobs, profiles: Profiles, now: list[datetime]) -> None:
        del now
        tenant, other = (await profiles.tenant("a")).id, (await profiles.tenant("b")).id
        ann = await profiles.open(tenant, "ann")
        first = await jobs.add(tenant, None, {"tasks": ["title"]})
        assert await jobs.add(tenant, None, {"tasks": ["title"]}) == first
        assert await jobs.add_once(tenant, None, {"tasks": ["title"]}, key="k", checksum="c") == (first, False)
        assert (await jobs.claim("one")) is not None
        second = await jobs.add(tenant, None, {"tasks": ["title"]})
        assert second.id != first.id
        third = await jobs.add(tenant, ann.id, {"tasks": ["title"]})
        assert third.user == "ann"
        with pytest.raises(ConfigError, match="have not ended"):
            await jobs.add(tenant, None, {})
        await jobs.add(other, None, {})
        assert await jobs.add(tenant, None, {"tasks": ["title"]}) == second

    _with(database, work)


def test_a_job_whose_processes_are_lost_again_and_again_has_failed(database: str) -> None:
    async def work(jobs: ServiceJobs, profiles: Profiles, now: list[datetime]) -> None:
        tenant = (await profiles.tenant("a")).id
        job = await jobs.add(tenant, None, {})
        for _ in range(3):  # a service that ends parks it, as often as it likes
            assert (await jobs.claim("one")) is not None
            await jobs.end("one", job.id, JobStatus.PARKED, report={"made": 3})
        for _ in range(MOST_LOST + 1):
            claimed = await jobs.claim("one")
            assert claimed is not None
            assert claimed.report == {"made": 3}
            now[0] += LEASE + timedelta(seconds=1)
        assert await jobs.claim("one") is None
        ended = await jobs.get(tenant, job.id)
        assert (ended.status, ended.error, ended.report) == (JobStatus.FAILED, LOST, {"made": 3})

    _with(database, work)


def test_ended_jobs_are_kept_for_a_week(database: str) -> None:
    async def work(jobs: ServiceJobs, profiles: Profiles, now: list[datetime]) -> None:
        tenant = (await profiles.tenant("a")).id
        ended = await jobs.add(tenant, None, {})
        await jobs.cancel(tenant, ended.id)
        waits = await jobs.add(tenant, None, {})
        now[0] += timedelta(days=6)
        await jobs.forget_old()
        assert (await jobs.get(tenant, ended.id)).status is JobStatus.CANCELLED
        now[0] += timedelta(days=2)
        await jobs.forget_old()
        with pytest.raises(NotFoundError):
            await jobs.get(tenant, ended.id)
        assert (await jobs.get(tenant, waits.id)).status is JobStatus.QUEUED

    _with(database, work)
