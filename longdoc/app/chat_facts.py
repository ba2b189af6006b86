"""What is known of a user over all sessions: durable facts, each with the turns that it comes from.

Facts are memories of the namespace (user, agent, no session). One that is contradicted is edited, so that what it said
before stays in its history; one whose turn is erased is erased too.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from longdoc.agents.events import Emit
from longdoc.agents.fact_extraction import NewFact, facts_of
from longdoc.app.bootstrap import Records, Workspace
from longdoc.engines.engine import Engine
from longdoc.json_value import JsonValue
from longdoc.memory.index import MemoryIndex
from longdoc.storage.memory_types import (
    Memory,
    MemoryFilter,
    MemoryKind,
    MemoryStatus,
    Namespace,
    NamespaceName,
    NewMemory,
)

FACTS = MemoryFilter(kinds=frozenset({MemoryKind.FACT}))
_ALL_UP_TO = 12
_NEAREST = 8
_UNTIL = "facts_until"
_TURNS_AT_ONCE = 16


class ChatFacts:
    """The facts about one user, as a session uses them and adds to them."""

    def __init__(self, workspace: Workspace, namespace: Namespace, index: MemoryIndex) -> None:
        self._memories = workspace.records.memories
        self._index = index
        self.namespace = namespace

    async def known(self, text: str) -> list[Memory]:
        """All facts while they are few, else those nearest to a text; in their order."""
        newest = await self._memories.newest(self.namespace.id, _ALL_UP_TO + 1, meant=FACTS)
        if len(newest) <= _ALL_UP_TO:
            return newest[::-1]
        found = await self._index.search(text, k=_NEAREST, meant=FACTS)
        return await self._memories.get(self.namespace.id, [one.number for one in found])

    async def all(self) -> list[Memory]:
        """All facts, in their order."""
        return (await self._memories.newest(self.namespace.id, meant=FACTS))[::-1]

    async def unread(self, session: Namespace) -> bool:
        """Whether there are turns of a session that were not looked at yet."""
        return bool(await self._next(session))

    async def learn(self, engine: Engine, session: Namespace, *, emit: Emit) -> None:
        """Take the facts from the turns of a session that were not looked at yet, up to the first without an answer.

        Stopped at any moment, it goes on after the last turn that was done. Raises what the engine raises.
        """
        while turns := await self._next(session):
            for turn in turns:
                if turn.kind is MemoryKind.TURN and turn.status.remembered:
                    await self._learn(engine, session, turn, emit)
                await self._memories.set_up(session.id, {_UNTIL: turn.number})

    async def _next(self, session: Namespace) -> list[Memory]:
        found = await self._memories.find(session.name)
        until = 0 if found is None else found.settings.get(_UNTIL, 0)
        first = (until if isinstance(until, int) else 0) + 1
        turns = await self._memories.get(session.id, list(range(first, first + _TURNS_AT_ONCE)))
        return list(takewhile(lambda turn: turn.status is not MemoryStatus.OPEN, turns))

    async def edit(self, number: int, text: str) -> Memory:
        """Let a fact say something else; what it said before stays in its history. Raises `NotFoundError`."""
        return await self._memories.edit(self.namespace.id, number, observation=text)

    async def _learn(self, engine: Engine, session: Namespace, turn: Memory, emit: Emit) -> None:
        known = await self.known(turn.text)
        new = await facts_of(engine, turn, known, namespace=session.id, known_in=self.namespace.id, emit=emit)
        by_number = {fact.number: fact for fact in known}
        for fact in new:
            await self._store(fact, session, turn, by_number)

    async def _store(self, fact: NewFact, session: Namespace, turn: Memory, known: dict[int, Memory]) -> None:
        here: list[JsonValue] = [[session.id, turn.number]]
        replaced = known.get(fact.replaces) if fact.replaces is not None else None
        if replaced is None:
            new = NewMemory(fact.text, kind=MemoryKind.FACT, source={"turns": here}, at=turn.at)
            await self._memories.append(self.namespace.id, new)
            return
        before = replaced.source.get("turns", [])
        turns = [*before, *here] if isinstance(before, list) else here
        await self._memories.edit(
            self.namespace.id, replaced.number, observation=fact.text, source={**replaced.source, "turns": turns}
        )


def facts_name(name: NamespaceName) -> NamespaceName:
    """The namespace of the facts about a user."""
    return NamespaceName(name.user, name.agent, "")


async def forget_facts(records: Records, session: Namespace, numbers: Sequence[int] | None) -> int:
    """Erase the facts that come from these turns of a session, or from any of it where none are named; how many."""
    namespace = await records.memories.find(facts_name(session.name))
    if namespace is None:
        return 0
    facts = await records.memories.newest(namespace.id, meant=FACTS)
    doomed = [fact.number for fact in facts if _comes_from(fact, session.id, numbers)]
    return await records.memories.erase(namespace.id, doomed)


def _comes_from(fact: Memory, session: int, numbers: Sequence[int] | None) -> bool:
    turns = fact.source.get("turns", [])
    return isinstance(turns, list) and any(
        isinstance(one, list) and one[0] == session and (numbers is None or one[1] in numbers) for one in turns
    )
