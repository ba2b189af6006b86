"""The orchestrator: requests come to the right capability, plans that make no sense do no harm, users are laid over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from longdoc.agents.follow_up import Turn
from longdoc.agents.routing import Capability, DecidedBy
from longdoc.app.bootstrap import Workspace
from longdoc.app.orchestrator import (
    DoRequest,
    DoResult,
    WorkPlan,
    WorkStep,
    carry_out,
    do,
    plan_without_calls,
    plan_work,
)
from longdoc.app.work_plan import MOST_STEPS, plan_text, read_plan
from longdoc.documents.readers import read_bytes
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.extractive import extractive_answer
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError
from longdoc.storage.profile_types import NewItem
from tests.app.chatting import kind, with_workspace
from tests.app.routing_set import Routed, book, cases, routed, share_right, told_wrong

LETTER = read_bytes(b"# The lease\n\nThe lease ends in May. The tenant pays for repairs.\n", name="lease.md")
MILL = book("The Mill", 60)


def run(path: Path, request: DoRequest, engine: ScriptedEngine | None = None, *, times: int = 1) -> list[DoResult]:
    """What comes of a request, done so many times."""
    results: list[DoResult] = []

    async def work(workspace: Workspace) -> None:
        results.extend([await do(workspace, request, emit=lambda event: None) for _ in range(times)])

    with_workspace(path, engine or ScriptedEngine(), work)
    return results


def planning(plan: object) -> Callable[[CompletionRequest], str]:
    """Answers that plan so, and do the rest by repeating the text."""
    return lambda request: json.dumps(plan) if kind(request) == "route/plan" else extractive_answer(request)


def test_requests_come_to_the_right_capability_and_every_decision_has_a_reason(tmp_path: Path) -> None:
    found: list[Routed] = []

    async def work(workspace: Workspace) -> None:
        found.extend(await routed(workspace, cases()))

    with_workspace(tmp_path, ScriptedEngine(), work)
    ruled = [one for one in found if one.by_rules]
    assert len(found) >= 150
    assert len({one.case.language for one in found}) >= 6
    assert all(step.route.reason for one in found for step in one.plan.steps)
    assert share_right(ruled) >= 0.95, told_wrong(ruled)
    assert len(ruled) >= 0.9 * len(found), "the rules decide nearly all"
    assert share_right(found) >= 0.95, told_wrong(found)


@pytest.mark.parametrize(
    ("request_", "capability"),
    [
        (DoRequest("Summarize this.", (MILL,)), Capability.SUMMARIZE),
        (DoRequest("When does the lease end?", (LETTER,)), Capability.ASK),
        (DoRequest("Check whether the tenant pays for repairs.", (LETTER,)), Capability.CHECK),
        (DoRequest("Write an essay of 400 words about the mill.", (MILL,)), Capability.WRITE),
        (DoRequest("Translate this into French.", (LETTER,)), Capability.CALL),
        (DoRequest("Hello!", session="main"), Capability.CHAT),
        (DoRequest("And then?", turns=(Turn("Who came?", "The miller."),)), Capability.CHAT),
    ],
)
def test_each_way_gives_a_text_and_the_second_time_no_call(
    tmp_path: Path, request_: DoRequest, capability: Capability
) -> None:
    first, again = run(tmp_path, request_, times=2)
    assert first.steps[0].route.capability is capability
    assert first.text
    assert first.run_id
    assert first.steps[0].run_id
    if request_.session is None:
        assert (again.run_id, again.text, again.usage.calls) == (first.run_id, first.text, 0)
    assert first.row()["run_id"] == first.run_id


def test_what_is_said_in_a_session_twice_is_two_turns(tmp_path: Path) -> None:
    first, again = run(tmp_path, DoRequest("Yes.", session="main", user="ann"), times=2)
    assert first.run_id != again.run_id
    assert again.usage.calls == 1


def test_steps_take_what_earlier_ones_gave(tmp_path: Path) -> None:
    request = DoRequest("Summarize this and translate the summary into French.", (MILL,))
    (result,) = run(tmp_path, request)
    summary, translation = result.plan.steps
    assert (summary.documents, summary.steps) == ((MILL.id,), ())
    assert (translation.documents, translation.steps) == ((), (1,))
    assert result.text == result.steps[1].text
    assert result.steps[0].sources


def test_texts_that_no_step_takes_are_all_the_result(tmp_path: Path) -> None:
    (result,) = run(tmp_path, DoRequest("Summarize this; list the people in it", (MILL,)))
    assert "## 1. Summarize this" in result.text
    assert "## 2. list the people in it" in result.text
    for source in result.sources:
        assert source.at is None or 0 < source.at <= len(result.text)


def test_one_way_is_taken_where_the_user_says_so(tmp_path: Path) -> None:
    request = DoRequest("Who came?", (MILL,), capability=Capability.SUMMARIZE)
    (result,) = run(tmp_path, request)
    route = result.steps[0].route
    assert (route.capability, route.decided_by) == (Capability.SUMMARIZE, DecidedBy.USER)


@pytest.mark.parametrize("instruction", ["", "  \n\t"])
def test_an_empty_instruction_is_refused(instruction: str) -> None:
    with pytest.raises(ConfigError, match="empty"):
        DoRequest(instruction)


def test_documents_and_a_collection_are_not_named_together() -> None:
    with pytest.raises(ConfigError, match="not both"):
        DoRequest("Summarize", (LETTER,), collection="shelf")


UNCLEAR = "Summarize this, then frobnicate it with the usual care"
"""A request of several steps of which no rule knows the second."""


@pytest.mark.parametrize(
    "plan",
    [
        {"steps": [{"instruction": "a", "capability": "summarize", "documents": [9, -1], "steps": [1, 2, 7]}]},
        {
            "steps": [
                {"instruction": "a", "capability": "ask", "documents": [], "steps": [2]},
                {"instruction": "b", "capability": "ask", "documents": [], "steps": [1]},
            ]
        },
        {"steps": [{"instruction": f"step {n}", "capability": "ask", "documents": [1]} for n in range(500)]},
        {"steps": [{"instruction": "fly", "capability": "fly", "documents": [1], "steps": []}]},
        {"steps": []},
        {"steps": [{"instruction": "   ", "capability": "ask", "documents": [1], "steps": []}]},
        {"steps": "none"},
        [],
        "nonsense",
    ],
)
def test_a_plan_that_makes_no_sense_neither_crashes_nor_loops(tmp_path: Path, plan: object) -> None:
    engine = ScriptedEngine(planning(plan))
    (result,) = run(tmp_path, DoRequest(UNCLEAR, (LETTER,)), engine)
    assert 1 <= len(result.plan.steps) <= MOST_STEPS
    assert all(number < step.number for step in result.plan.steps for number in step.steps)
    assert len(engine.calls) <= 12
    assert result.text


def test_a_plan_of_the_model_is_carried_out_and_kept(tmp_path: Path) -> None:
    plan = {
        "steps": [
            {"instruction": "Summarize this", "capability": "summarize", "documents": [1], "steps": []},
            {"instruction": "Frobnicate it", "capability": "call", "documents": [], "steps": [1]},
        ]
    }
    engine = ScriptedEngine(planning(plan))
    first, again = run(tmp_path, DoRequest(UNCLEAR, (LETTER,)), engine, times=2)
    assert first.plan.decided_by is DecidedBy.MODEL
    assert [step.route.capability for step in first.plan.steps] == [Capability.SUMMARIZE, Capability.CALL]
    assert again.plan.steps == first.plan.steps
    assert sum(kind(call) == "route/plan" for call in engine.calls) == 1
    assert first.usage.calls == len(engine.calls)
    assert again.usage.calls == 0


def test_too_many_steps_are_refused_in_a_line(tmp_path: Path) -> None:
    request = DoRequest("\n".join(f"{n}. Summarize this" for n in range(1, 21)), (LETTER,))
    with pytest.raises(ConfigError, match="12 at most"):
        run(tmp_path, request)


def test_a_step_that_fails_leaves_the_others(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        return "" if kind(request) == "route/call" else extractive_answer(request)

    request = DoRequest("Summarize this, then translate the summary into French; list the people", (MILL,))
    (result,) = run(tmp_path, request, ScriptedEngine(answer))
    assert [bool(step.failure) for step in result.steps] == [False, True, False]
    assert result.gaps
    assert "## 1. " in result.text


def test_plans_are_kept_as_they_are_and_what_is_no_plan_is_none(tmp_path: Path) -> None:
    request = DoRequest("Summarize this", (LETTER,))
    found: list[WorkPlan | None] = []

    async def work(workspace: Workspace) -> None:
        found.append(await plan_without_calls(workspace, request))

    with_workspace(tmp_path, ScriptedEngine(), work)
    (plan,) = found
    assert plan is not None
    assert read_plan(request, plan_text(plan)) == plan
    for text in ("", "[]", "{", '{"decided_by": "rule", "steps": [3]}', '{"decided_by": "rule", "steps": []}'):
        assert read_plan(request, text) is None


def test_a_step_cannot_take_what_comes_later() -> None:
    request = DoRequest("a", (LETTER,))
    value = json.loads(plan_text(WorkPlan(request, ())))
    value["steps"] = [
        {
            "number": 1,
            "instruction": "a",
            "route": {"capability": "ask", "decided_by": "rule", "reason": "x"},
            "documents": [],
            "steps": [1],
        }
    ]
    assert read_plan(request, json.dumps(value)) is None


def person(task: str, text: str, number: int) -> NewItem:
    return NewItem(task, f"i{number}", text)


@pytest.mark.parametrize(
    ("request_", "prompt"),
    [
        (DoRequest("Translate this into French.", (LETTER,), user="ann"), "route/call"),
        (DoRequest("Summarize this.", (LETTER,), user="ann"), "summarize/leaf"),
        (DoRequest("When does the lease end?", (LETTER,), user="ann"), "ask/answer"),
        (DoRequest("Write 200 words about rain.", user="ann", capability=Capability.WRITE), "write/short"),
    ],
)
def test_a_user_is_laid_over_what_is_done_and_goes_with_all_that_was_done(
    tmp_path: Path, request_: DoRequest, prompt: str
) -> None:
    engine = ScriptedEngine()

    async def work(workspace: Workspace) -> None:
        records = workspace.records
        tenant = await records.profiles.tenant("local")
        items = [person("answer", f"I collect lighthouses, number {n}", n) for n in range(3)]
        await records.profiles.put(tenant.id, [("ann", one) for one in items])
        result = await do(workspace, request_, emit=lambda event: None)
        assert "for ann" in result.steps[0].personal
        shown = [message.content for call in engine.calls if kind(call) == prompt for message in call.messages]
        assert any("lighthouses" in one for one in shown), [kind(call) for call in engine.calls]
        profile = await records.profiles.get(tenant.id, "ann")
        await records.profiles.delete(profile)
        assert not await records.runs.list()
        assert not await records.drafts.list()

    with_workspace(tmp_path, engine, work)


def test_a_user_without_items_changes_nothing(tmp_path: Path) -> None:
    plain, with_user = ScriptedEngine(), ScriptedEngine()
    run(tmp_path, DoRequest("When does the lease end?", (LETTER,)), plain)
    other = tmp_path / "other"
    other.mkdir()
    (result,) = run(other, DoRequest("When does the lease end?", (LETTER,), user="nobody"), with_user)
    assert [call.messages for call in plain.calls] == [call.messages for call in with_user.calls]
    assert "nothing is known of nobody" in result.steps[0].personal


def test_a_long_text_with_what_is_asked_at_its_end_becomes_a_document(tmp_path: Path) -> None:
    (result,) = run(tmp_path, DoRequest(f"{MILL.text}\n\nWhen was the bridge closed?"))
    assert len(result.plan.request.documents) == 1
    assert result.steps[0].route.capability is Capability.ASK


def test_a_plan_is_made_first_and_carried_out_later(tmp_path: Path) -> None:
    async def work(workspace: Workspace) -> None:
        plan = await plan_work(workspace, DoRequest("Summarize this.", (LETTER,)), emit=lambda event: None)
        assert isinstance(plan.steps[0], WorkStep)
        result = await carry_out(workspace, plan, emit=lambda event: None)
        assert result.plan == plan

    with_workspace(tmp_path, ScriptedEngine(), work)
