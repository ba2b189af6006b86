"""Items of many users put together: numbered, counted and told apart as if they were put one by one."""

import asyncio
from contextlib import aclosing
from random import Random

import pytest

from longdoc.errors import ConfigError
from longdoc.storage.database import Database
from longdoc.storage.profile_types import NewItem, Stored
from longdoc.storage.profiles import Profiles

USERS = 600
"""More than one statement names."""


def some(*, text: str, keys: int, tasks: tuple[str, ...] = ("title", "label")) -> list[tuple[str, NewItem]]:
    return [
        (f"user {n}", NewItem(task, f"k{key}", f"{text} {n} {key}", None if key % 2 else "out"))
        for n in range(USERS)
        for task in tasks
        for key in range(keys)
    ]


def test_items_of_many_users_are_added_changed_and_the_same(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            profiles = Profiles(opened)
            tenant, other = await profiles.tenant("one"), await profiles.tenant("other")
            items = some(text="a", keys=2)
            Random(7).shuffle(items)
            assert set(await profiles.put(tenant.id, items)) == {Stored.ADDED}
            assert set(await profiles.put(tenant.id, items)) == {Stored.SAME}
            assert set(await profiles.put(other.id, items[:5])) == {Stored.ADDED}
            mixed = [*items[:3], ("user 1", NewItem("title", "k0", "anew")), ("new", NewItem("title", "k0", "b"))]
            assert await profiles.put(tenant.id, mixed) == [Stored.SAME] * 3 + [Stored.CHANGED, Stored.ADDED]
            one = await profiles.get(tenant.id, "user 1")
            found = await profiles.page(one)
            assert one.changes == 5
            assert [item.number for item in found] == [1, 2, 3, 4]
            changed = next(item for item in found if (item.task, item.key) == ("title", "k0"))
            assert (changed.text, changed.change) == ("anew", 5)
            assert len({item.change for item in found}) == 4
            assert await profiles.put(tenant.id, []) == []

    asyncio.run(work())


def test_nothing_is_stored_where_a_name_cannot_be(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as opened:
            profiles = Profiles(opened)
            tenant = await profiles.tenant("one")
            with pytest.raises(ConfigError):
                await profiles.put(tenant.id, [*some(text="a", keys=1), ("a\nb", NewItem("title", "k", "t"))])
            assert await profiles.list(tenant.id) == ()

    asyncio.run(work())


def test_two_processes_put_items_of_the_same_users(database: str) -> None:
    async def work() -> None:
        async with aclosing(await Database.open(database)) as one, aclosing(await Database.open(database)) as other:
            tenant = await Profiles(one).tenant("one")
            batches = [
                [(f"user {n}", NewItem("title", f"{name} {batch}", "t")) for n in range(20)]
                for batch in range(10)
                for name in ("one", "other")
            ]
            await asyncio.gather(
                *(Profiles(one if n % 2 else other).put(tenant.id, batch) for n, batch in enumerate(batches))
            )
            for profile in await Profiles(one).list(tenant.id):
                items = await Profiles(one).page(profile)
                assert [item.number for item in items] == list(range(1, 21))
                assert profile.changes == 20

    asyncio.run(work())
