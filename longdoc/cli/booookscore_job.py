"""The jobs behind `lda eval booookscore`: summaries read and scored, and the published table recomputed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from longdoc.app.bootstrap import Records, Workspace, open_records
from longdoc.app.evaluations import (
    BooookscoreOptions,
    estimate_judging,
    judge_summaries,
    score_annotations,
    summary_of_run,
)
from longdoc.cli.booookscore_output import BooookscoreOutput, JudgingEstimateOutput, PublishedOutput
from longdoc.cli.exits import ExitCode
from longdoc.cli.options import RunOptions
from longdoc.cli.output import Output, OutputFormat, Results
from longdoc.cli.run_view import RunView
from longdoc.cli.session import run_session
from longdoc.config import Settings
from longdoc.documents.document import Document, Metadata
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_bytes, read_document
from longdoc.errors import DocumentError, NotFoundError
from longdoc.evaluation.published import recompute_published
from longdoc.evaluation.summary_text import summary_from_document

_COMMAND = "eval booookscore"
_STANDARD_INPUT = "-"
_PIPED = "standard input"


@dataclass
class BooookscoreJob:
    """What was asked for on the command line."""

    sources: Sequence[str]
    options: BooookscoreOptions
    annotations: Path | None
    run: RunOptions
    form: OutputFormat

    def start(self) -> ExitCode:
        """Read every summary, then score them together. One that cannot be read ends it, before an engine is looked
        for: a mean over fewer summaries than were named would mislead."""
        results = Results(_COMMAND, self.form, self.run.out, sources=[_COMMAND])
        summaries = asyncio.run(_read_all(self.sources, self.run.settings()))
        if self.annotations is not None:
            return _put_out(results, BooookscoreOutput(score_annotations(summaries, self.annotations, self.options)))

        async def work(workspace: Workspace) -> ExitCode:
            return _put_out(results, await self._judged(workspace, summaries))

        return run_session(self.run.settings(), self.run.budget(), work, quiet=self.run.quiet)

    async def _judged(self, workspace: Workspace, summaries: Sequence[Document]) -> Output:
        if self.run.dry_run:
            estimate = await estimate_judging(workspace, summaries, self.options)
            return JudgingEstimateOutput(estimate, workspace.engine.info)
        title = summaries[0].title if len(summaries) == 1 else f"{len(summaries)} summaries"
        with RunView(title, quiet=self.run.quiet) as view:
            report = await judge_summaries(workspace, summaries, self.options, fresh=self.run.fresh, emit=view.emit)
            if report.run_id is not None and report.usage is not None:
                view.finish(report.run_id, report.usage)
        return BooookscoreOutput(report)


def compare_published(folder: Path, form: OutputFormat, out: Path | None, *, seed: int) -> ExitCode:
    """Recompute the published table in a folder; fails where a value differs."""
    results = Results(_COMMAND, form, out, sources=[_COMMAND])
    output = PublishedOutput(str(folder), recompute_published(folder, seed=seed))
    _put_out(results, output)
    return ExitCode.DONE if output.agrees else ExitCode.FAILED


def _put_out(results: Results, output: Output) -> ExitCode:
    results.add(0, output)
    results.close()
    return results.code


async def _read_all(sources: Sequence[str], settings: Settings) -> list[Document]:
    files = {source: _read(source) for source in sources if _is_file(source)}
    if len(files) == len(set(sources)):
        return [files[source] for source in sources]
    async with open_records(settings) as records:
        return [files[source] if source in files else await _of_run(records, source) for source in sources]


def _is_file(source: str) -> bool:
    return source == _STANDARD_INPUT or Path(source).exists() or "/" in source


def _read(source: str) -> Document:
    if source != _STANDARD_INPUT:
        return summary_from_document(read_document(Path(source)))
    piped = sys.stdin.buffer.read(Limits().file_bytes + 1)
    # Named as Markdown, because that is what `lda summarize` writes into a pipe.
    document = summary_from_document(read_bytes(piped, name=f"{_PIPED}.md"))
    return replace(document, source=_PIPED, metadata=Metadata(title=_PIPED))


async def _of_run(records: Records, source: str) -> Document:
    try:
        return await summary_of_run(records, source)
    except NotFoundError as error:
        raise DocumentError(f"there is no such file and no such run ({error})", source=source) from error
