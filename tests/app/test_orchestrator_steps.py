"""The steps of a request: what they pay again, what stops them, and what of them goes with a user."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from longdoc.app import work_steps
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat import ChatOptions, open_chat
from longdoc.app.memory_access import memory_folder
from longdoc.app.orchestrator import (
    Capability,
    DoRequest,
    DoResult,
    Route,
    StepResult,
    WorkPlan,
    WorkStep,
    carry_out,
    do,
    plan_without_calls,
)
from longdoc.app.results import Source
from longdoc.app.runs import open_run
from longdoc.app.work_results import resting_on
from longdoc.documents.document import Document
from longdoc.documents.places import Place
from longdoc.documents.readers import read_bytes
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.extractive import extractive_answer
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import EngineAuthError, EngineLostError, NotFoundError, RequestRefusedError
from longdoc.storage.draft_types import memories_of_draft
from longdoc.storage.memory_types import NamespaceName
from longdoc.storage.profile_types import NewItem, Profile
from longdoc.storage.runs import RunRequest, RunStatus
from tests.app.chatting import kind, prompt, with_workspace
from tests.app.routing_set import book

LETTER = read_bytes(b"# The lease\n\nThe lease ends in May. The tenant pays for repairs.\n", name="lease.md")
MILL = book("The Mill", 60)
TWO_STEPS = "Summarize this, then translate the summary into French"


async def done(workspace: Workspace, request: DoRequest, *, fresh: bool = False) -> DoResult:
    """What comes of a request."""
    return await do(workspace, request, fresh=fresh, emit=lambda event: None)


async def known(workspace: Workspace, user: str, *, tenant: str = "local", text: str = "I collect clocks") -> Profile:
    """A user of whom something is known; known already, it is edited."""
    owner = await workspace.records.profiles.tenant(tenant)
    await workspace.records.profiles.put(owner.id, [(user, NewItem("answer", "k", text))])
    return await workspace.records.profiles.get(owner.id, user)


class Failing:
    """Answers by repeating the text, and fails with an error for the requests that are meant, as long as it is one."""

    def __init__(self, meant: Callable[[CompletionRequest], bool], error: Exception) -> None:
        self._meant = meant
        self.error: Exception | None = error

    def __call__(self, request: CompletionRequest) -> str:
        if self.error is not None and self._meant(request):
            raise self.error
        return extractive_answer(request)


def of_call(request: CompletionRequest) -> bool:
    """Whether a request is that of a step done in one call."""
    return kind(request) == "route/call"


def test_what_is_the_same_for_everybody_stays_when_another_user_changes(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        request = DoRequest("Check whether the tenant pays for repairs.", (LETTER,))
        results: dict[str, DoResult] = {}
        for user, tenant in (("ann", "local"), ("bob", "local"), ("cy", "other")):
            await known(workspace, user, tenant=tenant)
            asked = DoRequest(request.instruction, request.documents, user=user, tenant=tenant)
            results[user] = await done(workspace, asked)
        assert len({one.steps[0].run_id for one in results.values()}) == 1
        await known(workspace, "ann", text="I collect shells")
        left = {run.id for run in await workspace.records.runs.list()}
        assert left == {results["bob"].run_id, results["cy"].run_id, results["bob"].steps[0].run_id}

    with_workspace(tmp_path, ScriptedEngine(), work)


def test_a_conversation_stays_when_what_is_known_of_its_user_changes(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        await known(workspace, "ann")
        async with open_chat(workspace, NamespaceName("ann", "default", "main"), ChatOptions()) as chat:
            await chat.send("Good morning")
        await done(workspace, DoRequest("Hello!", session="main", user="ann"))
        await known(workspace, "ann", text="I collect shells")
        assert [run.kind for run in await workspace.records.runs.list()] == ["chat"]

    with_workspace(tmp_path, ScriptedEngine(), work)


def test_a_step_that_takes_what_was_made_for_a_user_goes_with_the_user(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        ann = await known(workspace, "ann")
        summary = WorkStep(1, "Summarize this", Route(Capability.SUMMARIZE, "so"), (MILL.id,))
        check = WorkStep(2, "The bridge is old", Route(Capability.CHECK, "so"), steps=(1,))
        plan = WorkPlan(DoRequest("Summarize this and check it", (MILL,), user="ann"), (summary, check))
        result = await carry_out(workspace, plan, emit=lambda event: None)
        assert result.steps[1].run_id
        await workspace.records.profiles.delete(ann)
        assert not await workspace.records.runs.list()

    with_workspace(tmp_path, ScriptedEngine(), work)


def test_a_run_that_cannot_be_claimed_leaves_nothing(tmp_path: Path) -> None:
    async def refuse(run_id: str) -> None:
        raise NotFoundError(f"the user of {run_id} is gone")

    async def work(workspace: Workspace) -> None:
        runs = workspace.records.runs
        before = RunRequest("call", "x", (), {"said": "before"}, "m")
        await runs.finish((await runs.start(before)).id, RunStatus.DONE)
        refusing = Workspace(workspace.records, workspace.engine, workspace.embedder, claim=refuse)
        for request in (before, RunRequest("call", "x", (), {"said": "I collect clocks"}, "m")):
            with pytest.raises(NotFoundError, match="gone"):
                async with open_run(refusing, request, fresh=False, emit=lambda event: None):
                    pass
        assert [run.parameters for run in await runs.list()] == [before.parameters]

    with_workspace(tmp_path, ScriptedEngine(), work)


@pytest.mark.parametrize("again", [True, False])
def test_a_fresh_start_that_was_stopped_pays_for_no_step_twice(tmp_path: Path, again: bool) -> None:
    failing = Failing(of_call, EngineLostError("gone"))
    engine = ScriptedEngine(failing)

    async def work(workspace: Workspace) -> None:
        request = DoRequest(TWO_STEPS, (MILL,))
        failing.error, lost = None, failing.error
        await done(workspace, request)
        first = len(engine.calls)
        failing.error = lost
        for _ in range(2):
            with pytest.raises(EngineLostError):
                await done(workspace, request, fresh=True)
        asked = [call for call in engine.calls[first:] if not of_call(call)]
        assert len(asked) == first - 1, "the summary once more, but not twice"
        failing.error = None
        told = len(engine.calls)
        result = await done(workspace, request, fresh=again)
        assert (len(engine.calls) - told, result.gaps) == (1, False)

    with_workspace(tmp_path, engine, work)


def test_a_fresh_start_over_several_documents_that_was_stopped_pays_for_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work_steps, "_AT_ONCE", 1)
    letters = [letter(name) for name in ("alpha", "beta", "gamma")]
    failing = Failing(lambda request: "gamma" in prompt(request), EngineLostError("gone"))
    engine = ScriptedEngine(failing)

    async def work(workspace: Workspace) -> None:
        request = DoRequest("Summarize these.", tuple(letters))
        for _ in range(2):
            with pytest.raises(EngineLostError):
                await done(workspace, request, fresh=True)
        failing.error = None
        await done(workspace, request, fresh=True)
        for name in ("alpha", "beta"):
            assert sum(name in prompt(call) for call in engine.calls) == 1

    with_workspace(tmp_path, engine, work)


def letter(name: str) -> Document:
    """A short document about something."""
    return read_bytes(f"# {name}\n\nThe {name} is old. It ends in May.\n".encode(), name=f"{name}.md")


def test_a_refused_key_in_a_later_step_stops_all(tmp_path: Path) -> None:
    engine = ScriptedEngine(Failing(of_call, EngineAuthError("the key is refused")))

    async def work(workspace: Workspace) -> None:
        request = DoRequest(f"{TWO_STEPS}; list the people", (MILL,))
        with pytest.raises(EngineAuthError):
            await done(workspace, request)
        assert sum(map(of_call, engine.calls)) == 1

    with_workspace(tmp_path, engine, work)


def test_where_no_step_comes_to_anything_the_error_is_that_of_the_first(tmp_path: Path) -> None:
    engine = ScriptedEngine(Failing(lambda request: True, RequestRefusedError("that is not allowed")))

    async def work(workspace: Workspace) -> None:
        with pytest.raises(RequestRefusedError, match="not allowed"):
            await done(workspace, DoRequest("Translate this into French; list the people", (LETTER,)))

    with_workspace(tmp_path, engine, work)


WRITTEN = DoRequest("Write 200 words about rain.", user="ann", capability=Capability.WRITE)
RAIN = "Rain falls on the mill and on the road. " * 40


async def stored(workspace: Workspace) -> tuple[int, int, int]:
    """How many runs, drafts and documents there are."""
    records = workspace.records
    return len(await records.runs.list()), len(await records.drafts.list()), (await records.documents.list(1))[1]


@pytest.mark.parametrize("forget", ["delete", "edit"])
def test_a_draft_that_was_stopped_goes_with_the_user(tmp_path: Path, forget: str) -> None:
    engine = ScriptedEngine(Failing(lambda request: True, EngineLostError("gone")))

    async def work(workspace: Workspace) -> None:
        ann = await known(workspace, "ann")
        with pytest.raises(EngineLostError):
            await done(workspace, WRITTEN)
        (draft,) = await workspace.records.drafts.list()
        assert "clocks" in draft.instruction
        await workspace.records.memories.open(memories_of_draft(draft.name, draft.id))
        namespace = await workspace.records.memories.find(memories_of_draft(draft.name, draft.id))
        assert namespace is not None
        folder = memory_folder(workspace.records, namespace)
        folder.mkdir(parents=True)
        if forget == "delete":
            await workspace.records.profiles.delete(ann)
        else:
            await known(workspace, "ann", text="I collect shells")
        assert await stored(workspace) == (0, 0, 0)
        assert await workspace.records.memories.find(namespace.name) is None
        assert not folder.exists()

    with_workspace(tmp_path, engine, work)


def test_a_draft_that_holds_nothing_of_the_user_stays(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        await workspace.records.profiles.open((await workspace.records.profiles.tenant("local")).id, "ann")
        (step,) = (await done(workspace, WRITTEN)).steps
        ann = await known(workspace, "ann")
        await workspace.records.profiles.delete(ann)
        assert [draft.name for draft in await workspace.records.drafts.list()] == [step.draft]

    with_workspace(tmp_path, ScriptedEngine(), work)


def test_texts_of_steps_and_what_was_pasted_go_with_the_user(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        ann = await known(workspace, "ann")
        await done(workspace, DoRequest(TWO_STEPS, (LETTER,), user="ann"))
        assert (await stored(workspace))[2] == 2
        await done(workspace, DoRequest(f"{MILL.text}\n\nWhen was the bridge closed?", user="ann"))
        assert (await stored(workspace))[2] == 3
        await workspace.records.profiles.delete(ann)
        assert await stored(workspace) == (0, 0, 1), "the letter"

    with_workspace(tmp_path, ScriptedEngine(), work)


def test_a_plan_without_calls_stores_nothing(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        await plan_without_calls(workspace, DoRequest(f"{MILL.text}\n\nWhen was the bridge closed?"))
        assert await stored(workspace) == (0, 0, 0)

    with_workspace(tmp_path, ScriptedEngine(), work)


def test_a_step_that_writes_goes_on_when_what_it_writes_from_is_another(tmp_path: Path) -> None:
    summaries = iter(["The mill is old.", "The bridge is closed."])

    def answer(request: CompletionRequest) -> str:
        return next(summaries) if kind(request).startswith("summarize/") else RAIN

    summary = WorkStep(1, "Summarize this", Route(Capability.SUMMARIZE, "so"), (LETTER.id,))
    essay = WorkStep(2, "Write 200 words", Route(Capability.WRITE, "so", words=200), steps=(1,))
    plan = WorkPlan(DoRequest("Summarize this, then write", (LETTER,)), (summary, essay))

    async def work(workspace: Workspace) -> None:
        first = await carry_out(workspace, plan, emit=lambda event: None)
        fresh = await carry_out(workspace, plan, fresh=True, emit=lambda event: None)
        again = await carry_out(workspace, plan, emit=lambda event: None)
        drafts = [result.steps[1].draft for result in (first, fresh, again)]
        assert all(result.steps[1].text for result in (first, fresh, again))
        assert drafts[0] != drafts[1] == drafts[2]

    with_workspace(tmp_path, ScriptedEngine(answer), work)


def test_talk_about_a_book_does_not_send_the_book(tmp_path: Path) -> None:
    engine = ScriptedEngine(context_window=2048)
    warned: list[str] = []

    async def work(workspace: Workspace) -> None:
        for document in (LETTER, book("The Mill", 400)):
            talk = WorkStep(1, "Thanks!", Route(Capability.CHAT, "it is talk"), (document.id,))
            plan = WorkPlan(DoRequest("Thanks!", (document,)), (talk,))
            result = await carry_out(workspace, plan, emit=lambda event: warned.append(str(event)))
            assert result.text
        assert ["The lease ends" in prompt(call) for call in engine.calls] == [True, False]
        assert sum("do not fit one call" in event for event in warned) == 1

    with_workspace(tmp_path, engine, work)


def rests(start: int, at: int | None) -> Source:
    """A source of which only the place is told, at a place of a text."""
    return Source("book", "The Whale", start, start + 1, "x", Place(), at)


WHALE = "The whale is old and white. It swims far. It is old.\n\nThe sea is cold. It is old."


@pytest.mark.parametrize(
    ("quote", "near", "starts"),
    [
        ("The whale is old", 0, [1]),
        ("The whale is old and white. It swims far", 0, [1, 2]),
        ("The whale is old and white.", 0, [1]),
        ("It is old", 42, [3]),
        ("It is old", 70, [5]),
        ("It is old.", 70, [5]),
        ("The sea", 54, [4]),
        ("the sky", 0, []),
    ],
)
def test_words_of_an_earlier_step_rest_on_all_that_their_claims_rest_on(
    quote: str, near: int, starts: list[int]
) -> None:
    ends = [WHALE.index(words) + len(words) for words in ("white.", "far.", "old.\n", "cold")]
    sources = [rests(number, at) for number, at in enumerate([*ends[:2], ends[2] - 1, ends[3], len(WHALE)], 1)]
    step = StepResult(1, "", Route(Capability.ASK, ""), WHALE, tuple(sources))
    assert [one.start for one in resting_on(step, quote, near=near)] == starts


def test_what_has_no_mark_rests_on_what_all_of_the_text_does() -> None:
    step = StepResult(1, "", Route(Capability.ASK, ""), WHALE, (rests(1, None), rests(2, len(WHALE))))
    assert [one.start for one in resting_on(step, "The whale is old", near=0)] == [1]
