"""`lda show`: one node of a summary."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from longdoc.cli import options


def show(
    node: Annotated[str, typer.Argument(help="A node (RUN.NUMBER), or a run for its result.", metavar="NODE")],
    source: Annotated[bool, typer.Option("--source", help="Also print the text of the source it stands for.")] = False,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """Show a node: its text, what it was made from, and the calls behind it.

    Example: lda show k3f9a2.17 --source
    """
    from longdoc.app.history import node_details
    from longdoc.cli.history_output import node_json, print_node
    from longdoc.cli.record import with_records

    details = asyncio.run(with_records(database, lambda records: node_details(records, node)))
    if json:
        typer.echo(node_json(details, source=source))
    else:
        print_node(details, source=source)
