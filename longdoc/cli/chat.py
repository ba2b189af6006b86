"""`lda chat`: conversations without end, each gone on with where it was left."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from longdoc.cli import options
from longdoc.cli.chat_options import RememberingOptions, TalkingOptions

HELP = """
Talk with a model that remembers: everything said is kept, and what helps is recalled for each answer.

Examples:

  lda chat                                   # go on with the session "main"

  lda chat project-x --system "You are terse."

  lda chat -d book.epub                      # answers from a book, with citations

  lda chat -m "Where did I say I live?" --explain

  lda chat --key july < messages.txt         # one a line; run again after a kill, it goes on where it was

In the session: /help shows what else can be said (/memory, /why, /forget, /undo, /add, /export, /sessions, …).
Ctrl-C stops an answer and keeps the session; Ctrl-D ends it.
"""


@options.with_run_options(formats="md, txt or json")
@options.with_fields("remembering", RememberingOptions)
@options.with_fields("talking", TalkingOptions)
def chat(
    session: Annotated[str, typer.Argument(help="Name of the session.", metavar="[SESSION]")] = "main",
    *,
    talking: TalkingOptions,
    remembering: RememberingOptions,
    run: options.RunOptions,
) -> None:
    """Parse the command line and talk; `HELP` is what people read."""
    from longdoc.cli.chat_job import ChatJob
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError

    remembered = remembering.options()
    if run.format() is OutputFormat.HTML:
        raise ConfigError("conversations are written as md, txt or json; choose another --format or --out")
    job = ChatJob(
        name=talking.name(session),
        options=replace(remembered, system=talking.system_prompt()),
        messages=talking.message or [],
        key=talking.key,
        documents=talking.document or [],
        reader=talking.reader,
        explain=remembering.explain,
        run=run,
    )
    raise typer.Exit(job.start())
