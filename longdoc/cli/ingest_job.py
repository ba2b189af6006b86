"""The job behind `lda ingest`: sources read and stored one after the other, then indexed together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import typer

from longdoc.app.bootstrap import Library
from longdoc.app.indexing import add_documents, open_index
from longdoc.cli.collections_output import Added, ingested_json, print_added
from longdoc.cli.exits import ExitCode, exit_code
from longdoc.cli.output import Failure
from longdoc.cli.reading import read_source
from longdoc.cli.run_view import RunView
from longdoc.cli.session import run_library_session
from longdoc.config import Settings
from longdoc.errors import DocumentError, LdaError


@dataclass
class IngestJob:
    """What was asked for on the command line."""

    sources: Sequence[str]
    collection: str
    json: bool
    quiet: bool
    reader: str | None = None
    _added: list[Added] = field(default_factory=list[Added])
    _failures: list[Failure] = field(default_factory=list[Failure])
    _embedder_set: bool = False
    _embedding_error: LdaError | None = None

    def start(self, settings: Settings) -> ExitCode:
        """Ingest the sources; one that cannot be read does not stop the others, nor does an embedder that fails.

        Raises what stops all the work.
        """
        self._embedder_set = settings.embedding_model is not None or settings.embedding_base_url is not None
        return run_library_session(settings, self._work, quiet=self.quiet)

    async def _work(self, library: Library) -> ExitCode:
        with RunView(self.collection, quiet=self.quiet) as view:
            for source in self.sources:
                await self._add(library, source, view)
            rankings: Sequence[str] = ()
            if self._added:
                index = await open_index(
                    library, (), collection=self.collection, emit=view.emit, lost=self._note_lost_embedder
                )
                rankings = index.rankings
                index.close()
        if self.json:
            typer.echo(
                ingested_json(
                    self.collection,
                    self._added,
                    self._failures,
                    rankings=rankings,
                    embedding_error=self._embedding_error,
                )
            )
        elif self._added:
            print_added(self._added)
        return self._code()

    async def _add(self, library: Library, source: str, view: RunView) -> None:
        try:
            document = await asyncio.to_thread(read_source, source, reader=self.reader)
        except DocumentError as error:
            typer.echo(f"lda: {error}", err=True)
            self._failures.append(Failure(source, str(error), exit_code(error)))
            return
        for warning in document.warnings:
            view.warn(f"{source}: {warning}")
        new = await add_documents(library.records, [document], collection=self.collection)
        self._added.append(Added(source, await library.records.documents.find(document.id), new=new > 0))

    def _note_lost_embedder(self, error: LdaError) -> None:
        """What was asked for and cannot be had is a gap; where nothing was set, the warning does."""
        if self._embedder_set:
            self._embedding_error = error
            if self.quiet:
                typer.echo(f"lda: indexed by words alone: {error}", err=True)

    def _code(self) -> ExitCode:
        if not self._failures and self._embedding_error is None:
            return ExitCode.DONE
        return ExitCode.GAPS if self._added else ExitCode.FAILED
