"""Refreshes while users, items and tasks change."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from longdoc.agents.events import Event
from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app import personalize as module
from longdoc.app.personalize import PersonalRequest, personal_context
from longdoc.app.profile_refresh import RefreshOptions, RefreshReport, refresh
from longdoc.engines.scripted import ScriptedEngine
from longdoc.storage.profile_types import ProfileSummary
from tests.app.personalizing import item, reader, workspace_at

_TITLE = BUILT_IN["title"]
_LABEL = BUILT_IN["label"]


def _quiet(event: Event) -> None:
    del event


def test_another_question_of_a_task_makes_a_summary_from_the_beginning(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)
    asked = {"mine": _TITLE.model_copy(update={"name": "mine"})}
    other = {"mine": asked["mine"].model_copy(update={"summary": "what this person likes"})}

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix it", task="mine")) for n in range(9)])
            assert (await refresh(workspace, tenant, asked, RefreshOptions(), emit=_quiet)).made == 1
            assert (await refresh(workspace, tenant, asked, RefreshOptions(), emit=_quiet)).current == 1
            assert (await refresh(workspace, tenant, other, RefreshOptions(), emit=_quiet)).made == 1
            await profiles.put(tenant.id, [("ann", item(20, "text 20", "Add it", task="mine"))])
            assert (await refresh(workspace, tenant, asked, RefreshOptions(), emit=_quiet)).made == 1
            assert len(engine.calls) == 3
            assert all("<summary>" not in call.messages[-1].content for call in engine.calls)
            await profiles.put(tenant.id, [("ann", item(n, f"t {n}", "Add it", task="mine")) for n in range(30, 34)])
            assert (await refresh(workspace, tenant, asked, RefreshOptions(), emit=_quiet)).made == 1
            assert "<summary>" in engine.calls[-1].messages[-1].content

    asyncio.run(work())


def test_what_was_deleted_since_the_walk_came_by_is_not_read_into_a_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, marker = ScriptedEngine(reader), "Xylophonquark"

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", engine) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, f"text {n}", f"{marker} it")) for n in range(4)])
            await profiles.put(tenant.id, [(user, item(1, "a", "Fix it")) for user in ("bob", "carl")])
            await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
            await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Add it")) for n in range(10, 14)])
            before = await profiles.states(tenant.id)
            ann = await profiles.get(tenant.id, "ann")
            await profiles.delete_items(ann, [1, 2, 3, 4])
            await profiles.enable(await profiles.get(tenant.id, "bob"), enabled=False)
            await profiles.delete(await profiles.get(tenant.id, "carl"))

            async def then(*_: object, **__: object) -> object:
                return before

            monkeypatch.setattr(profiles, "states", then)
            report = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(force=True), emit=_quiet)
            assert (report.made, report.off, report.failed) == (1, 0, {})
            summary = await profiles.summary(ann, "title")
            assert summary is not None
            assert summary.text == "Titles begin with Add."

    asyncio.run(work())
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or marker.encode() not in file.read_bytes(), file


def test_what_was_counted_of_more_items_than_are_looked_through_is_said_unless_some_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_READ", 120)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, "t", "red", task="label")) for n in range(150)])
            assert (await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)).made == 1
            ann = await profiles.get(tenant.id, "ann")
            asked = PersonalRequest(_LABEL, "a text", before=datetime(2025, 1, 1, tzinfo=UTC), without=("none",))
            assert "red" in (await personal_context(workspace.records, ann, asked)).summary
            assert not (await personal_context(workspace.records, ann, replace(asked, without=("i7",)))).summary
            early = replace(asked, before=datetime(2024, 2, 1, tzinfo=UTC))
            assert not (await personal_context(workspace.records, ann, early)).summary

    asyncio.run(work())


def test_more_items_than_one_statement_can_name_are_no_error(tmp_path: Path) -> None:
    many = range(1, 70_000)

    async def work() -> None:
        async with workspace_at(tmp_path / "a.db", ScriptedEngine(reader)) as workspace:
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.put(tenant.id, [("ann", item(n, "t", "red", task="label")) for n in range(3)])
            ann = await profiles.get(tenant.id, "ann")
            summary = ProfileSummary("label", "a text", (1, 2), 3, 3, "m", "p", datetime.now(UTC))
            assert not await profiles.summarize(ann, replace(summary, items=tuple(many)))
            assert await profiles.summarize(ann, summary)
            await profiles.embed(ann, "e", {number: (number, b"") for number in many})
            assert set(await profiles.vectors(ann, "e", task="label")) == {1, 2, 3}
            assert [one.number for one in await profiles.items_as(ann, {n: n + (n == 2) for n in many})] == [1, 3]

    asyncio.run(work())


def test_a_report_tells_of_all_tries() -> None:
    first, last = RefreshReport(made=3, read=9, few=2), RefreshReport(made=2, current=4, read=5, few=2)
    assert last.behind(first, force=False) == RefreshReport(made=5, current=1, read=14, few=2)
    assert last.behind(first, force=True) == last
