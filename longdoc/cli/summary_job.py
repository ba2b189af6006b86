"""The job behind `lda summarize`: sources read, summarized and written, several at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import typer

from longdoc.app.bootstrap import Workspace
from longdoc.app.history import run_report
from longdoc.app.summaries import SummaryOptions, SummaryResult, estimate
from longdoc.app.summaries import summarize as summarize_document
from longdoc.cli.exits import ExitCode, exit_code
from longdoc.cli.options import RunOptions
from longdoc.cli.output import Failure, Output, OutputFormat, Results
from longdoc.cli.reading import read_source
from longdoc.cli.run_report import report_page
from longdoc.cli.run_view import Bars, RunView
from longdoc.cli.session import run_session
from longdoc.cli.sources import STANDARD_INPUT
from longdoc.cli.summary_output import EstimateOutput, SummaryOutput
from longdoc.documents.document import Document
from longdoc.errors import EngineAuthError, LdaError

_AT_ONCE = 4
"""Documents under way together: enough that the merges of one leave no engine waiting, few enough for memory."""


@dataclass
class SummaryJob:
    """What was asked for on the command line."""

    sources: Sequence[str]
    options: SummaryOptions
    run: RunOptions
    form: OutputFormat
    reader: str | None = None
    _read: dict[str, Document] = field(default_factory=dict[str, Document])

    def start(self) -> ExitCode:
        """Summarize the sources. Standard input, and a source that is alone, are read before an engine is looked for.

        Raises `DocumentError` where that fails, and what stops all the work.
        """
        if len(self.sources) == 1 or STANDARD_INPUT in self.sources:
            source = STANDARD_INPUT if STANDARD_INPUT in self.sources else self.sources[0]
            self._read[source] = read_source(source, reader=self.reader)
        return run_session(self.run.settings(), self.run.budget(), self._work, quiet=self.run.quiet)

    async def _work(self, workspace: Workspace) -> ExitCode:
        """Summarize the sources, a few at a time on the one engine. One that fails does not stop the others; each
        result is written when it is there. What stops all of them (a spent budget, a lost engine, a refused key)
        lets those under way come to their own end, begins no other, and is raised.

        With a budget they are taken one after the other, so that what it allows makes whole summaries and not the
        beginnings of several.
        """
        results = Results("summarize", self.form, self.run.out, sources=self.sources)
        bars = Bars(quiet=self.run.quiet)
        work = _Queue(self, workspace, results, bars)
        bars.start()
        try:
            await asyncio.gather(
                *(work.worker() for _ in range(min(1 if self.run.bounded else _AT_ONCE, len(self.sources))))
            )
        finally:
            bars.stop()
            results.close()
        if work.stopped_by is not None:
            raise work.stopped_by
        return results.code

    async def output(self, workspace: Workspace, source: str, bars: Bars) -> Output:
        """The result of one source. Raises `LdaError`."""
        document = self._read.pop(source, None) or await asyncio.to_thread(read_source, source, reader=self.reader)
        if self.run.dry_run:
            method, figures = await estimate(workspace, document, self.options)
            return EstimateOutput(document, method, figures, workspace.engine.info)
        with RunView(document.title, quiet=self.run.quiet, bars=bars) as view:
            for warning in document.warnings:
                view.warn(warning)
            result = await summarize_document(workspace, document, self.options, fresh=self.run.fresh, emit=view.emit)
            view.finish(result.run_id, result.usage)
        return SummaryOutput(result, await self._report(workspace, result))

    async def _report(self, workspace: Workspace, result: SummaryResult) -> str | None:
        if self.form is not OutputFormat.HTML:
            return None
        return report_page(await run_report(workspace.records, result.run_id), method=result.method)


class _Queue:
    """The sources that wait, and what stopped the work on them."""

    def __init__(self, job: SummaryJob, workspace: Workspace, results: Results, bars: Bars) -> None:
        self._job = job
        self._workspace = workspace
        self._results = results
        self._bars = bars
        self._waiting = iter(enumerate(job.sources))
        self.stopped_by: LdaError | None = None

    async def worker(self) -> None:
        for number, source in self._waiting:
            if self.stopped_by is not None:
                return
            try:
                self._results.add(number, await self._job.output(self._workspace, source, self._bars))
            except LdaError as error:
                self._note(number, source, error)

    def _note(self, number: int, source: str, error: LdaError) -> None:
        if len(self._job.sources) == 1 or error.resumable or isinstance(error, EngineAuthError):
            self.stopped_by = self.stopped_by or error
        else:
            typer.echo(f"lda: {error}", err=True)
        self._results.fail(number, Failure(source, str(error), exit_code(error)))
