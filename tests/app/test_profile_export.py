"""What is held of users goes out and comes in again, as it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app.bootstrap import Workspace
from longdoc.app.profile_export import export_profile, export_tenant
from longdoc.app.profile_import import ImportReport, import_items
from longdoc.app.profile_import_entries import Owner
from longdoc.app.profile_import_sources import ImportFormat, open_file
from longdoc.app.profile_refresh import RefreshOptions, refresh
from longdoc.engines.scripted import ScriptedEngine
from longdoc.storage.profile_types import Item, NewItem, Profile, ProfileSummary, Tenant
from tests.app.personalizing import item, reader, workspace_at

T = TypeVar("T")


def in_workspace(path: Path, work: Callable[[Workspace, Tenant], Awaitable[T]]) -> T:
    async def run() -> T:
        async with workspace_at(path / "a.db", ScriptedEngine(reader)) as workspace:
            return await work(workspace, await workspace.records.profiles.tenant("local"))

    return asyncio.run(run())


async def lines_of(workspace: Workspace, tenant: Tenant, *, summaries: bool = True) -> list[str]:
    return [line async for line in export_tenant(workspace.records, tenant, summaries=summaries)]


async def taken_in(workspace: Workspace, tenant: Tenant, lines: list[str], folder: Path) -> ImportReport:
    file = folder / "export.jsonl"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with open_file(str(file), ImportFormat.JSONL, Owner()) as source:
        return await import_items(workspace.records, tenant, source, BUILT_IN)


async def made(workspace: Workspace, tenant: Tenant) -> None:
    await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=lambda event: None)


async def known(workspace: Workspace, tenant: Tenant) -> dict[str, tuple[bool, list[Any], list[Any]]]:
    """All that is known of each user, but for numbers that are the record's own."""
    profiles = workspace.records.profiles
    return {
        one.user: (
            one.enabled,
            [_content(item) for item in await profiles.page(one)],
            [_said(summary) for summary in await profiles.summaries(one)],
        )
        for one in await profiles.list(tenant.id)
    }


def _content(item: Item) -> NewItem:
    return NewItem(item.task, item.key, item.text, item.output, item.at, item.source)


def _said(one: ProfileSummary) -> tuple[object, ...]:
    return one.task, one.text, len(one.items), one.seen, one.model, one.prompt, one.made_at, one.counted, one.locked


def test_what_is_exported_and_forgotten_comes_in_again_as_it_was(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        texts = ['Zeilen\nund "Zeichen"', "'; DROP TABLE profiles; --", "<b>fett</b>\u2028", "", "\x1b[2J", "名前"]
        await profiles.put(tenant.id, [("ann", item(n, text, "Fix it")) for n, text in enumerate(texts)])
        await profiles.put(tenant.id, [("ann", item(n, f"r {n}", f"{n % 5 + 1}", task="rating")) for n in range(6)])
        await profiles.put(tenant.id, [("bob", NewItem("title", "k", "t", "", None, "a source"))])
        await made(workspace, tenant)
        await profiles.enable(await profiles.get(tenant.id, "bob"), enabled=False)
        await profiles.open(tenant.id, "carl")
        before = await known(workspace, tenant)
        assert [len(said) for _, _, said in before.values()] == [2, 0, 0]
        lines = await lines_of(workspace, tenant)
        for user in before:
            await profiles.delete(await profiles.get(tenant.id, user))
        report = await taken_in(workspace, tenant, lines, tmp_path)
        assert (report.added, report.same, report.summaries, report.summaries_left) == (13, 0, 2, 0)
        assert await known(workspace, tenant) == before
        again = await taken_in(workspace, tenant, lines, tmp_path)
        assert (again.added, again.same, again.summaries, again.summaries_left) == (0, 13, 0, 2)
        current = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=lambda event: None)
        assert (current.made, current.current) == (0, 2)

    in_workspace(tmp_path, work)


