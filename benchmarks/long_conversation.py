"""A conversation of 500 turns on the small real model, killed ten times: nothing lost, and as fast at its end as early
on."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.table import BenchmarkTable

_TURNS = int(os.environ.get("LDA_BENCH_TURNS", "500"))
_KILLS = 10
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
_RECORD = Path(".cache/benchmarks/long_conversation.db")
_MEMORY_TOKENS, _ANSWER_TOKENS = 400, 64
_MOST_GROWTH = 1.25
_PATIENCE = 1800.0
_THINGS = ("boat", "letter", "lamp", "clock", "garden", "violin", "map", "dog", "stove", "coat")
_PLACES = ("Bergen", "Lisbon", "Cork", "Riga", "Ghent", "Malmö", "Turin", "Graz", "Nantes", "Split")


@dataclass(frozen=True, slots=True)
class _Turn:
    """A turn as it was stored: tokens of its prompt, and seconds before and during the call."""

    number: int
    said: str
    response: str
    prompt: int
    before: float
    seconds: float


def run() -> BenchmarkTable:
    """Talk, kill, go on; what an earlier, interrupted run said is not said again."""
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    messages = _messages()
    acknowledged: dict[int, str] = {}
    lost = 0
    for kill in range(1, _KILLS + 1):
        _talk(messages, until=len(messages) * kill // (_KILLS + 1))
        now = {turn.number: turn.response for turn in _turns()}
        lost += sum(now.get(number) != response for number, response in acknowledged.items())
        acknowledged = now
    _talk(messages, until=None)
    turns = _turns()
    lost += sum(turn.response != acknowledged[turn.number] for turn in turns if turn.number in acknowledged)
    doubled = len(turns) - len({turn.said for turn in turns})
    complete = [turn.said for turn in turns] == messages
    early, late = turns[len(turns) // 5 : 2 * len(turns) // 5], turns[-len(turns) // 5 :]
    growth = {
        "prompt tokens": _ratio(early, late, "prompt"),
        "seconds before the engine is asked": _ratio(early, late, "before"),
        "seconds of the call": _ratio(early, late, "seconds"),
    }
    rows = [
        ["turns", f"{len(turns):,} of {len(messages):,}", ""],
        [f"acknowledged turns lost in {_KILLS} kills", str(lost), "0"],
        ["turns doubled", str(doubled), "0"],
        ["longest prompt", f"{max(turn.prompt for turn in turns):,} tokens", ""],
        ["before the engine is asked, median", f"{statistics.median(t.before for t in turns) * 1000:.0f} ms", ""],
        *([f"{name}, last fifth to second fifth", f"{value:.2f}", f"{_MOST_GROWTH}"] for name, value in growth.items()),
    ]
    flat = growth["prompt tokens"] <= _MOST_GROWTH and growth["seconds of the call"] <= _MOST_GROWTH
    passed = complete and lost == doubled == 0 and flat
    return BenchmarkTable("A long conversation", _how(), ["what", "measured", "target"], rows, passed)


def _how() -> str:
    return (
        f"{_TURNS} messages of a scripted user to {Path(_MODEL).name} (embedded), memories of at most {_MEMORY_TOKENS} "
        f"tokens, answers of at most {_ANSWER_TOKENS}; SIGKILL at {_KILLS} moments, same command again. Ratios of "
        "medians."
    )


def _messages() -> list[str]:
    """Facts, and questions about facts that were told long before."""
    told = [
        f"Day {number}: my {_THINGS[number % 10]} is now in {_PLACES[(number * 7) % 10]}." for number in range(_TURNS)
    ]
    return [
        f"Where did I say my {_THINGS[(number // 5) % 10]} was on day {number // 5}?" if number % 5 == 4 else one
        for number, one in enumerate(told)
    ]


def _talk(messages: Sequence[str], *, until: int | None) -> None:
    """Say all messages, or stop the process when so many are answered. Raises where it fails by itself."""
    if until is not None and len(_turns()) >= until:
        return
    command = [
        *(sys.executable, "-m", "longdoc", "chat", "--key", "all", "--quiet", "--engine", "embedded"),
        *("--model", _MODEL, "--database", str(_RECORD), "--policy", "auto"),
        *("--memory-tokens", str(_MEMORY_TOKENS), "--answer-tokens", str(_ANSWER_TOKENS)),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stdin is not None
        process.stdin.write("\n".join(messages))
        process.stdin.close()
        deadline = time.monotonic() + _PATIENCE
        while process.poll() is None and (until is None or len(_turns()) < until):
            time.sleep(0.2)
            if time.monotonic() > deadline:
                process.kill()
                raise TimeoutError(f"{len(_turns())} of {until or len(messages)} turns after {_PATIENCE:.0f} s")
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            print(f"killed after {len(_turns())} turns", flush=True)
        elif process.returncode not in {0, 3}:
            raise RuntimeError(f"lda chat ended with {process.returncode}")


def _turns() -> list[_Turn]:
    """The turns that were acknowledged."""
    if not _RECORD.exists():
        return []
    with closing(sqlite3.connect(f"{_RECORD.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'memory_decisions'").fetchone():
            return []
        rows = connection.execute(
            "SELECT number, observation, response, payload, source FROM memories JOIN memory_decisions "
            "USING (namespace_id, number) WHERE status IN ('done', 'cut') ORDER BY number"
        ).fetchall()
        seconds = dict(connection.execute("SELECT id, seconds FROM calls").fetchall())
    return [_turn(row, seconds) for row in rows]


def _turn(row: tuple[int, str, str, str, str], seconds: dict[int, float]) -> _Turn:
    number, said, response, payload, source = row
    decision, calls = json.loads(payload), json.loads(source).get("calls", [])
    return _Turn(
        number,
        said,
        response,
        decision["account"]["prompt"],
        decision["before_asking_seconds"],
        sum(seconds[call] for call in calls),
    )


def _ratio(early: Sequence[_Turn], late: Sequence[_Turn], name: str) -> float:
    before, after = (statistics.median(float(getattr(turn, name)) for turn in some) for some in (early, late))
    return after / before if before else 1.0
