"""Making and renewing the summaries of users, offline: whoever is out of date, one after the other, many at once.

What is made is stored as soon as it is there, and its call is in the ledger before that, so a refresh that is stopped
goes on where it was. A user whose summary cannot be made does not keep others from theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from longdoc.agents.events import Emit, NodeDone, Planned, Warned
from longdoc.agents.profile_context import FEWEST_FOR_SUMMARY
from longdoc.agents.profile_summary import COUNTED, ProfileSummarizer, needs_model
from longdoc.agents.profile_tasks import ProfileTask
from longdoc.app.bootstrap import Workspace
from longdoc.app.personalize import is_stale, open_profile_run
from longdoc.errors import LdaError
from longdoc.storage.profile_types import Item, ProfileSummary, TaskState, Tenant

_AT_ONCE = 512
"""Summaries that are open together; how many calls an engine gets at once is its limiter's business."""
_PAGE: Final = 200
"""Users that are looked at together."""


@dataclass(frozen=True, slots=True)
class RefreshOptions:
    """Whose summaries are made: of a `user` (None: of all), for `tasks` (none: for all that items have); all of them
    with `force`, those made longer ago than `oldest` too."""

    user: str | None = None
    tasks: tuple[str, ...] = ()
    force: bool = False
    oldest: timedelta | None = None


@dataclass(slots=True)
class RefreshReport:
    """What a refresh did: summaries `made`, those that were `current`, `locked`, of users who are `off`, with too `few`
    items, of tasks that are `unknown` here, and what `failed`, by user and task. `read` counts the items that models
    read."""

    made: int = 0
    current: int = 0
    locked: int = 0
    off: int = 0
    few: int = 0
    unknown: int = 0
    read: int = 0
    failed: dict[str, str] = field(default_factory=dict[str, str])


async def refresh(
    workspace: Workspace,
    tenant: Tenant,
    tasks: Mapping[str, ProfileTask],
    options: RefreshOptions,
    *,
    emit: Emit,
) -> RefreshReport:
    """Make the summaries that are missing or out of date.

    Raises what a later refresh may overcome (`LdaError.resumable`) when it happens to one; what is made is kept.
    """
    report = RefreshReport()
    job = _Refresh(workspace, tasks, options, report, emit)
    waiting: set[asyncio.Task[None]] = set()
    planned = 0
    try:
        async for state in _states(workspace, tenant, options):
            if not job.wanted(state):
                continue
            planned += 1
            emit(Planned(planned, f"{planned} summaries"))
            if len(waiting) >= _AT_ONCE:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                _raise_first(done)
            waiting.add(asyncio.ensure_future(job.make(state)))
        if waiting:
            _raise_first((await asyncio.wait(waiting))[0])
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    return report


class _Refresh:
    def __init__(
        self,
        workspace: Workspace,
        tasks: Mapping[str, ProfileTask],
        options: RefreshOptions,
        report: RefreshReport,
        emit: Emit,
    ) -> None:
        self._workspace = workspace
        self._tasks = tasks
        self._options = options
        self._report = report
        self._emit = emit
        self._now = datetime.now(UTC)

    def wanted(self, state: TaskState) -> bool:
        """Whether a summary is to be made; where not, the report says why."""
        task, summary = self._tasks.get(state.task), state.summary
        if not state.profile.enabled:
            self._report.off += 1
        elif task is None:
            self._report.unknown += 1
        elif summary is not None and summary.locked:
            self._report.locked += 1
        elif state.items < FEWEST_FOR_SUMMARY:
            self._report.few += 1
        elif summary is None or self._options.force or self._stale(task, summary, state):
            return True
        else:
            self._report.current += 1
        return False

    def _stale(self, task: ProfileTask, summary: ProfileSummary, state: TaskState) -> bool:
        return is_stale(
            task,
            summary,
            items=state.items,
            changed=state.last_change > summary.change,
            edited=state.edited,
            model=self._workspace.engine.info.identity,
            oldest=self._options.oldest,
            now=self._now,
        )

    async def make(self, state: TaskState) -> None:
        """Make one summary and store it."""
        profile, task = state.profile, self._tasks[state.task]
        failed = False
        try:
            await self._made(state, task)
        except LdaError as error:
            if error.resumable:
                raise
            failed = True
            self._report.failed[f"{profile.user} {task.name}"] = str(error)
            self._emit(Warned(f"no summary of {profile.user!r} for {task.name}: {error}"))
        self._emit(NodeDone(f"{profile.id}.{task.name}", 0, profile.user, gap=failed))

    async def _made(self, state: TaskState, task: ProfileTask) -> None:
        profiles, profile = self._workspace.records.profiles, state.profile
        items = await profiles.items(profile, task=task.name)
        known = _continued(state, items, task, model=self._workspace.engine.info.identity, force=self._options.force)
        new = items if known is None else [item for item in items if item.change > known.change]
        if needs_model(task):
            async with open_profile_run(self._workspace, profile, interactive=False, emit=self._emit) as run:
                await profiles.owns(profile, run.id)
                summarizer = ProfileSummarizer(run.engine, emit=run.emit)
                text = None if known is None else known.text
                made = await summarizer.summarize(task, items, new=new, known=text, user=profile.user)
            self._report.read += len(made.items)
        else:
            summarizer = ProfileSummarizer(self._workspace.engine, emit=self._emit)
            made = await summarizer.summarize(task, items, new=new, known=None, user=profile.user)
        before = () if known is None else known.items
        summary = ProfileSummary(
            task.name,
            made.text,
            tuple(sorted({*before, *(item.number for item in made.items)})),
            len(items),
            max((item.change for item in items), default=0),
            self._workspace.engine.info.identity if needs_model(task) else COUNTED,
            made.prompt,
            datetime.now(UTC),
            made.counted,
        )
        if await profiles.summarize(profile, summary):
            self._report.made += 1


def _continued(
    state: TaskState, items: Sequence[Item], task: ProfileTask, *, model: str, force: bool
) -> ProfileSummary | None:
    """The summary that new items are read into; None where it is made from the beginning: nothing it was made from may
    have been edited, and nobody asked for another one."""
    summary = state.summary
    if summary is None or force or state.edited or not needs_model(task):
        return None
    new = any(item.change > summary.change for item in items)
    return summary if new and (summary.edited or summary.model == model) else None


async def _states(workspace: Workspace, tenant: Tenant, options: RefreshOptions) -> AsyncGenerator[TaskState, None]:
    after = 0
    while True:
        page = await workspace.records.profiles.states(tenant.id, after=after, count=_PAGE, user=options.user)
        for state in page.states:
            if not options.tasks or state.task in options.tasks:
                yield state
        if page.last is None:
            return
        after = page.last


def _raise_first(done: set[asyncio.Task[None]]) -> None:
    for task in done:
        task.result()
