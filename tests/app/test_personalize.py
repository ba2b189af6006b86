import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc.agents.events import Event
from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app.personalize import PersonalRequest, personal_context, personalize
from longdoc.app.profile_refresh import RefreshOptions, RefreshReport, refresh
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError
from longdoc.storage.profile_types import Stored
from tests.app.personalizing import item, reader, workspace_at

_TITLE = BUILT_IN["title"]


def _quiet(event: Event) -> None:
    del event


def test_a_summary_is_made_once_kept_current_and_read_into(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)

    async def work() -> tuple[RefreshReport, ...]:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix the door")) for n in range(10)])
            first = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            again = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            await profiles.put(tenant.id, [("ann", item(10, "text 10", "Fix the roof"))])
            few_new = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            await profiles.put(tenant.id, [("ann", item(11, "text 11", "Fix the wall"))])
            grown = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            return first, again, few_new, grown

    first, again, few_new, grown = asyncio.run(work())
    assert (first.made, again.made, few_new.made, grown.made) == (1, 0, 0, 1)
    assert (again.current, few_new.current) == (1, 1)
    assert grown.read == 2  # only what is new is read
    assert len(engine.calls) == 2


@pytest.mark.parametrize(("items", "personal", "reason"), [(0, False, "nothing is known"), (2, True, "too few items")])
def test_cold_starts_are_told(tmp_path: Path, items: int, personal: bool, reason: str) -> None:
    engine = ScriptedEngine(reader)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            tenant = await workspace.records.profiles.tenant("local")
            news = [("ann", item(n, f"text {n}", "Fix the door")) for n in range(items)]
            await workspace.records.profiles.put(tenant.id, news)
            await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            found = await personalize(workspace, tenant, "ann", PersonalRequest(_TITLE, "a text"), emit=_quiet)
            assert found.context.personal is personal
            assert not found.context.summary
            assert reason in found.context.reason
            assert found.answer.output == ("Fix it" if items else "It")

    asyncio.run(work())


def test_no_user_sees_what_is_of_another(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            one, other = await profiles.tenant("one"), await profiles.tenant("other")
            same = [f"text {n}" for n in range(5)]
            await profiles.put(one.id, [("ann", item(n, text, "Fix a door")) for n, text in enumerate(same)])
            await profiles.put(one.id, [("bob", item(n, text, "Break a door")) for n, text in enumerate(same)])
            await profiles.put(other.id, [("ann", item(n, text, "Paint a door")) for n, text in enumerate(same)])
            for tenant in (one, other):
                await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            for take in (None, 0, 4):
                for tenant, user, word in ((one, "ann", "Fix"), (one, "bob", "Break"), (other, "ann", "Paint")):
                    asked = PersonalRequest(_TITLE, "text 1", take=take)
                    found = await personalize(workspace, tenant, user, asked, emit=_quiet)
                    assert found.answer.output == f"{word} it"
                    others = {"Fix", "Break", "Paint"} - {word}
                    assert not any(one in found.context.text for one in others)

    asyncio.run(work())


def test_deleting_an_item_takes_every_summary_that_was_made_from_it(tmp_path: Path) -> None:
    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix the door")) for n in range(4)])
            await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            ann = await profiles.get(tenant.id, "ann")
            assert await profiles.summary(ann, "title") is not None
            assert await profiles.delete_items(ann, [2]) == 1
            assert await profiles.summary(ann, "title") is None

    asyncio.run(work())


def test_forgetting_a_user_leaves_no_trace_in_the_files(tmp_path: Path) -> None:
    marker = "Xylophonquark"

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            for user in ("ann", marker.lower()):
                news = [(user, item(n, f"{marker if user != 'ann' else ''} {n}", f"{marker} it")) for n in range(5)]
                await profiles.put(tenant.id, news if user != "ann" else [("ann", item(0, "a", "b"))])
            await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            asked = PersonalRequest(_TITLE, f"about {marker}")
            await personalize(workspace, tenant, marker.lower(), asked, emit=_quiet)
            assert any(marker.encode() in file.read_bytes() for file in tmp_path.iterdir())
            await profiles.delete(await profiles.get(tenant.id, marker.lower()))
            assert [one.user for one in await profiles.list(tenant.id)] == ["ann"]

    asyncio.run(work())
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert marker.lower().encode() not in file.read_bytes().lower(), file


def test_items_share_a_budget_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            news = [("ann", item(n, f"word{n} " * 400, "Fix the door")) for n in range(8)]
            await profiles.put(tenant.id, news)
            ann = await profiles.get(tenant.id, "ann")
            for budget in (32, 64, 200, 1000):
                asked = PersonalRequest(_TITLE, "word1 word2", take=8, summary=False, budget=budget)
                found = await personal_context(workspace.records, ann, asked, engine=engine)
                exact = sum(await engine.count_tokens([one.text for one in found.items]))
                assert exact == found.tokens <= budget
                assert len(found.items) + len(found.left_out) == 8
                assert found.items, budget

    asyncio.run(work())


def test_what_is_put_again_is_the_same_changed_or_added(tmp_path: Path) -> None:
    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            one = item(1, "a text", "A title")
            assert await profiles.put(tenant.id, [("ann", one), ("bob", one)]) == [Stored.ADDED, Stored.ADDED]
            other = replace(one, text="another")
            assert await profiles.put(tenant.id, [("ann", one), ("bob", other)]) == [Stored.SAME, Stored.CHANGED]
            with pytest.raises(ConfigError):
                await profiles.put(tenant.id, [("carl", one), ("a\nb", one)])
            assert await profiles.find(tenant.id, "carl") is None

    asyncio.run(work())


def test_of_a_user_who_is_off_nothing_is_read_and_nothing_shown(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix the door")) for n in range(4)])
            await profiles.enable(await profiles.get(tenant.id, "ann"), enabled=False)
            report = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(force=True), emit=_quiet)
            assert (report.made, report.off, engine.calls) == (0, 1, [])
            found = await personalize(workspace, tenant, "ann", PersonalRequest(_TITLE, "a text"), emit=_quiet)
            assert not found.context.personal
            assert found.context.reason == "personalization is off"

    asyncio.run(work())


@pytest.mark.parametrize("change", ["edited", "deleted", "replaced", "forgotten"])
def test_what_changes_while_a_summary_is_made_is_not_in_it(tmp_path: Path, change: str) -> None:
    marker = "Xylophonquark"
    engine = ScriptedEngine(reader, delay=0.3)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            news = [("ann", item(n, f"text {n}", f"{marker} the door")) for n in range(4)]
            others = [("bob", item(n, f"text {n}", "Fix the door")) for n in range(4)]
            await profiles.put(tenant.id, [*news, *others])
            ann = await profiles.get(tenant.id, "ann")
            making = asyncio.ensure_future(refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet))
            while len(engine.calls) < 2:
                await asyncio.sleep(0.01)
            if change == "edited":
                await profiles.put(tenant.id, [("ann", item(3, "text 3", "Fix the wall"))])
            elif change == "forgotten":
                await profiles.delete(ann)
            else:
                await profiles.delete_items(ann, [4])
            if change == "replaced":
                await profiles.put(tenant.id, [("ann", item(9, "text 9", "Fix the wall"))])
            report = await making
            assert report.made == 1, "bob's, which goes on"
            assert await profiles.summary(await profiles.get(tenant.id, "bob"), "title") is not None
            if change != "forgotten":
                assert await profiles.summary(ann, "title") is None

    asyncio.run(work())
    if change == "forgotten":
        for file in tmp_path.rglob("*"):
            assert not file.is_file() or marker.encode() not in file.read_bytes(), file
