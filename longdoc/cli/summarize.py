"""`lda summarize`: from files to summaries."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options
from longdoc.cli.exits import ExitCode

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Workspace
    from longdoc.app.summaries import SummaryOptions, SummaryResult
    from longdoc.cli.output import EstimateResult, OutputFormat
    from longdoc.config import Settings
    from longdoc.documents.document import Document
    from longdoc.engines.budget import Budget

_LENGTH = "Length and method"
_BUDGET = "Budget"
_OUTPUT = "Output"

HELP = """
Summarize documents of any length, whatever the model's window.

Examples:

  lda summarize book.epub

  lda summarize report.pdf --words 300 --focus "what it costs"

  lda summarize book.epub --dry-run

  pandoc page.org -t plain | lda summarize - --format txt

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""


@dataclass(frozen=True, slots=True)
class _Request:
    """The command line, once parsed."""

    sources: Sequence[str]
    options: SummaryOptions
    settings: Settings
    budget: Budget
    out: Path | None
    form: OutputFormat
    dry_run: bool
    fresh: bool
    quiet: bool


def summarize(  # noqa: PLR0917 - typer reads the options of a command from its parameters
    paths: Annotated[list[str], typer.Argument(help="Files to summarize; - reads standard input.", metavar="PATH")],
    method: Annotated[
        str, typer.Option("--method", help="How: hierarchical.", rich_help_panel=_LENGTH)
    ] = "hierarchical",
    words: Annotated[
        int | None,
        typer.Option("--words", help="Length of the summary.", show_default="585", rich_help_panel=_LENGTH),
    ] = None,
    segment_tokens: Annotated[
        int | None,
        typer.Option(
            "--segment-tokens", min=16, help="Tokens read by one call.", show_default="2048", rich_help_panel=_LENGTH
        ),
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="Language to write in.", rich_help_panel=_LENGTH)
    ] = None,
    focus: Annotated[
        str | None, typer.Option("--focus", help="What the reader wants to know above all.", rich_help_panel=_LENGTH)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="File (or, for several inputs, folder) to write.", rich_help_panel=_OUTPUT),
    ] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="md, txt or json.", show_default="md", rich_help_panel=_OUTPUT)
    ] = None,
    json: options.Json = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress on standard error.", rich_help_panel=_OUTPUT)
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take; spend nothing.", rich_help_panel=_BUDGET)
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Ignore what earlier runs recorded.", rich_help_panel=_BUDGET)
    ] = False,
    max_calls: Annotated[
        int | None, typer.Option("--max-calls", min=0, help="Stop before more calls.", rich_help_panel=_BUDGET)
    ] = None,
    max_tokens_total: Annotated[
        int | None, typer.Option("--max-tokens-total", min=0, help="Stop before more tokens.", rich_help_panel=_BUDGET)
    ] = None,
    max_cost: Annotated[
        float | None, typer.Option("--max-cost", min=0, help="Stop before more US dollars.", rich_help_panel=_BUDGET)
    ] = None,
    engine: options.Engine = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    concurrency: options.Concurrency = None,
    database: options.Database = None,
) -> None:
    """Parse the command line and summarize; `HELP` is what people read."""
    from longdoc.app.summaries import SummaryOptions
    from longdoc.cli.output import chosen_format
    from longdoc.config import load_settings
    from longdoc.engines.budget import Budget

    request = _Request(
        sources=paths,
        options=SummaryOptions(
            method=method, words=words, segment_tokens=segment_tokens, language=language, focus=focus
        ),
        settings=load_settings(
            {
                "engine": engine,
                "model": model,
                "base_url": base_url,
                "concurrency": concurrency,
                "database": database,
            }
        ),
        budget=Budget(max_calls=max_calls, max_tokens=max_tokens_total, max_cost=max_cost),
        out=out,
        form=chosen_format(form, out, json=json),
        dry_run=dry_run,
        fresh=fresh,
        quiet=quiet,
    )
    try:
        code = asyncio.run(_summarize_all(request))
    except KeyboardInterrupt:
        typer.echo("lda: interrupted; run the same command again to go on from here", err=True)
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    raise typer.Exit(code)


async def _summarize_all(request: _Request) -> ExitCode:
    """Summarize every source; one that cannot be read or summarized does not stop the others."""
    from longdoc.app.bootstrap import open_workspace
    from longdoc.app.summaries import SummaryResult
    from longdoc.cli.output import write_results
    from longdoc.cli.render import download_view, notifier
    from longdoc.cli.several import Attempts

    attempts = Attempts(alone=len(request.sources) == 1)
    documents = [await attempts.value(asyncio.to_thread(_read, source)) for source in request.sources]
    with download_view(quiet=request.quiet) as downloads:
        async with open_workspace(
            request.settings, budget=request.budget, notify=notifier(quiet=request.quiet), progress=downloads.show
        ) as workspace:
            downloads.stop()
            job = _estimate if request.dry_run else _summarize
            done = [await attempts.value(job(workspace, document, request)) for document in documents if document]
    write_results([result for result in done if result], form=request.form, out=request.out)
    gaps = any(isinstance(result, SummaryResult) and result.summary.gaps for result in done)
    return max(attempts.code, ExitCode.GAPS if gaps else ExitCode.DONE)


def _read(source: str) -> Document:
    from longdoc.documents.readers import read_bytes, read_document

    if source == "-":
        return read_bytes(sys.stdin.buffer.read(), name="standard input")
    return read_document(Path(source))


async def _estimate(workspace: Workspace, document: Document, request: _Request) -> EstimateResult:
    from longdoc.app.summaries import estimate
    from longdoc.cli.output import EstimateResult

    return EstimateResult(document, await estimate(workspace, document, request.options), workspace.engine.info)


async def _summarize(workspace: Workspace, document: Document, request: _Request) -> SummaryResult:
    from longdoc.app.summaries import summarize as summarize_document
    from longdoc.cli.render import RunView

    with RunView(document.title, quiet=request.quiet) as view:
        for warning in document.warnings:
            view.warn(warning)
        result = await summarize_document(workspace, document, request.options, fresh=request.fresh, emit=view.emit)
        view.finish(result.run_id, result.usage)
    return result
