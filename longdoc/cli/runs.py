"""`lda runs`: what was asked, how it went, what it took."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from longdoc.cli import options

app = typer.Typer(help="Runs: list them, look into one, remove one.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="A run, or the beginning of its name, as 'lda runs list' shows it.")]


@app.command("list")
def list_runs(json: options.Json = False, database: options.Database = None) -> None:
    """List runs, the last started first."""
    from longdoc.app.history import run_summaries
    from longdoc.cli.history_output import print_runs, runs_json
    from longdoc.cli.record import with_records

    rows = asyncio.run(with_records(database, run_summaries))
    if json:
        typer.echo(runs_json(rows))
    elif rows:
        print_runs(rows)
    else:
        typer.echo("no runs yet; start with: lda summarize FILE", err=True)


@app.command("show")
def show_run(run: RunId, json: options.Json = False, database: options.Database = None) -> None:
    """Show a run: what was asked, what it took, and its tree of summaries.

    Example: lda runs show k3f9a2
    """
    from longdoc.app.history import run_details
    from longdoc.cli.history_output import print_run, run_json
    from longdoc.cli.record import with_records

    details = asyncio.run(with_records(database, lambda records: run_details(records, run)))
    if json:
        typer.echo(run_json(details))
    else:
        print_run(details)


@app.command("rm")
def remove_run(
    run: RunId,
    calls: Annotated[bool, typer.Option("--calls", help="Also forget the calls that no other run uses.")] = False,
    database: options.Database = None,
) -> None:
    """Remove a run and its nodes. Its calls stay in the record unless --calls is given."""
    from longdoc.app.bootstrap import Records
    from longdoc.cli.record import with_records

    async def remove(records: Records) -> str:
        found = await records.runs.get(run)
        forgotten = await records.runs.delete(found.id, with_calls=calls)
        return f"removed run {found.id}" + (f" and {forgotten} calls" if calls else "")

    typer.echo(asyncio.run(with_records(database, remove)), err=True)
