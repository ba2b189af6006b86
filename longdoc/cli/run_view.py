"""The live view of runs under way: a bar for each on a terminal, a line now and then in a pipe."""

from __future__ import annotations

import time

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from longdoc.agents.events import CallFinished, Event, Indexed, NodeDone, Planned, Read, Scored, Traced, Warned
from longdoc.app.runs import RunUsage
from longdoc.cli.render import stderr_console, usage_line

_PLAIN_INTERVAL = 10.0


class Bars:
    """The bars of all runs that are under way together."""

    def __init__(self, *, quiet: bool) -> None:
        self.console = stderr_console()
        self.live = not quiet and self.console.is_terminal
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )

    def start(self) -> None:
        """Draw from now on."""
        if self.live:
            self.progress.start()

    def stop(self) -> None:
        """Take the bars away."""
        if self.live:
            self.progress.stop()


class RunView:
    """Draws a run while it works: a live bar on a terminal, a line now and then in a pipe. Nothing when quiet."""

    def __init__(self, title: str, *, quiet: bool, bars: Bars | None = None) -> None:
        self._title = title
        self._quiet = quiet
        self._own_bars = Bars(quiet=quiet) if bars is None else None
        self._bars = bars or self._own_bars or Bars(quiet=quiet)
        self._bar = self._bars.progress.add_task(escape(title), total=None, note="", visible=self._bars.live)
        self._aside = ""
        self._indexing: Indexed | None = None
        self._done = 0
        self._total = 0
        self._tokens = 0
        self._started = time.monotonic()
        self._last_line = self._started

    def __enter__(self) -> RunView:
        if self._own_bars is not None:
            self._own_bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        self._bars.progress.remove_task(self._bar)
        if self._own_bars is not None:
            self._own_bars.stop()
        if kind is not None and self._indexing is not None:
            self._say(f"{self._title}: {_indexed(self._indexing)}")
        elif kind is not None and self._total:
            self._say(f"{self._title}: {self._done} of {self._total} are done and recorded")

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
            self._say(f"{self._title}: {event.description}")
        elif isinstance(event, CallFinished) and not event.completion.recorded:
            self._tokens += event.completion.usage.completion_tokens
        elif isinstance(event, NodeDone):
            self._done += 1
        elif isinstance(event, Read):
            self._done = event.done
        elif isinstance(event, Traced):
            self._aside = f"sources {event.done}/{event.nodes}"
        elif isinstance(event, Scored):
            self._aside = f"scored {event.done:,}/{event.segments:,}" if event.done < event.segments else ""
        elif isinstance(event, Indexed):
            self._indexing = event if event.done < event.total else None
        elif isinstance(event, Warned):
            self.warn(event.message)
        self._draw()

    def _note(self) -> str:
        if self._aside:
            return self._aside
        elapsed = max(time.monotonic() - self._started, 0.001)
        return f"{self._tokens / elapsed:.0f} tokens/s"

    def _draw(self) -> None:
        if self._bars.live and self._indexing is not None:
            done, total = self._indexing.done, self._indexing.total
            self._bars.progress.update(self._bar, total=total, completed=done, note="indexed")
        elif self._bars.live:
            self._bars.progress.update(self._bar, total=self._total or None, completed=self._done, note=self._note())
        elif time.monotonic() - self._last_line > _PLAIN_INTERVAL:
            self._last_line = time.monotonic()
            done = f"{self._done} of {self._total} done, {self._note()}"
            self._say(f"{self._title}: {done if self._indexing is None else _indexed(self._indexing)}")

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._bars.console.print(line, markup=False)


def _indexed(event: Indexed) -> str:
    return f"{event.done:,} of {event.total:,} stretches of text are indexed"
