"""`lda check`: claims about documents, judged with evidence from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longdoc.cli import options
from longdoc.cli.finding_options import FindingOptions

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
@options.with_fields("finding", FindingOptions)
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
    finding: FindingOptions,
    run: options.RunOptions,
) -> None:
    """Parse the command line and check; `HELP` is what people read."""
    from longdoc.cli.check_job import CheckJob, claims_in, split_claim
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError

    form = run.format()
    if form is OutputFormat.HTML:
        raise ConfigError("checks are written as md, txt or json; choose another --format or --out")
    sources, wanted = split_claim(words or [], claims_in(claims))
    job = CheckJob(sources, wanted, finding.collection, finding.asked(), run, form, finding.reader)
    raise typer.Exit(job.start())
