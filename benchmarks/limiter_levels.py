"""The adaptive limiter, told nothing, against the best fixed number of calls at once, on simulated servers.

Runs in this process on a clock that jumps: quick, and the same every time.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.simulated_gpu.core import Job
from benchmarks.simulated_gpu.engine import SimulatedEngine
from benchmarks.simulated_gpu.faults import Refusals
from benchmarks.simulated_gpu.settings import GpuSettings
from benchmarks.simulated_gpu.virtual_time import run_in_virtual_time
from benchmarks.table import BenchmarkTable
from longdoc.engines.engine import CompletionRequest, Message
from longdoc.engines.limiter import AdaptiveLimiter, LimitedEngine
from longdoc.engines.retry import RetryingEngine

_LEAST_STEADY = 0.9
_LEVELS = (1, 2, 3, 4, 5, 6, 8, 12, 16, 20, 24, 32, 48, 64, 80, 96, 128, 192, 256, 384, 512, 576, 768, 1024)
_SEARCHED_SHARE = 0.5
_ATTEMPTS, _SWEEP_ATTEMPTS = 5, 100
_REQUEST = CompletionRequest((Message("user", "summarize"),), max_tokens=512)


@dataclass(frozen=True, slots=True)
class _Work:
    """A kind of calls: bounds of their prompts and answers, in tokens."""

    name: str
    prompt: tuple[int, int]
    answer: tuple[int, int]

    def jobs(self, count: int) -> list[Job]:
        """The same jobs every time."""
        chance = random.Random(count)
        return [Job(chance.randint(*self.prompt), chance.randint(*self.answer)) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class _Server:
    """A server to search the level of, and how many calls the job has."""

    name: str
    sequences: int
    work: _Work
    calls: int
    refusals: Refusals = field(default_factory=Refusals)


@dataclass(frozen=True, slots=True)
class _Course:
    """How a job went: when each call ended, the levels that the limiter had, and calls that were refused."""

    ends: Sequence[float]
    levels: Sequence[int]
    refused: int

    @property
    def seconds(self) -> float:
        return self.ends[-1]

    @property
    def steady(self) -> float:
        """Calls a second after the first half of the calls, without the tail in which places stay empty."""
        first = int(len(self.ends) * _SEARCHED_SHARE)
        last = len(self.ends) - max(2, min(self.levels[-1], len(self.ends) // 4))
        return (last - first) / (self.ends[last] - self.ends[first])


_READING = _Work("reading", (1500, 2500), (120, 250))
_WRITING = _Work("writing", (100, 300), (200, 600))
_SERVERS = (
    _Server("4 sequences", 4, _READING, 600),
    _Server("4 sequences", 4, _WRITING, 600),
    _Server("64 sequences", 64, _READING, 3000),
    _Server("64 sequences", 64, _WRITING, 3000),
    _Server("512 sequences", 512, _READING, 12_000),
    _Server("512 sequences", 512, _WRITING, 12_000),
    _Server("429 above 16", 256, _WRITING, 2000, Refusals(above=16)),
    _Server("429 above 16, Retry-After 1 s", 256, _WRITING, 2000, Refusals(above=16, retry_after=1.0)),
)


def run() -> BenchmarkTable:
    """Sweep each server, then let the limiter search."""
    rows: list[list[str]] = []
    passed = True
    for server in _SERVERS:
        best_level, best = _sweep(server)
        found = _course(server, fixed=None)
        steady = found.steady / best.steady
        passed = passed and steady >= _LEAST_STEADY
        rows.append(_row(server, best_level, found, steady=steady, whole=best.seconds / found.seconds))
    how = (
        "The simulated GPU takes the calls of one job; *reading* has prompts of about 2,000 tokens and answers of "
        "about 185, *writing* prompts of about 200 and answers of about 400. The best fixed number of calls at once "
        f"is the quickest of {len(_LEVELS)} from 1 to {_LEVELS[-1]}. The limiter is told nothing and starts small. "
        "*Steady* compares calls a second in the second half of the calls, *whole job* the time for all of them, the "
        "search included (work a second of the limiter over that of the best fixed number). Target: steady at least "
        f"{_LEAST_STEADY}."
    )
    columns = ("server", "work", "calls", "best fixed", "limiter, last levels", "refused", "steady", "whole job")
    return BenchmarkTable("Levels that the limiter finds", how, columns, rows, passed)


def _row(server: _Server, best_level: int, found: _Course, *, steady: float, whole: float) -> list[str]:
    late = found.levels[int(len(found.levels) * _SEARCHED_SHARE) :]
    return [
        server.name,
        server.work.name,
        f"{server.calls:,}",
        str(best_level),
        f"{min(late)} to {max(late)}",
        str(found.refused),
        f"{steady:.3f}",
        f"{whole:.3f}",
    ]


def _sweep(server: _Server) -> tuple[int, _Course]:
    """The fixed level that ends the job first."""
    most = server.refusals.above or server.sequences
    levels = [level for level in _LEVELS if level <= 2 * most]
    courses = {level: _course(server, fixed=level) for level in levels}
    best = min(levels, key=lambda level: courses[level].seconds)
    return best, courses[best]


def _course(server: _Server, *, fixed: int | None) -> _Course:
    return run_in_virtual_time(_calls(server, fixed=fixed))


async def _calls(server: _Server, *, fixed: int | None) -> _Course:
    jobs = iter(server.work.jobs(server.calls))
    adapter = SimulatedEngine(
        GpuSettings(sequences=server.sequences), job=lambda _: next(jobs), refusals=server.refusals
    )
    limiter = AdaptiveLimiter(fixed=fixed)
    retrying = RetryingEngine(
        adapter,
        attempts=_ATTEMPTS if fixed is None else _SWEEP_ATTEMPTS,
        jitter=random.Random(7).random,
        on_backoff=limiter.on_backoff,
    )
    engine = LimitedEngine(retrying, limiter)
    ends: list[float] = []
    levels: list[int] = []

    async def call() -> None:
        await engine.complete(_REQUEST)
        ends.append(asyncio.get_running_loop().time())
        levels.append(limiter.level)

    async with asyncio.TaskGroup() as group:
        for _ in range(server.calls):
            group.create_task(call())
    return _Course(ends, levels, adapter.refused)
