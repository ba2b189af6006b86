"""Profiles: users of tenants with their items, and what is said of them.

Owns the transactions. Every query names a profile, and a profile is found only through its tenant: no statement here
reads or changes items of several users, but for the walk that finds what is to be refreshed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.call_erasure import delete_runs
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.profile_types import (
    Item,
    NewItem,
    Profile,
    ProfileSummary,
    Stored,
    TaskState,
    TaskStates,
    Tenant,
)
from longdoc.storage.schema import profile_items, profile_runs, profile_summaries, profile_vectors, profiles, tenants

LONGEST_NAME: Final = 200
"""Characters of the name of a tenant, a user, a task, and of the key of an item."""
_MOST_ROWS = 500
_ITEM_COLUMNS = [profile_items.c[one.name] for one in fields(Item)]
_SUMMARY_COLUMNS = [profile_summaries.c[one.name] for one in fields(ProfileSummary)]
_PROFILE_COLUMNS = [profiles.c[one.name] for one in fields(Profile)]
_NAMED_AT_ONCE = 100
_NAMED = select(
    *(profile_items.c[name] for name in ("profile_id", "task", "key", "text", "output", "source", "at"))
).where(
    or_(
        *(
            and_(
                profile_items.c.profile_id == bindparam(f"of_{number}"),
                profile_items.c.task == bindparam(f"for_{number}"),
                profile_items.c.key == bindparam(f"named_{number}"),
            )
            for number in range(_NAMED_AT_ONCE)
        )
    )
)
"""Items by profile, task and key. One statement of always the same shape: a list of triples would be no use to SQLite,
which reads the whole table for it, and a statement for each user takes longer than what it asks for."""
_EDIT = update(profile_items).where(
    profile_items.c.profile_id == bindparam("of"),
    profile_items.c.task == bindparam("for"),
    profile_items.c.key == bindparam("named"),
)
_COUNT = update(profiles).where(profiles.c.id == bindparam("of")).values(changes=bindparam("changes"))

_Name: TypeAlias = tuple[int, str, str]
"""Of an item: its profile, task and key."""
_Content: TypeAlias = tuple[str, str | None, str, datetime | None]
"""Of an item: text, output, source and time."""


class Profiles:
    """The stored profiles."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def tenant(self, name: str) -> Tenant:
        """The tenant of that name, made where there is none. Raises `ConfigError` for a name that cannot be one."""
        check_name(name, "a tenant")
        now = self._now()

        def work(connection: Connection) -> Tenant:
            insert_missing_named(connection, name, now)
            return Tenant(*connection.execute(select(tenants).where(tenants.c.name == name)).one())

        return await self.find_tenant(name) or await self._database.write(work)

    async def find_tenant(self, name: str) -> Tenant | None:
        """The tenant of that name, None where there is none."""
        statement = select(tenants).where(tenants.c.name == name)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else Tenant(*row)

    async def open(self, tenant: int, user: str) -> Profile:
        """A user of a tenant, made where there is none. Raises `ConfigError` for a name that cannot be one."""
        check_name(user, "a user")
        now = self._now()

        def work(connection: Connection) -> Profile:
            return _opened(connection, tenant, user, now)

        return await self.find(tenant, user) or await self._database.write(work)

    async def find(self, tenant: int, user: str) -> Profile | None:
        """A user of a tenant, None where there is none."""
        statement = select(*_PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.user == user)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else Profile(*row)

    async def get(self, tenant: int, user: str) -> Profile:
        """A user of a tenant. Raises `NotFoundError`."""
        found = await self.find(tenant, user)
        if found is None:
            raise NotFoundError(f"there is no user {user!r}")
        return found

    async def list(self, tenant: int, *, after: str = "", count: int = 100) -> tuple[Profile, ...]:
        """Users of a tenant by name, from the first after one."""
        statement = select(*_PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.user > after)
        ordered = statement.order_by(profiles.c.user).limit(count)
        rows = await self._database.read(lambda connection: connection.execute(ordered).all())
        return tuple(Profile(*row) for row in rows)

    async def enable(self, profile: Profile, *, enabled: bool) -> Profile:
        """Have answers made for a user, or not. Raises `NotFoundError`."""

        def work(connection: Connection) -> Profile:
            connection.execute(update(profiles).where(profiles.c.id == profile.id).values(enabled=enabled))
            return _profile(connection, profile.id)

        return await self._database.write(work)

    async def put(self, tenant: int, items: Sequence[tuple[str, NewItem]]) -> list[Stored]:
        """Store items of users of a tenant, all or none of them; users are made where there are none.

        An item whose key is there takes the place of the one that was. Raises `ConfigError` for names that cannot be.
        """
        for user, item in items:
            check_name(user, "a user")
            check_name(item.task, "a task")
            check_name(item.key, "the key of an item")
        now = self._now()

        def work(connection: Connection) -> list[Stored]:
            return _put(connection, tenant, items, now)

        return await self._database.write(work)

    async def items(
        self, profile: Profile, *, task: str | None = None, newest: int | None = None, before: datetime | None = None
    ) -> list[Item]:
        """The items of a user, the oldest first: of a task, at most so many of the newest, made before a moment."""
        statement = _items(profile.id, task=task, newest=newest, before=before)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return _in_order(rows)

    async def known(
        self, profile: Profile, task: str, *, newest: int, before: datetime | None = None
    ) -> tuple[list[Item], ProfileSummary | None]:
        """The items of a user for a task as `items` has them, and what is said of it, both of one moment."""
        some = _items(profile.id, task=task, newest=newest, before=before)
        said = _summaries(profile.id).where(profile_summaries.c.task == task)

        def work(connection: Connection) -> tuple[list[Item], ProfileSummary | None]:
            rows, summary = connection.execute(some).all(), connection.execute(said).first()
            return _in_order(rows), None if summary is None else _summary(summary)

        return await self._database.read(work)

    async def page(self, profile: Profile, *, after: int = 0, count: int = 100) -> list[Item]:
        """Items of a user by number, from the first after one."""
        numbered = profile_items.c.profile_id == profile.id, profile_items.c.number > after
        statement = select(*_ITEM_COLUMNS).where(*numbered).order_by(profile_items.c.number).limit(count)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [Item(*row) for row in rows]

    async def delete_items(self, profile: Profile, numbers: Sequence[int]) -> int:
        """Delete items with the summaries and calls made from them; how many there were."""

        def work(connection: Connection) -> int:
            _next_change(connection, profile.id, 1)
            gone = 0
            for start in range(0, len(numbers), _MOST_ROWS):
                is_it = profile_items.c.number.in_(numbers[start : start + _MOST_ROWS])
                mine = delete(profile_items).where(profile_items.c.profile_id == profile.id, is_it)
                gone += connection.execute(mine).rowcount
            _delete_made_from(connection, profile.id, frozenset(numbers))
            return gone

        gone = await self._database.write(work)
        await self._database.checkpoint()
        return gone

    async def delete(self, profile: Profile) -> None:
        """Delete a user with all items, summaries, and the calls made for it. Raises `NotFoundError`."""

        def work(connection: Connection) -> None:
            delete_runs(connection, _own_runs(profile.id))
            if connection.execute(delete(profiles).where(profiles.c.id == profile.id)).rowcount == 0:
                raise NotFoundError(f"there is no user {profile.user!r}")

        await self._database.write(work)
        await self._database.checkpoint()

    async def summary(self, profile: Profile, task: str) -> ProfileSummary | None:
        """What is said of a user for a task."""
        statement = _summaries(profile.id).where(profile_summaries.c.task == task)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else _summary(row)

    async def summaries(self, profile: Profile) -> list[ProfileSummary]:
        """All that is said of a user, by task."""
        statement = _summaries(profile.id).order_by(profile_summaries.c.task)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [_summary(row) for row in rows]

    async def summarize(self, profile: Profile, summary: ProfileSummary) -> bool:
        """Store a summary that was made; False where it was locked since, or an item that it was made from is not what
        it was: gone, edited, or its number that of another."""

        def work(connection: Connection) -> bool:
            row = connection.execute(_summaries(profile.id).where(profile_summaries.c.task == summary.task)).first()
            if row is not None and row.locked:
                return False
            mine = profile_items.c.profile_id == profile.id, profile_items.c.number.in_(summary.items)
            same = profile_items.c.change <= summary.change
            there = connection.execute(select(func.count()).where(*mine, same)).scalar_one()
            if there < len(summary.items):
                return False
            _save(connection, profile.id, summary)
            return True

        return await self._database.write(work)

    async def say(self, profile: Profile, summary: ProfileSummary) -> None:
        """Store a summary as a person wants it."""
        await self._database.write(lambda connection: _save(connection, profile.id, summary))

    async def delete_summary(self, profile: Profile, task: str) -> bool:
        """Delete what is said of a user for a task; whether there was anything."""
        mine = profile_summaries.c.profile_id == profile.id, profile_summaries.c.task == task
        statement = delete(profile_summaries).where(*mine)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount > 0)

    async def states(self, tenant: int, *, after: int = 0, count: int = 100, user: str | None = None) -> TaskStates:
        """How far the tasks of users are, `count` users at a time by id, from the first after one."""
        some = select(*_PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.id > after)
        if user is not None:
            some = some.where(profiles.c.user == user)

        def work(connection: Connection) -> TaskStates:
            found = {
                row.id: Profile(*row) for row in connection.execute(some.order_by(profiles.c.id).limit(count)).all()
            }
            return TaskStates(_states(connection, found), max(found) if len(found) == count else None)

        return await self._database.read(work)

    async def owns(self, profile: Profile, run_id: str) -> None:
        """Note that a run was made for a user: it goes with any of its items, which its calls may quote."""
        row = {"profile_id": profile.id, "run_id": run_id}
        await self._database.write(lambda connection: insert_missing(connection, profile_runs, [row]))

    async def vectors(self, profile: Profile, embedder: str, *, task: str) -> dict[int, bytes]:
        """The vectors of a task's items as they are now, by number; those that have none are left out."""
        table = profile_vectors.c
        joined = select(table.number, table.vector).join_from(
            profile_vectors,
            profile_items,
            (table.profile_id == profile_items.c.profile_id) & (table.number == profile_items.c.number),
        )
        mine = table.profile_id == profile.id, table.embedder == embedder, profile_items.c.task == task
        statement = joined.where(*mine, table.change == profile_items.c.change)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {row.number: row.vector for row in rows}

    async def embed(self, profile: Profile, embedder: str, vectors: Mapping[int, tuple[int, bytes]]) -> None:
        """Store vectors by number of item, each with the change that it was made of; those of deleted items are not."""

        def work(connection: Connection) -> None:
            mine = profile_items.c.profile_id == profile.id, profile_items.c.number.in_(list(vectors))
            for number in connection.execute(select(profile_items.c.number).where(*mine)).scalars().all():
                change, vector = vectors[number]
                row = {"profile_id": profile.id, "number": number, "embedder": embedder}
                insert_or_update(connection, profile_vectors, {**row, "change": change, "vector": vector})

        await self._database.write(work)


