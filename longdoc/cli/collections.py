"""`lda collections`: which there are, what is in them, what is taken out."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from longdoc.cli import options

app = typer.Typer(help="Collections of documents: list them, look into one, remove.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name of the collection, as 'lda collections list' shows it.")]
_DOCUMENT = typer.Argument(help="A document in it, or the beginning of its name; all of the collection if not given.")


@app.command("list")
def list_collections(json: options.Json = False, database: options.Database = None) -> None:
    """List collections by name."""
    from longdoc.cli.collections_output import collections_json, print_collections
    from longdoc.cli.record import with_records

    rows = asyncio.run(with_records(database, lambda records: records.collections.list()))
    if json:
        typer.echo(collections_json(rows))
    elif rows:
        print_collections(rows)
    else:
        typer.echo("no collections yet; start with: lda ingest PATH --collection NAME", err=True)


@app.command("show")
def show_collection(collection: Name, json: options.Json = False, database: options.Database = None) -> None:
    """Show the documents of a collection, in the order in which they came.

    Example: lda collections show novels
    """
    from longdoc.cli.collections_output import collection_json, print_documents
    from longdoc.cli.record import with_records

    documents = asyncio.run(with_records(database, lambda records: records.collections.documents(collection)))
    if json:
        typer.echo(collection_json(collection, documents))
    else:
        print_documents(documents)


@app.command("remove")
def remove_collection(
    collection: Name,
    document: Annotated[str | None, _DOCUMENT] = None,
    json: options.Json = False,
    database: options.Database = None,
) -> None:
    """Take a document out of a collection, or remove the collection with its index. Documents stay in the record.

    Example: lda collections remove novels 3fa9c2
    """
    from longdoc.app import indexing
    from longdoc.app.bootstrap import Records
    from longdoc.cli.collections_output import removed_json
    from longdoc.cli.record import with_records

    async def remove(records: Records) -> str | None:
        if document is None:
            await indexing.remove_collection(
                records, collection, waiting=lambda: typer.echo(indexing.WAITING, err=True)
            )
            return None
        return (await indexing.remove_document(records, collection, document)).id

    removed = asyncio.run(with_records(database, remove))
    if json:
        typer.echo(removed_json(collection, removed))
    else:
        typer.echo(f"removed {collection}" if removed is None else f"removed {removed} from {collection}", err=True)
