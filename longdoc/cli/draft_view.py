"""The live view of a draft that is being written: its sections with their words, the whole against its target, time
left. In a pipe a line for each section."""

from __future__ import annotations

import sys
import time

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from longdoc.agents.events import CallFinished, DraftPlanned, Event, SectionBegun, SectionWritten, Warned
from longdoc.app.runs import RunUsage
from longdoc.cli.render import usage_line
from longdoc.storage.draft_types import DraftPlan

_ROWS_AROUND = 8
_A_SECOND = 4


class DraftView:
    """Draws the sections of a draft while they are written. `streaming`: text is shown as it comes, and no table."""

    def __init__(self, *, quiet: bool, streaming: bool = False) -> None:
        self._console = Console(file=sys.stderr, highlight=False)  # what is drawn over must not wrap by itself
        self._quiet = quiet
        self._streaming = streaming
        self._plan = DraftPlan()
        self._words: dict[int, int] = {}
        self._begun: set[int] = set()
        self._before = 0
        self._tokens = 0
        self._started = time.monotonic()
        self._note = "planning"
        self._live = (
            Live(console=self._console, refresh_per_second=_A_SECOND, transient=True, get_renderable=self._drawn)
            if not quiet and not streaming and self._console.is_terminal
            else None
        )

    def __enter__(self) -> DraftView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()

    def emit(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, DraftPlanned):
            self._plan, self._words = event.plan, dict(event.words)
            self._before, self._started, self._note = self._total(), time.monotonic(), ""
            count = len(event.plan.sections)
            done = f", {len(event.words)} written" if event.words else ""
            self._say(f"{event.plan.title or 'the text'}: {count} sections, {event.plan.words:,} words{done}")
        elif isinstance(event, SectionBegun):
            self._begun.add(event.number)
            if self._streaming:
                write_piece(f"\n\n## {self._plan.sections[event.number - 1].heading}\n\n")
            self._words.pop(event.number, None)
        elif isinstance(event, SectionWritten):
            self._begun.discard(event.number)
            self._words[event.number] = event.words
            if self._live is None:
                section = self._plan.sections[event.number - 1]
                heading = f" {section.heading}" if section.heading else ""
                place = f"section {event.number} of {len(self._plan.sections)}{heading}"
                self._say(f"{place}: {event.words:,} words ({self._total():,} of {self._plan.words:,})")
        elif isinstance(event, CallFinished) and not event.completion.recorded:
            self._tokens += event.completion.usage.completion_tokens
        elif isinstance(event, Warned):
            self._say(f"warning: {event.message}")

    def finish(self, name: str, run_id: str, usage: RunUsage) -> None:
        """Say what the work took, and under which name the draft is found."""
        self._say(f"draft {name} · run {run_id} · {usage_line(usage)}")

    def _total(self) -> int:
        return sum(self._words.values())

    def _say(self, line: str) -> None:
        if not self._quiet:
            self._console.print(line, markup=False, soft_wrap=self._live is None)

    def _drawn(self) -> Group:
        table = Table.grid(padding=(0, 1))
        for justify in ("left", "right", "left", "right", "right"):
            table.add_column(justify=justify)
        count = len(self._plan.sections)
        current = min(self._begun, default=len(self._words) + 1)
        shown = range(max(1, current - _ROWS_AROUND), min(count, current + _ROWS_AROUND) + 1)
        if shown and shown.start > 1:
            table.add_row("", "", f"[dim]… {shown.start - 1} before[/dim]")
        for number in shown:
            self._add_row(table, number)
        if shown and shown.stop <= count:
            table.add_row("", "", f"[dim]… {count - shown.stop + 1} more[/dim]")
        done, target = self._total(), self._plan.words
        head = Text(f"{self._plan.title or self._note}  {done:,} of {target:,} words  {self._left()}")
        bar = Table.grid()
        bar.add_row(ProgressBar(total=max(1, target), completed=min(done, target), width=60))
        return Group(head, bar, table)

    def _add_row(self, table: Table, number: int) -> None:
        section = self._plan.sections[number - 1]
        words = self._words.get(number)
        mark = "[green]✓[/green]" if words is not None else "[yellow]…[/yellow]" if number in self._begun else " "
        told = f"{words:,}" if words is not None else ""
        path = f"[dim]{escape(' > '.join(section.path))} >[/dim] " if section.path else ""
        table.add_row(mark, f"{number}.", f"{path}{escape(section.heading)}", told, f"[dim]{section.words:,}[/dim]")

    def _left(self) -> str:
        elapsed = time.monotonic() - self._started
        new = self._total() - self._before
        rate = f"{self._tokens / max(elapsed, 0.001):.0f} tokens/s"
        if new <= 0:
            return rate
        left = max(0, self._plan.words - self._total()) * elapsed / new
        return f"about {int(left // 60)}:{int(left % 60):02} left, {rate}"


def write_piece(piece: str) -> None:
    """Show a piece of text as it comes."""
    sys.stderr.write(piece)
    sys.stderr.flush()
