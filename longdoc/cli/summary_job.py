"""The job behind `lda summarize`: each source read, summarized and written in turn."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer

from longdoc.app.bootstrap import Workspace
from longdoc.app.summaries import SummaryOptions, estimate
from longdoc.app.summaries import summarize as summarize_document
from longdoc.cli.exits import ExitCode, exit_code
from longdoc.cli.output import Failure, OutputFormat, Results
from longdoc.cli.render import RunView
from longdoc.cli.summary_output import EstimateOutput, SummaryOutput
from longdoc.documents.document import Document
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_bytes, read_document
from longdoc.errors import EngineAuthError, LdaError

_STANDARD_INPUT = "-"


@dataclass
class SummaryJob:
    """What was asked for on the command line."""

    sources: Sequence[str]
    options: SummaryOptions
    out: Path | None
    form: OutputFormat
    dry_run: bool
    fresh: bool
    quiet: bool
    _read: dict[str, Document] = field(default_factory=dict[str, Document])

    def read_first(self) -> None:
        """Read what must be read before anything else happens: standard input, and a source that is alone.

        Raises `DocumentError`, before an engine is looked for.
        """
        if len(self.sources) == 1 or _STANDARD_INPUT in self.sources:
            source = _STANDARD_INPUT if _STANDARD_INPUT in self.sources else self.sources[0]
            self._read[source] = _read(source)

    async def work(self, workspace: Workspace) -> ExitCode:
        """Summarize one source after the other. One that fails does not stop the others; each result is written
        when it is there. Raises what stops all of them: a spent budget, a lost engine, a refused key."""
        results = Results("summarize", self.form, self.out, several=len(self.sources) > 1)
        try:
            for source in self.sources:
                await self._work_one(workspace, source, results)
        finally:
            results.close()
        return results.code

    async def _work_one(self, workspace: Workspace, source: str, results: Results) -> None:
        try:
            document = self._read.pop(source, None) or _read(source)
            if self.dry_run:
                figures = await estimate(workspace, document, self.options)
                results.add(EstimateOutput(document, figures, workspace.engine.info))
            else:
                results.add(await self._summary(workspace, document))
        except LdaError as error:
            if len(self.sources) == 1 or error.resumable or isinstance(error, EngineAuthError):
                raise
            typer.echo(f"lda: {error}", err=True)
            results.fail(Failure(source, str(error), exit_code(error)))

    async def _summary(self, workspace: Workspace, document: Document) -> SummaryOutput:
        with RunView(document.title, quiet=self.quiet) as view:
            for warning in document.warnings:
                view.warn(warning)
            result = await summarize_document(workspace, document, self.options, fresh=self.fresh, emit=view.emit)
            view.finish(result.run_id, result.usage)
        return SummaryOutput(result)


def _read(source: str) -> Document:
    if source != _STANDARD_INPUT:
        return read_document(Path(source))
    most = Limits().file_bytes
    return read_bytes(sys.stdin.buffer.read(most + 1), name="standard input")
