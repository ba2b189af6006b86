"""A conversation that another library leads, kept as a session of the memory stream like any other."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass

from longdoc.app.bootstrap import Workspace
from longdoc.app.memory_access import delete_namespace, open_memory_index
from longdoc.errors import NotFoundError
from longdoc.integrations.desk import ignore
from longdoc.storage.memory_types import Memory, MemoryStatus, NamespaceName, NewMemory


@dataclass(frozen=True, slots=True)
class Said:
    """Something that was said, by the user or in answer to them."""

    text: str
    by_user: bool


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session by its name: that of a user with an agent, as `lda chat` and `lda memory` know it."""

    name: NamespaceName

    async def remember(self, workspace: Workspace, said: Iterable[Said]) -> None:
        """Store what was said, each thing with its answer; what is not answered yet waits for the next call.

        What was waiting is given up where something else is said. Texts that are empty are no memories.
        """
        memories = workspace.records.memories
        namespace = (await memories.open(self.name)).id
        waiting = next(iter((await memories.waiting(namespace))[::-1]), None)
        for one in said:
            if not one.text.strip():
                continue
            if one.by_user:
                if waiting is not None:
                    await memories.answer(namespace, waiting.number, "", status=MemoryStatus.CUT)
                waiting = await memories.append(namespace, NewMemory(one.text, status=MemoryStatus.OPEN))
            elif waiting is not None:
                await memories.answer(namespace, waiting.number, one.text, status=MemoryStatus.DONE)
                waiting = None
            else:
                await memories.append(namespace, NewMemory("", one.text))

    async def told(self, workspace: Workspace) -> list[Said]:
        """All that was said and is not erased, in order."""
        memories = workspace.records.memories
        namespace = await memories.find(self.name)
        if namespace is None:
            return []
        kept = [*await memories.newest(namespace.id), *await memories.waiting(namespace.id)]
        pairs = [
            (Said(one.observation, by_user=True), Said(one.response, by_user=False))
            for one in sorted(kept, key=lambda one: one.number)
        ]
        return [said for pair in pairs for said in pair if said.text]

    async def search(self, workspace: Workspace, question: str, *, k: int) -> list[Memory]:
        """The `k` memories nearest to a text, the best first."""
        memories = workspace.records.memories
        namespace = await memories.find(self.name)
        if namespace is None:
            return []
        async with aclosing(await open_memory_index(workspace, namespace, emit=ignore)) as index:
            found = await index.search(question, k=k)
        stored = {one.number: one for one in await memories.get(namespace.id, [one.number for one in found])}
        return [stored[one.number] for one in found if one.number in stored]

    async def clear(self, workspace: Workspace) -> None:
        """Delete the session with everything that was made from it."""
        with suppress(NotFoundError):
            await delete_namespace(workspace.records, self.name)
