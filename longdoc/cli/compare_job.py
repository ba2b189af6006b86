"""The job behind `lda eval compare`: books read, summarized by each method, judged, and shown side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import typer

from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import ComparisonOptions, FailedTrial, compare, estimate_comparison
from longdoc.cli.compare_output import CompareEstimateOutput, CompareOutput
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import OutputFormat, Results
from longdoc.cli.reading import read_source
from longdoc.cli.render import notifier, table
from longdoc.cli.run_view import Bars, RunView
from longdoc.cli.session import run_session
from longdoc.documents.document import Document

_COMMAND = "eval compare"


@dataclass(frozen=True)
class CompareJob:
    """What was asked for on the command line; without `form`, a table is printed."""

    sources: Sequence[str]
    options: ComparisonOptions
    run: RunOptions
    form: OutputFormat | None

    def start(self) -> ExitCode:
        """Read every book, then compare. One that cannot be read ends it before an engine is looked for: means over
        other books than were named would mislead."""
        put_out = self._put_out()
        documents = [read_source(source) for source in self.sources]

        async def work(workspace: Workspace) -> ExitCode:
            return put_out(await self._output(workspace, documents))

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    async def _output(
        self, workspace: Workspace, documents: Sequence[Document]
    ) -> CompareOutput | CompareEstimateOutput:
        """The result. Raises the first error where no method did anything."""
        if self.run.dry_run:
            estimates = await estimate_comparison(workspace, documents, self.options)
            _raise_where_nothing_came(estimates)
            return CompareEstimateOutput(estimates, workspace.engine.info, judge=self.options.judge)
        bars = Bars(quiet=self.run.quiet)
        bars.start()
        try:
            comparison = await compare(
                workspace,
                documents,
                self.options,
                fresh=self.run.fresh,
                watch=lambda title: RunView(title, quiet=self.run.quiet, bars=bars),
            )
        finally:
            bars.stop()
        _raise_where_nothing_came(comparison.trials)
        return CompareOutput(comparison)

    def _put_out(self) -> Callable[[CompareOutput | CompareEstimateOutput], ExitCode]:
        """Where the result goes. Raises `ConfigError` at once where it cannot be written there."""
        if self.form is None:
            return self._print
        results = Results(_COMMAND, self.form, self.run.out, sources=[_COMMAND])

        def put_out(output: CompareOutput | CompareEstimateOutput) -> ExitCode:
            results.add(0, output)
            results.close()
            return results.code

        return put_out

    def _print(self, output: CompareOutput | CompareEstimateOutput) -> ExitCode:
        if sys.stdout.isatty():
            for part in output.tables:
                typer.echo(f"{part.title}\n")
                table(part.columns, part.rows)
                typer.echo()
        else:
            table(output.columns, output.rows)
        notify = notifier(quiet=self.run.quiet)
        for remark in output.remarks:
            notify(remark)
        for failure in output.failures:
            typer.echo(f"lda: {failure}", err=True)
        return ExitCode.GAPS if output.gaps else ExitCode.DONE


def _raise_where_nothing_came(trials: Sequence[object]) -> None:
    failed = [trial for trial in trials if isinstance(trial, FailedTrial)]
    if failed and len(failed) == len(trials):
        raise failed[0].error
