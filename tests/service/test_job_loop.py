"""The loop that does jobs goes on, whatever breaks beside them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app import memory_access
from longdoc.app.bootstrap import Records, Workspace
from longdoc.app.memory_access import erase_expired
from longdoc.app.service import jobs as service_jobs
from longdoc.app.service.jobs import JobRunner
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import StorageError
from longdoc.storage.memory_types import Namespace, NamespaceName, NewMemory
from longdoc.storage.profile_types import NewItem
from longdoc.storage.service_jobs import JobStatus
from tests.app.personalizing import reader, workspace_at


def _failing(times: int, error: Exception, inner: Callable[..., Any]) -> Callable[..., Any]:
    left = [times]

    async def work(*given: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise error
        return await inner(*given, **named)

    return work


@pytest.mark.parametrize("method", ["claim", "waiting", "beat", "forget_old_replies", "end"])
@pytest.mark.parametrize("error", [StorageError("it is locked"), KeyError(7), OSError("gone")])
def test_a_job_is_done_whatever_fails_once_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    if method in ("beat", "end") and not isinstance(error, StorageError):
        pytest.skip("what the record raises is a StorageError")
    monkeypatch.setattr(service_jobs, "_LOOK_SECONDS", 0.01)
    if method == "end":  # a job whose end could not be said is found again once it was not heard of for long
        monkeypatch.setattr("longdoc.storage.service_jobs.LEASE", timedelta(seconds=0))

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            records = workspace.records
            tenant = await records.profiles.tenant("local")
            items = [("ann", NewItem("title", str(n), f"text {n}", "Fix it")) for n in range(4)]
            await records.profiles.put(tenant.id, items)
            job = await records.jobs.add(tenant.id, None, {"tasks": ["title"]})
            monkeypatch.setattr(records.jobs, method, _failing(1, error, getattr(records.jobs, method)))
            runner = _runner(records, workspace)
            runner.start()
            async with asyncio.timeout(30):
                while (found := await records.jobs.get(tenant.id, job.id)).status is not JobStatus.DONE:
                    assert found.status in {JobStatus.QUEUED, JobStatus.RUNNING}
                    await asyncio.sleep(0.01)
            await runner.aclose()
            assert found.error is None

    asyncio.run(work())


def _runner(records: Records, workspace: Workspace) -> JobRunner:
    async def opened() -> Workspace:
        return workspace

    return JobRunner(records, opened, BUILT_IN, open_jobs=lambda number: None)


def test_what_expired_is_erased_everywhere_though_one_namespace_is_gone_and_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            records = workspace.records
            past = datetime.now(UTC) - timedelta(days=1)
            opened = [await records.memories.open(NamespaceName("ann", session=str(n))) for n in range(3)]
            for namespace in opened:
                await records.memories.append(namespace.id, NewMemory("a note", expires_at=past))
            inner = records.memories.expired
            gone, failing = opened[0], opened[1]

            async def expired() -> Any:
                found = await inner()
                await records.memories.delete(gone.name)
                return found

            async def scrub(records: Records, namespace: Namespace) -> None:
                if namespace.id == failing.id:
                    raise StorageError("its index cannot be written")

            monkeypatch.setattr(records.memories, "expired", expired)
            monkeypatch.setattr(memory_access, "scrub_index", scrub)
            with pytest.raises(StorageError, match="cannot be written"):
                await erase_expired(records)
            assert not await inner()

    asyncio.run(work())
