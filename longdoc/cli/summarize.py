"""`lda summarize`: from files to summaries."""

from __future__ import annotations

from typing import Annotated

import typer

from longdoc.cli import options

_LENGTH = "Length and method"

HELP = """
Summarize documents of any length, whatever the model's window.

Examples:

  lda summarize book.epub

  lda summarize report.pdf --words 300 --focus "what it costs"

  lda summarize book.epub --dry-run

  pandoc page.org -t plain | lda summarize - --format txt

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""


def summarize(
    paths: Annotated[list[str], typer.Argument(help="Files to summarize; - reads standard input.", metavar="PATH")],
    *,
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
    out: options.Out = None,
    form: options.Format = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    dry_run: options.DryRun = False,
    fresh: options.Fresh = False,
    max_calls: options.MaxCalls = None,
    max_tokens_total: options.MaxTokens = None,
    max_cost: options.MaxCost = None,
    engine: options.Engine = None,
    model: options.Model = None,
    base_url: options.BaseUrl = None,
    concurrency: options.Concurrency = None,
    database: options.Database = None,
) -> None:
    """Parse the command line and summarize; `HELP` is what people read."""
    from longdoc.app.summaries import SummaryOptions
    from longdoc.cli.output import chosen_format
    from longdoc.cli.session import run_session
    from longdoc.cli.summary_job import SummaryJob
    from longdoc.config import load_settings
    from longdoc.engines.budget import Budget

    given = {
        "engine": engine,
        "model": model,
        "base_url": base_url,
        "concurrency": concurrency,
        "database": database,
    }
    job = SummaryJob(
        sources=paths,
        options=SummaryOptions(
            method=method, words=words, segment_tokens=segment_tokens, language=language, focus=focus
        ),
        out=out,
        form=chosen_format(form, out, json=json),
        dry_run=dry_run,
        fresh=fresh,
        quiet=quiet,
    )
    settings = load_settings(given)
    budget = Budget(max_calls=max_calls, max_tokens=max_tokens_total, max_cost=max_cost)
    job.read_first()
    raise typer.Exit(run_session(settings, budget, job.work, quiet=quiet))
