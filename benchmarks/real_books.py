"""Whole books on the small real model, in every method, killed on the way and gone on with.

Takes hours on two cores, so it runs by name only; what an earlier run recorded is found again.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.table import BenchmarkTable

_SHARED = Path("../shared/data/books")
_BOOKS = (_SHARED / "standardebooks/frankenstein.epub", _SHARED / "idpf/moby-dick.epub")
_METHODS = ("hierarchical", "incremental", "scm")
_SEGMENT_TOKENS = {"hierarchical": 4000, "incremental": 4000, "scm": 3000}
_WORDS = 100
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
"""A catalogue name or a GGUF file."""
_RECORDS = Path(".cache/benchmarks")
_KILLS = (0.2, 0.5, 0.8)
"""At which shares of the calls that were estimated the process is killed."""
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    result: dict[str, Any]
    calls: int
    kills: int
    repeated: int


def run() -> BenchmarkTable:
    """Summarize each book that is there in each method."""
    rows: list[list[str]] = []
    passed = True
    for path in _BOOKS:
        if not path.exists():
            rows.append([path.name, "skipped: the folder of shared data is absent", *[""] * 7])
            continue
        for method in _METHODS:
            outcome = _outcome(path, method)
            rows.append(_row(path, method, outcome))
            passed = passed and outcome.repeated == 0 and bool(outcome.result["summary"]["text"].strip())
    columns = ("book", "method", "calls", "read", "written", "killed", "calls repeated", "words", "gaps")
    how = (
        f"Whole books by {Path(_MODEL).name}, embedded, {_WORDS} words. The process is killed (SIGKILL) when a fifth, "
        "half and four fifths of its calls are recorded, and the same command is run again. Target: every run ends "
        "with a summary, and no call is made twice."
    )
    return BenchmarkTable("Whole books on the small real model", how, columns, rows, passed)


def _row(path: Path, method: str, outcome: _Outcome) -> list[str]:
    record = _record(path, method)
    read, written = _query(record, "select sum(prompt_tokens), sum(completion_tokens) from calls")[0]
    summary = outcome.result["summary"]
    return [
        path.name,
        method,
        f"{outcome.calls:,}",
        f"{read:,}",
        f"{written:,}",
        f"{outcome.kills} times",
        str(outcome.repeated),
        str(summary["words"]),
        str(len(summary["gaps"])),
    ]


def _outcome(path: Path, method: str) -> _Outcome:
    record = _record(path, method)
    record.parent.mkdir(parents=True, exist_ok=True)
    estimate = json.loads(subprocess.run(_command(path, method, "--dry-run"), capture_output=True, check=True).stdout)
    expected = estimate["results"][0]["estimate"]["calls"]
    kills = sum(_killed_at(path, method, int(share * expected)) for share in _KILLS)
    done = subprocess.run(_command(path, method), capture_output=True, check=False)
    if done.returncode not in {0, 3}:
        raise RuntimeError(f"{path.name}, {method}: {done.stderr.decode()[-500:]}")
    repeated = len(_query(record, "select key from calls group by key having count(*) > 1"))
    calls = _calls(record)
    print(f"{path.name}, {method}: {calls} calls, killed {kills} times, {repeated} repeated", flush=True)
    return _Outcome(json.loads(done.stdout)["results"][0], calls, kills, repeated)


def _killed_at(path: Path, method: str, calls: int) -> int:
    """Run until so many calls are recorded, then kill; 0 where they are there already, or it ended before."""
    record = _record(path, method)
    if _calls(record) >= calls:
        return 0
    process = subprocess.Popen(_command(path, method), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and _calls(record) < calls:
        time.sleep(_POLL_SECONDS)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return int(process.returncode == -signal.SIGKILL)


def _command(path: Path, method: str, *more: str) -> list[str]:
    options = ["--method", method, "--words", str(_WORDS), "--segment-tokens", str(_SEGMENT_TOKENS[method])]
    engine = ["--engine", "embedded", "--model", _MODEL]
    record = ["--database", str(_record(path, method)), "--json", *more]
    return [sys.executable, "-m", "longdoc", "summarize", str(path), *options, *engine, *record]


def _record(path: Path, method: str) -> Path:
    return _RECORDS / f"{path.stem}-{method}.db"


def _calls(record: Path) -> int:
    if not record.exists() or not _query(record, "select 1 from sqlite_master where name = 'calls'"):
        return 0
    return _query(record, "select count(*) from calls")[0][0]


def _query(record: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(record) as connection:
        return connection.execute(sql).fetchall()
