"""Summaries of users as a transaction of `profiles.py` stores them: made, or taken in; and whether they still hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, func, literal, select, update

from longdoc.storage.profile_rows import (
    ITEM_COLUMNS,
    in_order,
    lock_profile,
    next_change,
    save_summary,
    sliced,
    summaries_query,
    summary_of,
)
from longdoc.storage.profile_types import Item, ProfileSummary
from longdoc.storage.schema import profile_items, profile_summaries


def outline(
    connection: Connection, profile: int, task: str, *, outputs: bool
) -> tuple[list[Item], ProfileSummary | None]:
    """The items of a task, the oldest first, without their texts, and without what came out of them unless `outputs`;
    and what is said of the user."""
    left_out = {"text"} if outputs else {"text", "output"}
    columns = [literal("").label(column.name) if column.name in left_out else column for column in ITEM_COLUMNS]
    mine = profile_items.c.profile_id == profile, profile_items.c.task == task
    rows = connection.execute(select(*columns).where(*mine)).all()
    return in_order(rows), _said(connection, profile, task)


def items_as(connection: Connection, profile: int, changes: Mapping[int, int]) -> list[Item]:
    """Items by number, those that are as they were at a change, the oldest first."""
    found: list[Item] = []
    for some in sliced(list(changes)):
        mine = profile_items.c.profile_id == profile, profile_items.c.number.in_(some)
        found += in_order(connection.execute(select(*ITEM_COLUMNS).where(*mine)).all())
    return sorted((one for one in found if one.change == changes[one.number]), key=lambda one: (one.moment, one.number))


def store_made(connection: Connection, profile: int, summary: ProfileSummary) -> bool:
    """Store a summary that was made, as `Profiles.summarize` says."""
    lock_profile(connection, profile)
    before = _said(connection, profile, summary.task)
    if before is not None and before.locked:
        return False
    there = 0
    for some in sliced(summary.items):
        mine = profile_items.c.profile_id == profile, profile_items.c.number.in_(some)
        same = profile_items.c.change <= summary.change
        there += connection.execute(select(func.count()).where(*mine, same)).scalar_one()
    if there < len(summary.items):
        return False
    save_summary(connection, profile, summary)
    return True


def take_in(
    connection: Connection,
    profile: int,
    summary: ProfileSummary,
    *,
    made_from: Collection[str],
    unseen: Collection[str],
) -> bool:
    """Store a summary as it was elsewhere, as `Profiles.take_in` says."""
    lock_profile(connection, profile)
    mine = profile_items.c.profile_id == profile, profile_items.c.task == summary.task
    rows = connection.execute(select(profile_items.c.key, profile_items.c.number, profile_items.c.change).where(*mine))
    items = {row.key: row for row in rows.all()}
    if _said(connection, profile, summary.task) is not None or not items.keys() >= set(made_from):
        return False
    last = max((row.change for row in items.values()), default=0)
    new = sorted(items[key].number for key in set(unseen) & items.keys())
    if new:
        # What the summary does not know comes behind what it knows, as it was where the summary was made.
        first = next_change(connection, profile, len(new))
        last = first - 1
        for place, number in enumerate(new):
            one = profile_items.c.profile_id == profile, profile_items.c.number == number
            connection.execute(update(profile_items).where(*one).values(change=first + place))
    numbers = tuple(sorted(items[key].number for key in set(made_from)))
    save_summary(connection, profile, replace(summary, items=numbers, change=last))
    return True


def uses(
    connection: Connection, profile: int, summary: ProfileSummary, *, before: datetime | None, without: Collection[str]
) -> bool:
    """Whether a summary was made from an item of a moment or later, or one of these keys."""
    mine = profile_items.c.profile_id == profile, profile_items.c.task == summary.task
    numbers = select(profile_items.c.number).where(*mine)
    left_out: set[int] = set()
    if before is not None:
        moment = func.coalesce(profile_items.c.at, profile_items.c.recorded_at)
        left_out.update(connection.execute(numbers.where(moment >= before)).scalars())
    for some in sliced(sorted(without)):
        left_out.update(connection.execute(numbers.where(profile_items.c.key.in_(some))).scalars())
    return not left_out.isdisjoint(summary.items)


def _said(connection: Connection, profile: int, task: str) -> ProfileSummary | None:
    row = connection.execute(summaries_query(profile).where(profile_summaries.c.task == task)).first()
    return None if row is None else summary_of(row)
