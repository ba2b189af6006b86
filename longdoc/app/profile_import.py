"""Taking items of users in, from sources of any length: streamed, some at a time, each item once.

What is there and the same is left as it is, so an import that was stopped goes on when it is run again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from longdoc.agents.profile_tasks import ProfileTask
from longdoc.app.bootstrap import Records
from longdoc.app.profile_import_entries import Entry, ItemEntry, SummaryEntry, UserEntry
from longdoc.app.profile_import_sources import ImportSource
from longdoc.errors import ConfigError
from longdoc.storage.profile_types import NewItem, Stored, Tenant

MOST_TOLD: Final = 20
"""Bad entries that are told of one by one."""


@dataclass(slots=True)
class ImportReport:
    """What came of an import: items `added`, `changed`, and there already (`same`), entries that were `bad`.

    `summaries` were taken in; `summaries_left` were not: there is one, or an item that it was made from is not there.
    `unknown` counts items of tasks that are not known here. `problems` are the first bad entries.
    """

    added: int = 0
    changed: int = 0
    same: int = 0
    bad: int = 0
    summaries: int = 0
    summaries_left: int = 0
    unknown: Counter[str] = field(default_factory=Counter[str])
    problems: list[str] = field(default_factory=list[str])

    @property
    def items(self) -> int:
        """All items that were read."""
        return self.added + self.changed + self.same

    def note(self, stored: Stored) -> None:
        """Count an item."""
        if stored is Stored.ADDED:
            self.added += 1
        elif stored is Stored.CHANGED:
            self.changed += 1
        else:
            self.same += 1


async def import_items(
    records: Records,
    tenant: Tenant,
    source: ImportSource,
    tasks: Mapping[str, ProfileTask],
    *,
    skip_bad: bool = False,
    progress: Callable[[ImportReport], None] = lambda _: None,
) -> ImportReport:
    """Take in what a source has; `progress` hears of every batch that is stored.

    Raises `ConfigError` for an entry that cannot be used, unless `skip_bad`; what was stored before it stays.
    """
    report = ImportReport()

    def bad(problem: str) -> None:
        if not skip_bad:
            raise ConfigError(
                f"{problem}. Mend it and import again, which stores nothing twice; or leave out what is bad: --skip-bad"
            )
        report.bad += 1
        if len(report.problems) < MOST_TOLD:
            report.problems.append(problem)

    work = _Import(records, tenant, tasks, report)
    # The next batch is read while one is stored.
    storing: asyncio.Task[None] | None = None
    try:
        async with aclosing(source.batches(bad)) as batches:
            async for batch in batches:
                if storing is not None:
                    await storing
                    progress(report)
                storing = asyncio.create_task(work.store(batch))
    finally:
        if storing is not None:
            await storing
            progress(report)
    return report


class _Import:
    def __init__(
        self, records: Records, tenant: Tenant, tasks: Mapping[str, ProfileTask], report: ImportReport
    ) -> None:
        self._profiles = records.profiles
        self._tenant = tenant
        self._tasks = tasks
        self._report = report

    async def store(self, batch: list[Entry]) -> None:
        """Store a batch in its order: a summary comes behind the items that it was made from."""
        items: list[tuple[str, NewItem]] = []
        for entry in batch:
            if isinstance(entry, ItemEntry):
                items.append((entry.user, entry.item))
                continue
            await self._put(items)
            items = []
            if isinstance(entry, UserEntry):
                await self._open(entry)
            else:
                await self._say(entry)
        await self._put(items)

    async def _put(self, items: list[tuple[str, NewItem]]) -> None:
        if not items:
            return
        for stored in await self._profiles.put(self._tenant.id, items):
            self._report.note(stored)
        for _, item in items:
            if item.task not in self._tasks:
                self._report.unknown[item.task] += 1

    async def _open(self, entry: UserEntry) -> None:
        """Make a user; a file turns nobody on who was turned off."""
        profile = await self._profiles.open(self._tenant.id, entry.user)
        if profile.enabled and not entry.enabled:
            await self._profiles.enable(profile, enabled=False)

    async def _say(self, entry: SummaryEntry) -> None:
        profile = await self._profiles.open(self._tenant.id, entry.user)
        taken = await self._profiles.take_in(profile, entry.summary, made_from=entry.made_from, unseen=entry.unseen)
        if taken:
            self._report.summaries += 1
        else:
            self._report.summaries_left += 1
