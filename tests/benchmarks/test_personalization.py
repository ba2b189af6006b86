"""The benchmark of personalization reads a report on commit titles, and keeps it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.personalization import run


def told(path: Path) -> Path:
    figures = {
        "system": "summary, k=1",
        "questions": 170,
        "prompt_tokens": 400.0,
        "scores": {"rouge-1": {"value": 0.25, "low": 0.2, "high": 0.3, "p": None}},
        "gains": {"rouge-1": {"value": 0.05, "low": -0.01, "high": 0.1, "p": 0.08}},
        "cold": {},
        "cold_without_profile": {},
    }
    difference = {"rouge-1": {"value": 0.01, "low": None, "high": None, "p": None}}
    parts = [{"name": "commit-titles", "figures": [figures], "difference": difference}]
    report = {"settings": {"model": "m@1"}, "parts": parts}
    path.write_text(json.dumps({"results": [report]}), encoding="utf-8")
    return path


def test_a_report_is_shown_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = tmp_path / "measured.json"
    monkeypatch.delenv("LDA_BENCH_LAMP", raising=False)
    assert "not measured yet" in run(users=1, refreshed=2, measured=measured).how
    monkeypatch.setenv("LDA_BENCH_LAMP", str(told(tmp_path / "report.json")))
    table = run(users=1, refreshed=2, measured=measured)
    assert "model: m@1" in table.how
    monkeypatch.delenv("LDA_BENCH_LAMP")
    again = run(users=1, refreshed=2, measured=measured)
    rows = [row for row in again.rows if row[0] == "commit-titles"]
    assert rows == [row for row in table.rows if row[0] == "commit-titles"]
    assert rows[0][4:6] == ["0.250 [0.200, 0.300]", "+0.050 [-0.010, +0.100]"]
    assert rows[1][1] == "summary, k=1, over bm25, k=4"
    assert {row[0] for row in again.rows} == {"commit-titles", *(f"planted lamp-{n}" for n in range(1, 8))}
