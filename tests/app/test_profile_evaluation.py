"""What stands of a user before a request is compared on made users, on a folder, after a kill, and as a command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from longdoc.agents.profile_tasks import BUILT_IN, Metric
from longdoc.app.bootstrap import Workspace
from longdoc.app.profile_evaluation import COUNTED, TENANT_PREFIX, LampOptions, counted_answer, evaluate_profiles
from longdoc.cli.lamp_output import LampOutput
from longdoc.cli.main import app
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, EngineLostError
from longdoc.evaluation.lamp_metrics import LESS_IS_BETTER
from longdoc.evaluation.lamp_reader import read_planted
from longdoc.evaluation.lamp_report import NO_PROFILE, LampPart, LampReport
from longdoc.evaluation.lamp_set import LampSet
from longdoc.evaluation.planted_users import planted_set, planted_sets, swapped
from longdoc.memory.profile_ranking import Ranked
from tests.app.chatting import with_workspace
from tests.app.test_writing_evaluation import Watched
from tests.e2e.command import Lda

TASKS = [f"lamp-{number}" for number in range(1, 8)]
BOTH, ITEMS = "summary, k=1", "bm25, k=4"


def evaluated(
    folder: Path, sets: Sequence[LampSet], options: LampOptions | None = None, engine: ScriptedEngine | None = None
) -> LampReport:
    """The report on sets, read by the reader of planted users."""
    reports: list[LampReport] = []
    engine = engine or ScriptedEngine(read_planted)

    async def work(workspace: Workspace) -> None:
        reports.append(
            await evaluate_profiles(workspace, sets, options or LampOptions(), watch=lambda title: Watched())
        )

    folder.mkdir(exist_ok=True)
    with_workspace(folder, engine, work)
    return reports[0]


def better(metric: Metric, value: float) -> float:
    """A value of which more is better."""
    return -value if metric in LESS_IS_BETTER else value


def value(part: LampPart, system: str, metric: Metric | None = None) -> float:
    """What a system scores by the first metric, more is better."""
    (figures,) = [one for one in part.figures() if one.system == system]
    metric = metric or part.task.metrics[0]
    return better(metric, figures.scores[metric].value)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> LampReport:
    """All seven tasks, twenty users each."""
    return evaluated(tmp_path_factory.mktemp("planted"), planted_sets(20))


@pytest.mark.parametrize("place", range(7), ids=TASKS)
def test_a_summary_and_one_item_are_no_worse_than_four_items(planted: LampReport, place: int) -> None:
    part = planted.parts[place]
    for metric in part.task.metrics:
        assert value(part, BOTH, metric) >= value(part, ITEMS, metric)
        for system in (BOTH, ITEMS, "summary", "summary, k=4"):
            assert value(part, system, metric) > value(part, NO_PROFILE, metric), system


@pytest.mark.parametrize("place", range(7), ids=TASKS)
def test_cold_starts_are_told_apart_and_no_worse_than_without_a_profile(planted: LampReport, place: int) -> None:
    part = planted.parts[place]
    assert (part.users, part.cold_users) == (26, 6)
    for one in part.figures():
        assert set(one.cold) == set(part.task.metrics)
        if one.system != COUNTED:
            for metric, found in one.cold.items():
                assert better(metric, found) >= better(metric, one.cold_without[metric]), one.system


def test_everything_that_is_compared_is_told(planted: LampReport) -> None:
    assert planted.parts[1].systems == [
        NO_PROFILE,
        "newest, k=4",
        "random, k=4",
        "bm25, k=1",
        "bm25, k=2",
        "bm25, k=4",
        "summary",
        "summary, k=1",
        "summary, k=2",
        "summary, k=4",
        COUNTED,
    ]
    assert COUNTED not in planted.parts[3].systems
    for one in planted.parts[1].figures():
        low, high = one.scores[Metric.ACCURACY].interval or (1.0, 0.0)
        assert low <= one.scores[Metric.ACCURACY].value <= high
        assert one.unreadable == one.failed == one.left_out == 0
        assert (one.prompt_tokens > 0) is (one.system != COUNTED)
        assert (Metric.ACCURACY in one.gains) is (one.system != NO_PROFILE)
    (both,) = [one for one in planted.parts[1].figures() if one.system == BOTH]
    assert both.with_summary == 60  # those of newcomers have none
    gain = both.gains[Metric.ACCURACY]
    assert gain.p is not None
    assert gain.p < 0.01
    found = planted.parts[1].difference(BOTH, ITEMS)
    assert found is not None
    assert found[Metric.ACCURACY].interval is not None
    json.dumps(LampOutput(planted).json())
    text = LampOutput(planted).text(form=None)  # type: ignore[arg-type]
    assert "## planted lamp-3: cold start, 6 of 26 users (23%)" in text
    assert f"how much better {BOTH} is than {ITEMS}" in text


@pytest.mark.parametrize("task", TASKS)
def test_exchanged_profiles_lower_the_score(tmp_path: Path, task: str) -> None:
    right = planted_set(task, 10)
    found = evaluated(tmp_path, [right, swapped(right)], LampOptions((0, 1, 4)))
    for system in (BOTH, ITEMS, "summary"):
        assert value(found.parts[1], system) < value(found.parts[0], system)
    assert value(found.parts[1], NO_PROFILE) == value(found.parts[0], NO_PROFILE)


def test_an_evaluation_is_repeated_for_nothing_and_goes_on_after_a_stop(tmp_path: Path) -> None:
    sets = planted_sets(4, tasks=["lamp-4"])
    whole = ScriptedEngine(read_planted)
    first = evaluated(tmp_path / "whole", sets, engine=whole)
    again = ScriptedEngine(read_planted)
    assert evaluated(tmp_path / "whole", sets, engine=again).to_json() == first.to_json()
    assert not again.calls
    left = [30]

    def failing(request: CompletionRequest) -> str:
        left[0] -= 1
        if left[0] < 0:
            raise EngineLostError("gone")
        return read_planted(request)

    with pytest.raises(EngineLostError, match="gone"):
        evaluated(tmp_path / "stopped", sets, engine=ScriptedEngine(failing))
    rest = ScriptedEngine(read_planted)
    assert evaluated(tmp_path / "stopped", sets, engine=rest).to_json() == first.to_json()
    assert len(rest.calls) <= len(whole.calls) - 25


def test_users_are_imported_once_into_a_tenant_of_their_own(tmp_path: Path) -> None:
    sets = planted_sets(3, tasks=["lamp-2"])

    async def work(workspace: Workspace) -> None:
        for _ in range(2):
            await evaluate_profiles(workspace, sets, LampOptions((0, 1)), watch=lambda title: Watched())
        profiles = workspace.records.profiles
        assert await profiles.find_tenant("local") is None
        assert not await profiles.list(2)
        users = await profiles.list(1)
        assert len(users) == 6
        for user in users:
            assert user.changes == len(await profiles.items(user))

    with_workspace(tmp_path, ScriptedEngine(read_planted), work)
    assert TENANT_PREFIX == "eval/"


def test_what_cannot_be_read_is_counted_and_what_fails_is_told(tmp_path: Path) -> None:
    sets = [replace(one, questions=one.questions[:4]) for one in planted_sets(2, tasks=["lamp-3"])]

    def mumbling(request: CompletionRequest) -> str:
        return "Well." if request.json_schema is not None else read_planted(request)

    report = evaluated(tmp_path, sets, LampOptions((0, 1)), ScriptedEngine(mumbling))
    figures = {one.system: one for one in report.parts[0].figures()}
    assert figures[NO_PROFILE].unreadable == 4
    assert figures[COUNTED].unreadable == 0
    gold = [float(one.gold) for one in sets[0].questions]
    farthest = [max(number - 1, 5 - number) for number in gold]
    assert figures[NO_PROFILE].scores[Metric.MAE].value == sum(farthest) / 4
    assert not report.failures


def test_items_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    sets = planted_sets(3, tasks=["lamp-4"])
    report = evaluated(tmp_path, sets, LampOptions((0, 4), budget=32))
    figures = {one.system: one for one in report.parts[0].figures()}
    assert figures[ITEMS].left_out > 0
    assert figures[ITEMS].context_tokens <= 32


def test_items_are_found_by_other_rules(tmp_path: Path) -> None:
    sets = planted_sets(3, tasks=["lamp-7"])
    for ranked in (Ranked.FUSED, Ranked.NEWEST, Ranked.RANDOM):
        report = evaluated(tmp_path, sets, LampOptions((0, 2), ranked=ranked, summaries=False))
        systems = report.parts[0].systems
        assert systems.count(f"{ranked.value}, k=2") == 1
        assert value(report.parts[0], f"{ranked.value}, k=2") > value(report.parts[0], NO_PROFILE)


def test_what_cannot_be_tried_is_refused(tmp_path: Path) -> None:
    for takes in ((), (51,), (1, 1)):
        with pytest.raises(ConfigError):
            LampOptions(takes)
    with pytest.raises(ConfigError, match="32 tokens"):
        LampOptions(budget=3)
    with pytest.raises(ConfigError, match="no questions"):
        evaluated(tmp_path, [])


@pytest.mark.parametrize(
    ("task", "outputs", "answer"),
    [
        ("lamp-2", ["comedy", "action", "action"], "action"),
        ("lamp-2", ["comedy", "action"], "action"),
        ("lamp-2", [], "sci-fi"),
        ("label", [], ""),
        ("lamp-3", ["1", "5", "4"], "4"),
        ("lamp-3", ["1", "2", "none"], "1.5"),
        ("lamp-3", [], "3"),
    ],
)
def test_what_is_commonest_or_in_the_middle(task: str, outputs: list[str], answer: str) -> None:
    assert counted_answer(BUILT_IN[task], outputs) == answer


def test_the_command_makes_tables_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LDA_DATABASE", str(tmp_path / "record.db"))
    line = ["eval", "lamp", "--planted", "3", "--task", "2,3", "--k", "0,1", "--engine", "scripted", "--limit", "8"]
    out = tmp_path / "report.json"
    done = CliRunner().invoke(app, [*line, "--plots", str(tmp_path / "plots"), "--out", str(out)])
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text(encoding="utf-8"))["results"][0]
    assert [part["task"] for part in report["parts"]] == ["lamp-2", "lamp-3"]
    assert report["parts"][0]["figures"][0]["questions"] == 8
    for task in ("lamp-2", "lamp-3"):
        assert (tmp_path / "plots" / f"planted-{task}.png").read_bytes().startswith(b"\x89PNG")


def test_a_killed_command_goes_on_and_no_call_is_made_twice(tmp_path: Path) -> None:
    line = ("eval", "lamp", "--planted", "40", "--task", "4", "--engine", "scripted")
    whole, killed = Lda(tmp_path / "whole"), Lda(tmp_path / "killed")
    for one in (whole, killed):
        one.home.mkdir()
    report = whole.json(*line)["results"][0]
    process = killed.start(*line)
    killed.wait_for_calls(100, process)
    process.kill()
    process.communicate()
    assert 0 < killed.recorded_calls() < whole.recorded_calls()
    assert killed.json(*line)["results"][0] == report
    keys = "select count(*) - count(distinct key) from calls"
    assert killed.query(keys) == whole.query(keys)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "one of the two"),
        (["a.json", "--planted", "3"], "one of the two"),
        (["--planted", "3", "--by", "luck"], "choose from: bm25"),
        (["--planted", "3", "--k", "few"], "no list of numbers"),
        (["--planted", "3", "--task", "lamp-8"], "no task 'lamp-8'"),
        (["--planted", "3", "--gold", "a.json"], "leave --gold out"),
        (["--planted", "3", "--dry-run"], "--max-calls"),
    ],
)
def test_the_command_says_what_it_cannot_do(given: list[str], words: str) -> None:
    done = CliRunner().invoke(app, ["eval", "lamp", *given, "--engine", "scripted"])
    assert isinstance(done.exception, ConfigError)
    assert words in str(done.exception)
