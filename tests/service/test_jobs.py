"""Jobs: cancelled, parked when the service ends, gone on with, and taken over from a process that is gone."""

import asyncio
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from longdoc.app.bootstrap import Records, open_records
from longdoc.client import Client, calls
from longdoc.client.calls import NewItem
from longdoc.client.replies import Job
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ServiceError
from longdoc.storage.database import Database
from longdoc.storage.service_jobs import LEASE, JobStatus, ServiceJobs
from tests.app.personalizing import reader
from tests.e2e.command import Lda
from tests.service.running import running, settings_for

_USERS = 150


def test_a_job_that_is_cancelled_makes_no_more(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader, delay=4.0)
    with running(tmp_path / "a.db", engine=engine) as service, service.client() as client:
        _fill(client, users=5)
        job = client.send(calls.refresh())
        _until(lambda: len(engine.calls) > 0)
        assert client.send(calls.cancel_job(job.id)).status == "cancelled"
        time.sleep(5)
        for user in range(5):
            assert client.send(calls.list_summaries(f"user {user}")).summaries == []
        assert client.send(calls.cancel_job(job.id)).status == "cancelled"
        again = client.send(calls.refresh("user 1"))
        assert list(client.stream(calls.hear_job(again.id)))[-1].status == "done"


def test_who_listens_to_a_job_is_let_go_when_the_service_ends(tmp_path: Path) -> None:
    heard: list[Job] = []
    with running(tmp_path / "a.db", engine=ScriptedEngine(reader, delay=60.0)) as service:
        client = service.client()
        _fill(client, users=1)
        job = client.send(calls.refresh())
        listening = threading.Thread(target=lambda: heard.extend(client.stream(calls.hear_job(job.id))))
        listening.start()
        _until(lambda: client.send(calls.get_job(job.id)).planned > 0)
    listening.join(10)
    client.close()
    assert not listening.is_alive()
    assert heard[-1].status == "running"  # its stream was ended, not broken off


