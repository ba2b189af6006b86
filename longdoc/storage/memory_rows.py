"""Rows of memories: how they are numbered, changed and erased within one transaction.

Every change of a namespace takes its next number in the transaction that makes it, so whoever has seen a number has
seen all before it, also with several processes at work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from longdoc.errors import ConfigError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.call_erasure import delete_calls, delete_runs
from longdoc.storage.memory_types import (
    CALLS,
    TURNS,
    Memory,
    MemoryFilter,
    MemoryKind,
    MemoryStatus,
    Namespace,
    NamespaceName,
    NewMemory,
)
from longdoc.storage.schema import (
    calls,
    memories,
    memory_decisions,
    memory_revisions,
    memory_vectors,
    namespace_runs,
    namespaces,
    run_calls,
    runs,
)

MEMORY_COLUMNS = [memories.c[one.name] for one in fields(Memory)]
REMEMBERED = memories.c.status.in_([MemoryStatus.DONE, MemoryStatus.CUT])
_NOTHING: Mapping[str, object] = {
    "status": MemoryStatus.ERASED,
    "key": None,
    "observation": "",
    "response": "",
    "summary": None,
    "tokens": None,
    "summary_tokens": None,
    "counter": None,
    "source": {},
}
_BEHIND = ("memory/summary", "memory/facts")
"""The prompts of calls that are made behind an answer."""
MOST_ROWS: Final = 1000
"""Of one statement: a row has 16 parameters, and SQLite takes 32,766."""


def append_rows(connection: Connection, namespace: int, new: Sequence[NewMemory], now: datetime) -> list[Memory]:
    """Store new memories, or find the ones with their keys, in their order."""
    lock(connection, namespace)  # from here on nobody else stores anything under these keys
    keys = [one.key for one in new if one.key is not None]
    there = _by_key(connection, namespace, keys)
    fresh: list[NewMemory] = []
    places: list[int | Memory] = []
    taken: dict[str, int] = {}
    for one in new:
        if one.key is not None and one.key in there:
            places.append(there[one.key])
        elif one.key is not None and one.key in taken:
            places.append(taken[one.key])
        else:
            if one.key is not None:
                taken[one.key] = len(fresh)
            places.append(len(fresh))
            fresh.append(one)
    last_number, last_change = advance(connection, namespace, numbers=len(fresh), changes=len(fresh))
    stored = [
        Memory(
            number=last_number - len(fresh) + place,
            change=last_change - len(fresh) + place,
            kind=one.kind,
            status=one.status,
            key=one.key,
            observation=one.observation,
            response=one.response,
            summary=one.summary,
            tokens=None,
            summary_tokens=None,
            counter=None,
            source=dict(one.source),
            at=one.at or now,
            recorded_at=now,
            expires_at=one.expires_at,
        )
        for place, one in enumerate(fresh, 1)
    ]
    for start in range(0, len(stored), MOST_ROWS):
        rows = [_row(namespace, memory) for memory in stored[start : start + MOST_ROWS]]
        connection.execute(insert(memories), rows)
    return [stored[place] if isinstance(place, int) else place for place in places]


def _by_key(connection: Connection, namespace: int, keys: Sequence[str]) -> dict[str, Memory]:
    found: dict[str, Memory] = {}
    for start in range(0, len(keys), MOST_ROWS):
        some = list(keys[start : start + MOST_ROWS])
        statement = select(*MEMORY_COLUMNS).where(memories.c.namespace_id == namespace, memories.c.key.in_(some))
        for row in connection.execute(statement):
            memory = memory_of(row)
            found[memory.key or ""] = memory
    return found


def advance(connection: Connection, namespace: int, *, numbers: int = 0, changes: int = 1) -> tuple[int, int]:
    """The numbers of the last memory and the last change, counted on; who asks is alone until its transaction ends."""
    statement = (
        update(namespaces)
        .where(namespaces.c.id == namespace)
        .values(memories=namespaces.c.memories + numbers, changes=namespaces.c.changes + changes)
        .returning(namespaces.c.memories, namespaces.c.changes)
    )
    row = connection.execute(statement).first()
    if row is None:
        raise gone(namespace)
    return row[0], row[1]


def lock(connection: Connection, namespace: int) -> None:
    """Have a namespace alone until the transaction ends. Raises `NotFoundError`."""
    advance(connection, namespace, changes=0)


def change_settings(connection: Connection, namespace: int, changes: Mapping[str, JsonValue]) -> None:
    """Give a locked namespace these settings; those that are not named stay as they are."""
    stored = select(namespaces.c.settings).where(namespaces.c.id == namespace)
    settings = {**connection.execute(stored).scalar_one(), **changes}
    connection.execute(update(namespaces).where(namespaces.c.id == namespace).values(settings=settings))


def store_facts(
    connection: Connection,
    about: int,
    origin: tuple[int, Memory],
    facts: Sequence[tuple[str, int | None]],
    now: datetime,
) -> None:
    """Store facts from a turn (`origin`: the id of its namespace, and itself), each with the number it replaces."""
    session, turn = origin
    here: list[JsonValue] = [session, turn.number]
    replaced: set[int] = set()
    for place, (text, number) in enumerate(facts):
        old = None if number is None or number in replaced else _fact(connection, about, number)
        if old is None:
            key = f"{session}:{turn.number}:{place}"
            new = NewMemory(text, kind=MemoryKind.FACT, key=key, source={TURNS: [here]}, at=turn.at)
            append_rows(connection, about, [new], now)
            continue
        replaced.add(old.number)
        before = old.source.get(TURNS, [])
        turns: list[JsonValue] = [*(before if isinstance(before, list) else []), here]
        keep_revision(connection, about, old, now)
        values = {"observation": text, "source": {**old.source, TURNS: turns}, "tokens": None, "counter": None}
        set_values(connection, about, old.number, values)


def _fact(connection: Connection, about: int, number: int) -> Memory | None:
    row = connection.execute(select(*MEMORY_COLUMNS).where(is_memory(about, number))).first()
    found = None if row is None else memory_of(row)
    return found if found is not None and found.status.remembered else None


def set_values(connection: Connection, namespace: int, number: int, values: Mapping[str, object]) -> Memory:
    """Change a memory, by a change with a number; its vectors are of what it said before."""
    _, change = advance(connection, namespace)
    connection.execute(update(memories).where(is_memory(namespace, number)).values({**values, "change": change}))
    connection.execute(
        delete(memory_vectors).where(memory_vectors.c.namespace_id == namespace, memory_vectors.c.number == number)
    )
    return get_row(connection, namespace, number)


def keep_revision(connection: Connection, namespace: int, memory: Memory, now: datetime) -> None:
    """Keep what a memory says as its newest revision."""
    last = select(func.coalesce(func.max(memory_revisions.c.revision), 0)).where(
        memory_revisions.c.namespace_id == namespace, memory_revisions.c.number == memory.number
    )
    row = {
        "namespace_id": namespace,
        "number": memory.number,
        "revision": connection.execute(last).scalar_one() + 1,
        "observation": memory.observation,
        "response": memory.response,
        "at": memory.at,
        "replaced_at": now,
    }
    connection.execute(insert(memory_revisions), row)


def erase_rows(connection: Connection, namespace: int, numbers: Sequence[int]) -> int:
    """Erase memories with what was made from them: calls, runs that quote them, former states; how many there were."""
    lock(connection, namespace)
    erased = 0
    for number in numbers:
        statement = select(memories.c.status, memories.c.source).where(is_memory(namespace, number))
        row = connection.execute(statement).first()
        if row is None or row.status == MemoryStatus.ERASED:
            continue
        source: Mapping[str, JsonValue] = row.source
        delete_calls(connection, calls.c.id.in_(_numbers(source.get(CALLS))), own=_own_runs(namespace))
        for origin in [[namespace, number], *_pairs(source.get(TURNS))]:
            delete_calls(connection, _made_behind(*origin), own=_own_runs(origin[0]))
        _delete_runs_quoting(connection, namespace, number)
        set_values(connection, namespace, number, _NOTHING)
        for table in (memory_revisions, memory_decisions):
            connection.execute(delete(table).where(table.c.namespace_id == namespace, table.c.number == number))
        erased += 1
    return erased


def _own_runs(namespace: int) -> Select[Any]:
    return select(namespace_runs.c.run_id).where(namespace_runs.c.namespace_id == namespace)


def _numbers(value: JsonValue) -> list[int]:
    return [one for one in value if isinstance(one, int)][:MOST_ROWS] if isinstance(value, list) else []


def _pairs(value: JsonValue) -> list[list[int]]:
    """The turns that a fact comes from, as the ids of their namespaces and their numbers."""
    found = [_numbers(one) for one in value] if isinstance(value, list) else []
    return [one for one in found if len(one) == 2]


def _made_behind(namespace: int, number: int) -> ColumnElement[bool]:
    """The condition of being a call that summarized a memory or took facts from it."""
    made = select(run_calls.c.call_id).where(run_calls.c.run_id.in_(_own_runs(namespace)))
    inputs = cast(calls.c.inputs, Text)
    here = or_(*(inputs.contains(f'"memory":{number}{end}') for end in (",", "}")))
    return and_(calls.c.id.in_(made), calls.c.prompt_name.in_(_BEHIND), here)


def _delete_runs_quoting(connection: Connection, namespace: int, number: int) -> None:
    """Delete the runs that quote a memory, with their calls: answers from documents know the turns before them."""
    statement = select(namespace_runs.c.run_id, namespace_runs.c.numbers).where(
        namespace_runs.c.namespace_id == namespace
    )
    for run_id, quoted in connection.execute(statement).all():
        if number in quoted:
            made = select(run_calls.c.call_id).where(run_calls.c.run_id == run_id)
            delete_calls(connection, calls.c.id.in_(made), own=_own_runs(namespace))
            connection.execute(delete(runs).where(runs.c.id == run_id))


def delete_namespace(connection: Connection, namespace: int) -> None:
    """Delete a namespace with its memories, its runs, and the calls that were made for no other run."""
    delete_runs(connection, _own_runs(namespace))
    connection.execute(delete(namespaces).where(namespaces.c.id == namespace))


def get_row(connection: Connection, namespace: int, number: int) -> Memory:
    """A memory. Raises `NotFoundError`."""
    row = connection.execute(select(*MEMORY_COLUMNS).where(is_memory(namespace, number))).first()
    if row is None:
        raise NotFoundError(f"there is no memory {number}")
    return memory_of(row)


def is_memory(namespace: int, number: int) -> ColumnElement[bool]:
    """The condition of being that memory."""
    return and_(memories.c.namespace_id == namespace, memories.c.number == number)


def is_named(name: NamespaceName) -> ColumnElement[bool]:
    """The condition of being the namespace of that name."""
    return and_(*(namespaces.c[part] == value for part, value in asdict(name).items()))


def conditions(meant: MemoryFilter) -> list[ColumnElement[bool]]:
    """What SQL can tell of a filter."""
    conditions: list[ColumnElement[bool]] = []
    if meant.kinds is not None:
        conditions.append(or_(*(memories.c.kind == kind for kind in meant.kinds)))
    if meant.since is not None:
        conditions.append(memories.c.at >= meant.since)
    if meant.until is not None:
        conditions.append(memories.c.at < meant.until)
    return conditions


def check_new(new: NewMemory) -> None:
    """Raise `ConfigError` for a memory without any text."""
    if not new.observation.strip() and not new.response.strip():
        raise ConfigError("there is nothing to remember: the text is empty")


def _row(namespace: int, memory: Memory) -> dict[str, object]:
    return {"namespace_id": namespace, **{one.name: getattr(memory, one.name) for one in fields(Memory)}}


def memory_of(row: Row[Any]) -> Memory:
    """A memory from a row of `MEMORY_COLUMNS`."""
    memory = Memory(*row)
    return replace(memory, kind=MemoryKind(memory.kind), status=MemoryStatus(memory.status))


def namespace_of(row: Row[Any]) -> Namespace:
    """A namespace from its row."""
    name = NamespaceName(row.user, row.agent, row.session)
    return Namespace(row.id, name, row.memories, row.changes, row.settings, row.created_at)


def gone(namespace: int) -> NotFoundError:
    """The error for a namespace that is not there."""
    return NotFoundError(f"the memories of namespace {namespace} were deleted")
