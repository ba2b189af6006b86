"""`lda ingest`: documents put into a collection and indexed."""

from __future__ import annotations

from typing import Annotated

import typer

from longdoc.cli import options

HELP = """
Put documents into a collection and index them, for questions to many documents at once.

Examples:

  lda ingest book.epub

  lda ingest shelf/ --collection novels

  lda ingest "reports/*.pdf" --collection reports

  lda ingest table.csv --reader llama_index.readers.file:PandasCSVReader

  lda ask --collection reports "What did the bridge cost?"

What is in the collection already costs nothing.

Stopped, interrupted or killed: run the same command again, and it goes on where it was.
"""


def ingest(
    paths: Annotated[
        list[str], typer.Argument(help="Files, folders or patterns; - reads standard input.", metavar="PATH")
    ],
    *,
    collection: Annotated[
        str, typer.Option("--collection", "-c", help="Name of the collection; made where there is none.")
    ] = "default",
    reader: options.Reader = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    database: options.Database = None,
) -> None:
    """Parse the command line and ingest; `HELP` is what people read."""
    from longdoc.cli.ingest_job import IngestJob
    from longdoc.cli.sources import expand_sources
    from longdoc.config import load_settings

    job = IngestJob(expand_sources(paths, reader=reader), collection, json=json, quiet=quiet, reader=reader)
    raise typer.Exit(job.start(load_settings({"database": database})))
