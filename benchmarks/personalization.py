"""What a user's summary and items are worth, and how near a refresh comes to the engine.

Made users are read without a model, by a reader that uses what it is shown and nothing else; a thousand summaries are
made on the simulated GPU. What a real model makes of commit titles takes hours: it is read from the JSON of
`lda eval lamp`, and what was measured last is kept in `personalization.json`.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, Field, TypeAdapter

from benchmarks.simulated_gpu.core import Job
from benchmarks.simulated_gpu.ideal import ideal_schedule, seconds_of
from benchmarks.simulated_gpu.process import server_process
from benchmarks.simulated_gpu.settings import GpuSettings
from benchmarks.table import BenchmarkTable
from longdoc.agents.events import CallStarted, Event, NodeDone
from longdoc.agents.profile_tasks import Metric
from longdoc.app.bootstrap import Workspace, open_records, open_workspace, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.app.profile_evaluation import LampOptions, evaluate_profiles
from longdoc.app.profile_refresh import RefreshOptions, refresh
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.scripted import ScriptedEngine
from longdoc.evaluation.lamp_metrics import LESS_IS_BETTER
from longdoc.evaluation.lamp_reader import read_planted
from longdoc.evaluation.lamp_report import NO_PROFILE, LampFigures, LampPart
from longdoc.evaluation.planted_users import planted_set, planted_sets
from longdoc.storage.profile_types import NewItem

_GIVEN = "LDA_BENCH_LAMP"
"""Names the JSON file of a run on commit titles."""
_MEASURED = Path(__file__).with_suffix(".json")
_USERS, _REFRESHED = 50, 1_000
_TASK = "lamp-4"
_LEAST_SHARE = 0.9
_SEQUENCES = 256
_BOTH, _ITEMS = "summary, k=1", "bm25, k=4"
_COLUMNS = ("set", "system", "asked", "metric", "score", "gain", "cold start", "without profile", "prompt tokens")
_NONE = "-"


class _Estimate(BaseModel):
    """A value of a report."""

    value: float
    low: float | None = None
    high: float | None = None


class _System(BaseModel):
    """The figures of a system in a report."""

    system: str
    questions: int
    prompt_tokens: float
    scores: dict[str, _Estimate]
    gains: dict[str, _Estimate]
    cold: dict[str, float]
    cold_without_profile: dict[str, float]


class _Part(BaseModel):
    """A set in a report."""

    name: str
    figures: list[_System]
    difference: dict[str, _Estimate] | None = None


class _Report(BaseModel):
    """What is kept of a report; `measured` says with which model and when."""

    settings: dict[str, str]
    parts: list[_Part]
    measured: str = ""


class _Envelope(BaseModel):
    results: list[_Report] = Field(min_length=1)


class _Recorded(BaseModel):
    """A call as the simulated server did it."""

    prompt_tokens: int
    answer_tokens: int
    blocks: tuple[int, ...]


@dataclass(slots=True)
class _Clock:
    """When the first call was sent, and when the last summary was stored, in wall seconds."""

    first_call: float = 0.0
    last_node: float = 0.0

    def hear(self, event: Event) -> None:
        if isinstance(event, CallStarted) and not self.first_call:
            self.first_call = time.perf_counter()
        if isinstance(event, NodeDone):
            self.last_node = time.perf_counter()


@dataclass(frozen=True, slots=True)
class _Refreshed:
    """What a refresh took, in seconds, and what its calls would have taken at best."""

    summaries: int
    prompt_tokens: int
    answer_tokens: int
    seconds: float
    ideal: float

    @property
    def share(self) -> float:
        return self.ideal / self.seconds


@dataclass(slots=True)
class _Unwatched:
    """A view that shows nothing."""

    heard: int = field(default=0)

    def __enter__(self) -> _Unwatched:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace

    def emit(self, event: Event) -> None:
        del event
        self.heard += 1

    def finish(self, run_id: str, usage: object) -> None:
        del run_id, usage


def run(*, users: int = _USERS, refreshed: int = _REFRESHED, measured: Path = _MEASURED) -> BenchmarkTable:
    """Read made users, refresh, and show what was measured on commit titles."""
    parts = asyncio.run(_planted(users))
    took = asyncio.run(_refresh(refreshed))
    kept = _kept(measured)
    rows = [row for part in parts for row in _planted_rows(part)]
    rows += [row for part in (kept.parts if kept else []) for row in _kept_rows(part)]
    passed = took.share >= _LEAST_SHARE and all(map(_holds, parts))
    return BenchmarkTable("Personalization", _how(users, took, kept), _COLUMNS, rows, passed)


def _how(users: int, took: _Refreshed, kept: _Report | None) -> str:
    titles = (
        f"commit titles (`lda eval lamp`): {kept.measured}"
        if kept
        else f"commit titles were not measured yet: name the JSON of `lda eval lamp` in {_GIVEN}"
    )
    return (
        f"Planted: {users} made users for each task whose preference is known, and three newcomers for every ten of "
        "them with no item, one, two; four of five items follow the preference. They are read without a model, by a "
        "reader that uses the summary and items that it is shown and nothing else, so the figures tell what reaches a "
        "reader, not what a model makes of it. Scores of all questions with 95 % intervals over users; gain: over no "
        "profile, positive is better. Targets: with the summary and one item at least the score of four items, on "
        "every task, and newcomers no worse than without a profile. Refresh: "
        f"{took.summaries:,} summaries over HTTP on a simulated 8-billion-parameter model on one H100 "
        f"({took.prompt_tokens:,} tokens read, {took.answer_tokens:,} written), the record on disk, from the first "
        f"call to the last summary stored: {took.seconds:.1f} s; the same calls all sent at once to an idle engine: "
        f"{took.ideal:.1f} s, which is {took.share:.3f} of ours (target: at least {_LEAST_SHARE}). {titles}."
    )


async def _planted(users: int) -> list[LampPart]:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"engine": "scripted", "database": str(Path(folder) / "record.db")})
        async with open_records(settings) as records:
            engine = wrap_engine(ScriptedEngine(read_planted), settings, Budget())
            workspace = Workspace(records, engine, LateEmbedder(_hashed, notify=_ignore))
            report = await evaluate_profiles(
                workspace, planted_sets(users), LampOptions(), watch=lambda title: _Unwatched()
            )
    return list(report.parts)


async def _hashed() -> EmbedderChoice:
    return EmbedderChoice(HashedEmbedder(), "hashed")


def _holds(part: LampPart) -> bool:
    """Whether both targets are met on one task."""
    figures = {one.system: one for one in part.figures()}
    enough = all(
        _better(metric, figures[_BOTH].scores[metric].value) >= _better(metric, figures[_ITEMS].scores[metric].value)
        for metric in part.task.metrics
    )
    cold = figures[_BOTH]
    return enough and all(
        _better(metric, cold.cold[metric]) >= _better(metric, cold.cold_without[metric]) for metric in cold.cold
    )


def _better(metric: Metric, value: float) -> float:
    return -value if metric in LESS_IS_BETTER else value


def _planted_rows(part: LampPart) -> Iterator[list[str]]:
    for one in part.figures():
        if one.system in {NO_PROFILE, "bm25, k=1", _ITEMS, "summary", _BOTH} or not one.prompt_tokens:
            yield _planted_row(part, one)


def _planted_row(part: LampPart, one: LampFigures) -> list[str]:
    metric = part.task.metrics[0]
    score, gain = one.scores[metric], one.gains.get(metric)
    return [
        part.name,
        one.system,
        f"{one.questions:,}",
        metric.value,
        _cell(score.value, score.interval),
        _NONE if gain is None else _cell(gain.value, gain.interval, sign="+"),
        f"{one.cold[metric]:.3f}" if one.cold else _NONE,
        f"{one.cold_without[metric]:.3f}" if one.cold_without else _NONE,
        f"{one.prompt_tokens:,.0f}",
    ]


def _kept_rows(part: _Part) -> Iterator[list[str]]:
    for one in part.figures:
        for metric, score in one.scores.items():
            gain = one.gains.get(metric)
            cold = [cold.get(metric) for cold in (one.cold, one.cold_without_profile)]
            yield [
                part.name,
                one.system,
                f"{one.questions:,}",
                metric,
                _estimate_cell(score),
                _NONE if gain is None else _estimate_cell(gain, sign="+"),
                *(_NONE if value is None else f"{value:.3f}" for value in cold),
                f"{one.prompt_tokens:,.0f}",
            ]
    for metric, found in (part.difference or {}).items():
        head = [part.name, f"{_BOTH}, over {_ITEMS}", "", metric, "", _estimate_cell(found, sign="+")]
        yield [*head, _NONE, _NONE, ""]


def _estimate_cell(one: _Estimate, *, sign: str = "") -> str:
    interval = None if one.low is None or one.high is None else (one.low, one.high)
    return _cell(one.value, interval, sign=sign)


def _cell(value: float, interval: tuple[float, float] | None, *, sign: str = "") -> str:
    return f"{value:{sign}.3f}" + (f" [{interval[0]:{sign}.3f}, {interval[1]:{sign}.3f}]" if interval else "")


def _kept(measured: Path) -> _Report | None:
    """The report that is given, kept from now on; else the one that was kept."""
    if given := os.environ.get(_GIVEN):
        report = _Envelope.model_validate_json(Path(given).read_bytes()).results[0]
        settings: Mapping[str, str] = report.settings
        told = "; ".join(f"{name}: {value}" for name, value in settings.items())
        report = report.model_copy(update={"measured": f"{told}; {datetime.now(UTC):%Y-%m-%d}"})
        measured.write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return report
    return _Report.model_validate_json(measured.read_bytes()) if measured.exists() else None


async def _refresh(users: int) -> _Refreshed:
    clock = _Clock()
    options = ("--sequences", str(_SEQUENCES), "--record")
    with tempfile.TemporaryDirectory() as folder, server_process(*options) as base_url:
        async with _opened(Path(folder), base_url) as workspace:
            planted = planted_set(_TASK, users)
            profiles = workspace.records.profiles
            tenant = await profiles.tenant("benchmark")
            items: Sequence[tuple[str, NewItem]] = [
                (user.name, item) for user in planted.users() for item in user.items
            ]
            await profiles.put(tenant.id, items)
            tasks = {_TASK: planted.task}
            report = await refresh(workspace, tenant, tasks, RefreshOptions(), emit=clock.hear)
        jobs = await _jobs(base_url)
    if report.made != users or report.failed or len(jobs) != users:
        raise RuntimeError(f"the refresh was not a clean one: {report.made} made in {len(jobs)} calls")
    return _Refreshed(
        users,
        sum(job.prompt_tokens for job in jobs),
        sum(job.answer_tokens for job in jobs),
        clock.last_node - clock.first_call,
        seconds_of(ideal_schedule(GpuSettings(sequences=_SEQUENCES), jobs)),
    )


@asynccontextmanager
async def _opened(folder: Path, base_url: str) -> AsyncGenerator[Workspace, None]:
    record = str(folder / "record.db")
    given = {"engine": "openai", "base_url": base_url, "database": record, "embedding_model": "hashed"}
    async with open_workspace(load_settings(given), budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
        yield workspace


async def _jobs(base_url: str) -> list[Job]:
    parts = urlsplit(base_url)
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(urlunsplit((parts.scheme, parts.netloc, "/record", "", "")))
    rows = TypeAdapter(list[_Recorded]).validate_json(reply.content)
    return [Job(row.prompt_tokens, row.answer_tokens, row.blocks) for row in rows]


def _ignore(*heard: object) -> None:
    del heard
