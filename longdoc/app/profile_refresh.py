"""Making and renewing the summaries of users, offline: whoever is out of date, one after the other, many at once.

What is made is stored as soon as it is there, and its call is in the ledger before that, so a refresh that is stopped
goes on where it was. A user whose summary cannot be made does not keep others from theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from longdoc.agents.events import Emit, NodeDone, Planned, Warned
from longdoc.agents.profile_context import FEWEST_FOR_SUMMARY
from longdoc.agents.profile_summary import (
    COUNTED,
    MadeSummary,
    ProfileSummarizer,
    choose_sources,
    count_outputs,
    needs_model,
    summary_prompt,
)
from longdoc.agents.profile_tasks import OutputKind, ProfileTask
from longdoc.app.bootstrap import Workspace
from longdoc.app.personalize import is_stale, open_profile_run
from longdoc.errors import LdaError
from longdoc.json_value import JsonValue
from longdoc.storage.profile_types import Item, Profile, ProfileSummary, TaskState, Tenant

_AT_ONCE = 512
"""Summaries that are open together; how many calls an engine gets at once is its limiter's business."""
_READS = 4
"""Users whose items are read together."""
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

    def behind(self, before: RefreshReport, *, force: bool) -> RefreshReport:
        """What a refresh did in this try and in those `before` it. With `force` every try makes all of them again,
        from the record where it can."""
        if force:
            return self
        current = max(0, self.current - before.made)
        return replace(self, made=self.made + before.made, read=self.read + before.read, current=current)


async def refresh(
    workspace: Workspace,
    tenant: Tenant,
    tasks: Mapping[str, ProfileTask],
    options: RefreshOptions,
    *,
    emit: Emit,
    report: RefreshReport | None = None,
) -> RefreshReport:
    """Make the summaries that are missing or out of date. Who gives a new `report` can see what was done so far.

    Raises what a later refresh may overcome (`LdaError.resumable`) when it happens to one; what is made is kept.
    """
    report = report or RefreshReport()
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


@dataclass(frozen=True, slots=True)
class _Read:
    """What a summary is made from: the `chosen` items, read into what is `known`; how many items there are, the last
    change of any, and what was counted of all."""

    chosen: Sequence[Item]
    count: int
    last_change: int
    counted: Mapping[str, JsonValue]
    known: ProfileSummary | None


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
        self._reading = asyncio.Semaphore(_READS)

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
        profiles = self._workspace.records.profiles
        # As it is now: the walk may have come by long ago.
        profile = await profiles.find(state.profile.tenant_id, state.profile.user)
        if profile is None:
            return
        if not profile.enabled:
            self._report.off += 1
        elif not needs_model(task):
            async with self._reading:
                items, _ = await profiles.outline(profile, task.name, outputs=True)
                if not items:
                    return
                made = await ProfileSummarizer(self._workspace.engine, emit=self._emit).summarize(
                    task, items, new=items, known=None, user=profile.user
                )
            await self._store(profile, task, _read_of(task, items, ()), made)
        else:
            # What is read is read once its run is the user's: what is deleted from then on takes the run with it, and
            # a call that was made from it is not recorded.
            async with open_profile_run(self._workspace, profile, interactive=False, emit=self._emit) as run:
                await profiles.owns(profile, run.id)
                read = await self._read(profile, task)
                if read is None:
                    return
                made = await ProfileSummarizer(run.engine, emit=run.emit).summarize(
                    task,
                    read.chosen,
                    new=read.chosen,
                    known=None if read.known is None else read.known.text,
                    user=profile.user,
                )
            self._report.read += len(made.items)
            await self._store(profile, task, read, made)

    async def _read(self, profile: Profile, task: ProfileTask) -> _Read | None:
        """What a summary is made from; None where there is nothing to be made any more, or what there is changes at
        this moment: a later refresh finds it."""
        profiles = self._workspace.records.profiles
        async with self._reading:
            items, summary = await profiles.outline(profile, task.name, outputs=task.output is not OutputKind.TEXT)
            if summary is not None and summary.locked:
                self._report.locked += 1
                return None
            known = self._continued(summary, items, task)
            new = items if known is None else [item for item in items if item.change > known.change]
            chosen = choose_sources(new, seed=f"{profile.user} {task.name}")
            read = _read_of(task, items, chosen, known)
        sources = await profiles.items_as(profile, {item.number: item.change for item in chosen})
        if not sources or len(sources) < len(chosen):
            return None
        return replace(read, chosen=sources)

    def _continued(
        self, summary: ProfileSummary | None, items: Sequence[Item], task: ProfileTask
    ) -> ProfileSummary | None:
        """The summary that new items are read into; None where it is made from the beginning: nothing it was made from
        may have been edited, nor the question or the model be another one, and nobody asked for another one."""
        if summary is None or self._options.force:
            return None
        made_from = frozenset(summary.items)
        if any(item.change > summary.change for item in items if item.number in made_from):
            return None
        same = summary.model == self._workspace.engine.info.identity and summary.prompt == summary_prompt(task)
        new = any(item.change > summary.change for item in items)
        return summary if new and (summary.edited or same) else None

    async def _store(self, profile: Profile, task: ProfileTask, read: _Read, made: MadeSummary) -> None:
        before = () if read.known is None else read.known.items
        summary = ProfileSummary(
            task.name,
            made.text,
            tuple(sorted({*before, *(item.number for item in made.items)})),
            read.count,
            read.last_change,
            self._workspace.engine.info.identity if needs_model(task) else COUNTED,
            made.prompt,
            datetime.now(UTC),
            read.counted,
        )
        if await self._workspace.records.profiles.summarize(profile, summary):
            self._report.made += 1


def _read_of(
    task: ProfileTask, items: Sequence[Item], chosen: Sequence[Item], known: ProfileSummary | None = None
) -> _Read:
    last = max((item.change for item in items), default=0)
    return _Read(chosen, len(items), last, count_outputs(task, items), known)


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
