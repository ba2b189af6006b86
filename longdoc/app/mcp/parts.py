"""What the MCP server works with while it is open: the record, an engine once it is needed, summaries under way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from longdoc.app.bootstrap import Library, Records, open_library
from longdoc.app.mcp.sight import Sight
from longdoc.app.mcp.summary_jobs import SummaryJobs
from longdoc.app.service.parts import LateWorkspace, sharing
from longdoc.app.shelf import Shelf, shelf_of, shelf_of_collection
from longdoc.config import Settings
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError
from longdoc.memory.indexes import MemoryIndexes
from longdoc.storage.profile_types import LOCAL_TENANT

_MEGABYTE = 1024 * 1024


@dataclass(slots=True)
class McpParts:
    """What the tools work with; `sight` finds what may be shown. `closing` is set once the server is about to end."""

    library: Library
    sight: Sight
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
            return await shelf_of_collection(self.records, await self.sight.collection(collection))
        return await shelf_of(self.records, [await self.sight.load(one) for one in documents])


@asynccontextmanager
async def open_mcp_parts(
    settings: Settings, engine: Engine | None = None, *, local: bool
) -> AsyncGenerator[McpParts, None]:
    """Open the parts for as long as the context lasts; with an `engine`, that one answers.

    A `local` server shows the whole record, another one what the tenant `local` may see; what is stored through that
    one changes no document that others may have, too. Raises `ConfigError`, `StorageError`.
    """
    async with open_library(settings, notify=_ignore, progress=_ignore) as opened:
        library = opened if local else sharing(opened)
        tenant = None if local else await library.records.profiles.tenant(LOCAL_TENANT)
        workspace = LateWorkspace(library, settings, engine)
        indexes = MemoryIndexes(limit_bytes=settings.memory_cache * _MEGABYTE)
        sight = Sight(library.records, tenant)
        summaries = SummaryJobs(workspace.opened, sight.load)
        parts = McpParts(library, sight, workspace, indexes, summaries)
        try:
            yield parts
        finally:
            parts.closing.set()
            await summaries.aclose()
            await indexes.aclose()
            await workspace.aclose()


def _ignore(*told: object) -> None:
    del told
