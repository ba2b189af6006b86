"""`lda do`: says in a sentence what is wanted, and has it done by whatever does it best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from longdoc.cli import options

_WORK = "Work"

HELP = """
Say what you want, and of which files: the fitting way is found, planned where it takes several steps, and gone.

Examples:

  lda do "Summarize this, chapter by chapter" book.epub

  lda do "Who hid the key?" book.epub --explain

  lda do "Is it true that the tenant pays for repairs?" lease.pdf

  lda do "Write a 3,000 word report on the whale" moby-dick.epub

  lda do "Summarize these, compare their views of tides, then write 2,000 words" a.pdf b.pdf c.pdf

  lda do "Translate this letter into French" letter.docx --user alice

  lda do "What is said of tides?" --collection novels --as ask

  lda do "Which chapters disagree about tides?" book.epub --agent --engine langchain --model openai:gpt-5

  cat request.txt | lda do - book.epub      # what is wanted stands on standard input

A request is answered by one call where it fits, else by summarize, ask, check, write or chat; rules decide, and the
model where they do not. --explain says which way was taken and why; --as takes another one. A plan of several steps is
shown first. Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""


@dataclass(frozen=True, slots=True)
class DoOptions:
    """What a request is done with, and how."""

    collection: Annotated[
        str | None,
        typer.Option("--collection", "-c", help="Work on a collection made by lda ingest.", rich_help_panel=_WORK),
    ] = None
    user: Annotated[
        str | None,
        typer.Option("--user", help="For whom: what is known of them is laid over it.", rich_help_panel=_WORK),
    ] = None
    session: Annotated[
        str | None,
        typer.Option("--session", help="A conversation (lda chat) that this belongs to.", rich_help_panel=_WORK),
    ] = None
    words: Annotated[
        int | None,
        typer.Option(
            "--words", help="Length of the result.", show_default="what the request says", rich_help_panel=_WORK
        ),
    ] = None
    way: Annotated[
        str | None,
        typer.Option(
            "--as",
            help="Take this way: summarize, ask, check, write, chat or call.",
            show_default="what fits",
            rich_help_panel=_WORK,
        ),
    ] = None
    agent: Annotated[
        bool,
        typer.Option(
            "--agent", help="Let a model that calls tools find its own way (LangChain).", rich_help_panel=_WORK
        ),
    ] = False
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps", min=1, help="Calls of the agent's model at most.", show_default="12", rich_help_panel=_WORK
        ),
    ] = None
    reader: options.Reader = None
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Begin a plan of several steps at once.", rich_help_panel=_WORK)
    ] = False


@options.with_run_options(formats="md, txt or json")
@options.with_fields("asked", DoOptions)
def do(
    instruction: Annotated[
        str, typer.Argument(help="What is wanted, in your words; - reads it from standard input.", metavar="REQUEST")
    ],
    sources: Annotated[
        list[str] | None, typer.Argument(help="Files, folders or patterns that it is about.", metavar="[PATH]...")
    ] = None,
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say which way was taken, and why.", rich_help_panel="Output")
    ] = False,
    asked: DoOptions,
    run: options.RunOptions,
) -> None:
    """Parse the command line and do it; `HELP` is what people read."""
    from longdoc.cli.do_job import DoJob, read_instruction
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError

    form = run.format()
    if form is OutputFormat.HTML:
        raise ConfigError("what comes of a request is written as md, txt or json; choose another --format or --out")
    if asked.agent:
        if asked.user or asked.session or asked.words or asked.way:
            raise ConfigError("an agent takes no --user, --session, --words or --as; say it in the request")
        from longdoc.cli.do_agent_job import AgentJob

        wanted = read_instruction(instruction)
        agent = AgentJob(wanted, sources or [], asked.collection, asked.steps, explain, run, form, asked.reader)
        raise typer.Exit(agent.start())
    if asked.steps is not None:
        raise ConfigError("--steps bounds an agent; say --agent too, or leave --steps out")
    job = DoJob(
        instruction=read_instruction(instruction),
        sources=sources or [],
        asked=asked,
        explain=explain,
        run=run,
        form=form,
    )
    raise typer.Exit(job.start())
