"""The live view of imports and refreshes: a bar on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import time
from typing import Final

from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from longdoc.agents.events import CallFinished, Event, NodeDone, Planned, Warned
from longdoc.app.profile_import import ImportReport
from longdoc.app.profile_import_sources import ImportSource
from longdoc.cli.render import stderr_console

_PLAIN_INTERVAL: Final = 10.0


class ProfileView:
    """Draws work on profiles, of which nobody knows at first how much it is; nothing when quiet."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title = title
        self._quiet = quiet
        self._console = stderr_console()
        self._live = not quiet and self._console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bar = self._progress.add_task(escape(title), total=None, note="")
        self._last_line = time.monotonic()
        self._done = self._planned = self._tokens = 0

    def __enter__(self) -> ProfileView:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live:
            self._progress.stop()

    def imported(self, source: ImportSource, report: ImportReport) -> None:
        """Show how far an import is."""
        self._draw(source.done, source.total, f"{report.items:,} items")

    def emit(self, event: Event) -> None:
        """Show an event of a refresh, which finds what is to be made while it makes it."""
        if isinstance(event, Planned):
            self._planned = event.nodes
        elif isinstance(event, NodeDone):
            self._done += 1
        elif isinstance(event, CallFinished) and not event.completion.recorded:
            self._tokens += event.completion.usage.completion_tokens
        elif isinstance(event, Warned) and not self._quiet:
            self._console.print(f"warning: {event.message}", markup=False)
        if self._planned:
            self._draw(self._done, self._planned, f"{self._done:,} summaries, {self._tokens:,} tokens")

    def _draw(self, done: int, total: int | None, note: str) -> None:
        if self._live:
            self._progress.update(self._bar, total=total, completed=done, note=note)
        elif not self._quiet and time.monotonic() - self._last_line > _PLAIN_INTERVAL:
            self._last_line = time.monotonic()
            share = f", {done / total:.0%} of what is found so far" if total else ""
            self._console.print(f"{self._title}: {note}{share}", markup=False)
