"""What is known of a user over all sessions: durable facts, each with the turns that it comes from.

Facts are memories of the namespace (user, agent, no session). One that is contradicted is edited, so that what it said
before stays in its history; one whose turn is erased is erased too.
"""

from __future__ import annotations

from collections.abc import Sequence

from longdoc.agents.events import Emit
from longdoc.agents.fact_extraction import facts_of
from longdoc.app.bootstrap import Records, Workspace
from longdoc.engines.engine import Engine
from longdoc.json_value import JsonValue
from longdoc.memory.indexes import IndexInUse
from longdoc.storage.memory_types import (
    TURNS,
    Memory,
    MemoryFilter,
    MemoryKind,
    MemoryStatus,
    Namespace,
    NamespaceName,
)

FACTS = MemoryFilter(kinds=frozenset({MemoryKind.FACT}))
_ALL_UP_TO = 12
_NEAREST = 8
_UNTIL = "facts_until"
_TURNS_AT_ONCE = 16


class ChatFacts:
    """The facts about one user, as a session uses them and adds to them."""

    def __init__(self, workspace: Workspace, namespace: Namespace, index: IndexInUse) -> None:
        self._memories = workspace.records.memories
        self._index = index
        self.namespace = namespace

    async def catch_up(self) -> None:
        """Take in what changed, so that what was erased is searched no more. Raises `StorageError`."""
        async with self._index() as index:
            await index.catch_up()

    async def known(self, text: str) -> list[Memory]:
        """All facts while they are few, else those nearest to a text; in their order."""
        newest = await self._memories.newest(self.namespace.id, _ALL_UP_TO + 1, meant=FACTS)
        if len(newest) <= _ALL_UP_TO:
            return newest[::-1]
        async with self._index() as index:
            found = await index.search(text, k=_NEAREST, meant=FACTS)
        return await self._memories.get(self.namespace.id, [one.number for one in found])

    async def all(self) -> list[Memory]:
        """All facts, in their order."""
        return (await self._memories.newest(self.namespace.id, meant=FACTS))[::-1]

    async def unread(self, session: Namespace) -> bool:
        """Whether there are turns of a session that were not looked at yet."""
        return bool(await self._next(session))

    async def learn(self, engine: Engine, session: Namespace, *, emit: Emit) -> None:
        """Take the facts from the next turns of a session that were not looked at yet, sixteen at most.

        What waits for an answer is passed over once something after it was answered.
        Stopped at any moment, it goes on after the last turn that was done. Raises what the engine raises.
        """
        for turn in await self._next(session):
            if turn.kind is MemoryKind.TURN and turn.status.remembered:
                if not await self._learn(engine, session, turn, emit):
                    return  # it was changed or erased meanwhile: the next pass looks again
            else:
                await self._memories.set_up(session.id, {_UNTIL: turn.number})

    async def _next(self, session: Namespace) -> list[Memory]:
        found = await self._memories.find(session.name)
        until = 0 if found is None else found.settings.get(_UNTIL, 0)
        turns = await self._memories.after(session.id, until if isinstance(until, int) else 0, _TURNS_AT_ONCE)
        while turns and turns[-1].status is MemoryStatus.OPEN:
            turns.pop()
        return turns

    async def edit(self, number: int, text: str) -> Memory:
        """Let a fact say something else; what it said before stays in its history. Raises `NotFoundError`."""
        return await self._memories.edit(self.namespace.id, number, observation=text)

    async def _learn(self, engine: Engine, session: Namespace, turn: Memory, emit: Emit) -> bool:
        known = await self.known(turn.text)
        new = await facts_of(engine, turn, known, namespace=session.id, known_in=self.namespace.id, emit=emit)
        facts = [(fact.text, fact.replaces) for fact in new]
        return await self._memories.learn(self.namespace.id, session.id, turn, facts, until=_UNTIL)


def facts_name(name: NamespaceName) -> NamespaceName:
    """The namespace of the facts about a user."""
    return NamespaceName(name.user, name.agent, "")


async def forget_facts(records: Records, session: Namespace, numbers: Sequence[int] | None) -> int:
    """Erase the facts that come from these turns of a session, or from any of it where none are named; how many.

    A fact that was corrected later stays as it was corrected, without what the turn had said.
    """
    about = await records.memories.find(facts_name(session.name))
    if about is None:
        return 0
    doomed: list[int] = []
    for fact in await records.memories.newest(about.id, meant=FACTS):
        turns = _turns(fact)
        left = [one for one in turns if one[0] != session.id or (numbers is not None and one[1] not in numbers)]
        if len(left) == len(turns):
            continue
        if not left or left[-1] != turns[-1]:  # it says what one of these turns said
            doomed.append(fact.number)
        else:
            kept: list[JsonValue] = [list(one) for one in left]
            await records.memories.drop_history(about.id, fact.number, source={**fact.source, TURNS: kept})
    return await records.memories.erase(about.id, doomed)


def _turns(fact: Memory) -> list[tuple[int, int]]:
    """The turns that a fact comes from: the ids of their namespaces, and their numbers."""
    turns = fact.source.get(TURNS, [])
    pairs = [one for one in turns if isinstance(one, list)] if isinstance(turns, list) else []
    return [(one[0], one[1]) for one in pairs if isinstance(one[0], int) and isinstance(one[1], int)]
