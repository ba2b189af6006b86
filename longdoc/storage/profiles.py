"""Profiles: users of tenants with their items, and what is said of them.

Owns the transactions; how rows become values, and what one statement does, is `profile_rows.py`. Every query names a
profile, and a profile is found only through its tenant: no statement reads or changes items of several users, but for
the walk that finds what is to be refreshed.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, select, update

from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.memory_derived import memory_folder
from longdoc.storage.profile_rows import (
    PROFILE_COLUMNS,
    check_name,
    delete_made_from,
    edit_summary,
    in_order,
    insert_missing_named,
    items_query,
    known_of,
    lock_profile,
    next_change,
    opened,
    own_runs,
    page_query,
    profile_row,
    put_rows,
    sliced,
    states_of,
    summaries_query,
    summary_of,
    tenant_runs,
)
from longdoc.storage.profile_summary_rows import items_as, outline, store_made, take_in, uses
from longdoc.storage.profile_types import Item, NewItem, Profile, ProfileSummary, Stored, TaskState, TaskStates, Tenant
from longdoc.storage.schema import profile_items, profile_runs, profile_summaries, profile_vectors, profiles, tenants
from longdoc.storage.user_erasure import delete_made_runs


class Profiles:
    """The stored profiles. `indexes` is the folder of what is derived from memories, those of drafts among them."""

    def __init__(self, database: Database, *, indexes: Path | None = None, now: Clock = utc_now) -> None:
        self._database = database
        self._indexes = indexes
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

    async def forget_tenants(self, prefix: str, *, before: datetime, kept: Collection[str]) -> None:
        """Delete the tenants whose names begin so and that were made before a moment, with all that is theirs, but for
        those that are `kept`."""
        old = tenants.c.name.startswith(prefix, autoescape=True), tenants.c.created_at < before

        def work(connection: Connection) -> list[int] | None:
            found = connection.execute(select(tenants.c.id, tenants.c.name).where(*old)).all()
            doomed = [row.id for row in found if row.name not in kept]
            gone: list[int] = []
            for tenant in doomed:
                gone += delete_made_runs(connection, tenant_runs(tenant))
                connection.execute(delete(tenants).where(tenants.c.id == tenant))
            return gone if doomed else None

        gone = await self._database.write(work)
        if gone is not None:
            await self._forget(gone)
            await self._database.checkpoint()

    async def open(self, tenant: int, user: str) -> Profile:
        """A user of a tenant, made where there is none. Raises `ConfigError` for a name that cannot be one."""
        check_name(user, "a user")
        now = self._now()

        def work(connection: Connection) -> Profile:
            return opened(connection, tenant, user, now)

        return await self.find(tenant, user) or await self._database.write(work)

    async def find(self, tenant: int, user: str) -> Profile | None:
        """A user of a tenant, None where there is none."""
        statement = select(*PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.user == user)
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
        statement = select(*PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.user > after)
        ordered = statement.order_by(profiles.c.user).limit(count)
        rows = await self._database.read(lambda connection: connection.execute(ordered).all())
        return tuple(Profile(*row) for row in rows)

    async def enable(self, profile: Profile, *, enabled: bool) -> Profile:
        """Have answers made for a user, or not. Raises `NotFoundError`."""

        def work(connection: Connection) -> Profile:
            connection.execute(update(profiles).where(profiles.c.id == profile.id).values(enabled=enabled))
            return profile_row(connection, profile.id)

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

        def work(connection: Connection) -> tuple[list[Stored], list[int]]:
            return put_rows(connection, tenant, items, now)

        stored, gone = await self._database.write(work)
        await self._forget(gone)
        if Stored.CHANGED in stored:
            self._database.checkpoint_soon()
        return stored

    async def items(
        self, profile: Profile, *, task: str | None = None, newest: int | None = None, before: datetime | None = None
    ) -> list[Item]:
        """The items of a user, the oldest first: of a task, at most so many of the newest, made before a moment."""
        statement = items_query(profile.id, task=task, newest=newest, before=before)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return in_order(rows)

    async def known(
        self, profile: Profile, task: str, *, newest: int, before: datetime | None = None
    ) -> tuple[list[Item], TaskState | None]:
        """The newest items of a user for a task, the oldest first, and how far the task is, both of one moment; None
        for one without items. Where items are long, fewer are read."""

        def work(connection: Connection) -> tuple[list[Item], TaskState | None]:
            return known_of(connection, profile, task, newest=newest, before=before)

        return await self._database.read(work)

    async def page(self, profile: Profile, *, after: int = 0, count: int = 100) -> list[Item]:
        """Items of a user by number, from the first after one; fewer than `count` where they are long."""
        statement = page_query(profile.id, after=after, count=count)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [Item(*row) for row in rows]

    async def delete_items(self, profile: Profile, numbers: Sequence[int]) -> int:
        """Delete items with the summaries, calls and texts made from them; how many there were."""

        def work(connection: Connection) -> tuple[int, list[int]]:
            next_change(connection, profile.id, 1)
            gone = 0
            for some in sliced(numbers):
                is_it = profile_items.c.number.in_(some)
                mine = delete(profile_items).where(profile_items.c.profile_id == profile.id, is_it)
                gone += connection.execute(mine).rowcount
            return gone, delete_made_from(connection, profile.id, frozenset(numbers))

        gone, memories = await self._database.write(work)
        await self._forget(memories)
        await self._database.checkpoint()
        return gone

    async def delete(self, profile: Profile) -> None:
        """Delete a user with all items, summaries, and the calls and texts made for it. Raises `NotFoundError`."""

        def work(connection: Connection) -> list[int]:
            gone = delete_made_runs(connection, own_runs(profile.id))
            if connection.execute(delete(profiles).where(profiles.c.id == profile.id)).rowcount == 0:
                raise NotFoundError(f"there is no user {profile.user!r}")
            return gone

        await self._forget(await self._database.write(work))
        await self._database.checkpoint()

    async def summary(self, profile: Profile, task: str) -> ProfileSummary | None:
        """What is said of a user for a task."""
        statement = summaries_query(profile.id).where(profile_summaries.c.task == task)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else summary_of(row)

    async def summaries(self, profile: Profile) -> list[ProfileSummary]:
        """All that is said of a user, by task."""
        statement = summaries_query(profile.id).order_by(profile_summaries.c.task)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [summary_of(row) for row in rows]

    async def summarize(self, profile: Profile, summary: ProfileSummary) -> bool:
        """Store a summary that was made; False where it was locked since, or an item that it was made from is not what
        it was: gone, edited, or its number that of another."""

        return await self._database.write(lambda connection: store_made(connection, profile.id, summary))

    async def take_in(
        self, profile: Profile, summary: ProfileSummary, *, made_from: Collection[str], unseen: Collection[str]
    ) -> bool:
        """Store a summary as it was elsewhere, made from the items of these keys and without knowing others; False
        where one is there, or an item that it was made from is not."""
        return await self._database.write(
            lambda connection: take_in(connection, profile.id, summary, made_from=made_from, unseen=unseen)
        )

    async def uses(
        self, profile: Profile, summary: ProfileSummary, *, before: datetime | None, without: Collection[str]
    ) -> bool:
        """Whether a summary was made from an item of a moment or later, or from one of these keys."""
        return await self._database.read(
            lambda connection: uses(connection, profile.id, summary, before=before, without=without)
        )

    async def outline(self, profile: Profile, task: str, *, outputs: bool) -> tuple[list[Item], ProfileSummary | None]:
        """All items of a user for a task, the oldest first, without their texts, and without what came out of them
        unless `outputs`; and what is said of the user. Both of one moment."""
        return await self._database.read(lambda connection: outline(connection, profile.id, task, outputs=outputs))

    async def items_as(self, profile: Profile, changes: Mapping[int, int]) -> list[Item]:
        """Items by number, the oldest first; those whose last change is another are left out."""
        return await self._database.read(lambda connection: items_as(connection, profile.id, changes))

    async def edit_summary(
        self, profile: Profile, task: str, *, text: str | None = None, locked: bool | None = None
    ) -> ProfileSummary:
        """Have a person say what is said of a user for a task, lock or unlock it; what is None stays. A text that is
        given is current, as far as items are known now.

        Raises `NotFoundError` for a user that is gone, `ConfigError` where nothing would be said.
        """
        if text is not None and not text.strip():
            raise ConfigError("a summary says something; to be rid of one, delete it")
        now = self._now()
        said = await self._database.write(
            lambda connection: edit_summary(connection, profile.id, task, text, locked=locked, now=now)
        )
        self._database.checkpoint_soon()
        return said

    async def delete_summary(self, profile: Profile, task: str) -> bool:
        """Delete what is said of a user for a task; whether there was anything."""
        mine = profile_summaries.c.profile_id == profile.id, profile_summaries.c.task == task
        statement = delete(profile_summaries).where(*mine)
        gone = await self._database.write(lambda connection: connection.execute(statement).rowcount > 0)
        self._database.checkpoint_soon()
        return gone

    async def states(self, tenant: int, *, after: int = 0, count: int = 100, user: str | None = None) -> TaskStates:
        """How far the tasks of users are, `count` users at a time by id, from the first after one."""
        some = select(*PROFILE_COLUMNS).where(profiles.c.tenant_id == tenant, profiles.c.id > after)
        if user is not None:
            some = some.where(profiles.c.user == user)

        def work(connection: Connection) -> TaskStates:
            found = {
                row.id: Profile(*row) for row in connection.execute(some.order_by(profiles.c.id).limit(count)).all()
            }
            return TaskStates(states_of(connection, found), max(found) if len(found) == count else None)

        return await self._database.read(work)

    async def owns(self, profile: Profile, run_id: str) -> None:
        """Note that a run was made for a user: it goes with any of its items, which its calls may quote.

        Raises `NotFoundError` for a user that is gone.
        """
        row = {"profile_id": profile.id, "run_id": run_id}

        def work(connection: Connection) -> None:
            lock_profile(connection, profile.id)
            insert_missing(connection, profile_runs, [row])

        await self._database.write(work)

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
            there: list[int] = []
            for some in sliced(list(vectors)):
                mine = profile_items.c.profile_id == profile.id, profile_items.c.number.in_(some)
                there += connection.execute(select(profile_items.c.number).where(*mine)).scalars()
            for number in there:
                change, vector = vectors[number]
                row = {"profile_id": profile.id, "number": number, "embedder": embedder}
                insert_or_update(connection, profile_vectors, {**row, "change": change, "vector": vector})

        await self._database.write(work)

    async def _forget(self, namespaces: Sequence[int]) -> None:
        """Remove what is derived from memories that are gone."""
        if self._indexes is not None:
            for namespace in namespaces:
                folder = memory_folder(self._indexes, namespace)
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
