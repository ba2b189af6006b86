"""The job behind evaluations: the form checked first, the work watched, tables or a file at the end."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import typer

from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.cli.compare_output import NamedTable
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import Output, OutputFormat, Results
from longdoc.cli.render import notifier, table
from longdoc.cli.run_view import RunView
from longdoc.cli.session import run_session
from longdoc.errors import ConfigError


class TableOutput(Output, Protocol):
    """A result that is tables, with what is said of them."""

    @property
    def tables(self) -> Sequence[NamedTable]:
        """All tables, narrow enough for a terminal."""
        ...

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms they hold."""
        ...

    @property
    def failures(self) -> Sequence[str]:
        """What failed."""
        ...


Evaluate: TypeAlias = Callable[[Workspace, Watch], Awaitable[TableOutput]]


@dataclass(frozen=True)
class EvaluationJob:
    """An evaluation asked for on the command line; `no_dry_run` says why nobody can tell what it takes, where so.

    Raises `ConfigError` at once for what cannot be done.
    """

    command: str
    run: RunOptions
    no_dry_run: str | None = None

    def __post_init__(self) -> None:
        if self.run.format() is OutputFormat.HTML:
            raise ConfigError("evaluations are written as md, txt or json; choose another --format or --out")
        if self.run.dry_run and self.no_dry_run is not None:
            raise ConfigError(self.no_dry_run)

    def start(self, evaluate: Evaluate) -> ExitCode:
        """Evaluate, and put the report out. Raises `LdaError`."""
        run = self.run
        results = None if run.plain else Results(self.command, run.format(), run.out, sources=[self.command])

        def watch(title: str) -> RunView:
            return RunView(title, quiet=run.quiet)

        async def work(workspace: Workspace) -> ExitCode:
            output = await evaluate(workspace, watch)
            if results is None:
                return print_tables(output, quiet=run.quiet)
            results.add(0, output)
            results.close()
            return results.code

        return run_session(run.settings(), run.budget(), work, quiet=run.quiet)


def print_tables(output: TableOutput, *, quiet: bool) -> ExitCode:
    """Print the tables of a result, and say on what terms they hold."""
    for number, part in enumerate(output.tables):
        typer.echo(f"{'' if number == 0 else chr(10)}{part.title}{chr(10) if sys.stdout.isatty() else ''}")
        table(part.columns, part.rows)
    notify = notifier(quiet=quiet)
    for remark in output.remarks:
        notify(remark)
    for failure in output.failures:
        typer.echo(f"lda: {failure}", err=True)
    return ExitCode.GAPS if output.gaps else ExitCode.DONE
