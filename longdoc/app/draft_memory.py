"""What a draft has said, as a memory stream: each section is a memory, recalled for the sections that it matters to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from longdoc.agents.events import Emit
from longdoc.app.bootstrap import Records, Workspace
from longdoc.app.memory_access import delete_namespace, memory_index
from longdoc.memory.indexes import IndexInUse, MemoryIndexes
from longdoc.storage.draft_types import Draft, PlannedSection, SectionText, memories_of_draft
from longdoc.storage.memory_types import MemoryKind, Namespace, NamespaceName, NewMemory

_LATEST = 2
"""Sections just before one that it is always told of."""
_RECALLED = 12


class DraftMemory:
    """The memories of one draft, made by `open`."""

    def __init__(self, workspace: Workspace, namespace: Namespace, index: IndexInUse) -> None:
        self._memories = workspace.records.memories
        self._namespace = namespace
        self._index = index

    @classmethod
    async def open(cls, workspace: Workspace, draft: Draft, indexes: MemoryIndexes, *, emit: Emit) -> DraftMemory:
        """The memories of a draft, an empty stream at first."""
        namespace = await workspace.records.memories.open(_name(draft))
        return cls(workspace, namespace, memory_index(workspace, namespace, indexes, emit=emit))

    async def remember(self, texts: Sequence[SectionText]) -> None:
        """Store sections as memories; those that are there already stay as they are."""
        new = [
            NewMemory(text.text, summary=text.summary or None, kind=MemoryKind.DOCUMENT, key=_key(text))
            for text in texts
            if text.text.strip()
        ]
        if new:
            await self._memories.append_all(self._namespace.id, new)

    async def recalled(
        self, section: PlannedSection, before: Sequence[int], texts: Mapping[int, SectionText]
    ) -> list[SectionText]:
        """The texts of the sections before one, by id, the most useful first: the latest, then those that are like what
        it has to say, then the others from the last to the first."""
        there = [texts[one] for one in before if one in texts]
        latest = there[::-1][:_LATEST]
        if len(there) <= _LATEST:
            return latest
        async with self._index() as index:
            await index.catch_up()  # all of it, or what is recalled would depend on when the draft was opened
            old = (await self._memories.remembered(self._namespace.id)) - len(texts)
            found = await index.search(f"{section.heading}. {section.main_point}", k=_RECALLED + max(0, old))
        stored = await self._memories.get(self._namespace.id, [one.number for one in found])
        keys = {one.number: one.key for one in stored}
        by_key = {_key(text): text for text in there}
        like = [by_key[key] for one in found if (key := keys.get(one.number) or "") in by_key]
        return list({text.section: text for text in (*latest, *like, *reversed(there))}.values())


async def forget_draft(records: Records, draft: Draft) -> None:
    """Delete the memories of a draft."""
    if await records.memories.find(_name(draft)) is not None:
        await delete_namespace(records, _name(draft))


def _name(draft: Draft) -> NamespaceName:
    return memories_of_draft(draft.name, draft.id)


def _key(text: SectionText) -> str:
    return f"{text.section}.{text.version}"
