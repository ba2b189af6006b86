"""`lda runs`: what was asked, how it went, what it took."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from longdoc.cli import options

if TYPE_CHECKING:
    from longdoc.app.bootstrap import Records
    from longdoc.json_value import JsonValue
    from longdoc.storage.ledger import RunTotals
    from longdoc.storage.runs import Run

app = typer.Typer(help="Runs: list them, look into one, remove one.", no_args_is_help=True)

RunId = Annotated[str, typer.Argument(help="A run, or the beginning of its name, as 'lda runs list' shows it.")]


@app.command("list")
def list_runs(json: options.Json = False, database: options.Database = None) -> None:
    """List runs, the newest first."""
    from longdoc.cli.output import envelope
    from longdoc.cli.render import table

    rows = asyncio.run(_all_runs(database))
    if json:
        typer.echo(envelope("runs list", "done", runs=[_run_json(run, totals) for run, totals in rows]))
        return
    if not rows:
        typer.echo("no runs yet; start with: lda summarize FILE", err=True)
        return
    table(
        ("run", "what", "title", "status", "calls", "tokens", "cost", "started"),
        [_run_row(run, totals) for run, totals in rows],
    )


@app.command("show")
def show_run(run: RunId, json: options.Json = False, database: options.Database = None) -> None:
    """Show a run: what was asked, what it took, and its tree of summaries.

    Example: lda runs show k3f9a2
    """
    from longdoc.cli.output import envelope
    from longdoc.cli.render import show_tree, table

    details = asyncio.run(_details(run, database))
    if json:
        content: dict[str, JsonValue] = {"run": _run_json(details.run, details.totals), "nodes": details.nodes_json()}
        typer.echo(envelope("runs show", "done", **content))
        return
    asked = {key: str(value) for key, value in details.run.parameters.items() if value is not None}
    table(("run", "what", "title", "status", "calls", "tokens", "cost", "started"), [_run_row(details.run, details.totals)])
    typer.echo(f"asked: {asked}  model: {details.run.model}")
    if details.run.error:
        typer.echo(f"stopped by: {details.run.error}")
    show_tree(details.nodes)
