"""`lda chat`: conversations without end, each gone on with where it was left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longdoc.cli import options

_MEMORY = "Memory"
_SESSION = "Session"

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
def chat(
    session: Annotated[str, typer.Argument(help="Name of the session.", metavar="[SESSION]")] = "main",
    *,
    message: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", help="Say this and end; can be given again.", rich_help_panel=_SESSION),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            "--key",
            help="A name for these messages: each is said once; stopped, the same command goes on.",
            rich_help_panel=_SESSION,
        ),
    ] = None,
    document: Annotated[
        list[str] | None,
        typer.Option("--document", "-d", help="A document to answer from.", rich_help_panel=_SESSION),
    ] = None,
    user: Annotated[str, typer.Option("--user", help="Whose memories.", rich_help_panel=_SESSION)] = "me",
    agent: Annotated[str, typer.Option("--agent", help="With which agent.", rich_help_panel=_SESSION)] = "default",
    system: Annotated[
        str | None,
        typer.Option(
            "--system", help="System prompt, kept with the session; @FILE reads it.", rich_help_panel=_SESSION
        ),
    ] = None,
    policy: Annotated[
        str,
        typer.Option("--policy", help="What is recalled: auto, full, retrieve or scm.", rich_help_panel=_MEMORY),
    ] = "auto",
    recall: Annotated[
        int, typer.Option("--recall", min=1, max=20, help="Memories that scm looks at.", rich_help_panel=_MEMORY)
    ] = 6,
    recency: Annotated[
        float,
        typer.Option(
            "--recency", min=0.0, max=1.0, help="Share of recency in the order of memories.", rich_help_panel=_MEMORY
        ),
    ] = 0.0,
    gate: Annotated[
        str,
        typer.Option(
            "--gate", help="Whether scm recalls at all: ask (a model), always, never.", rich_help_panel=_MEMORY
        ),
    ] = "ask",
    memory_tokens: Annotated[
        int | None,
        typer.Option(
            "--memory-tokens",
            min=0,
            help="Tokens for memories.",
            show_default="0.6 of the window",
            rich_help_panel=_MEMORY,
        ),
    ] = None,
    answer_tokens: Annotated[
        int | None,
        typer.Option("--answer-tokens", min=64, help="Tokens of an answer, at most.", rich_help_panel=_MEMORY),
    ] = None,
    facts: Annotated[
        bool,
        typer.Option(
            "--facts", help="Keep what you tell of yourself over all sessions: a call a turn.", rich_help_panel=_MEMORY
        ),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what was recalled, and why.", rich_help_panel="Output")
    ] = False,
    run: options.RunOptions,
) -> None:
    """Parse the command line and talk; `HELP` is what people read."""
    from longdoc.app.chat import ChatOptions
    from longdoc.cli.chat_job import ChatJob
    from longdoc.cli.output import OutputFormat
    from longdoc.errors import ConfigError
    from longdoc.memory.policies import GateRule, PolicyName, RecallOptions
    from longdoc.memory.ranking import Ranking
    from longdoc.storage.memory_types import NamespaceName

    for name, value, known in (("policy", policy, PolicyName), ("gate", gate, GateRule)):
        if value not in set(known):
            raise ConfigError(f"there is no {name} {value!r}; choose one of: {', '.join(known)}")
    if run.format() is OutputFormat.HTML:
        raise ConfigError("conversations are written as md, txt or json; choose another --format or --out")
    options_ = ChatOptions(
        policy=PolicyName(policy),
        recall=RecallOptions(k=recall, ranking=Ranking(recency), gate=GateRule(gate)),
        system=_text(system),
        memory_tokens=memory_tokens,
        answer_tokens=answer_tokens,
        facts=facts,
    )
    job = ChatJob(
        name=NamespaceName(user, agent, session),
        options=options_,
        messages=message or [],
        key=key,
        documents=document or [],
        explain=explain,
        run=run,
    )
    raise typer.Exit(job.start())


def _text(given: str | None) -> str | None:
    """What was given, or what stands in the file that was named with @."""
    from longdoc.errors import ConfigError

    if given is None or not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{given[1:]} cannot be read: {error}") from error
