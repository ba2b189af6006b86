"""The benchmark of recalled dialogues holds `auto` to the best single policy at every budget."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.memory_recall import run
from longdoc.cli.memory_report_output import MemoryReportOutput
from longdoc.evaluation.memory_report import MemoryReport, RecallTrial

POLICIES = ("full", "retrieve", "scm", "auto", "scm without gate")


def trial(policy: str, budget: int, *, found: bool, failure: str | None = None) -> RecallTrial:
    kept = (1,) if found else ()
    return RecallTrial(
        "d", "q", "single-turn", policy, budget, gold=(1,), ranked=(2, 1), kept=kept, full=kept, failure=failure
    )


def table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, trials: list[RecallTrial]) -> tuple[bool, list[list[str]]]:
    report = MemoryReportOutput(MemoryReport("Memory of 1 dialogues", trials, {"model": "made"})).json()

    def evaluated(engine: str, dialogues: Path, record: Path) -> str:
        del engine, dialogues, record
        return json.dumps({"results": [report]})

    monkeypatch.setattr("benchmarks.memory_recall._evaluated", evaluated)
    found = run(dialogues=tmp_path)
    return found.passed, [list(row) for row in found.rows]


def test_auto_is_held_to_the_best_at_every_budget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    good = [trial(policy, budget, found=policy != "full") for policy in POLICIES for budget in (500, 2000)]
    passed, rows = table(monkeypatch, tmp_path, good)
    assert passed
    assert rows[0][:7] == ["500", "full", "0.0%", "0.0%", "0.0%", "100.0%", "100.0%"]
    assert [row[0] for row in rows] == ["500"] * 5 + ["2,000"] * 5
    worse = [*good, *(trial("auto", 2000, found=False) for _ in range(2))]
    assert not table(monkeypatch, tmp_path, worse)[0]
    failed = [*good, trial("full", 500, found=False, failure="refused")]
    assert not table(monkeypatch, tmp_path, failed)[0]


def test_what_is_recalled_without_being_asked_for_does_not_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trials = [trial(policy, 500, found=policy == "scm without gate") for policy in POLICIES]
    assert table(monkeypatch, tmp_path, trials)[0]  # an ablation is no policy to be held to
