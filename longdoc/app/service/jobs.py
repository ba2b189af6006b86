"""Jobs: refreshes done behind requests, several at once, whichever process of a record has the time.

A job that the service ends under is parked; one whose process was killed is found when it was not heard of for a while.
Either goes on with what is left: the summaries that were made are stored, and calls that were made are in the ledger.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from logging import ERROR
from time import monotonic

from longdoc.agents.events import Event, NodeDone, Planned
from longdoc.agents.profile_tasks import ProfileTask
from longdoc.app.bootstrap import Records, Workspace
from longdoc.app.memory_access import erase_expired
from longdoc.app.profile_refresh import RefreshOptions, RefreshReport, refresh
from longdoc.app.service.bodies import RefreshBody
from longdoc.app.service.problems import service_error
from longdoc.app.service.request_log import log, place_of
from longdoc.errors import LdaError
from longdoc.json_value import JsonValue
from longdoc.storage.service_jobs import Job, JobStatus

_AT_ONCE = 4
_LOOK_SECONDS = 2.0
_BEAT_SECONDS = 0.5
_UPKEEP_SECONDS = 3600.0
_TRIES = 8
_LONGEST_WAIT = 60.0


@dataclass(slots=True)
class _Progress:
    """How far a refresh is, from what it tells: the `report` of this try, and what was done `before` it."""

    planned: int = 0
    done: int = 0
    force: bool = False
    report: RefreshReport = field(default_factory=RefreshReport)
    before: RefreshReport = field(default_factory=RefreshReport)

    @property
    def so_far(self) -> RefreshReport:
        """What was done in all tries."""
        return self.report.behind(self.before, force=self.force)

    def again(self) -> None:
        """Begin another try."""
        self.report, self.before, self.done = RefreshReport(), self.so_far, 0

    def take(self, event: Event) -> None:
        if isinstance(event, Planned):
            self.planned = event.nodes
        elif isinstance(event, NodeDone):
            self.done += 1


class JobRunner:
    """Does the jobs of a record. `workspace` opens the engine; `open_jobs` is told how many have not ended."""

    def __init__(
        self,
        records: Records,
        workspace: Callable[[], Awaitable[Workspace]],
        tasks: Mapping[str, ProfileTask],
        *,
        open_jobs: Callable[[float], None],
    ) -> None:
        self._records = records
        self._jobs = records.jobs
        self._workspace = workspace
        self._tasks = tasks
        self._open_jobs = open_jobs
        self._owner = secrets.token_hex(8)
        self._woken = asyncio.Event()
        self._works: dict[str, asyncio.Task[RefreshReport]] = {}
        self._working: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._kept_up = float("-inf")

    def start(self) -> None:
        """Begin to look for jobs."""
        self._loop = asyncio.create_task(self._run())

    def stop(self, id_: str) -> None:
        """Stop a job that was cancelled, where it is done here; another process hears of it at its next beat."""
        if id_ in self._works:
            self._works[id_].cancel()

    def wake(self) -> None:
        """Look for jobs at once."""
        self._woken.set()

    async def aclose(self) -> None:
        """Park what is being done, and end. Idempotent."""
        if self._loop is None:
            return
        tasks = [self._loop, *self._working]
        self._loop = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._look()
            except LdaError as error:  # a record that is locked for a while, or whose server is away
                log("jobs-failed", level=ERROR, error=type(error).__name__)
            except Exception as error:  # the edge of the program: what breaks once is looked at again
                log("jobs-failed", level=ERROR, error=type(error).__name__, place=place_of(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_SECONDS)

    async def _look(self) -> None:
        if monotonic() - self._kept_up > _UPKEEP_SECONDS:
            self._kept_up = monotonic()
            await self._keep_up()
        while len(self._working) < _AT_ONCE and (job := await self._jobs.claim(self._owner)) is not None:
            if job.id in self._works:  # it goes on here, though its beats could not be said for long
                break
            task = asyncio.create_task(self._do(job))
            self._working.add(task)
            task.add_done_callback(self._ended)
        self._open_jobs(await self._jobs.waiting())

    async def _keep_up(self) -> None:
        """Delete what is kept no longer; what fails is told, and keeps no job from being done."""
        for work in (self._jobs.forget_old, partial(erase_expired, self._records)):
            try:
                await work()
            except Exception as error:  # the edge of the program, as above
                log("upkeep-failed", level=ERROR, error=type(error).__name__, place=place_of(error))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._woken.set()

    async def _do(self, job: Job) -> None:
        progress = _Progress(planned=job.planned, before=_report_of(job))
        work = self._works[job.id] = asyncio.create_task(self._refreshed(job, progress))
        try:
            while not work.done():
                await asyncio.wait([work], timeout=_BEAT_SECONDS)
                if not await self._beat(job, progress):
                    return  # it was cancelled, or its user is gone
            await self._done(job, work.result())
        except asyncio.CancelledError:
            await _stopped(work)
            await self._jobs.end(self._owner, job.id, JobStatus.PARKED, report=_counts(progress.so_far))
            raise
        except LdaError as error:
            await self._failed(job, service_error(error).kind)
        except Exception as error:  # the edge of the program: a job that breaks is told, and others go on
            log("failed", level=ERROR, job=job.id, error=type(error).__name__, place=place_of(error))
            await self._failed(job, "internal")
        finally:
            del self._works[job.id]
            await _stopped(work)

    async def _beat(self, job: Job, progress: _Progress) -> bool:
        """Say that a job goes on; False where it is this process's no more. One that cannot be said is said later."""
        try:
            counts = _counts(progress.so_far)
            return await self._jobs.beat(
                self._owner, job.id, planned=progress.planned, done=progress.done, report=counts
            )
        except LdaError as error:
            log("beat-failed", level=ERROR, job=job.id, error=type(error).__name__)
            return True

    async def _done(self, job: Job, report: RefreshReport) -> None:
        try:
            await self._jobs.end(self._owner, job.id, JobStatus.DONE, report=_counts(report))
        except LdaError as error:  # it is found again later, when there is nothing left of it to be done
            log("end-failed", level=ERROR, job=job.id, error=type(error).__name__)

    async def _failed(self, job: Job, kind: str) -> None:
        with suppress(LdaError):  # where even that cannot be stored, it is found and done again later
            await self._jobs.end(self._owner, job.id, JobStatus.FAILED, error=kind)

    async def _refreshed(self, job: Job, progress: _Progress) -> RefreshReport:
        """Refresh; where the engine is away, some more times, later and later."""
        wait = 1.0
        for _ in range(_TRIES - 1):
            try:
                return await self._refresh(job, progress)
            except LdaError as error:
                if not error.resumable:
                    raise
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        return await self._refresh(job, progress)

    async def _refresh(self, job: Job, progress: _Progress) -> RefreshReport:
        asked = RefreshBody.model_validate(dict(job.request))
        oldest = None if asked.older_than_days is None else timedelta(days=asked.older_than_days)
        options = RefreshOptions(job.user, tuple(asked.tasks), asked.force, oldest)
        progress.force = asked.force
        progress.again()
        workspace, report = await self._workspace(), progress.report
        await refresh(workspace, job.tenant, self._tasks, options, emit=progress.take, report=report)
        return progress.so_far


def _counts(report: RefreshReport) -> dict[str, JsonValue]:
    """A report in numbers: which users could not be served is a text of theirs."""
    return {**asdict(report), "failed": len(report.failed)}


def _report_of(job: Job) -> RefreshReport:
    """What an earlier owner of a job had done, as far as it goes into the report of the next."""
    counts = job.report or {}
    made, read = counts.get("made"), counts.get("read")
    return RefreshReport(made=made if isinstance(made, int) else 0, read=read if isinstance(read, int) else 0)


async def _stopped(work: asyncio.Task[RefreshReport]) -> None:
    work.cancel()
    await asyncio.wait([work])
