"""`lda check`: claims about documents, judged with evidence from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longdoc.cli import options

_FINDING = "Finding"

HELP = """
Check claims against documents of any length: true, false or not stated, with quotes for and against.

Examples:

  lda check book.epub "The keeper's daughter hid the key."

  lda check report.pdf --claims claims.txt --json

  lda check --collection reports "The bridge cost two million."

  lda check book.epub "Nobody drowned." --strategy full

A file of claims has one in each line. What an earlier run recorded is not asked again.
"""


@options.with_run_options(formats="md, txt or json")
def check(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, patterns or - for standard input; then the claim.", metavar="PATH"),
    ] = None,
    *,
    claims: Annotated[
        Path | None,
        typer.Option("--claims", help="A file with a claim in each line.", rich_help_panel=_FINDING),
    ] = None,
    collection: Annotated[
        str | None,
        typer.Option("--collection", help="Check against a collection made by lda ingest.", rich_help_panel=_FINDING),
    ] = None,
    strategy: Annotated[
        str,
        typer.Option("--strategy", help="auto, full, retrieve, cascade or xl3m.", rich_help_panel=_FINDING),
    ] = "auto",
    scoring: Annotated[
        str | None,
        typer.Option(
            "--scoring",
            help="How the model scores segments: label, entropy, contrast or likelihood.",
            show_default="the best the engine can do",
            rich_help_panel=_FINDING,
        ),
    ] = None,
    context_tokens: Annotated[
        int | None,
        typer.Option(
            "--context-tokens",
            min=32,
            help="Tokens of text that a claim is judged by.",
            show_default="up to 8000",
            rich_help_panel=_FINDING,
        ),
    ] = None,
    run: options.RunOptions,
) -> None:
    """Parse the command line and check; `HELP` is what people read."""
    from longdoc.app.finding import AskOptions
    from longdoc.cli.ask_job import scoring_mode
    from longdoc.cli.check_job import CheckJob, claims_in, split_claim
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError

    form = run.format()
    if form is OutputFormat.HTML:
        raise ConfigError("checks are written as md, txt or json; choose another --format or --out")
    sources, wanted = split_claim(words or [], claims_in(claims))
    asked = AskOptions(strategy=strategy, scoring=scoring_mode(scoring), context_tokens=context_tokens)
    raise typer.Exit(CheckJob(sources, wanted, collection, asked, run, form).start())
