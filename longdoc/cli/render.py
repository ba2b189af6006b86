"""Everything drawn with Rich: the live view of a run, tables, and the lines that stand for them in a pipe."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from longdoc.agents.events import CallFinished, Event, NodeDone, Planned, Warned
from longdoc.app.doctor import Check, Verdict
from longdoc.app.runs import RunUsage

_PLAIN_INTERVAL = 10.0


def stderr_console() -> Console:
    """Where progress, usage and warnings go."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def stdout_console() -> Console:
    """Where tables that were asked for go."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=not sys.stdout.isatty())


def notifier(*, quiet: bool) -> Callable[[str], None]:
    """A function that prints lines on standard error, or nothing."""
    console = stderr_console()

    def notify(line: str) -> None:
        if not quiet:
            console.print(line, markup=False)

    return notify


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: ruled on a terminal, tab-separated in a pipe."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            sys.stdout.write("\t".join(row) + "\n")
        return
    drawn = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    stdout_console().print(drawn)


def show_check(check: Check) -> None:
    """Print one check of the doctor."""
    colours = {Verdict.WELL: "green", Verdict.LIMITED: "yellow", Verdict.FAILED: "red"}
    console = stdout_console()
    console.print(f"[{colours[check.verdict]}]{check.verdict:<8}[/] {check.name:<12} {escape(check.detail)}")
    if check.advice:
        console.print(f"{'':<21} -> {escape(check.advice)}")


def usage_line(usage: RunUsage) -> str:
    """One line on what a run took this time."""
    tokens = f"{usage.tokens.prompt_tokens:,} + {usage.tokens.completion_tokens:,} tokens"
    parts = [f"{usage.calls} calls made, {usage.recorded} from the record", tokens]
    if usage.retries:
        parts.append(f"{usage.retries} retries")
    if usage.cost:
        parts.append(f"${usage.cost:.4f}")
    parts.append(f"{usage.seconds:.1f} s")
    return " · ".join(parts)


class RunView:
    """Draws a run while it works: a live bar on a terminal, a line now and then in a pipe. Nothing when quiet."""

    def __init__(self, title: str, *, quiet: bool) -> None:
        self._title = title
        self._quiet = quiet
        self._console = stderr_console()
        self._live = not quiet and self._console.is_terminal
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._bar = self._progress.add_task(title, total=None, note="", visible=self._live)
        self._done = 0
        self._total = 0
        self._tokens = 0
        self._started = time.monotonic()
        self._last_line = self._started

    def __enter__(self) -> RunView:
        if self._live:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if self._live:
            self._progress.stop()
        if kind is not None and self._total:
            self._say(f"{self._title}: {self._done} of {self._total} summaries are done and recorded")

    def warn(self, message: str) -> None:
        """Say what the reader of the result should know."""
        self._say(f"warning: {message}")

    def finish(self, run_id: str, usage: RunUsage) -> None:
        """Say what the run took, and where to look at it."""
        self._say(f"run {run_id} · {usage_line(usage)}")

    def emit(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Planned):
            self._total = event.nodes
            self._say(f"{self._title}: {event.segments} segments, {event.levels} levels, {event.nodes} summaries")
        elif isinstance(event, CallFinished) and not event.completion.recorded:
            self._tokens += event.completion.usage.completion_tokens
        elif isinstance(event, NodeDone):
            self._done += 1
        elif isinstance(event, Warned):
            self.warn(event.message)
        self._draw()

    def _note(self) -> str:
        elapsed = max(time.monotonic() - self._started, 0.001)
        return f"{self._tokens / elapsed:.0f} tokens/s"

    def _draw(self) -> None:
        if self._live:
            self._progress.update(self._bar, total=self._total or None, completed=self._done, note=self._note())
        elif time.monotonic() - self._last_line > _PLAIN_INTERVAL:
            self._last_line = time.monotonic()
            self._say(f"{self._title}: {self._done} of {self._total} summaries, {self._note()}")

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(line, markup=False)


@contextmanager
def download_view(*, quiet: bool) -> Generator[DownloadView, None, None]:
    """A view of downloads: bars on a terminal, nothing in a pipe."""
    view = DownloadView(quiet=quiet)
    try:
        yield view
    finally:
        view.stop()


class DownloadView:
    """Progress of model downloads; started by the first byte."""

    def __init__(self, *, quiet: bool) -> None:
        console = stderr_console()
        self._on = not quiet and console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def show(self, name: str, done: int, total: int | None) -> None:
        """So many bytes of a file are here."""
        if not self._on:
            return
        if not self._progress.tasks:
            self._progress.add_task(name, total=total)
            self._progress.start()
        self._progress.update(self._progress.task_ids[0], completed=done, total=total)

    def stop(self) -> None:
        """Take the bars away."""
        if self._progress.tasks:
            self._progress.stop()
