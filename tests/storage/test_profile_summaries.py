"""Summaries that a person edits and locks: in one step each, whatever happens meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.database import Database
from longdoc.storage.profile_types import NewItem, Profile, ProfileSummary
from longdoc.storage.profiles import Profiles

_NOW = datetime(2024, 1, 1, tzinfo=UTC)


def _with_ann(path: Path, work: Callable[[Profiles, Profile], Awaitable[None]]) -> None:
    async def run() -> None:
        database = await Database.open(path)
        profiles = Profiles(database)
        tenant = await profiles.tenant("local")
        await profiles.put(tenant.id, [("ann", NewItem("title", str(n), f"text {n}", "Fix it")) for n in range(4)])
        try:
            await work(profiles, await profiles.get(tenant.id, "ann"))
        finally:
            await database.aclose()

    asyncio.run(run())


def _made(text: str, *items: int) -> ProfileSummary:
    return ProfileSummary("title", text, items, 4, 4, "model", "prompt", _NOW)


def test_what_a_person_says_is_current_and_knows_its_items(tmp_path: Path) -> None:
    async def work(profiles: Profiles, ann: Profile) -> None:
        assert await profiles.summarize(ann, _made("made", 1, 2))
        said = await profiles.edit_summary(ann, "title", text=" Said. ")
        assert (said.text, said.edited, said.locked, said.items) == ("Said.", True, False, (1, 2))
        assert (said.seen, said.change, said.model) == (4, 4, "model")
        locked = await profiles.edit_summary(ann, "title", locked=True)
        assert (locked.text, locked.locked, locked.edited) == ("Said.", True, True)
        assert await profiles.summary(ann, "title") == locked

    _with_ann(tmp_path / "a.db", work)


def test_locking_at_the_same_time_loses_no_text(tmp_path: Path) -> None:
    async def work(profiles: Profiles, ann: Profile) -> None:
        await profiles.summarize(ann, _made("made", 1))
        edits = [profiles.edit_summary(ann, "title", text="Said."), profiles.edit_summary(ann, "title", locked=True)]
        await asyncio.gather(*edits)
        said = await profiles.summary(ann, "title")
        assert said is not None
        assert (said.text, said.locked) == ("Said.", True)

    _with_ann(tmp_path / "a.db", work)


def test_what_went_with_an_item_is_not_brought_back(tmp_path: Path) -> None:
    async def work(profiles: Profiles, ann: Profile) -> None:
        await profiles.summarize(ann, _made("made of a secret", 1))
        await profiles.delete_items(ann, [1])
        with pytest.raises(ConfigError, match="give a text"):
            await profiles.edit_summary(ann, "title", locked=True)
        said = await profiles.edit_summary(ann, "title", text="Said.")
        assert (said.items, said.model) == ((), "person")

    _with_ann(tmp_path / "a.db", work)


def test_what_says_nothing_and_users_who_are_gone_are_refused(tmp_path: Path) -> None:
    async def work(profiles: Profiles, ann: Profile) -> None:
        with pytest.raises(ConfigError, match="says something"):
            await profiles.edit_summary(ann, "title", text=" \n")
        await profiles.delete(ann)
        with pytest.raises(NotFoundError):
            await profiles.edit_summary(ann, "title", text="Said.")

    _with_ann(tmp_path / "a.db", work)


def test_old_tenants_go_with_all_that_is_theirs(tmp_path: Path) -> None:
    async def work(profiles: Profiles, ann: Profile) -> None:
        for name in ("eval/old", "eval/kept", "evaluating"):
            tenant = await profiles.tenant(name)
            await profiles.put(tenant.id, [("bob", NewItem("title", "1", f"Xylophonquark {name}"))])
        await profiles.forget_tenants("eval/", before=_NOW, kept=())
        assert await profiles.find_tenant("eval/old") is not None, "it was made after that"
        await profiles.forget_tenants("eval/", before=datetime.now(UTC), kept=("eval/kept",))
        assert await profiles.find_tenant("eval/old") is None
        for name in ("eval/kept", "evaluating", "local"):
            assert await profiles.find_tenant(name) is not None

    _with_ann(tmp_path / "a.db", work)
    assert b"Xylophonquark eval/old" not in (tmp_path / "a.db").read_bytes()
