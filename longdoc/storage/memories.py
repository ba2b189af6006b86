"""Memories: what was said or told, namespace by namespace, with all that was changed about it.

Owns what can be done with memories; what is searched is derived from these rows and carries the number of the last
change that it knows. Values are `memory_types.py`'s, transactions `memory_rows.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, or_, select, update

from longdoc.errors import ConfigError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.memory_rows import (
    MEMORY_COLUMNS,
    MOST_ROWS,
    REMEMBERED,
    append_rows,
    change_settings,
    check_new,
    conditions,
    delete_namespace,
    erase_rows,
    get_row,
    gone,
    is_memory,
    is_named,
    keep_revision,
    lock,
    memory_of,
    namespace_of,
    set_values,
    store_facts,
)
from longdoc.storage.memory_types import (
    CALLS,
    Counted,
    Memory,
    MemoryFilter,
    MemoryStatus,
    Namespace,
    NamespaceName,
    NewMemory,
    Revision,
)
from longdoc.storage.schema import memories, memory_decisions, memory_revisions, namespace_runs, namespaces

_PAGE = 500


class Memories:
    """The stored memories of all namespaces. Methods that change one raise `NotFoundError` where it is not there."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def open(self, name: NamespaceName) -> Namespace:
        """The namespace of that name, made where there is none."""
        row: dict[str, object] = {
            **asdict(name),
            "memories": 0,
            "changes": 0,
            "settings": {},
            "created_at": self._now(),
        }

        def work(connection: Connection) -> Namespace:
            insert_missing(connection, namespaces, [row])
            return namespace_of(connection.execute(select(namespaces).where(is_named(name))).one())

        found = await self.find(name)
        return found or await self._database.write(work)

    async def find(self, name: NamespaceName) -> Namespace | None:
        """The namespace of that name, None where there is none."""
        statement = select(namespaces).where(is_named(name))
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else namespace_of(row)

    async def with_id(self, namespace: int) -> Namespace | None:
        """The namespace of that id, None where there is none."""
        statement = select(namespaces).where(namespaces.c.id == namespace)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else namespace_of(row)

    async def list(self, *, user: str | None = None, agent: str | None = None) -> tuple[Namespace, ...]:
        """Namespaces, of a user or an agent where one is given, by name."""
        statement = select(namespaces).order_by(namespaces.c.user, namespaces.c.agent, namespaces.c.session)
        for column, value in ((namespaces.c.user, user), (namespaces.c.agent, agent)):
            statement = statement if value is None else statement.where(column == value)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return tuple(map(namespace_of, rows))

    async def set_up(self, namespace: int, changes: Mapping[str, JsonValue]) -> None:
        """Give a namespace these settings; those that are not named stay as they are."""

        def work(connection: Connection) -> None:
            lock(connection, namespace)
            change_settings(connection, namespace, changes)

        await self._database.write(work)

    async def append(self, namespace: int, new: NewMemory) -> Memory:
        """Store a memory under the next number; when this returns, it is on disk. The one there is for its key."""
        return (await self.append_all(namespace, [new]))[0]

    async def append_all(self, namespace: int, new: Sequence[NewMemory]) -> list[Memory]:
        """As `append`, all or none, in their order."""
        now = self._now()
        for one in new:
            check_new(one)
        return await self._database.write(lambda connection: append_rows(connection, namespace, new, now))

    async def answer(
        self,
        namespace: int,
        number: int,
        response: str,
        *,
        status: MemoryStatus,
        calls: Sequence[int] = (),
        decision: JsonValue = None,
    ) -> Memory:
        """Give an open memory its answer, with the calls that wrote it and what was decided for it, all in one step.

        Raises `ConfigError` where it is not open any more.
        """
        now = self._now()

        def work(connection: Connection) -> Memory:
            lock(connection, namespace)
            found = get_row(connection, namespace, number)
            if found.status is not MemoryStatus.OPEN:
                raise ConfigError(f"memory {number} is not waiting for an answer: it is {found.status}")
            source = {**found.source, CALLS: list(calls)} if calls else dict(found.source)
            if decision is not None:
                row = {"namespace_id": namespace, "number": number, "payload": decision, "created_at": now}
                insert_or_update(connection, memory_decisions, row)
            values = {"response": response, "status": status, "source": source}
            return set_values(connection, namespace, number, values)

        return await self._database.write(work)

    async def jot(self, namespace: int, number: int, response: str) -> None:
        """Keep what there is of an answer that is being written. It is not recalled before `answer`."""
        open_one = (memories.c.status == MemoryStatus.OPEN) & is_memory(namespace, number)
        statement = update(memories).where(open_one).values(response=response)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def edit(
        self,
        namespace: int,
        number: int,
        *,
        observation: str | None = None,
        response: str | None = None,
        source: Mapping[str, JsonValue] | None = None,
    ) -> Memory:
        """Change what a memory says, and where it is from; what it said before is kept, its summary is not."""
        now = self._now()
        said = {"observation": observation, "response": response, "source": None if source is None else dict(source)}
        given = {name: value for name, value in said.items() if value is not None}

        def work(connection: Connection) -> Memory:
            lock(connection, namespace)
            found = get_row(connection, namespace, number)
            if not found.status.remembered:
                raise ConfigError(f"memory {number} cannot be edited: it is {found.status}")
            if all(getattr(found, name) == value for name, value in given.items()):
                return found
            keep_revision(connection, namespace, found, now)
            new: dict[str, object] = {"summary": None, "tokens": None, "summary_tokens": None, "counter": None}
            return set_values(connection, namespace, number, {**new, **given})

        return await self._database.write(work)

    async def summarize(self, namespace: int, number: int, summary: str, *, of: str) -> bool:
        """Store the summary of a memory, unless it says something else than `of` by now. Whether it was stored."""

        def work(connection: Connection) -> bool:
            lock(connection, namespace)
            found = get_row(connection, namespace, number)
            if not found.status.remembered or found.text != of:
                return False
            values = {"summary": summary, "summary_tokens": None, "tokens": None, "counter": None}
            connection.execute(update(memories).where(is_memory(namespace, number)).values(values))
            return True

        return await self._database.write(work)

    def count(self, namespace: int, counted: Sequence[Counted], *, counter: str) -> None:
        """Store the tokens of memories; some time, nobody waits for it. Where that fails they are counted once more.

        What has changed since it was read keeps what it has.
        """

        def work(connection: Connection) -> None:
            for one in counted:
                same = memories.c.summary.is_(None) if one.summary is None else memories.c.summary == one.summary
                statement = update(memories).where(
                    is_memory(namespace, one.number), memories.c.change == one.change, same
                )
                values = {"tokens": one.tokens, "summary_tokens": one.summary_tokens, "counter": counter}
                connection.execute(statement.values(values))

        self._database.enqueue(work).add_done_callback(lambda done: done.cancelled() or done.exception())

    async def erase(self, namespace: int, numbers: Sequence[int]) -> int:
        """Take what memories say out of the record, with all that was made from it; how many there were.

        Their numbers and times stay, so that nothing else is taken for them.
        """
        erased = await self._database.write(lambda connection: erase_rows(connection, namespace, numbers))
        if erased:
            await self._database.checkpoint()
        return erased

    async def expired(self) -> Mapping[int, Sequence[int]]:
        """What was to be remembered until now: the numbers of memories, by the id of their namespace."""
        due = select(memories.c.namespace_id, memories.c.number).where(
            memories.c.expires_at <= self._now(), memories.c.status != MemoryStatus.ERASED
        )
        rows = await self._database.read(lambda connection: connection.execute(due).all())
        found: dict[int, list[int]] = {}
        for namespace, number in rows:
            found.setdefault(namespace, []).append(number)
        return found

    async def learn(
        self, about: int, session: int, turn: Memory, facts: Sequence[tuple[str, int | None]], *, until: str
    ) -> bool:
        """Store the facts in a turn of `session` as memories of `about`, each with the number of the one it replaces.

        In one step with the setting `until` of the session, which says how far it was read; a turn replaces a fact
        once. False, and nothing, where the turn is not what it was when it was read.
        """
        now = self._now()

        def work(connection: Connection) -> bool:
            for namespace in sorted({about, session}):
                lock(connection, namespace)
            found = get_row(connection, session, turn.number)
            if not found.status.remembered or found.change != turn.change:
                return False
            store_facts(connection, about, (session, turn), facts, now)
            change_settings(connection, session, {until: turn.number})
            return True

        return await self._database.write(work)

    async def drop_history(self, namespace: int, number: int, *, source: Mapping[str, JsonValue]) -> None:
        """Delete what a memory said before, and say where the rest of it is from."""

        def work(connection: Connection) -> None:
            lock(connection, namespace)
            former = (memory_revisions.c.namespace_id == namespace) & (memory_revisions.c.number == number)
            connection.execute(delete(memory_revisions).where(former))
            connection.execute(update(memories).where(is_memory(namespace, number)).values(source=dict(source)))

        await self._database.write(work)

    async def get(self, namespace: int, numbers: Sequence[int]) -> list[Memory]:
        """These memories in the order of their numbers; those that are not there are left out."""
        found: list[Memory] = []
        for start in range(0, len(numbers), MOST_ROWS):
            some = list(numbers[start : start + MOST_ROWS])
            found += await self._select(
                select(*MEMORY_COLUMNS).where(memories.c.namespace_id == namespace, memories.c.number.in_(some))
            )
        return sorted(found, key=lambda memory: memory.number)

    async def with_key(self, namespace: int, key: str) -> Memory | None:
        """The memory with this key, None where there is none."""
        found = await self._select(
            select(*MEMORY_COLUMNS).where(memories.c.namespace_id == namespace, memories.c.key == key)
        )
        return found[0] if found else None

    async def newest(
        self, namespace: int, count: int | None = None, *, before: int | None = None, meant: MemoryFilter | None = None
    ) -> list[Memory]:
        """The last memories that can be recalled, before a number where one is given, the newest first."""
        statement = select(*MEMORY_COLUMNS).where(memories.c.namespace_id == namespace, REMEMBERED, self._lasting())
        if before is not None:
            statement = statement.where(memories.c.number < before)
        if meant is not None:
            statement = statement.where(*conditions(meant))
        ordered = statement.order_by(memories.c.number.desc())
        if meant is None or not meant.source:
            return await self._select(ordered.limit(count))
        found: list[Memory] = []
        while count is None or len(found) < count:  # what a source says is compared here, a page at a time
            page = await self._select(ordered.limit(_PAGE))
            found += [memory for memory in page if meant.takes(memory)]
            if len(page) < _PAGE:
                break
            ordered = statement.where(memories.c.number < page[-1].number).order_by(memories.c.number.desc())
        return found[:count]

    async def remembered(self, namespace: int) -> int:
        """How many memories can be recalled."""
        statement = select(func.count()).where(memories.c.namespace_id == namespace, REMEMBERED, self._lasting())
        return await self._database.read(lambda connection: connection.execute(statement).scalar_one())

    async def after(self, namespace: int, number: int, count: int) -> list[Memory]:
        """The memories that follow that number, of any status, in order."""
        statement = select(*MEMORY_COLUMNS).where(memories.c.namespace_id == namespace, memories.c.number > number)
        return await self._select(statement.order_by(memories.c.number).limit(count))

    async def waiting(self, namespace: int) -> list[Memory]:
        """What was said and is not answered, in order."""
        statement = select(*MEMORY_COLUMNS).where(
            memories.c.namespace_id == namespace, memories.c.status == MemoryStatus.OPEN
        )
        return await self._select(statement.order_by(memories.c.number))

    async def changed(self, namespace: int, *, after: int, count: int) -> list[Memory]:
        """The memories that changed after the change of that number, as they are now, in the order of their changes."""
        statement = select(*MEMORY_COLUMNS).where(memories.c.namespace_id == namespace, memories.c.change > after)
        return await self._select(statement.order_by(memories.c.change).limit(count))

    async def last_change(self, namespace: int) -> int:
        """The number of the last change, 0 where there is none. Raises `NotFoundError`."""
        statement = select(namespaces.c.changes).where(namespaces.c.id == namespace)
        found = await self._database.read(lambda connection: connection.execute(statement).scalar())
        if found is None:
            raise gone(namespace)
        return found

    async def history(self, namespace: int, number: int) -> list[Revision]:
        """What a memory said before it was edited, oldest first."""
        columns = [memory_revisions.c[one.name] for one in fields(Revision)]
        statement = select(*columns).where(
            memory_revisions.c.namespace_id == namespace, memory_revisions.c.number == number
        )
        rows = await self._database.read(
            lambda connection: connection.execute(statement.order_by(memory_revisions.c.revision)).all()
        )
        return [Revision(*row) for row in rows]

    async def owns(self, namespace: int, run_id: str, *, quotes: Sequence[int] = ()) -> None:
        """Note that a run was made for a namespace, and which memories it quotes: it goes with any of them."""
        row = {"namespace_id": namespace, "run_id": run_id, "numbers": sorted(quotes)}
        await self._database.write(lambda connection: insert_missing(connection, namespace_runs, [row]))

    async def delete(self, name: NamespaceName) -> Namespace:
        """Delete a namespace with its memories, its runs and the calls made for them; what it was.

        Raises `NotFoundError`.
        """

        def work(connection: Connection) -> Namespace:
            row = connection.execute(select(namespaces).where(is_named(name))).first()
            if row is None:
                raise NotFoundError(f"there are no memories of {name}")
            found = namespace_of(row)
            delete_namespace(connection, found.id)
            return found

        deleted = await self._database.write(work)
        await self._database.checkpoint()
        return deleted

    def _lasting(self) -> ColumnElement[bool]:
        """The condition of not being to be erased by now."""
        return or_(memories.c.expires_at.is_(None), memories.c.expires_at > self._now())

    async def _select(self, statement: Select[Any]) -> list[Memory]:
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [memory_of(row) for row in rows]