def check_name(name: str, thing: str) -> None:
    """Raise `ConfigError` for what cannot be a name: empty, too long, or with signs that cannot be seen."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"{thing} needs a name of 1 to {LONGEST_NAME} characters that can be printed")


def insert_missing_named(connection: Connection, name: str, now: datetime) -> None:
    """Make a tenant of that name where there is none."""
    if connection.execute(select(tenants.c.id).where(tenants.c.name == name)).first() is None:
        connection.execute(insert(tenants).values(name=name, created_at=now))


def _opened(connection: Connection, tenant: int, user: str, now: datetime) -> Profile:
    statement = select(*_PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.user == user)
    row = connection.execute(statement).first()
    if row is None:
        values = {"tenant_id": tenant, "user": user, "enabled": True, "changes": 0, "created_at": now}
        connection.execute(insert(profiles).values(values))
        row = connection.execute(statement).one()
    return Profile(*row)


def _profile(connection: Connection, profile: int) -> Profile:
    row = connection.execute(select(*_PROFILE_COLUMNS).where(profiles.c.id == profile)).first()
    if row is None:
        raise NotFoundError("the user is gone")
    return Profile(*row)


def _next_change(connection: Connection, profile: int, count: int) -> int:
    """Take the next numbers of changes; the first of them. Raises `NotFoundError` where the profile is gone."""
    taken = update(profiles).where(profiles.c.id == profile).values(changes=profiles.c.changes + count)
    if connection.execute(taken).rowcount == 0:
        raise NotFoundError("the user is gone")
    return _profile(connection, profile).changes - count + 1


def _put(connection: Connection, tenant: int, items: Sequence[tuple[str, NewItem]], now: datetime) -> list[Stored]:
    """Store items of users, with a few statements for all of them together."""
    # A key that comes twice: the last one counts.
    by_user: dict[str, dict[tuple[str, str], int]] = {}
    for place, (user, item) in enumerate(items):
        by_user.setdefault(user, {})[item.task, item.key] = place
    opened = _all_opened(connection, tenant, sorted(by_user), now)
    numbers = _last_numbers(connection, [profile.id for profile in opened.values() if profile.changes])
    known = ((opened[user], places) for user, places in by_user.items() if opened[user].changes)
    before = _named(connection, [(profile.id, *name) for profile, places in known for name in places])
    stored = [Stored.SAME] * len(items)
    added: list[Mapping[str, object]] = []
    edited: list[Mapping[str, object]] = []
    counted: list[Mapping[str, object]] = []
    for user, places in by_user.items():
        profile = opened[user]
        change, number = profile.changes, numbers.get(profile.id, 0)
        for name, place in places.items():
            item, old = items[place][1], before.get((profile.id, *name))
            if old is not None and old == (item.text, item.output, item.source, item.at):
                continue
            change += 1
            values = {"text": item.text, "output": item.output, "source": item.source, "at": item.at}
            values |= {"change": change, "recorded_at": now}
            if old is None:
                number += 1
                keys = {"profile_id": profile.id, "number": number, "task": item.task, "key": item.key}
                added.append(values | keys)
                stored[place] = Stored.ADDED
            else:
                edited.append(values | {"of": profile.id, "named": item.key, "for": item.task})
                stored[place] = Stored.CHANGED
        if change > profile.changes:
            counted.append({"of": profile.id, "changes": change})
    _write(connection, added, edited, counted)
    for user in {items[place][0] for place, one in enumerate(stored) if one is Stored.CHANGED}:
        delete_runs(connection, _own_runs(opened[user].id))
    return stored


def _write(
    connection: Connection,
    added: Sequence[Mapping[str, object]],
    edited: Sequence[Mapping[str, object]],
    counted: Sequence[Mapping[str, object]],
) -> None:
    """Write items that are new or `edited` (`of` a profile, `for` a task, `named` by a key), and the changes of
    profiles."""
    if added:
        connection.execute(insert(profile_items), added)
    if edited:
        connection.execute(_EDIT, edited)
    if counted:
        connection.execute(_COUNT, counted)


def _all_opened(connection: Connection, tenant: int, users: Sequence[str], now: datetime) -> dict[str, Profile]:
    """Users of a tenant by name, made where there are none, and kept from being changed by others meanwhile.

    Raises `NotFoundError` where one is deleted at this moment.
    """
    found = _locked(connection, tenant, users)
    missing = [user for user in users if user not in found]
    if missing:
        values = {"tenant_id": tenant, "enabled": True, "changes": 0, "created_at": now}
        insert_missing(connection, profiles, [{**values, "user": user} for user in missing])
        found |= _locked(connection, tenant, missing)
    if len(found) < len(users):
        raise NotFoundError("the user is gone")
    return found


def _locked(connection: Connection, tenant: int, users: Sequence[str]) -> dict[str, Profile]:
    found: dict[str, Profile] = {}
    for start in range(0, len(users), _MOST_ROWS):
        mine = profiles.c.tenant_id == tenant, profiles.c.user.in_(users[start : start + _MOST_ROWS])
        statement = select(*_PROFILE_COLUMNS).where(*mine).order_by(profiles.c.id).with_for_update()
        found |= {row.user: Profile(*row) for row in connection.execute(statement).all()}
    return found


def _last_numbers(connection: Connection, some: Sequence[int]) -> dict[int, int]:
    """The number of the last item of each profile; what has none is left out."""
    newest = select(func.max(profile_items.c.number)).where(profile_items.c.profile_id == profiles.c.id)
    found: dict[int, int] = {}
    for start in range(0, len(some), _MOST_ROWS):
        mine = profiles.c.id.in_(some[start : start + _MOST_ROWS])
        rows = connection.execute(select(profiles.c.id, newest.scalar_subquery()).where(mine)).all()
        found |= {profile: number for profile, number in rows if number is not None}
    return found


def _named(connection: Connection, names: Sequence[_Name]) -> dict[_Name, _Content]:
    """What there is under these names."""
    found: dict[_Name, _Content] = {}
    for start in range(0, len(names), _NAMED_AT_ONCE):
        some = names[start : start + _NAMED_AT_ONCE]
        padded = [*some, *([some[-1]] * (_NAMED_AT_ONCE - len(some)))]
        given: dict[str, object] = {}
        for number, (profile, task, key) in enumerate(padded):
            given[f"of_{number}"], given[f"for_{number}"], given[f"named_{number}"] = profile, task, key
        rows = connection.execute(_NAMED, given).all()
        found |= {(row.profile_id, row.task, row.key): (row.text, row.output, row.source, row.at) for row in rows}
    return found


def _items(profile: int, *, task: str | None, newest: int | None, before: datetime | None) -> Select[Any]:
    statement = select(*_ITEM_COLUMNS).where(profile_items.c.profile_id == profile)
    if task is not None:
        statement = statement.where(profile_items.c.task == task)
    moment = func.coalesce(profile_items.c.at, profile_items.c.recorded_at)
    if before is not None:
        statement = statement.where(moment < before)
    if newest is not None:
        statement = statement.order_by(moment.desc(), profile_items.c.number.desc()).limit(newest)
    return statement


def _in_order(rows: Sequence[Row[Any]]) -> list[Item]:
    return sorted((Item(*row) for row in rows), key=lambda one: (one.moment, one.number))


def _own_runs(profile: int) -> Select[Any]:
    return select(profile_runs.c.run_id).where(profile_runs.c.profile_id == profile)


def _delete_made_from(connection: Connection, profile: int, numbers: frozenset[int]) -> None:
    """Delete what was made from any of these items: summaries, and runs with their calls."""
    for row in connection.execute(_summaries(profile)).all():
        if not numbers.isdisjoint(row.items):
            mine = profile_summaries.c.profile_id == profile, profile_summaries.c.task == row.task
            connection.execute(delete(profile_summaries).where(*mine))
    delete_runs(connection, _own_runs(profile))


def _summaries(profile: int) -> Select[Any]:
    return select(*_SUMMARY_COLUMNS).where(profile_summaries.c.profile_id == profile)


def _summary(row: Row[Any]) -> ProfileSummary:
    values: dict[str, Any] = {column.name: getattr(row, column.name) for column in _SUMMARY_COLUMNS}
    values["items"] = tuple(row.items)
    return ProfileSummary(**values)


def _save(connection: Connection, profile: int, summary: ProfileSummary) -> None:
    row = {**asdict(summary), "items": list(summary.items), "profile_id": profile}
    insert_or_update(connection, profile_summaries, row)


def _states(connection: Connection, found: Mapping[int, Profile]) -> list[TaskState]:
    mine: ColumnElement[bool] = profile_items.c.profile_id.in_(list(found))
    grouped = (
        select(
            profile_items.c.profile_id,
            profile_items.c.task,
            func.count().label("items"),
            func.max(profile_items.c.change).label("last"),
        )
        .where(mine)
        .group_by(profile_items.c.profile_id, profile_items.c.task)
        .order_by(profile_items.c.profile_id, profile_items.c.task)
    )
    said = select(profile_summaries.c.profile_id, *_SUMMARY_COLUMNS).where(
        profile_summaries.c.profile_id.in_(list(found))
    )
    summaries = {(row.profile_id, row.task): _summary(row) for row in connection.execute(said).all()}
    return [
        TaskState(
            found[row.profile_id],
            row.task,
            row.items,
            row.last,
            summary := summaries.get((row.profile_id, row.task)),
            summary is not None and row.last > summary.change and _edited(connection, row.profile_id, summary),
        )
        for row in connection.execute(grouped).all()
    ]


def _edited(connection: Connection, profile: int, summary: ProfileSummary) -> bool:
    mine = profile_items.c.profile_id == profile, profile_items.c.number.in_(summary.items)
    changed = select(profile_items.c.number).where(*mine, profile_items.c.change > summary.change).limit(1)
    return connection.execute(changed).first() is not None
