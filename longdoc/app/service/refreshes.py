"""Routes of jobs: a refresh is asked for, looked at, listened to and cancelled."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from time import monotonic

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from longdoc.agents.profile_tasks import find_task
from longdoc.app.service.bodies import IdempotencyKey, InPath, RefreshBody
from longdoc.app.service.callers import PROBLEMS, Asked, Reading, Writing
from longdoc.app.service.personal import EVENTS, EVENTS_RESPONSE
from longdoc.app.service.problems import problem, service_error
from longdoc.app.service.replies import event, reply
from longdoc.app.service.views import JobView
from longdoc.errors import LdaError
from longdoc.storage.service_jobs import Job

router = APIRouter(prefix="/v1", tags=["jobs"], responses=PROBLEMS)
_LOOK_SECONDS = 0.25
_QUIET_SECONDS = 15.0


@router.post("/refresh", response_model=JobView, status_code=202)
async def start_refresh(asked: Writing, body: RefreshBody, idempotency_key: IdempotencyKey = None) -> Response:
    """Have the summaries made that are missing or out of date: a job, or the same one that waits already. It goes on
    when the service is started again."""
    for task in body.tasks:
        find_task(asked.parts.tasks, task)
    profile = None if body.user is None else (await asked.profile(body.user)).id
    request = body.model_dump(mode="json", exclude={"user"})  # the job knows it by its id, and goes with it
    jobs = asked.parts.library.records.jobs
    if idempotency_key is None:
        job, again = await jobs.add(asked.tenant.id, profile, request), False
    else:
        checksum = hashlib.sha256(f"refresh\0{body.model_dump_json()}".encode()).hexdigest()
        job, again = await jobs.add_once(asked.tenant.id, profile, request, key=idempotency_key, checksum=checksum)
    asked.parts.runner.wake()
    headers = {"location": f"/v1/jobs/{job.id}", **({"idempotent-replayed": "true"} if again else {})}
    return reply(JobView.of(job), status=202, headers=headers)


@router.get("/jobs/{id}", response_model=JobView)
async def get_job(asked: Reading, id: InPath) -> Response:  # noqa: A002 - the name of the part of the path
    """How far a job is."""
    return reply(JobView.of(await asked.parts.library.records.jobs.get(asked.tenant.id, id)))


@router.get("/jobs/{id}/events", responses=EVENTS_RESPONSE, response_class=StreamingResponse)
async def hear_job(asked: Reading, id: InPath) -> Response:  # noqa: A002 - as above
    """A job as it goes on: events `job` until it has ended, or the service does."""
    job = await asked.parts.library.records.jobs.get(asked.tenant.id, id)
    return StreamingResponse(_events(asked, job), media_type=EVENTS)


@router.delete("/jobs/{id}", response_model=JobView)
async def cancel_job(asked: Writing, id: InPath) -> Response:  # noqa: A002 - as above
    """Cancel a job; what it has made stays."""
    job = await asked.parts.library.records.jobs.cancel(asked.tenant.id, id)
    asked.parts.runner.stop(job.id)
    return reply(JobView.of(job))


async def _events(asked: Asked, job: Job) -> AsyncGenerator[bytes, None]:
    jobs, closing = asked.parts.library.records.jobs, asked.parts.closing
    told = monotonic()
    yield event("job", JobView.of(job))
    while not job.status.ended and not closing.is_set():
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            now = await jobs.get(asked.tenant.id, job.id)
        except LdaError as error:  # its user was deleted
            lost = service_error(error)
            yield event("problem", problem(lost.status, lost.kind, str(lost)))
            return
        if now != job:
            job, told = now, monotonic()
            yield event("job", JobView.of(job))
        elif monotonic() - told > _QUIET_SECONDS:
            told = monotonic()
            yield b": still there\n\n"
