"""The benchmark of lengths adds runs up, and passes only where every prompt was tried."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.table import BenchmarkTable
from benchmarks.writing_length import run


def prompts(folder: Path) -> None:
    for stem, lengths in (("longbench_write.even", (100, 600, 600)), ("longwrite_ruler", (1000,))):
        lines = [json.dumps({"prompt": f"{n} words", "type": "x", "length": n}) for n in lengths]
        (folder / f"{stem}.jsonl").write_text("\n".join(lines), encoding="utf-8")


def told(path: Path, *results: tuple[str, int, int, str | None]) -> Path:
    rows = [
        {
            "prompt": prompt,
            "system": "longdoc",
            "asked": asked,
            "written": written,
            "words": written,
            "failure": failure,
            "repetition_across": 0.1,
            "completion_tokens": 5,
        }
        for prompt, asked, written, failure in results
    ]
    report = {"settings": {"model": "m"}, "results": rows}
    path.write_text(json.dumps({"results": [report]}), encoding="utf-8")
    return path


def taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *paths: Path) -> BenchmarkTable:
    monkeypatch.setenv("LDA_BENCH_WRITTEN", os.pathsep.join(map(str, paths)))
    return run(folder=tmp_path, measured=tmp_path / "measured.json")


def test_runs_add_up_and_all_prompts_are_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts(tmp_path)
    first = told(
        tmp_path / "1.json", ("longbench_write.even-1", 100, 100, None), ("longbench_write.even-2", 600, 0, "no")
    )
    found = taken(tmp_path, monkeypatch, first)
    assert not found.passed
    rows = {(row[0].split("-")[0], row[1]): row for row in found.rows}
    assert list(rows["LongBench", "500-2k"][2:6]) == ["2", "1", "1", "0.0"]
    second = told(
        tmp_path / "2.json",
        ("longbench_write.even-2", 600, 600, None),
        ("longbench_write.even-3", 600, 590, None),
        ("longwrite_ruler-1", 1000, 1000, None),
    )
    assert taken(tmp_path, monkeypatch, second).passed
    worse = told(tmp_path / "3.json", ("longwrite_ruler-1", 1000, 700, None))
    assert not taken(tmp_path, monkeypatch, worse).passed
