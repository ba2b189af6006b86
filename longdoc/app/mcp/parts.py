"""What the MCP server works with while it is open: the record, an engine once it is needed, summaries under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from longdoc.app.bootstrap import Library, Records, open_library
from longdoc.app.mcp.summary_jobs import SummaryJobs
from longdoc.app.service.parts import LateWorkspace
from longdoc.app.shelf import Shelf, shelf_of, shelf_of_collection
from longdoc.config import Settings
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError
from longdoc.memory.indexes import MemoryIndexes

_MEGABYTE = 1024 * 1024


@dataclass(slots=True)
class McpParts:
    """What the tools work with. `closing` is set once the server is about to end."""

    library: Library
    workspace: LateWorkspace
    indexes: MemoryIndexes
    summaries: SummaryJobs
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def records(self) -> Records:
        """The record."""
        return self.library.records

    async def shelf(self, documents: Sequence[str], collection: str) -> Shelf:
        """What is asked: documents by the beginnings of their ids, or a collection.

        Raises `NotFoundError`, and `ConfigError` where neither or both are named.
        """
        if bool(documents) == bool(collection):
            raise ConfigError("name either documents (ids, as list_documents tells them) or a collection")
        if collection:
            return await shelf_of_collection(self.records, collection)
        found = [await self.records.documents.find(one) for one in documents]
        return await shelf_of(self.records, [await self.records.documents.load(one.id) for one in found])


@asynccontextmanager
async def open_mcp_parts(settings: Settings, engine: Engine | None = None) -> AsyncGenerator[McpParts, None]:
    """Open the parts for as long as the context lasts; with an `engine`, that one answers.

    Raises `ConfigError`, `StorageError`.
    """
    async with open_library(settings, notify=_ignore, progress=_ignore) as library:
        workspace = LateWorkspace(library, settings, engine)
        indexes = MemoryIndexes(limit_bytes=settings.memory_cache * _MEGABYTE)
        summaries = SummaryJobs(workspace.opened)
        parts = McpParts(library, workspace, indexes, summaries)
        try:
            yield parts
        finally:
            parts.closing.set()
            await summaries.aclose()
            await indexes.aclose()
            await workspace.aclose()


def _ignore(*told: object) -> None:
    del told
