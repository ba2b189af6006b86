"""Tools of memories: what a user said or an agent noted, found by words and meaning."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from pydantic import Field

from longdoc.app.mcp.parts import McpParts
from longdoc.app.mcp.permission import check_scope
from longdoc.app.mcp.replies import MOST_CHARACTERS, MemoryInfo, MemoryList
from longdoc.app.memory_access import memory_index
from longdoc.app.service.parts import quiet
from longdoc.app.service.tenant_memories import namespace_name
from longdoc.errors import ConfigError
from longdoc.storage.api_keys import Scope
from longdoc.storage.memory_types import Memory, NewMemory
from longdoc.storage.profile_types import LOCAL_TENANT, Tenant

_Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
_LONGEST_SHOWN = 2_000
_LOCAL = Tenant(0, LOCAL_TENANT, datetime(1970, 1, 1, tzinfo=UTC))


class MemoryTools:
    """The tools, over the parts of a server."""

    def __init__(self, parts: McpParts) -> None:
        self._parts = parts

    async def search_memories(
        self,
        query: Annotated[str, Field(min_length=1, max_length=20_000, description="What to look for.")],
        user: _Name,
        agent: _Name = "default",
        session: _Name = "main",
        count: Annotated[int, Field(ge=1, le=50, description="How many at most.")] = 10,
    ) -> MemoryList:
        """Find the memories of a user's session that fit a text best."""
        memories = self._parts.records.memories
        namespace = await memories.find(namespace_name(_LOCAL, user, agent, session))
        if namespace is None:
            return MemoryList([], cut=False)
        async with memory_index(self._parts.library, namespace, self._parts.indexes, emit=quiet)() as index:
            found = await index.search(query, k=count)
        stored = {one.number: one for one in await memories.get(namespace.id, [one.number for one in found])}
        now = datetime.now(UTC)
        shown = [
            (memory, one.score)
            for one in found
            if (memory := stored.get(one.number)) is not None
            and memory.status.remembered
            and (memory.expires_at is None or memory.expires_at > now)
        ]
        longest = min(_LONGEST_SHOWN, MOST_CHARACTERS // (2 * max(1, len(shown))))
        cut = any(max(len(memory.observation), len(memory.response)) > longest for memory, _ in shown)
        return MemoryList([_info(memory, score, longest) for memory, score in shown], cut=cut)

    async def add_memory(
        self,
        text: Annotated[str, Field(min_length=1, max_length=200_000, description="What is to be remembered.")],
        user: _Name,
        context: Context[Any, Any],
        *,
        response: Annotated[str, Field(max_length=200_000, description="What was answered to it, if anything.")] = "",
        agent: _Name = "default",
        session: _Name = "main",
        key: Annotated[str, Field(max_length=200, description="Of two with the same key the first is kept.")] = "",
    ) -> MemoryInfo:
        """Remember something of a user's session."""
        check_scope(context, Scope.WRITE)
        if not text.strip():
            raise ConfigError("there is nothing to remember: the text is empty")
        memories = self._parts.records.memories
        namespace = await memories.open(namespace_name(_LOCAL, user, agent, session))
        memory = await memories.append(namespace.id, NewMemory(text, response, key=key or None))
        return _info(memory, None, _LONGEST_SHOWN)


def _info(memory: Memory, score: float | None, longest: int) -> MemoryInfo:
    text, response = memory.observation[:longest], memory.response[:longest]
    return MemoryInfo(memory.number, text, response, memory.at.isoformat(), score)