def test_a_job_of_a_user_goes_with_the_user(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", engine=ScriptedEngine(reader, delay=2.0)) as service, service.client() as client:
        _fill(client, users=1)
        job = client.send(calls.refresh("user 0"))
        client.send(calls.delete_user("user 0"))
        assert not client.send(calls.list_users()).users
        with service.http() as http:
            assert http.get(f"/v1/jobs/{job.id}").status_code == 404


def test_a_job_is_parked_when_the_service_ends_and_gone_on_with_at_the_next_start(tmp_path: Path) -> None:
    lda = Lda(tmp_path, {"LDA_ENGINE": "scripted", "LDA_SCRIPTED_DELAY": "1.5"})
    process, address = served(lda)
    try:
        with Client(address) as client:
            _fill(client, users=_USERS)
            job = client.send(calls.refresh())
            _until(lambda: client.send(calls.get_job(job.id)).done > 0)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    finally:
        process.kill()
    assert '"event": "ending"' in told
    assert lda.query("select status from service_jobs") == [("parked",)]
    assert 0 < lda.recorded_calls() < _USERS
    process, address = served(lda, LDA_SCRIPTED_DELAY="0")
    try:
        with Client(address) as client:
            assert list(client.stream(calls.hear_job(job.id)))[-1].status == "done"
    finally:
        process.kill()
        process.communicate()
    assert lda.query("select count(*) from profile_summaries") == [(_USERS,)]
    assert lda.repeated_calls() == []


def test_a_job_whose_process_is_gone_is_taken_over_once_it_was_not_heard_of(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    async def work() -> None:
        database = await Database.open(tmp_path / "a.db")
        async with open_records(settings_for(tmp_path / "a.db")) as records:
            jobs = ServiceJobs(database, now=lambda: now[0])
            tenant = await records.profiles.tenant("acme")
            job = await jobs.add(tenant.id, None, {"tasks": ["title"]})
            claimed = await jobs.claim("one")
            assert claimed is not None
            assert (claimed.id, claimed.tenant, claimed.request) == (job.id, tenant, {"tasks": ["title"]})
            assert await jobs.claim("two") is None
            now[0] += LEASE - timedelta(seconds=1)
            assert await jobs.beat("one", job.id, planned=3, done=1)
            now[0] += LEASE - timedelta(seconds=1)
            assert await jobs.claim("two") is None
            now[0] += timedelta(seconds=2)
            assert (await jobs.claim("two")) is not None
            assert not await jobs.beat("one", job.id, planned=3, done=2)
            await jobs.end("one", job.id, JobStatus.FAILED)
            assert (await jobs.get(tenant.id, job.id)).status is JobStatus.RUNNING
            await jobs.end("two", job.id, JobStatus.DONE, report={"made": 3})
            assert await jobs.waiting() == 0
        await database.aclose()

    asyncio.run(work())


def test_replies_are_kept_for_a_day(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]

    async def work(records: Records, database: Database) -> None:
        jobs = ServiceJobs(database, now=lambda: now[0])
        tenant = (await records.profiles.tenant("acme")).id
        first, again = await jobs.add_once(tenant, None, {}, key="k", checksum="c")
        assert not again
        assert (await jobs.add_once(tenant, None, {}, key="k", checksum="c")) == (first, True)
        now[0] += timedelta(hours=25)
        await jobs.forget_old_replies()
        assert await jobs.reply(tenant, "k", checksum="other") is None

    async def opened() -> None:
        database = await Database.open(tmp_path / "a.db")
        async with open_records(settings_for(tmp_path / "a.db")) as records:
            await work(records, database)
        await database.aclose()

    asyncio.run(opened())


def test_what_was_acknowledged_is_there_once_after_a_kill(tmp_path: Path) -> None:
    """Items of requests that were replied to are there, those of the others as a whole or not at all."""
    lda = Lda(tmp_path, {"LDA_ENGINE": "scripted"})
    process, address = served(lda)
    acknowledged: list[int] = []
    killed_after = 12
    try:
        with Client(address) as client:
            for batch in range(killed_after):
                assert client.send(calls.put_items("ann", _batch(batch), key=f"batch {batch}")).added == 100
                acknowledged.append(batch)
        waiting = threading.Thread(target=_send, args=(address, killed_after))
        waiting.start()
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        waiting.join(60)
    finally:
        process.kill()
    counts = dict(lda.query("select substr(key, 1, instr(key, '.') - 1), count(*) from profile_items group by 1"))
    assert all(counts.pop(str(batch)) == 100 for batch in acknowledged)
    assert counts in ({}, {str(killed_after): 100})
    process, address = served(lda)
    try:
        with Client(address) as client:
            for batch in range(killed_after + 1):
                client.send(calls.put_items("ann", _batch(batch), key=f"batch {batch}"))
    finally:
        process.kill()
        process.communicate()
    assert lda.query("select count(*), count(distinct key) from profile_items") == [(1300, 1300)]


def served(lda: Lda, **options: str) -> tuple[subprocess.Popen[str], str]:
    """`lda serve` as a process, and its address."""
    process = lda.start("serve", "--port", "0", **options)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("serving at "):
            return process, line.split()[2]
    raise AssertionError("the service did not start")


def _batch(batch: int) -> list[NewItem]:
    return [NewItem("title", f"{batch}.{n}", f"text {n}", "Fix it") for n in range(100)]


def _send(address: str, batch: int) -> None:
    with Client(address) as client, suppress(ServiceError):
        client.send(calls.put_items("ann", _batch(batch)))


def _fill(client: Client, *, users: int) -> None:
    for user in range(users):
        items = [NewItem("title", str(n), f"text {user} {n}", "Fix the door") for n in range(4)]
        client.send(calls.put_items(f"user {user}", items))


def _until(condition: Callable[[], bool]) -> None:
    """Wait for something to hold."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
