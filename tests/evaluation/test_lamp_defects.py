"""What is wrong in the released code of LaMP and its followers does not happen here: one test for each defect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from longdoc.agents.profile_tasks import BUILT_IN
from longdoc.app.bootstrap import Workspace
from longdoc.app.personalize import PersonalRequest, personal_context
from longdoc.app.profile_evaluation import LampOptions, evaluate_profiles
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.evaluation.lamp_files import read_set
from longdoc.evaluation.lamp_report import NO_PROFILE, LampReport
from longdoc.memory.profile_ranking import Ranked
from longdoc.storage.profile_types import NewItem
from tests.app.chatting import with_workspace
from tests.app.test_writing_evaluation import Watched
from tests.evaluation.test_lamp_files import GOLDS, INPUTS, ITEMS, write


def evaluated(
    folder: Path, number: int, profile: list[dict[str, Any]], options: LampOptions | None = None
) -> tuple[LampReport, list[CompletionRequest]]:
    """The report on one input of a task, and what was asked for it."""
    record: dict[str, Any] = {"id": "110", "input": INPUTS[number], "profile": profile}
    questions = read_set(write(folder, number, [record], [{"id": "110", "output": GOLDS[number]}]))
    engine = ScriptedEngine()
    reports: list[LampReport] = []

    async def work(workspace: Workspace) -> None:
        given = options or LampOptions((0, 1, 4))
        reports.append(await evaluate_profiles(workspace, [questions], given, watch=lambda title: Watched()))

    with_workspace(folder, engine, work)
    return reports[0], engine.calls


@pytest.mark.parametrize("number", range(1, 8))
def test_items_are_ranked_and_summed_up_for_every_task(tmp_path: Path, number: int) -> None:
    profile = [{**ITEMS[number], "id": str(one)} for one in range(4)]
    report, _ = evaluated(tmp_path, number, profile)
    figures = {one.system: one for one in report.parts[0].figures()}
    assert figures["bm25, k=4"].shown == 4
    assert figures["summary, k=1"].with_summary == 1
    assert not report.failures


@pytest.mark.parametrize("number", range(1, 8))
@pytest.mark.parametrize("profile", [[], [{"id": "1"}], [{"id": "1", "title": "", "text": " "}]])
def test_an_empty_profile_is_answered_for_as_nobody(tmp_path: Path, number: int, profile: list[dict[str, Any]]) -> None:
    report, calls = evaluated(tmp_path, number, profile)
    for one in report.parts[0].figures():
        assert (one.shown, one.with_summary, one.failed) == (0, 0, 0)
    assert len({call.messages for call in calls}) == 1


def test_items_without_the_searched_field_are_ranked(tmp_path: Path) -> None:
    profile = [{"id": "1", "title": "Wind"}, {"id": "2", "title": "On corals"}, {"id": "3", "abstract": "Rain."}]
    report, calls = evaluated(tmp_path, 5, profile, LampOptions((0, 1), summaries=False))
    assert {one.system: one.shown for one in report.parts[0].figures()}["bm25, k=1"] == 1
    assert any("On corals" in call.messages[-1].content for call in calls)


def test_a_profile_that_does_not_fit_is_cut_and_told(tmp_path: Path) -> None:
    profile = [{"id": str(one), "title": "T", "text": f"{one} shut bridge " * 2_000} for one in range(6)]
    report, calls = evaluated(tmp_path, 4, profile, LampOptions((0, 4), summaries=False, budget=100))
    figures = {one.system: one for one in report.parts[0].figures()}
    assert figures["bm25, k=4"].shown + figures["bm25, k=4"].left_out == 4
    assert 0 < figures["bm25, k=4"].context_tokens <= 100
    assert figures[NO_PROFILE].shown == 0
    assert sum("<item>" in call.messages[-1].content for call in calls) == 3


def test_the_prompt_of_a_summary_holds_texts_and_no_printed_list(tmp_path: Path) -> None:
    profile = [{"id": str(one), "title": f"Title {one}", "text": f"Text {one}."} for one in range(4)]
    _, calls = evaluated(tmp_path, 4, profile)
    (asked,) = [call for call in calls if call.origin is not None and call.origin.name == "profile/summary"]
    prompt = asked.messages[-1].content
    assert '<item>\n"Title 2" is the headline of "Text 2."\n</item>' in prompt
    assert "['" not in prompt
    assert '["' not in prompt


def test_random_items_come_again_with_the_seed_and_none_comes_twice(tmp_path: Path) -> None:
    orders: list[tuple[str, ...]] = []

    async def work(workspace: Workspace) -> None:
        profiles = workspace.records.profiles
        tenant = await profiles.tenant("local")
        news = [("ann", NewItem("title", f"i{one}", f"text {one}", "A title")) for one in range(20)]
        await profiles.put(tenant.id, news)
        ann = await profiles.get(tenant.id, "ann")
        for seed in (1, 1, 2):
            request = PersonalRequest(
                BUILT_IN["title"], "a text", take=20, summary=False, ranked=Ranked.RANDOM, seed=seed
            )
            found = await personal_context(workspace.records, ann, request)
            orders.append(tuple(one.item.key for one in found.items))

    with_workspace(tmp_path, ScriptedEngine(), work)
    assert orders[0] == orders[1] != orders[2]
    assert len(set(orders[0])) == len(orders[0]) == 20


def test_the_target_is_no_item_of_its_own_profile(tmp_path: Path) -> None:
    profile = [
        {"id": "110", "title": "Shut", "text": "Whatever."},
        {"id": "2", "title": "Shut", "text": INPUTS[4]},
        {"id": "3", "title": "Rain", "text": "It rains."},
    ]
    report, calls = evaluated(tmp_path, 4, profile)
    assert report.parts[0].removed_targets == 2
    assert not any('"Shut"' in call.messages[-1].content for call in calls)
