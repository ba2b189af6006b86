"""`lda ask`: questions over documents of any length, answered with citations that are checked."""

from __future__ import annotations

from typing import Annotated

import typer

from longdoc.cli import options
from longdoc.cli.finding_options import FindingOptions

_FINDING = "Finding"

HELP = """
Ask a question of documents of any length; the answer's quotes are checked against the text.

Examples:

  lda ask book.epub "Who hid the key?"

  lda ask report.pdf "How many chapters mention asbestos?"

  lda ask shelf/ "Where do the authors disagree about tides?"

  lda ask --collection novels "Who keeps the lighthouse?"

  lda ask book.epub                      # ask one question after the other

  lda ask book.epub "Who hid the key?" --strategy cascade --explain

  cat blob.txt | lda ask -               # the last paragraph is the question

Without --strategy the best way is chosen by the size of the text, the engine and the question; --explain says which,
and shows what was found.
"""


@options.with_run_options(formats="md, txt or json")
@options.with_fields("finding", FindingOptions)
def ask(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Files, folders, patterns or - for standard input; then the question.", metavar="PATH"),
    ] = None,
    *,
    question: Annotated[
        str | None,
        typer.Option("--question", help="The question, where it cannot stand last.", rich_help_panel=_FINDING),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was found, and why.", rich_help_panel="Output")
    ] = False,
    finding: FindingOptions,
    run: options.RunOptions,
) -> None:
    """Parse the command line and ask; `HELP` is what people read."""
    from longdoc.cli.ask_job import AskJob, split_words
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError

    form = run.format()
    if form is OutputFormat.HTML:
        raise ConfigError("answers are written as md, txt or json; choose another --format or --out")
    sources, asked = split_words(words or [], question, collected=finding.collection is not None)
    job = AskJob(
        sources=sources,
        question=asked,
        collection=finding.collection,
        options=finding.asked(),
        explain=explain,
        run=run,
        form=form,
        reader=finding.reader,
    )
    raise typer.Exit(job.start())
