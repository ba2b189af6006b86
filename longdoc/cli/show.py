"""`lda show`: a run with its tree, or one node of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from longdoc.cli import options


def show(
    node: Annotated[str, typer.Argument(help="A run, or a node of it (RUN.NUMBER).", metavar="RUN|NODE")],
    source: Annotated[bool, typer.Option("--source", help="Also print the text of the source it stands for.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Write the run as a report to this HTML file.", metavar="HTML")
    ] = None,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """Show what a run made: its summary with what each sentence rests on, and the tree of summaries below it.

    Of a node: its text, what it was made from, and the calls behind it.

    Examples: lda show k3f9a2, lda show k3f9a2.17 --source, lda show k3f9a2 --out report.html
    """
    if out is not None:
        _write_report(node, out, database)
        return
    from longdoc.app.bootstrap import Records
    from longdoc.app.history import NodeDetails, RunDetails, node_details, run_details
    from longdoc.cli.history_output import node_json, print_node
    from longdoc.cli.record import with_records
    from longdoc.cli.render import show_trees

    async def load(records: Records) -> tuple[NodeDetails, RunDetails | None]:
        details = await node_details(records, node)
        return details, None if "." in node else await run_details(records, node)

    details, run = asyncio.run(with_records(database, load))
    if json:
        typer.echo(node_json(details, source=source))
        return
    print_node(details, source=source)
    if run is not None:
        typer.echo()
        show_trees(run)


def _write_report(run: str, out: Path, database: str | None) -> None:
    from longdoc.app.history import run_report
    from longdoc.cli.output import write_file
    from longdoc.cli.record import with_records
    from longdoc.cli.run_report import report_page

    report = asyncio.run(with_records(database, lambda records: run_report(records, run)))
    write_file(report_page(report), out)
    typer.echo(f"wrote {out}", err=True)
