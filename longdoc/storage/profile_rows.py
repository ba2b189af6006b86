"""Rows of profiles, and what a transaction of `profiles.py` does with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any, Final, TypeAlias, TypeVar

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
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.profile_types import Item, NewItem, Profile, ProfileSummary, Stored, TaskState
from longdoc.storage.schema import profile_items, profile_runs, profile_summaries, profiles, tenants
from longdoc.storage.user_erasure import delete_made_runs

T = TypeVar("T")

LONGEST_NAME: Final = 200
"""Characters of the name of a tenant, a user, a task, and of the key of an item."""
PERSON: Final = "person"
"""The model and the prompt of a summary that a person wrote."""
MOST_ROWS: Final = 500
"""Of one statement that names them."""
MOST_CHARACTERS: Final = 4_000_000
"""Of items that are read together: some more, by what the last one has."""
_FEW = 100
"""Items that are read without asking first how long they are."""
ITEM_COLUMNS = [profile_items.c[one.name] for one in fields(Item)]
_SUMMARY_COLUMNS = [profile_summaries.c[one.name] for one in fields(ProfileSummary)]
PROFILE_COLUMNS = [profiles.c[one.name] for one in fields(Profile)]
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


def sliced(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values in parts, each of which one statement may name."""
    for start in range(0, len(values), MOST_ROWS):
        yield values[start : start + MOST_ROWS]


def check_name(name: str, thing: str) -> None:
    """Raise `ConfigError` for what cannot be a name: empty, too long, or with signs that cannot be seen."""
    if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
        raise ConfigError(f"{thing} needs a name of 1 to {LONGEST_NAME} characters that can be printed")


def insert_missing_named(connection: Connection, name: str, now: datetime) -> None:
    """Make a tenant of that name where there is none."""
    if connection.execute(select(tenants.c.id).where(tenants.c.name == name)).first() is None:
        connection.execute(insert(tenants).values(name=name, created_at=now))


def opened(connection: Connection, tenant: int, user: str, now: datetime) -> Profile:
    """A user of a tenant, made where there is none."""
    statement = select(*PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.user == user)
    row = connection.execute(statement).first()
    if row is None:
        values = {"tenant_id": tenant, "user": user, "enabled": True, "changes": 0, "created_at": now}
        connection.execute(insert(profiles).values(values))
        row = connection.execute(statement).one()
    return Profile(*row)


def profile_row(connection: Connection, profile: int) -> Profile:
    """A profile by its id. Raises `NotFoundError`."""
    row = connection.execute(select(*PROFILE_COLUMNS).where(profiles.c.id == profile)).first()
    if row is None:
        raise NotFoundError("the user is gone")
    return Profile(*row)


def lock_profile(connection: Connection, profile: int) -> None:
    """Keep a profile from being changed by others meanwhile. Raises `NotFoundError` where it is gone."""
    if connection.execute(select(profiles.c.id).where(profiles.c.id == profile).with_for_update()).first() is None:
        raise NotFoundError("the user is gone")


def next_change(connection: Connection, profile: int, count: int) -> int:
    """Take the next numbers of changes; the first of them. Raises `NotFoundError` where the profile is gone."""
    taken = update(profiles).where(profiles.c.id == profile).values(changes=profiles.c.changes + count)
    if connection.execute(taken).rowcount == 0:
        raise NotFoundError("the user is gone")
    return profile_row(connection, profile).changes - count + 1


def put_rows(
    connection: Connection, tenant: int, items: Sequence[tuple[str, NewItem]], now: datetime
) -> tuple[list[Stored], list[int]]:
    """Store items of users, with a few statements for all of them together; and what `delete_made_runs` gave."""
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
    gone: list[int] = []
    for user in {items[place][0] for place, one in enumerate(stored) if one is Stored.CHANGED}:
        gone += delete_made_runs(connection, own_runs(opened[user].id))
    return stored, gone


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
    for start in range(0, len(users), MOST_ROWS):
        mine = profiles.c.tenant_id == tenant, profiles.c.user.in_(users[start : start + MOST_ROWS])
        statement = select(*PROFILE_COLUMNS).where(*mine).order_by(profiles.c.id).with_for_update()
        found |= {row.user: Profile(*row) for row in connection.execute(statement).all()}
    return found


def _last_numbers(connection: Connection, some: Sequence[int]) -> dict[int, int]:
    """The number of the last item of each profile; what has none is left out."""
    newest = select(func.max(profile_items.c.number)).where(profile_items.c.profile_id == profiles.c.id)
    found: dict[int, int] = {}
    for start in range(0, len(some), MOST_ROWS):
        mine = profiles.c.id.in_(some[start : start + MOST_ROWS])
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


def items_query(
    profile: int, *, task: str | None, newest: int | None, before: datetime | None, bounded: bool = False
) -> Select[Any]:
    """The items of a user: of a task, at most so many of the newest, made before a moment; where `bounded` no more of
    the newest than `MOST_CHARACTERS` hold."""
    statement = select(*ITEM_COLUMNS).where(profile_items.c.profile_id == profile)
    if task is not None:
        statement = statement.where(profile_items.c.task == task)
    moment = func.coalesce(profile_items.c.at, profile_items.c.recorded_at)
    if before is not None:
        statement = statement.where(moment < before)
    order = moment.desc(), profile_items.c.number.desc()
    if newest is not None:
        return _bounded(statement, order, newest) if bounded else statement.order_by(*order).limit(newest)
    return statement


def page_query(profile: int, *, after: int, count: int) -> Select[Any]:
    """So many items of a user by number, from the first after one, and no more of them than `MOST_CHARACTERS` hold."""
    numbered = profile_items.c.profile_id == profile, profile_items.c.number > after
    return _bounded(select(*ITEM_COLUMNS).where(*numbered), (profile_items.c.number,), count)


