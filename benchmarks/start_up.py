"""How long the command and the import take before anything happens."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.table import BenchmarkTable

_RUNS = 15
_CASES = {
    "python -c pass": (["-c", "pass"], None),
    "import longdoc": (["-c", "import longdoc"], 0.15),
    "lda --help": (["-m", "longdoc", "--help"], 0.3),
    "lda summarize --help": (["-m", "longdoc", "summarize", "--help"], None),
}


def run() -> BenchmarkTable:
    """Median of several starts; the interpreter's own start is shown and counted in."""
    rows: list[list[str]] = []
    passed = True
    for name, (arguments, target) in _CASES.items():
        seconds = statistics.median(_timed(arguments) for _ in range(_RUNS))
        passed = passed and (target is None or seconds < target)
        rows.append([name, f"{seconds:.3f}", "" if target is None else f"< {target}"])
    how = f"Wall seconds of a new process, median of {_RUNS}."
    return BenchmarkTable("Start-up", how, ("what", "seconds", "target"), rows, passed)


def _timed(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - started
