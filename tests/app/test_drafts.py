"""Drafts keep their length, go on after any stop, and rewrite only what a change of the plan touches."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from longdoc.agents.draft_markdown import plan_markdown
from longdoc.agents.events import Event, SectionWritten, Warned
from longdoc.app.bootstrap import Workspace
from longdoc.app.draft_editing import DraftEditor, draft_name
from longdoc.app.draft_export import manuscript_of
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, RequestRefusedError
from longdoc.storage.draft_types import Draft
from tests.agents.asking import story
from tests.app.chatting import with_workspace
from tests.app.writing import ScriptedWriter


def writing(
    path: Path,
    work: Callable[[Workspace, ScriptedEngine], Awaitable[None]],
    *,
    writer: Callable[[CompletionRequest], str] | None = None,
    window: int = 8192,
) -> None:
    engine = ScriptedEngine(writer or ScriptedWriter(), context_window=window)
    with_workspace(path, engine, lambda workspace: work(workspace, engine))


async def written(workspace: Workspace, draft: Draft) -> DraftResult:
    return await write_draft(workspace, draft, emit=lambda event: None)


async def made(workspace: Workspace, words: int, **options: object) -> DraftResult:
    draft = await new_draft(workspace, "salt", f"A history of salt, {words} words", DraftOptions(**options))  # type: ignore[arg-type]
    return await written(workspace, draft)


def full_text(result: DraftResult) -> str:
    return "\n\n".join(result.texts[one.id].text for one in result.draft.plan.sections)


@pytest.mark.parametrize("words", [100, 480, 2000, 10_000, 40_000])
@pytest.mark.parametrize("shortest", [0.45, 0.8, 1.1])
def test_the_length_holds_whatever_lengths_a_model_writes(tmp_path: Path, words: int, shortest: float) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        result = await made(workspace, words)
        assert not result.failed
        assert result.draft.plan.words == words
        assert abs(result.words - words) <= 0.05 * words, result.words

    writing(tmp_path, work, writer=ScriptedWriter(length=lambda chance: chance.uniform(shortest, shortest + 0.6)))


def test_prompts_do_not_grow_with_the_text(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        await made(workspace, 60_000)
        asked = [one for one in engine.calls if one.origin is not None and one.origin.name == "write/section"]
        sizes = await engine.count_tokens([one.messages[-1].content for one in asked])
        tenth = len(sizes) // 10
        early, late = sizes[4 * tenth : 6 * tenth], sizes[-2 * tenth :]
        assert sum(late) / len(late) <= 1.1 * sum(early) / len(early)
        assert max(sizes) < 2_000

    writing(tmp_path, work)


def test_stopped_at_twenty_random_moments_it_comes_to_the_same_text_without_a_call_twice(tmp_path: Path) -> None:
    texts: list[str] = []

    async def straight(workspace: Workspace, engine: ScriptedEngine) -> None:
        texts.append(full_text(await made(workspace, 8_000)))
        texts.append(str(len(engine.calls)))

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    writing(tmp_path / "a", straight)
    moments = random.Random(5)
    answered = 0

    async def stopped(workspace: Workspace, engine: ScriptedEngine) -> None:
        nonlocal answered
        draft = await new_draft(workspace, "salt", "A history of salt, 8000 words", DraftOptions())
        task = asyncio.create_task(written(workspace, draft))
        for _ in range(moments.randrange(1, 60)):
            await asyncio.sleep(0.002 * moments.random())
            if task.done():
                break
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        answered += len(engine.calls)

    for _ in range(20):
        writing(tmp_path / "b", stopped)

    async def finished(workspace: Workspace, engine: ScriptedEngine) -> None:
        nonlocal answered
        result = await made(workspace, 8_000)
        answered += len(engine.calls)
        assert full_text(result) == texts[0]

    writing(tmp_path / "b", finished)
    # a call that is cancelled under way was not answered, and is made again
    assert int(texts[1]) <= answered <= int(texts[1]) + 20


def test_a_changed_plan_has_only_what_changed_written_again(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        first = await made(workspace, 5_000)
        editor = DraftEditor(workspace.records)
        markdown = plan_markdown(first.draft.plan)
        point = first.draft.plan.sections[2].main_point
        draft = await editor.set_plan(first.draft, markdown.replace(point, "Something else entirely."))
        events: list[Event] = []
        second = await write_draft(workspace, draft, emit=events.append)
        assert [one.number for one in events if isinstance(one, SectionWritten)] == [3]
        for section in first.draft.plan.sections:
            same = first.texts[section.id].text == second.texts[section.id].text
            assert same == (section.id != first.draft.plan.sections[2].id)

        moved = await editor.move(second.draft, 1, 4)
        calls = len(engine.calls)
        assert len((await written(workspace, moved)).texts) == len(first.texts)
        assert len(engine.calls) == calls, "what is moved is not written again"

        inserted = await editor.insert(moved, 2, heading="Tax", point="The salt tax", words=400)
        events.clear()
        third = await write_draft(workspace, inserted, emit=events.append)
        assert [one.number for one in events if isinstance(one, SectionWritten)] == [2]
        assert abs(third.texts[third.draft.plan.sections[1].id].words - 400) <= 0.15 * 400

    writing(tmp_path, work)


def test_a_rewritten_section_is_another_text_and_undo_brings_the_first_back(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        first = await made(workspace, 3_000)
        editor = DraftEditor(workspace.records)
        second = await written(workspace, await editor.open_again(first.draft, [2], "shorter sentences"))
        section = first.draft.plan.sections[1].id
        assert second.texts[section].text != first.texts[section].text
        assert any("shorter sentences" in one.messages[-1].content for one in engine.calls)
        draft, what = await workspace.records.drafts.undo(second.draft)
        assert what == "rewrite of 2"
        assert (await workspace.records.drafts.texts(draft))[section].text == first.texts[section].text
        locked = await editor.lock(draft, [2], lock=True)
        with pytest.raises(ConfigError, match="locked"):
            await editor.open_again(locked, [2], "")

    writing(tmp_path, work)


def test_a_text_of_a_persons_own_stays(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        first = await made(workspace, 3_000)
        editor = DraftEditor(workspace.records)
        edited = await editor.set_text(first.draft, 1, "My own beginning.")
        markdown = plan_markdown(edited.plan).replace(edited.plan.sections[0].heading, "Another heading")
        after = await written(workspace, await editor.set_plan(edited, markdown))
        assert after.texts[after.draft.plan.sections[0].id].text == "My own beginning."
        with pytest.raises(ConfigError, match="line"):
            await editor.set_plan(edited, "# T\n\n## Part\n\ntext")

    writing(tmp_path, work)


def test_a_section_that_cannot_be_written_is_told_and_written_later(tmp_path: Path) -> None:
    refusing = True
    writer = ScriptedWriter()

    def answer(request: CompletionRequest) -> str:
        if refusing and "section 3 of" in request.messages[-1].content:
            raise RequestRefusedError("not that")
        return writer(request)

    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        nonlocal refusing
        draft = await new_draft(workspace, "salt", "A history of salt, 4000 words", DraftOptions())
        events: list[Event] = []
        result = await write_draft(workspace, draft, emit=events.append)
        assert result.failed == (3,)
        assert any(isinstance(one, Warned) and "section 3" in one.message for one in events)
        assert all("not that" not in text.text for text in result.texts.values())
        refusing = False
        again = await written(workspace, result.draft)
        assert not again.failed
        assert len(again.texts) == len(again.draft.plan.sections)

    writing(tmp_path, work, writer=answer)


def test_a_model_that_says_the_same_again_is_asked_once_more_and_never_loops(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        result = await made(workspace, 3_000)
        per_section = Counter(
            one.origin.inputs.get("number") for one in engine.calls if one.origin and one.origin.name == "write/section"
        )
        assert max(per_section.values()) <= 9
        texts = [text.text for text in result.texts.values()]
        assert len(texts) == len(set(texts))

    writing(tmp_path, work, writer=ScriptedWriter(repeats=True))


def test_sections_written_at_once_know_nothing_of_each_other(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        result = await made(workspace, 8_000, parallel=True)
        assert abs(result.words - 8_000) <= 0.15 * 8_000
        assert {one.origin.name for one in engine.calls if one.origin} <= {
            "write/plan",
            "write/section",
            "write/continue",
            "write/tighten",
        }

    writing(tmp_path, work)


def test_citations_of_a_grounded_draft_stand_in_their_source(tmp_path: Path) -> None:
    source = story()

    def answer(request: CompletionRequest) -> str:
        name = "" if request.origin is None else request.origin.name
        if name == "write/plan":
            return json.dumps({"sections": [{"heading": "The lamp", "main_point": f"Lamp {n}"} for n in range(2)]})
        if name == "write/section":
            return (
                "The lamp of Skerry Head went out at 11:40 that night. Marta Quill rowed across the sound in the dark. "
                "Nobody on the moon had ever heard of it."
            )
        return ScriptedWriter()(request)

    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        draft = await new_draft(workspace, "lamp", "A report of 1500 words", DraftOptions(), [source])
        result = await written(workspace, draft)
        manuscript = await manuscript_of(workspace.records, result.draft)
        notes = [note for section in manuscript.sections for note in section.notes]
        assert notes
        for section in manuscript.sections:
            for at, note in section.notes:
                assert note.quote in source.text
                assert section.text[:at].endswith((".", "night."))
        assert manuscript.bibliography == ("Skerry Head",)
        assert all("moon" not in note.quote for _, note in notes)
        assert any("excerpt" in one.messages[-1].content for one in engine.calls)

    writing(tmp_path, work, writer=answer)


def test_a_style_is_described_once_and_given_to_every_section(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        await made(workspace, 3_000, like="I came. I saw. I went home.")
        names = Counter(one.origin.name for one in engine.calls if one.origin)
        assert names["write/style"] == 1
        sections = [one for one in engine.calls if one.origin and one.origin.name == "write/section"]
        assert all("Use short sentences." in one.messages[-1].content for one in sections)

    writing(tmp_path, work)


def test_the_same_asked_again_is_the_same_draft_and_something_else_is_told(tmp_path: Path) -> None:
    async def work(workspace: Workspace, engine: ScriptedEngine) -> None:
        first = await made(workspace, 600)
        calls = len(engine.calls)
        again = await made(workspace, 600)
        assert full_text(again) == full_text(first)
        assert len(engine.calls) == calls
        with pytest.raises(ConfigError, match="asked for otherwise"):
            await new_draft(workspace, "salt", "Something else", DraftOptions())
        with pytest.raises(ConfigError, match="say what"):
            await new_draft(workspace, "empty", "  ", DraftOptions())
        await DraftEditor(workspace.records).delete(first.draft)
        assert await workspace.records.drafts.find("salt") is None
        assert await workspace.records.memories.list(agent="write") == ()

    writing(tmp_path, work)


def test_names_tell_what_drafts_are_of() -> None:
    assert draft_name("a 3,000 word history of salt", {}).startswith("history-salt-")
    assert draft_name("写一篇三千字的小说", {}) != draft_name("写一篇四千字的小说", {})
    assert draft_name("!!!", {})
    with pytest.raises(ConfigError):
        DraftOptions(words=3)
