"""What of a user stands before a request: labels, summaries that are out of date, reasons, budgets, long profiles."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from longdoc.agents.events import Event
from longdoc.agents.profile_context import ProfileContext
from longdoc.agents.profile_tasks import BUILT_IN, ProfileTask
from longdoc.app import personalize as personalizing
from longdoc.app.bootstrap import Workspace
from longdoc.app.personalize import PersonalRequest, personal_context, personalize, state_is_stale
from longdoc.app.profile_refresh import RefreshOptions, refresh
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import NotFoundError
from longdoc.storage.profile_types import Profile, Tenant
from tests.app.personalizing import item, reader, workspace_at

_TITLE, _LABEL = BUILT_IN["title"], BUILT_IN["label"]
_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def _quiet(event: Event) -> None:
    del event


def _with(
    tmp_path: Path, work: Callable[[Workspace, Tenant], Awaitable[None]], engine: ScriptedEngine | None = None
) -> None:
    async def run() -> None:
        async with workspace_at(tmp_path / "a.db", engine or ScriptedEngine(reader)) as workspace:
            await work(workspace, await workspace.records.profiles.tenant("local"))

    asyncio.run(run())


async def _ann(workspace: Workspace, tenant: Tenant) -> Profile:
    return await workspace.records.profiles.get(tenant.id, "ann")


def test_labels_of_a_user_who_is_off_do_not_go_to_the_engine(tmp_path: Path) -> None:
    engine = ScriptedEngine(lambda request: "free")

    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        await profiles.put(tenant.id, [("ann", item(n, "a", "Xylophonquark", task="label")) for n in range(4)])
        await profiles.enable(await _ann(workspace, tenant), enabled=False)
        found = await personalize(workspace, tenant, "ann", PersonalRequest(_LABEL, "a text"), emit=_quiet)
        assert (found.answer.labels, found.answer.output) == ((), "free")
        assert not found.context.personal
        assert "Xylophonquark" not in str(engine.calls)

    _with(tmp_path, work, engine)


def test_labels_are_of_the_items_that_may_be_used_the_commonest_first(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        given = ["b", "a", "b", "late", "x" * 81, "two\nlines"]
        await workspace.records.profiles.put(
            tenant.id, [("ann", item(n, "a", output, task="label")) for n, output in enumerate(given)]
        )
        ann = await _ann(workspace, tenant)

        async def labels(**options: object) -> tuple[str, ...]:
            request = PersonalRequest(_LABEL, "a", **options)  # type: ignore[arg-type]
            return (await personal_context(workspace.records, ann, request)).labels

        assert await labels() == ("b", "a", "late")
        assert await labels(before=_DAY + timedelta(days=3)) == ("b", "a")
        assert await labels(without=("i0", "i2", "i3")) == ("a",)

    _with(tmp_path, work)


def test_labels_are_within_the_budget_and_counted(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)

    async def work(workspace: Workspace, tenant: Tenant) -> None:
        await workspace.records.profiles.put(
            tenant.id, [("ann", item(n, f"text {n}", f"label number {n}", task="label")) for n in range(300)]
        )
        ann = await _ann(workspace, tenant)
        for budget in (32, 200, 1000):
            request = PersonalRequest(_LABEL, "text", budget=budget)
            found = await personal_context(workspace.records, ann, request, engine=engine)
            parts = [found.summary, "\n".join(found.labels), *(one.text for one in found.items)]
            assert found.tokens == sum(await engine.count_tokens(parts)) <= budget
            assert found.items
            assert 0 < len(found.labels) <= 200

    _with(tmp_path, work, engine)


def test_a_request_and_what_is_stored_agree_on_what_is_out_of_date(tmp_path: Path) -> None:
    rating = BUILT_IN["rating"]

    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles

        async def stale(task: ProfileTask) -> bool:
            ann = await _ann(workspace, tenant)
            found = await personal_context(workspace.records, ann, PersonalRequest(task, "text"))
            assert found.summary
            states = (await profiles.states(tenant.id, user="ann")).states
            (state,) = [one for one in states if one.task == task.name]
            assert found.summary_stale == state_is_stale(task, state)
            return found.summary_stale

        await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "4", task="rating")) for n in range(10)])
        await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix it")) for n in range(120)])
        await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
        assert (await stale(rating), await stale(_TITLE)) == (False, False)
        await profiles.put(tenant.id, [("ann", item(500, "text", "Fix it"))])
        assert not await stale(rating), "items of another task are none of its business"
        summary = await profiles.summary(await _ann(workspace, tenant), "title")
        assert summary is not None
        source = (await profiles.items(await _ann(workspace, tenant), task="title"))[summary.items[0] - 11]
        await profiles.put(tenant.id, [("ann", item(int(source.key[1:]), "another text", "Fix it"))])
        assert await stale(_TITLE), "an item that it was made from was edited"
        await profiles.put(tenant.id, [("ann", item(0, "text 0", "5", task="rating"))])
        assert await stale(rating)

    _with(tmp_path, work)


@pytest.mark.parametrize(
    ("take", "summary", "without", "reason"),
    [
        (None, False, (), "left out, as asked"),
        (0, False, (), "neither items nor the summary"),
        (0, True, ("i0",), "made from items that are left out"),
        (None, True, tuple(f"i{n}" for n in range(5)), "all that is known"),
        (None, True, (), ""),
    ],
)
def test_reasons_say_why(
    tmp_path: Path, take: int | None, summary: bool, without: tuple[str, ...], reason: str
) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        await profiles.put(tenant.id, [("ann", item(n, f"text {n}", "Fix it")) for n in range(5)])
        await refresh(workspace, tenant, BUILT_IN, RefreshOptions(), emit=_quiet)
        request = PersonalRequest(_TITLE, "text", take=take, summary=summary, without=without)
        found = await personal_context(workspace.records, await _ann(workspace, tenant), request)
        assert reason in found.reason
        assert bool(reason) == bool(found.reason)

    _with(tmp_path, work)


def test_a_budget_that_is_given_is_held_to_the_window(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader, context_window=2_048)

    async def work(workspace: Workspace, tenant: Tenant) -> None:
        news = [("ann", item(n, f"word{n} " * 900, "Fix it")) for n in range(8)]
        await workspace.records.profiles.put(tenant.id, news)
        request = PersonalRequest(_TITLE, "word " * 5_000, take=8, budget=100_000)
        found = await personalize(workspace, tenant, "ann", request, emit=_quiet)
        assert found.answer.output == "Fix it"
        assert found.input_cut
        assert 500 < found.context.tokens < 1_024

    _with(tmp_path, work, engine)


def test_long_profiles_are_scored_beside_the_loop_and_short_ones_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[bool] = []
    inner = personalizing.by_words

    def by_words(*given: object, **named: object) -> object:
        threads.append(threading.current_thread() is threading.main_thread())
        return inner(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(personalizing, "by_words", by_words)

    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        await profiles.put(tenant.id, [("ann", item(n, "word " * 30, "Fix it")) for n in range(50)])
        await profiles.put(tenant.id, [("bob", item(n, "word " * 420, "Fix it")) for n in range(100)])
        for user in ("ann", "bob"):
            profile = await profiles.get(tenant.id, user)
            await personal_context(workspace.records, profile, PersonalRequest(_TITLE, "word"))

    _with(tmp_path, work)
    assert threads == [True, False]


def test_what_is_read_is_bounded_by_characters_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longdoc.storage.profile_rows.MOST_CHARACTERS", 10_000)

    async def work(workspace: Workspace, tenant: Tenant) -> None:
        profiles = workspace.records.profiles
        news = [("ann", item(n, "words " * 16, "Fix it")) for n in range(150)]  # 102 characters each
        await profiles.put(tenant.id, news)
        ann = await _ann(workspace, tenant)
        items, state = await profiles.known(ann, "title", newest=5_000)
        assert state is not None
        assert state.items == 150
        assert (len(items), items[-1].key, items[0].key) == (99, "i149", "i51")
        first = await profiles.page(ann, count=1_000)
        assert (len(first), first[0].number) == (99, 1)
        rest = await profiles.page(ann, after=first[-1].number, count=1_000)
        assert [one.number for one in [*first, *rest]] == list(range(1, 151))

    _with(tmp_path, work)


def test_a_user_that_is_gone_is_not_made_again(tmp_path: Path) -> None:
    async def work(workspace: Workspace, tenant: Tenant) -> None:
        request = PersonalRequest(_TITLE, "a text")
        with pytest.raises(NotFoundError):
            await personalize(workspace, tenant, "ann", request, emit=_quiet, make=False)
        assert await workspace.records.profiles.find(tenant.id, "ann") is None
        profiles = workspace.records.profiles
        ann = await profiles.open(tenant.id, "ann")
        await profiles.delete(ann)
        with pytest.raises(NotFoundError):
            await profiles.owns(ann, "a run")

    _with(tmp_path, work)


def test_an_empty_context_shows_nothing() -> None:
    assert not ProfileContext().personal
    assert ProfileContext(labels=("a", "b")).text == "Labels that the person gives:\n- a\n- b"