def _bounded(statement: Select[Any], order: Sequence[ColumnElement[Any]], count: int) -> Select[Any]:
    """The first of some items, up to a number of them and to the one with which they hold `MOST_CHARACTERS`."""
    size = func.length(profile_items.c.text) + func.coalesce(func.length(profile_items.c.output), 0)
    before = func.sum(size).over(order_by=order) - size
    sized = statement.with_only_columns(profile_items.c.number, before.label("before"))
    first = sized.order_by(*order).limit(count).subquery()
    joined = statement.join(first, first.c.number == profile_items.c.number)
    return joined.where(first.c.before < MOST_CHARACTERS).order_by(*order)


def known_of(
    connection: Connection, profile: Profile, task: str, *, newest: int, before: datetime | None
) -> tuple[list[Item], TaskState | None]:
    """The newest items of a task, the oldest first, and how far the task is; None for one without items."""

    def some(count: int, *, bounded: bool) -> list[Item]:
        query = items_query(profile.id, task=task, newest=count, before=before, bounded=bounded)
        return in_order(connection.execute(query).all())

    items = some(_FEW, bounded=False)
    if len(items) < _FEW and before is None:  # nearly all users: what is read tells how far the task is
        return items, _state_by(connection, profile, task, items) if items else None
    states = states_of(connection, {profile.id: profile}, task=task)
    return (items if len(items) < _FEW else some(newest, bounded=True)), states[0] if states else None


def _state_by(connection: Connection, profile: Profile, task: str, items: Sequence[Item]) -> TaskState:
    """How far a task is, by all of its items."""
    row = connection.execute(summaries_query(profile.id).where(profile_summaries.c.task == task)).first()
    summary = None if row is None else summary_of(row)
    made_from = frozenset(() if summary is None else summary.items)
    edited = summary is not None and any(one.change > summary.change for one in items if one.number in made_from)
    return TaskState(profile, task, len(items), max(one.change for one in items), summary, edited)


def in_order(rows: Sequence[Row[Any]]) -> list[Item]:
    """Items from rows of `ITEM_COLUMNS`, the oldest first."""
    return sorted((Item(*row) for row in rows), key=lambda one: (one.moment, one.number))


def own_runs(profile: int) -> Select[Any]:
    """The ids of the runs that were made for a user."""
    return select(profile_runs.c.run_id).where(profile_runs.c.profile_id == profile)


def tenant_runs(tenant: int) -> Select[Any]:
    """The ids of the runs that were made for the users of a tenant."""
    mine = profiles.c.tenant_id == tenant
    return select(profile_runs.c.run_id).join(profiles, profiles.c.id == profile_runs.c.profile_id).where(mine)


def delete_made_from(connection: Connection, profile: int, numbers: frozenset[int]) -> list[int]:
    """Delete what was made from any of these items: summaries, and runs as `delete_made_runs` does."""
    for row in connection.execute(summaries_query(profile)).all():
        if not numbers.isdisjoint(row.items):
            mine = profile_summaries.c.profile_id == profile, profile_summaries.c.task == row.task
            connection.execute(delete(profile_summaries).where(*mine))
    return delete_made_runs(connection, own_runs(profile))


def summaries_query(profile: int) -> Select[Any]:
    """What is said of a user."""
    return select(*_SUMMARY_COLUMNS).where(profile_summaries.c.profile_id == profile)


def summary_of(row: Row[Any]) -> ProfileSummary:
    """A summary from its row."""
    values: dict[str, Any] = {column.name: getattr(row, column.name) for column in _SUMMARY_COLUMNS}
    values["items"] = tuple(row.items)
    return ProfileSummary(**values)


def save_summary(connection: Connection, profile: int, summary: ProfileSummary) -> None:
    """Store a summary in the place of the one for its task."""
    row = {**asdict(summary), "items": list(summary.items), "profile_id": profile}
    insert_or_update(connection, profile_summaries, row)


def edit_summary(
    connection: Connection, profile: int, task: str, text: str | None, *, locked: bool | None, now: datetime
) -> ProfileSummary:
    """Change what is said of a user for a task, as `Profiles.edit_summary` says."""
    lock_profile(connection, profile)
    row = connection.execute(summaries_query(profile).where(profile_summaries.c.task == task)).first()
    if row is None and text is None:
        raise ConfigError(f"nothing is said of the user for {task!r} yet: give a text")
    said = ProfileSummary(task, "", (), 0, 0, PERSON, PERSON, now) if row is None else summary_of(row)
    if text is not None:
        mine = profile_items.c.profile_id == profile, profile_items.c.task == task
        seen, last = connection.execute(select(func.count(), func.max(profile_items.c.change)).where(*mine)).one()
        said = replace(said, text=text.strip(), seen=seen, change=last or 0, made_at=now, edited=True)
    said = said if locked is None else replace(said, locked=locked)
    save_summary(connection, profile, said)
    return said


def states_of(connection: Connection, found: Mapping[int, Profile], *, task: str | None = None) -> list[TaskState]:
    """How far the tasks of these profiles are, or one task of each."""
    mine: ColumnElement[bool] = profile_items.c.profile_id.in_(list(found))
    if task is not None:
        mine = and_(mine, profile_items.c.task == task)
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
    summaries = {(row.profile_id, row.task): summary_of(row) for row in connection.execute(said).all()}
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
    mine = profile_items.c.profile_id == profile, profile_items.c.task == summary.task
    changed = select(profile_items.c.number).where(*mine, profile_items.c.change > summary.change)
    return not frozenset(summary.items).isdisjoint(connection.execute(changed).scalars())