def test_a_summary_that_lacks_an_item_or_has_another_before_it_is_left_out(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix it")) for n in range(4)])
        await made(workspace, tenant)
        lines = await lines_of(workspace, tenant)
        ann = await profiles.get(tenant.id, "ann")
        await profiles.edit_summary(ann, "title", text="What a person says.")
        assert (await taken_in(workspace, tenant, lines, tmp_path)).summaries_left == 1
        said = await profiles.summary(ann, "title")
        assert said is not None
        assert (said.text, said.edited) == ("What a person says.", True)
        await profiles.delete(ann)
        report = await taken_in(workspace, tenant, lines[1:], tmp_path)
        assert (report.added, report.summaries, report.summaries_left) == (3, 0, 1)

    in_workspace(tmp_path, work)


def test_what_a_summary_does_not_know_it_does_not_know_afterwards(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix it")) for n in range(5)])
        await made(workspace, tenant)
        await profiles.put(tenant.id, [("ann", item(5, "text 5", "Fix it"))])
        lines = await lines_of(workspace, tenant)
        await profiles.delete(await profiles.get(tenant.id, "ann"))
        await taken_in(workspace, tenant, lines, tmp_path)
        report = await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=lambda event: None)
        assert (report.made, report.read) == (1, 1)  # the sixth, and nothing else

    in_workspace(tmp_path, work)


def test_a_file_turns_nobody_on(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> Profile:
        profiles = workspace.records.profiles
        ann = await profiles.open(tenant.id, "ann")
        lines = await lines_of(workspace, tenant)
        assert [json.loads(line) for line in lines] == [{"user": "ann", "enabled": True}]
        await profiles.enable(ann, enabled=False)
        await taken_in(workspace, tenant, lines, tmp_path)
        return await profiles.get(tenant.id, "ann")

    assert not in_workspace(tmp_path, work).enabled


def test_users_of_another_tenant_are_not_exported_and_more_than_a_page_is(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        other = await profiles.tenant("other")
        await profiles.put(other.id, [("ann", item(1, "of another", "x"))])
        await profiles.put(tenant.id, [(f"u{n:03}", item(1, f"text {n}", "x")) for n in range(450)])
        await profiles.put(tenant.id, [("u007", item(n, f"text {n}", "x")) for n in range(450)])
        lines = await lines_of(workspace, tenant)
        assert len(lines) == len(set(lines)) == 899
        assert "of another" not in "".join(lines)
        one = export_profile(workspace.records, await profiles.get(tenant.id, "u007"), summaries=False)
        assert [json.loads(line)["user"] async for line in one] == ["u007"] * 450

    in_workspace(tmp_path, work)


def test_what_no_file_in_utf8_can_hold_is_escaped(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        await workspace.records.profiles.put(tenant.id, [("ann", NewItem("title", "k", "a \ud800 b"))])
        (line,) = await lines_of(workspace, tenant)
        assert line.isascii()
        assert json.loads(line)["text"] == "a \ud800 b"

    in_workspace(tmp_path, work)


def test_what_a_person_said_or_locked_comes_in_again_whatever_changed_since(tmp_path: Path) -> None:
    async def out(workspace: Workspace, tenant: Tenant) -> list[str]:
        profiles = workspace.records.profiles
        await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix it")) for n in range(6)])
        await profiles.put(tenant.id, [("bob", item(n, f"text {n}", "Fix it")) for n in range(6)])
        await made(workspace, tenant)
        await profiles.edit_summary(await profiles.get(tenant.id, "ann"), "title", text="Begin with Add.")
        await profiles.edit_summary(await profiles.get(tenant.id, "bob"), "title", locked=True)
        changed = [(user, item(n, f"text {n}", "Add it")) for user in ("ann", "bob") for n in (1, 7)]
        await profiles.put(tenant.id, changed)
        return await lines_of(workspace, tenant)

    async def taken(workspace: Workspace, tenant: Tenant, lines: list[str]) -> list[tuple[str, bool, bool, bool]]:
        report = await taken_in(workspace, tenant, lines, tmp_path)
        assert (report.summaries, report.summaries_left) == (2, 0)
        states = (await workspace.records.profiles.states(tenant.id)).states
        return [
            (one.summary.text, one.summary.locked, one.edited, one.last_change == one.summary.change + 2)
            for one in states
            if one.summary is not None
        ]

    lines = in_workspace(tmp_path / "a.db", out)
    found = in_workspace(tmp_path / "b.db", lambda workspace, tenant: taken(workspace, tenant, lines))
    assert found == [("Begin with Add.", False, True, True), ("Titles begin with Fix.", True, True, True)]
