"""Drafts keep every revision and every version, and no two processes change one from the same state."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest

from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.database import Database
from longdoc.storage.draft_types import DraftPlan, PlannedSection, SectionText
from longdoc.storage.drafts import Drafts

PLAN = DraftPlan("Salt", (PlannedSection(1, "Sea", "Salt from the sea", 300), PlannedSection(2, "Rock", "Mines", 200)))


def with_drafts(location: str, work: Callable[[Drafts], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(location)) as database:
            await work(Drafts(database))

    asyncio.run(main())


def held(plan: DraftPlan, section: int, version: int) -> DraftPlan:
    return replace(
        plan, sections=tuple(replace(one, version=version) if one.id == section else one for one in plan.sections)
    )


def test_a_draft_comes_back_as_it_was_stored(database: str) -> None:
    async def work(drafts: Drafts) -> None:
        made = await drafts.create("salt", "Write of salt.\0", {"words": 500})
        assert (made.revision, made.plan) == (1, DraftPlan())
        planned = await drafts.revise(made, PLAN, "plan")
        assert await drafts.get("salt") == planned
        assert planned.plan == PLAN
        assert planned.plan.words == 500
        assert [one.name for one in await drafts.list()] == ["salt"]
        text = SectionText(1, 1, "Salt …\0", 2, 300, PLAN.sections[0].line, "of the sea", ("Ada is old",), [{"a": 1}])
        written = await drafts.written(planned, held(PLAN, 1, 1), text)
        assert written.revision == planned.revision
        assert await drafts.texts(written) == {1: text}
        with pytest.raises(ConfigError, match="already"):
            await drafts.create("salt", "Again", {})
        await drafts.delete(written)
        assert await drafts.find("salt") is None
        with pytest.raises(NotFoundError):
            await drafts.get("salt")

    with_drafts(database, work)


def test_undo_goes_back_and_a_new_change_does_not_lose_what_was_undone(database: str) -> None:
    async def work(drafts: Drafts) -> None:
        draft = await drafts.revise(await drafts.create("salt", "Write.", {}), PLAN, "plan")
        draft = await drafts.written(draft, held(PLAN, 1, 1), SectionText(1, 1, "one", 1, 300))
        draft = await drafts.revise(draft, held(draft.plan, 1, 0), "rewrite 1")
        draft = await drafts.written(draft, held(draft.plan, 1, 2), SectionText(1, 2, "two", 1, 300))
        assert (await drafts.texts(draft))[1].text == "two"
        draft, what = await drafts.undo(draft)
        assert what == "rewrite 1"
        assert (await drafts.texts(draft))[1].text == "one"
        draft = await drafts.revise(draft, PLAN, "drop")
        assert [(one.number, one.parent, one.what) for one in await drafts.revisions(draft)] == [
            (1, None, "new"),
            (2, 1, "plan"),
            (3, 2, "rewrite 1"),
            (4, 2, "drop"),
        ]
        assert [one.text for one in await drafts.versions(draft, 1)] == ["one", "two"]
        draft, _ = await drafts.undo(draft)
        assert (await drafts.texts(draft))[1].text == "one"
        with pytest.raises(ConfigError, match="nothing to undo"):
            await drafts.undo(draft)

    with_drafts(database, work)


def test_what_was_written_since_is_not_undone_with_a_change_of_the_plan(database: str) -> None:
    async def work(drafts: Drafts) -> None:
        draft = await drafts.revise(await drafts.create("salt", "Write.", {}), PLAN, "plan")
        draft = await drafts.revise(draft, PLAN, "lock of 1")
        draft = await drafts.written(draft, held(PLAN, 2, 1), SectionText(2, 1, "of rock", 2, 200))
        draft, what = await drafts.undo(draft)
        assert what == "lock of 1"
        assert (await drafts.texts(draft))[2].text == "of rock"

    with_drafts(database, work)


def test_of_two_who_change_the_same_state_the_second_is_told(database: str) -> None:
    async def work(drafts: Drafts) -> None:
        draft = await drafts.create("salt", "Write.", {})
        await drafts.revise(draft, PLAN, "plan")
        with pytest.raises(ConfigError, match="another process"):
            await drafts.written(draft, PLAN, SectionText(1, 1, "one", 1, 300))
        assert await drafts.versions(draft) == ()

    with_drafts(database, work)
