"""What policies of memory recall of SCM's test dialogues, by `lda eval memory` with the small real model.

Long turns are summarized and memories judged by the model, which takes most of an hour on two cores, so it runs by name
only; what an earlier run recorded is found again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from benchmarks.table import BenchmarkTable

_DIALOGUES = Path("../shared/data/dialogue/scm4llms")
_GOLD = Path("tests/evaluation/scm_gold_turns.json")
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
"""A catalogue name or a GGUF file."""
_RECORD = Path(".cache/benchmarks/memory_recall.db")
_AUTO = "auto"
_SINGLE = ("full", "retrieve", "scm")
_COLUMNS = ("budget", "policy", "recall", "in full", "@1", "@5", "@20", "tokens", "judge calls", "gated out", "ms")


class _Figures(BaseModel):
    policy: str
    budget: int
    cases: int
    failures: int
    recall: float
    recall_in_full: float
    recall_at: dict[str, float]
    tokens: float
    judge_calls: float
    gated_out: int
    median_seconds: float


class _Report(BaseModel):
    title: str
    settings: dict[str, str]
    figures: list[_Figures]


class _Envelope(BaseModel):
    results: list[_Report]


def run(*, engine: str = "embedded", dialogues: Path = _DIALOGUES, record: Path = _RECORD) -> BenchmarkTable:
    """Compare all policies, and hold `auto` to the best single one at every budget."""
    title = "What is recalled of dialogues"
    if not dialogues.exists():
        rows = [["all", "skipped: the folder of shared data is absent", *[""] * (len(_COLUMNS) - 2)]]
        return BenchmarkTable(title, "", _COLUMNS, rows, passed=True)
    (report,) = _Envelope.model_validate_json(_evaluated(engine, dialogues, record)).results
    figures = sorted(report.figures, key=lambda one: one.budget)
    return BenchmarkTable(title, _how(report), _COLUMNS, [_row(one) for one in figures], _is_passed(figures))


def _evaluated(engine: str, dialogues: Path, record: Path) -> str:
    record.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "longdoc", "eval", "memory", str(dialogues), "--gold", str(_GOLD)),
        *("--policies", "all", "--engine", engine, "--model", _MODEL, "--database", str(record), "--json"),
    ]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _how(report: _Report) -> str:
    cases = max(one.cases for one in report.figures)
    settings = "; ".join(f"{name}: {value}" for name, value in report.settings.items())
    return (
        f"{cases} questions about {report.title.removeprefix('Memory of ')} of SCM4LLMs, English and Chinese, whose "
        f"gold turns were labelled by hand ({_GOLD.name}). Recall: the share of the gold turns that stand in the "
        "prompt within a budget of tokens (in full: not as a summary), and among the k best ranked, whatever fits "
        "(`@k`). "
        f"{settings}. Target: at every budget `{_AUTO}` recalls no less than the best of {', '.join(_SINGLE)}."
    )


def _row(one: _Figures) -> list[str]:
    shares = [one.recall, one.recall_in_full, *(one.recall_at[k] for k in ("1", "5", "20"))]
    counts = [f"{one.tokens:,.0f}", f"{one.judge_calls:.1f}", str(one.gated_out), f"{one.median_seconds * 1000:.0f}"]
    return [f"{one.budget:,}", one.policy, *(f"{share:.1%}" for share in shares), *counts]


def _is_passed(figures: Sequence[_Figures]) -> bool:
    recall = {(one.budget, one.policy): one.recall for one in figures}
    budgets = {one.budget for one in figures}
    whole = all(one.failures == 0 for one in figures)
    return whole and all(recall[budget, _AUTO] >= recall[budget, one] for budget in budgets for one in _SINGLE)
