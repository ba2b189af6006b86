"""The adaptive limiter against the best fixed number of calls at once, on simulated servers.

Runs in this process on a clock that jumps: quick, and the same every time.
"""

from __future__ import annotations

import asyncio
import random
import statistics
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
_SEEDS = (1, 2, 3, 4, 5)
_ATTEMPTS, _SWEEP_ATTEMPTS = 5, 100
_REQUEST = CompletionRequest((Message("user", "summarize"),), max_tokens=512)


@dataclass(frozen=True, slots=True)
class _Work:
    """A kind of calls: bounds of their prompts and answers, in tokens."""

    name: str
    prompt: tuple[int, int]
    answer: tuple[int, int]

    def jobs(self, count: int, *, seed: int) -> list[Job]:
        """The same jobs for the same seed."""
        chance = random.Random(seed)
        return [Job(chance.randint(*self.prompt), chance.randint(*self.answer)) for _ in range(count)]


@dataclass(frozen=True, slots=True)
class _Server:
    """A server to search the level of, how many calls the job has, and what the limiter is told of it."""

    name: str
    sequences: int
    work: _Work
    calls: int
    refusals: Refusals = field(default_factory=Refusals)
    told: int | None = None


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
    _Server("256 sequences, told so", 256, _READING, 6000, told=256),
    _Server("64 sequences, told 256", 64, _WRITING, 3000, told=256),
    _Server("429 above 16", 256, _WRITING, 2000, Refusals(above=16)),
    _Server("429 above 16, Retry-After 1 s", 256, _WRITING, 2000, Refusals(above=16, retry_after=1.0)),
)


@dataclass(frozen=True, slots=True)
class _Compared:
    """The limiter's courses of one server, and how each compares with the best fixed level on the same job."""

    best_level: int
    courses: Sequence[_Course]
    steady: Sequence[float]
    whole: Sequence[float]


def run() -> BenchmarkTable:
    """Sweep each server, then let the limiter search, on several jobs."""
    rows: list[list[str]] = []
    passed = True
    for server in _SERVERS:
        compared = _compare(server)
        passed = passed and min(compared.steady) >= _LEAST_STEADY
        rows.append(_row(server, compared))
    how = (
        "The simulated GPU takes the calls of one job; *reading* has prompts of about 2,000 tokens and answers of "
        "about 185, *writing* prompts of about 200 and answers of about 400. The best fixed number of calls at once "
        f"is the quickest of up to {len(_LEVELS)} between 1 and {_LEVELS[-1]}. The limiter is told nothing, and starts "
        "small, but where the row says so. *Steady* compares calls a second in the second half of the calls, *whole "
        "job* the speed over all of them, the search included; both are the limiter's over that of the best fixed "
        f"number, the worst and the median of {len(_SEEDS)} jobs. Target: steady at least {_LEAST_STEADY} in each."
    )
    columns = ("server", "work", "calls", "best fixed", "limiter, second half", "refused", "steady", "whole job")
    return BenchmarkTable("Levels that the limiter finds", how, columns, rows, passed)


def _row(server: _Server, compared: _Compared) -> list[str]:
    late = [level for course in compared.courses for level in course.levels[int(server.calls * _SEARCHED_SHARE) :]]
    return [
        server.name,
        server.work.name,
        f"{server.calls:,}",
        str(compared.best_level),
        f"{min(late)} to {max(late)}",
        str(max(course.refused for course in compared.courses)),
        _worst_and_median(compared.steady),
        _worst_and_median(compared.whole),
    ]


def _worst_and_median(shares: Sequence[float]) -> str:
    return f"{min(shares):.3f}, {statistics.median(shares):.3f}"


def _compare(server: _Server) -> _Compared:
    best_level = _sweep(server)
    courses = [_course(server, seed, fixed=None) for seed in _SEEDS]
    best = [_course(server, seed, fixed=best_level) for seed in _SEEDS]
    return _Compared(
        best_level,
        courses,
        [ours.steady / theirs.steady for ours, theirs in zip(courses, best, strict=True)],
        [theirs.seconds / ours.seconds for ours, theirs in zip(courses, best, strict=True)],
    )


def _sweep(server: _Server) -> int:
    """The fixed level that ends the first job first."""
    most = server.refusals.above or server.sequences
    levels = [level for level in _LEVELS if level <= 2 * most]
    return min(levels, key=lambda level: _course(server, _SEEDS[0], fixed=level).seconds)


def _course(server: _Server, seed: int, *, fixed: int | None) -> _Course:
    return run_in_virtual_time(_calls(server, seed, fixed=fixed))


async def _calls(server: _Server, seed: int, *, fixed: int | None) -> _Course:
    jobs = iter(server.work.jobs(server.calls, seed=seed))
    adapter = SimulatedEngine(
        GpuSettings(sequences=server.sequences), job=lambda _: next(jobs), refusals=server.refusals
    )
    limiter = AdaptiveLimiter(slots=server.told, fixed=fixed)
    retrying = RetryingEngine(
        adapter,
        attempts=_ATTEMPTS if fixed is None else _SWEEP_ATTEMPTS,
        jitter=random.Random(seed).random,
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
