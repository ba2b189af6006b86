"""The benchmark of needles adds runs up, compares what was tried on the same cases, and holds its target."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.needle_recall import run
from benchmarks.table import BenchmarkTable
from longdoc.cli.question_output import QuestionOutput
from longdoc.evaluation.gold import GoldCase
from longdoc.evaluation.question_report import QuestionReport
from longdoc.evaluation.recall import Recall
from longdoc.evaluation.selection_trial import SelectionOutcome
from tests.e2e.conftest import made_book

KS = (1, 4, 16, 64)


def outcomes(
    strategy: str, found: int, *, cases: int = 20, length: int = 8000, kind: str = "plain"
) -> list[SelectionOutcome]:
    """So many cases of a length, of which so many are found at the first place."""
    return [
        SelectionOutcome(
            strategy,
            GoldCase(f"{kind}/{number}/{length}", kind, "?", ("x",), ((0, 1),), depth=number / 20, length=length),
            Recall(
                rank=1 if number < found else None,
                best=dict.fromkeys(KS, float(number < found)),
                within=dict.fromkeys((1024, 4096), float(number < found)),
                inside=dict.fromkeys((1024, 4096), 0.0),
                first=1 if number < found else None,
                precision={},
            ),
            None,
        )
        for number in range(cases)
    ]


def table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *runs: list[SelectionOutcome]
) -> tuple[BenchmarkTable, dict[tuple[str, str], list[str]]]:
    """The table of runs that were made elsewhere, and its rows by length and strategy."""
    paths: list[str] = []
    for number, selection in enumerate(runs):
        report = QuestionOutput(QuestionReport(f"Run {number}", selection=selection)).json()
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"command": "eval needle", "results": [report]}), encoding="utf-8")
        paths.append(str(path))
    monkeypatch.setenv("LDA_BENCH_NEEDLES", os.pathsep.join(paths))
    found = run(measured=tmp_path / "measured.json")
    return found, {(row[0], row[1]): list(row) for row in found.rows}


def test_runs_are_added_up_and_the_best_mode_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [
        *outcomes("lexical", 15),
        *outcomes("dense", 10),
        *outcomes("cascade:label", 12),
        *outcomes("cascade:entropy", 20),
    ]
    second = [
        *outcomes("lexical", 20, length=64_000),
        *outcomes("dense", 20, length=64_000),
        *outcomes("cascade:label", 20, length=64_000),
        *outcomes("cascade:entropy", 19, length=64_000),
    ]
    found, rows = table(tmp_path, monkeypatch, first, second)
    assert found.passed
    assert rows["8,000", "lexical"][2:5] == ["20", "75.0%", "75.0% (53-89)"]
    assert rows["all", "cascade:entropy"][2:5] == ["40", "97.5%", "97.5% (87-100)"]
    assert "best mode (cascade:entropy)" in found.how


@pytest.mark.parametrize(("cascade", "lexical"), [(18, 10), (19, 20)])
def test_too_little_or_less_than_words_alone_misses_the_target(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cascade: int, lexical: int
) -> None:
    selection = [*outcomes("lexical", lexical), *outcomes("dense", 1), *outcomes("cascade:label", cascade)]
    assert not table(tmp_path, monkeypatch, selection)[0].passed


def test_a_mode_tried_on_short_texts_only_is_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [
        one
        for length in (8000, 64_000)
        for name, hits in (("lexical", 18), ("dense", 18), ("cascade:label", 19))
        for one in outcomes(name, hits, length=length)
    ]
    found, rows = table(tmp_path, monkeypatch, [*both, *outcomes("cascade:entropy", 20), *outcomes("xl3m:label", 20)])
    assert ("all", "xl3m:label") not in rows
    assert rows["8,000", "cascade:entropy"][4] == "100.0% (84-100)"
    assert "best mode (cascade:label)" in found.how
    assert found.passed


def test_what_was_measured_before_is_kept_and_what_is_measured_again_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table(tmp_path, monkeypatch, [*outcomes("lexical", 15), *outcomes("dense", 10), *outcomes("cascade:label", 12)])
    table(tmp_path, monkeypatch, [*outcomes("lexical", 20, length=64_000), *outcomes("dense", 20, length=64_000)])
    found, rows = table(tmp_path, monkeypatch, [*outcomes("cascade:label", 16), *outcomes("cascade:entropy", 17)])
    assert rows["8,000", "lexical"][4] == "75.0% (53-89)"
    assert rows["8,000", "cascade:label"][4] == "80.0% (58-92)"
    assert rows["all", "dense"][2] == "40"
    assert ("all", "cascade:label") not in rows
    assert not found.passed


def test_kinds_stand_beside_each_other_and_what_is_only_meant_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    selection = [
        one
        for name, in_words, meant in (("lexical", 20, 0), ("dense", 18, 9), ("cascade:likelihood", 20, 10))
        for one in (*outcomes(name, in_words), *outcomes(name, meant, kind="paraphrase"))
    ]
    found, rows = table(tmp_path, monkeypatch, selection)
    assert list(found.columns[3:6]) == ["plain", "paraphrase", "within 1,024"]
    assert rows["8,000", "cascade:likelihood"][2:5] == ["40", "100.0%", "50.0%"]
    assert "finds 75.0%: 100.0% of all kinds but paraphrase" in found.how
    assert "50.0% of these" in found.how
    assert not found.passed


def test_without_runs_it_makes_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LDA_BENCH_NEEDLES", raising=False)
    monkeypatch.setattr("benchmarks.needle_recall._LENGTHS", "2k")
    monkeypatch.setattr("benchmarks.needle_recall._DEPTHS", "2")
    book = tmp_path / "book.md"
    book.write_text(made_book(chapters=4, sentences=60), encoding="utf-8")
    found = run(engine="scripted", source=book, record=tmp_path / "record.db", measured=tmp_path / "measured.json")
    assert {row[1] for row in found.rows} == {"lexical", "retrieve", "random", "head and tail"}
    assert set(found.columns[3:8]) == {"passkey", "plain", "bridge", "decoys", "paraphrase"}
    assert not found.passed, "the scripted engine scores nothing, so there is no cascade"
