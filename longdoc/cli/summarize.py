"""`lda summarize`: from files to summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.agents.hierarchical_plan import MergeContext

_LENGTH = "Length and method"

HELP = """
Summarize documents of any length, whatever the model's window.

Examples:

  lda summarize book.epub

  lda summarize report.pdf --words 300 --focus "what it costs"

  lda summarize book.epub --by chapter --words 120

  lda summarize book.epub --out book.html

  lda summarize shelf/ --out summaries/ --words 200

  lda summarize book.epub --dry-run

  pandoc page.org -t plain | lda summarize - --format txt

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""


def _by_chapter(by: str | None) -> bool:
    from longdoc.errors import ConfigError

    if by not in {None, "chapter"}:
        raise ConfigError(f"--by knows chapter only, not {by!r}")
    return by is not None


def _merge_context(name: str) -> MergeContext:
    from longdoc.agents.hierarchical_plan import MergeContext
    from longdoc.errors import ConfigError

    try:
        return MergeContext(name)
    except ValueError as error:
        raise ConfigError(f"--merge-context is {' or '.join(MergeContext)}, not {name!r}") from error


@options.with_run_options()
def summarize(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders or patterns; - reads standard input.", metavar="PATH")
    ],
    *,
    method: Annotated[
        str,
        typer.Option("--method", help="auto, full, hierarchical, incremental or scm.", rich_help_panel=_LENGTH),
    ] = "auto",
    words: Annotated[
        int | None,
        typer.Option(
            "--words",
            help="Length to keep within a tenth of (of each chapter with --by chapter).",
            show_default="up to 585",
            rich_help_panel=_LENGTH,
        ),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", help="chapter: a summary of each chapter.", rich_help_panel=_LENGTH),
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
    merge_context: Annotated[
        str,
        typer.Option(
            "--merge-context",
            help="What a merge is told of what came before: child (merges run at once) or previous (each waits).",
            rich_help_panel=_LENGTH,
        ),
    ] = "child",
    reader: options.Reader = None,
    sources: Annotated[
        bool, typer.Option("--sources/--no-sources", help="Trace each sentence to the text.", rich_help_panel="Output")
    ] = True,
    run: options.RunOptions,
) -> None:
    """Parse the command line and summarize; `HELP` is what people read."""
    from longdoc.app.summaries import SummaryOptions
    from longdoc.cli.sources import expand_sources
    from longdoc.cli.summary_job import SummaryJob

    job = SummaryJob(
        sources=expand_sources(paths, out=run.out, reader=reader),
        options=SummaryOptions(
            method=method,
            words=words,
            by_chapter=_by_chapter(by),
            segment_tokens=segment_tokens,
            language=language,
            focus=focus,
            merge_context=_merge_context(merge_context),
            sources=sources,
        ),
        run=run,
        form=run.format(),
        reader=reader,
    )
    raise typer.Exit(job.start())
