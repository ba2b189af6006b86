"""Scoring every segment of twenty million tokens on a simulated GPU, compared with the best any client could do."""

from __future__ import annotations

import asyncio
import random
import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, TypeAdapter

from benchmarks.simulated_gpu.core import Job
from benchmarks.simulated_gpu.ideal import ideal_schedule, seconds_of
from benchmarks.simulated_gpu.process import server_process
from benchmarks.simulated_gpu.settings import GpuSettings
from benchmarks.table import BenchmarkTable
from longdoc.agents.events import Event, Scored
from longdoc.agents.relevance import RelevanceScorer, ScoringMode
from longdoc.app.bootstrap import open_workspace
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.prompts.catalogue import Quoted
from longdoc.storage.runs import RunRequest

_SEQUENCES = 256
_TIME_SCALE = 4.0
_SIZES = (9_750, 39_000)
_CHARACTERS = 2048
"""Of a segment: 512 tokens on the simulated model."""
_MOST_RATIO = 1.1
_QUESTION = "Who took the letter from the house by the river, and why was it never given back?"
_WORDS = (
    *("river", "stone", "letter", "morning", "garden", "silver", "winter"),
    *("captain", "window", "bridge", "market", "shadow", "father", "lantern"),
)


class _Recorded(BaseModel):
    """A call as the simulated server did it."""

    prompt_tokens: int
    answer_tokens: int
    blocks: tuple[int, ...]
    submitted: float
    finished: float


@dataclass(frozen=True, slots=True)
class _Measured:
    """Times in engine seconds; memory of our process in bytes."""

    segments: int
    tokens: int
    ours: float
    ideal: float
    memory: int

    @property
    def ratio(self) -> float:
        return self.ours / self.ideal


def run() -> BenchmarkTable:
    """Score so many segments, and four times as many."""
    found = [asyncio.run(_measure(size)) for size in _SIZES]
    growth = (found[1].ours / found[0].ours) / (found[1].segments / found[0].segments)
    rows = [
        [
            f"{m.segments:,}",
            f"{m.tokens:,}",
            f"{m.ours:.1f}",
            f"{m.ideal:.1f}",
            f"{m.ratio:.3f}",
            f"{m.memory / 2**20:.0f}",
        ]
        for m in found
    ]
    how = (
        "Every segment of a text is scored for one question (`label`), over HTTP, the ledger on disk, nothing "
        "configured but the address; the server simulates an 8-billion-parameter model on one H100 with "
        f"{_SEQUENCES} sequences, {_TIME_SCALE:g} times as fast as it would be. Seconds are of its clock, from the "
        "first call to the last score; the ideal is the same simulation given all calls at once. Memory is the most "
        f"that our process ever had. Target: at most {_MOST_RATIO} of the ideal; time four times as long for four "
        f"times as many segments (here {growth:.2f} of that)."
    )
    columns = ("segments", "tokens read", "ours, s", "ideal, s", "ours / ideal", "memory, MiB")
    passed = found[-1].ratio <= _MOST_RATIO and growth <= _MOST_RATIO
    return BenchmarkTable("Scoring every segment (XL3M) on a simulated GPU", how, columns, rows, passed)


async def _measure(size: int) -> _Measured:
    options = ("--sequences", str(_SEQUENCES), "--time-scale", str(_TIME_SCALE), "--record")
    with tempfile.TemporaryDirectory() as folder, server_process(*options) as base_url:
        settings = load_settings(
            {"engine": "openai", "base_url": base_url, "database": str(Path(folder) / "record.db")}
        )
        async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
            request = RunRequest("ask", "efficiency", (), {"segments": size}, workspace.engine.info.identity)
            run = await workspace.records.runs.start(request)
            engine = workspace.recorded_engine(run.id, fresh_since=None)
            clock = _Clock()
            scorer = RelevanceScorer(engine, ScoringMode.LABEL)
            await scorer.score(_QUESTION, _segments(size), emit=clock.hear)
            jobs = await _jobs(base_url)
    ideal = seconds_of(ideal_schedule(GpuSettings(sequences=_SEQUENCES), jobs))
    tokens = sum(job.prompt_tokens for job in jobs)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return _Measured(size, tokens, clock.seconds * _TIME_SCALE, ideal, memory)


def _segments(size: int) -> list[Quoted]:
    chance = random.Random(7)
    texts = (" ".join(chance.choices(_WORDS, k=_CHARACTERS // 6))[:_CHARACTERS] for _ in range(size))
    return [Quoted(text, {"segment": number}) for number, text in enumerate(texts)]


class _Clock:
    """Wall seconds from the first call to the last score."""

    def __init__(self) -> None:
        self._first = 0.0
        self.seconds = 0.0

    def hear(self, event: Event) -> None:
        now = time.perf_counter()
        self._first = self._first or now
        if isinstance(event, Scored):
            self.seconds = now - self._first


async def _jobs(base_url: str) -> list[Job]:
    parts = urlsplit(base_url)
    async with httpx.AsyncClient(trust_env=False, timeout=300.0) as client:
        reply = await client.get(urlunsplit((parts.scheme, parts.netloc, "/record", "", "")))
    rows = TypeAdapter(list[_Recorded]).validate_json(reply.content)
    rows.sort(key=lambda row: row.submitted)
    return [Job(row.prompt_tokens, row.answer_tokens, row.blocks) for row in rows]


def _ignore(*heard: object) -> None:
    del heard
