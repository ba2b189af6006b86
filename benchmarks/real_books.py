"""Whole books on the small real model, in every method, killed on the way and gone on with.

Takes hours on two cores, so it runs by name only, and piece by piece: `LDA_BENCH_RUNS=frankenstein:scm,moby-dick:scm`
measures these and keeps the others as they were measured before, in `real_books.json`. What an earlier run recorded is
found again.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
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
_MEASURED = Path(__file__).with_suffix(".json")
_KILLS = (0.2, 0.5, 0.8)
"""At which shares of the calls that were estimated the process is killed."""
_POLL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a book in a method; `revision` is the commit it was measured at."""

    calls: int
    read: int
    written: int
    killed: int
    repeated: int
    words: int
    gaps: int
    model: str
    date: str
    revision: str


def run() -> BenchmarkTable:
    """Summarize each book that is asked for in each method, and show all that were ever measured."""
    asked = [name for name in os.environ.get("LDA_BENCH_RUNS", "").split(",") if name]
    measured = _measured()
    for path in _BOOKS:
        for method in _METHODS:
            name = f"{path.stem}:{method}"
            if not asked or name in asked:
                measured[name] = _outcome(path, method)
                _MEASURED.write_text(json.dumps({one: asdict(it) for one, it in measured.items()}, indent=2) + "\n")
    wanted = [f"{path.stem}:{method}" for path in _BOOKS for method in _METHODS]
    rows = [_row(name, measured.get(name)) for name in wanted]
    passed = all(name in measured and measured[name].repeated == 0 and measured[name].words > 0 for name in wanted)
    columns = ("book", "method", "calls", "read", "written", "killed", "calls repeated", "words", "gaps", "measured")
    how = (
        f"Whole books by SmolLM2-135M, embedded, {_WORDS} words asked for. The process is killed (SIGKILL) when a "
        "fifth, half and four fifths of its calls are recorded, and the same command is run again. Target: every run "
        "ends with a summary, and no call is made twice."
    )
    return BenchmarkTable("Whole books on the small real model", how, columns, rows, passed)


def _measured() -> dict[str, _Outcome]:
    if not _MEASURED.exists():
        return {}
    return {name: _Outcome(**found) for name, found in json.loads(_MEASURED.read_text()).items()}


def _row(name: str, outcome: _Outcome | None) -> list[str]:
    book, method = name.split(":")
    if outcome is None:
        return [book, method, "not measured", *[""] * 7]
    return [
        book,
        method,
        f"{outcome.calls:,}",
        f"{outcome.read:,}",
        f"{outcome.written:,}",
        f"{outcome.killed} times",
        str(outcome.repeated),
        str(outcome.words),
        str(outcome.gaps),
        f"{outcome.date}, {outcome.revision}, {outcome.model}",
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
    summary = json.loads(done.stdout)["results"][0]["summary"]
    read, written = _query(record, "select sum(prompt_tokens), sum(completion_tokens) from calls")[0]
    outcome = _Outcome(
        calls=_calls(record),
        read=read,
        written=written,
        killed=kills,
        repeated=len(_query(record, "select key from calls group by key having count(*) > 1")),
        words=summary["words"],
        gaps=len(summary["gaps"]),
        model=Path(_MODEL).name,
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        revision=_revision(),
    )
    print(f"{path.name}, {method}: {outcome}", flush=True)
    return outcome


def _revision() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


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
