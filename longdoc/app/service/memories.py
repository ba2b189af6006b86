"""Routes of memories: stored, read, edited, erased and found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from longdoc.app.chat_facts import forget_facts
from longdoc.app.memory_access import memory_folder, memory_index, scrub_facts
from longdoc.app.service.bodies import (
    Before,
    Count,
    InPath,
    MemoryBody,
    MemoryEditBody,
    NameInQuery,
    Place,
    SearchBody,
)
from longdoc.app.service.callers import PROBLEMS, Asked, Reading, Writing
from longdoc.app.service.parts import quiet
from longdoc.app.service.replies import reply
from longdoc.app.service.tenant_memories import (
    agent_of,
    delete_memories,
    find_memory,
    find_namespace,
    memory_id,
    namespace_name,
)
from longdoc.app.service.views import (
    METADATA,
    FoundView,
    HistoryView,
    MemoriesView,
    MemoryView,
    RevisionView,
    SearchView,
)
from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.memory_types import Memory, MemoryKind, Namespace, NewMemory

router = APIRouter(prefix="/v1", tags=["memories"], responses=PROBLEMS)


@router.post("/memories", response_model=MemoryView, status_code=201)
async def add_memory(asked: Writing, body: MemoryBody) -> Response:
    """Store a memory; of two with the same key the first is kept, and replied."""
    memories = asked.parts.library.records.memories
    now = datetime.now(UTC)
    new = NewMemory(
        body.observation,
        body.response,
        kind=MemoryKind(body.kind),
        key=body.key,
        source={METADATA: dict(body.metadata)} if body.metadata else {},
        at=body.at,
        expires_at=None if body.expires_in_days is None else now + timedelta(days=body.expires_in_days),
    )
    if not (new.observation.strip() or new.response.strip()):
        raise ConfigError("there is nothing to remember: the text is empty")
    namespace = await memories.open(namespace_name(asked.tenant, body.user, body.agent, body.session))
    return reply(_view(asked, namespace, await memories.append(namespace.id, new)), status=201)


@router.get("/memories", response_model=MemoriesView)
async def list_memories(
    asked: Reading,
    *,
    user: NameInQuery,
    agent: NameInQuery = "default",
    session: NameInQuery = "main",
    before: Before = None,
    count: Count = 100,
) -> Response:
    """Memories of a session, the newest first."""
    memories = asked.parts.library.records.memories
    namespace = await find_namespace(memories, asked.tenant, user, agent, session)
    found = await memories.newest(namespace.id, count, before=before)
    views = [_view(asked, namespace, one) for one in found]
    return reply(MemoriesView(views, found[-1].number if len(found) == count else None))


@router.delete("/memories", status_code=204)
async def delete_all_memories(asked: Writing, user: NameInQuery) -> Response:
    """Delete all that is remembered of a user, with every agent and in every session."""
    if not await delete_memories(asked.parts.library.records, asked.tenant, user, asked.parts.indexes):
        raise NotFoundError(f"nothing is remembered of {user!r}")
    return Response(status_code=204)


@router.get("/memories/{id}", response_model=MemoryView)
async def get_memory(asked: Reading, id: InPath) -> Response:  # noqa: A002 - the name of the part of the path
    """A memory."""
    namespace, memory = await find_memory(asked.parts.library.records.memories, asked.tenant, id)
    return reply(_view(asked, namespace, memory))


@router.put("/memories/{id}", response_model=MemoryView)
async def edit_memory(asked: Writing, id: InPath, body: MemoryEditBody) -> Response:  # noqa: A002 - as above
    """Let a memory say something else; what it said before stays in its history."""
    memories = asked.parts.library.records.memories
    namespace, memory = await find_memory(memories, asked.tenant, id)
    said = memory.observation if body.observation is None else body.observation
    answered = memory.response if body.response is None else body.response
    if not (said.strip() or answered.strip()):
        raise ConfigError("nothing would be left of the memory; delete it instead")
    edited = await memories.edit(namespace.id, memory.number, observation=body.observation, response=body.response)
    return reply(_view(asked, namespace, edited))


@router.delete("/memories/{id}", status_code=204)
async def erase_memory(asked: Writing, id: InPath) -> Response:  # noqa: A002 - as above
    """Erase a memory with all that was made from it."""
    records = asked.parts.library.records
    namespace, memory = await find_memory(records.memories, asked.tenant, id)
    await forget_facts(records, namespace, [memory.number])
    await records.memories.erase(namespace.id, [memory.number])
    if _exists(memory_folder(records, namespace)):
        async with memory_index(asked.parts.library, namespace, asked.parts.indexes, emit=quiet)() as index:
            await index.catch_up()
    await scrub_facts(records, namespace)
    return Response(status_code=204)


@router.get("/memories/{id}/history", response_model=HistoryView)
async def get_history(asked: Reading, id: InPath) -> Response:  # noqa: A002 - as above
    """What a memory said before it was edited, the oldest first."""
    memories = asked.parts.library.records.memories
    namespace, memory = await find_memory(memories, asked.tenant, id)
    found = await memories.history(namespace.id, memory.number)
    return reply(HistoryView(list(map(RevisionView.of, found))))


@router.post("/search", response_model=SearchView)
async def search_memories(asked: Reading, body: SearchBody) -> Response:
    """The memories of a session that are nearest to a text, by words and, where there is a model for it, meaning."""
    memories = asked.parts.library.records.memories
    namespace = await _of(asked, body)
    async with memory_index(asked.parts.library, namespace, asked.parts.indexes, emit=quiet)() as index:
        found = await index.search(body.query, k=body.k)
    stored = {one.number: one for one in await memories.get(namespace.id, [one.number for one in found])}
    now = datetime.now(UTC)
    views = [
        FoundView(one.score, _view(asked, namespace, memory))
        for one in found
        if (memory := stored.get(one.number)) is not None
        and memory.status.remembered
        and (memory.expires_at is None or memory.expires_at > now)
    ]
    return reply(SearchView(views))


async def _of(asked: Asked, place: Place) -> Namespace:
    memories = asked.parts.library.records.memories
    return await find_namespace(memories, asked.tenant, place.user, place.agent, place.session)


def _view(asked: Asked, namespace: Namespace, memory: Memory) -> MemoryView:
    agent = agent_of(asked.tenant, namespace) or ""
    return MemoryView.of(memory_id(namespace, memory.number), agent, namespace, memory)


def _exists(folder: Path) -> bool:
    return folder.exists()
