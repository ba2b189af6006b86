"""The `lda` command: puts the commands together and is the edge at which errors become messages and exit codes."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from longdoc.app.tracing import traced
from longdoc.cli import (
    ask,
    chat,
    check,
    collections,
    config,
    do,
    doctor,
    ingest,
    keys,
    mcp,
    memory,
    models,
    personalize,
    runs,
    serve,
    show,
    summarize,
    write,
)
from longdoc.cli.eval_lamp import app as eval_app
from longdoc.cli.exits import ExitCode, exit_code
from longdoc.errors import LdaError

app = typer.Typer(
    name="lda",
    help="Read, remember and write texts far longer than a model's window.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("do", help=do.HELP)(do.do)
app.command("summarize", help=summarize.HELP)(summarize.summarize)
app.command("ask", help=ask.HELP)(ask.ask)
app.command("chat", help=chat.HELP)(chat.chat)
app.command("check", help=check.HELP)(check.check)
app.add_typer(write.app, name="write")
app.command("ingest", help=ingest.HELP)(ingest.ingest)
app.add_typer(collections.app, name="collections")
app.add_typer(memory.app, name="memory")
app.add_typer(personalize.app, name="personalize")
app.command("show")(show.show)
app.add_typer(runs.app, name="runs")
app.add_typer(eval_app, name="eval")
app.add_typer(models.app, name="models")
app.command("serve", help=serve.HELP)(serve.serve)
app.add_typer(keys.app, name="keys")
app.command("mcp", help=mcp.HELP)(mcp.mcp)
app.command("doctor")(doctor.doctor)
app.add_typer(config.app, name="config")


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"longdoc {version('longdoc')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    del version


def main() -> None:
    """Run the command line; never returns."""
    try:
        with traced(lambda line: typer.echo(f"lda: {line}", err=True)):
            app()
    except LdaError as error:
        typer.echo(f"lda: {error}", err=True)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        typer.echo("lda: interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output is gone (`lda … | head`): nobody is left to tell.
        sys.stderr.close()
        sys.exit(ExitCode.FAILED)
