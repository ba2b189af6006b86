"""The whole pipeline against a simulated GPU in another process, compared with the best any client could do.

The ideal is worked out afterwards by the same simulation: the calls that were really made, with their real tokens,
each submitted the moment that the plan allows, on an otherwise idle engine.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import BaseModel, TypeAdapter

from benchmarks.simulated_gpu.core import Job
from benchmarks.simulated_gpu.ideal import ideal_schedule, seconds_of
from benchmarks.simulated_gpu.process import server_process
from benchmarks.simulated_gpu.settings import GpuSettings
from benchmarks.table import BenchmarkTable
from longdoc.agents.events import CallStarted, Event, NodeDone
from longdoc.agents.hierarchical import HierarchicalSummarizer
from longdoc.agents.hierarchical_plan import MergeContext
from longdoc.agents.incremental import IncrementalSummarizer
from longdoc.agents.scm import ScmSummarizer
from longdoc.agents.summary import SummaryTask
from longdoc.agents.tree_plan import PlannedNode
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.segmentation import segments_of
from longdoc.app.summaries import SummaryOptions, SummaryResult, summarize
from longdoc.config import load_settings
from longdoc.documents.document import Document
from longdoc.documents.readers import read_document
from longdoc.engines.budget import Budget

_NOVELS = Path("../shared/data/books/standardebooks")
_BOOKS = (Path("examples/novella.epub"), _NOVELS / "frankenstein.epub", _NOVELS / "war-and-peace.epub")
_LEAST_LEVEL_0, _LEAST_WHOLE, _LEAST_CHAIN = 0.95, 0.9, 1 / 1.1
_SEQUENCES = 256


@dataclass(frozen=True, slots=True)
class _Way:
    """A way of summarizing; `time_scale` is engine seconds in one of ours: chains take long, and little of ours."""

    name: str
    options: SummaryOptions
    least_whole: float
    least_level_0: float | None = None
    time_scale: float = 1.0


_WAYS = (
    _Way("hierarchical", SummaryOptions(method="hierarchical", sources=False), _LEAST_WHOLE, _LEAST_LEVEL_0),
    _Way(
        "hierarchical, each merge told of the merge before",
        SummaryOptions(method="hierarchical", merge_context=MergeContext.PREVIOUS, sources=False),
        _LEAST_WHOLE,
        _LEAST_LEVEL_0,
    ),
    _Way("incremental", SummaryOptions(method="incremental", sources=False), _LEAST_CHAIN, time_scale=16.0),
    _Way("scm", SummaryOptions(method="scm", sources=False), _LEAST_CHAIN, time_scale=16.0),
)


class _Recorded(BaseModel):
    """A call as the simulated server did it."""

    answer: str
    prompt_tokens: int
    answer_tokens: int
    cached_tokens: int
    blocks: tuple[int, ...]


@dataclass(slots=True)
class _Clock:
    """When what happened, in wall seconds: the first call sent, each level 0 node and each node stored."""

    started: float = field(default_factory=time.perf_counter)
    first_call: float = 0.0
    last_leaf: float = 0.0
    last_node: float = 0.0

    def hear(self, event: Event) -> None:
        now = time.perf_counter()
        if isinstance(event, CallStarted) and not self.first_call:
            self.first_call = now
        if isinstance(event, NodeDone):
            self.last_node = now
            if event.level == 0:
                self.last_leaf = now


@dataclass(frozen=True, slots=True)
class _Measured:
    """What one book took, in engine seconds; `before` the first call in wall seconds.

    `level_0_ideal` is when level 0 ends in the ideal whole run, `level_0_alone` what its calls take without merges.
    """

    book: str
    way: _Way
    jobs: Sequence[Job]
    leaves: int
    level_0: float
    level_0_ideal: float
    level_0_alone: float
    whole: float
    whole_ideal: float
    before: float

    @property
    def level_0_share(self) -> float:
        return self.level_0_ideal / self.level_0

    @property
    def whole_share(self) -> float:
        return self.whole_ideal / self.whole

    @property
    def passed(self) -> bool:
        level_0 = self.way.least_level_0 is None or self.level_0_share >= self.way.least_level_0
        return level_0 and self.whole_share >= self.way.least_whole


def run() -> BenchmarkTable:
    """Summarize each book that is there in each way."""
    rows: list[list[str]] = []
    passed = True
    for path in _BOOKS:
        if not path.exists():
            rows.append([path.name, "skipped: the folder of shared data is absent", *[""] * 11])
            continue
        for way in _WAYS:
            measured = asyncio.run(_measure(path, way))
            rows.append(_row(measured))
            passed = passed and measured.passed
    level_0 = (*_times("level 0"), "alone, s")
    columns = ("book", "way", "calls", "read", "written", *level_0, *_times("whole run"), "before, s")
    return BenchmarkTable("Efficiency on a simulated GPU", _how(), columns, rows, passed)


def _times(what: str) -> tuple[str, str, str]:
    return f"{what}, s", "ideal, s", "ideal / ours"


def _how() -> str:
    return (
        f"A server in another process simulates an 8-billion-parameter model on one H100 under vLLM with {_SEQUENCES} "
        "sequences; seconds of runs are by its clock, which runs as fast as ours, and sixteen times as fast for the "
        "incremental way and SCM. The books are summarized over HTTP with the ledger on disk and nothing configured "
        "but the address. *Level 0* is from our first call to the last level-0 summary stored, *whole run* from our "
        "first call to the last summary stored, both taken on our side; *before* is what lies before the first call "
        "(reading, saving, counting tokens over HTTP, cutting), in our seconds. *Ideal* is the same simulation given "
        "the calls that were made, with their tokens and shared beginnings, each submitted the moment that what it "
        "depends on is done: for level 0 when the last of its calls ends there, for the incremental way the sum of "
        "its chain. Merges of finished parts share the engine with level 0; *alone* is what the calls of level 0 would "
        "take if every merge waited for the last of them. SCM's memories are looked up by hashed words here. "
        "Targets for each book: level 0 at least "
        f"{_LEAST_LEVEL_0} of the ideal, the whole run at least {_LEAST_WHOLE} (hierarchical) and {_LEAST_CHAIN:.3f} "
        "(incremental, SCM)."
    )


def _row(m: _Measured) -> list[str]:
    level_0 = [f"{m.level_0:.2f}", f"{m.level_0_ideal:.2f}", f"{m.level_0_share:.3f}", f"{m.level_0_alone:.2f}"]
    return [
        m.book,
        m.way.name,
        f"{len(m.jobs)}" + (f" ({m.leaves} of level 0)" if m.way.least_level_0 else ""),
        f"{sum(job.prompt_tokens for job in m.jobs):,}",
        f"{sum(job.answer_tokens for job in m.jobs):,}",
        *(level_0 if m.way.least_level_0 else [""] * 4),
        f"{m.whole:.2f}",
        f"{m.whole_ideal:.2f}",
        f"{m.whole_share:.3f}",
        f"{m.before:.1f}",
    ]


async def _measure(path: Path, way: _Way) -> _Measured:
    options = ("--sequences", str(_SEQUENCES), "--time-scale", str(way.time_scale), "--record")
    with tempfile.TemporaryDirectory() as folder, server_process(*options) as base_url:
        settings = load_settings(
            {
                "engine": "openai",
                "base_url": base_url,
                "database": str(Path(folder) / "record.db"),
                "embedding_model": "hashed",
            }
        )
        async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
            clock = _Clock()
            document = read_document(path)
            result = await summarize(workspace, document, way.options, fresh=False, emit=clock.hear)
            if result.summary.gaps or result.summary.truncated or result.usage.retries:
                raise RuntimeError(f"{path.name}: the run was not a clean one")
            nodes = await _plan(workspace, document, way)
            jobs = await _jobs(workspace, result, nodes, await _record(base_url))
    return _compared(path.name, way, clock, nodes, jobs)


def _compared(book: str, way: _Way, clock: _Clock, nodes: Sequence[PlannedNode], jobs: Sequence[Job]) -> _Measured:
    gpu = GpuSettings(sequences=_SEQUENCES)
    leaves = [number for number, node in enumerate(nodes) if node.level == 0]
    ideal = ideal_schedule(gpu, jobs, [node.dependencies for node in nodes])
    return _Measured(
        book=book,
        way=way,
        jobs=jobs,
        leaves=len(leaves),
        level_0=(clock.last_leaf - clock.first_call) * way.time_scale,
        level_0_ideal=seconds_of([ideal[number] for number in leaves]),
        level_0_alone=seconds_of(ideal_schedule(gpu, [jobs[number] for number in leaves])),
        whole=(clock.last_node - clock.first_call) * way.time_scale,
        whole_ideal=seconds_of(ideal),
        before=clock.first_call - clock.started,
    )


async def _plan(workspace: Workspace, document: Document, way: _Way) -> Sequence[PlannedNode]:
    """The plan of the run, made again from the stored segments."""
    engine, nodes = workspace.engine, workspace.records.nodes
    method: HierarchicalSummarizer | IncrementalSummarizer | ScmSummarizer
    if way.options.method == "incremental":
        method = IncrementalSummarizer(engine, nodes)
    elif way.options.method == "scm":
        method = ScmSummarizer(engine, nodes, workspace.embedder)
    else:
        method = HierarchicalSummarizer(engine, nodes, context=way.options.merge_context)
    limit = method.segment_limit(engine.info.context_window)
    segments = await segments_of(workspace, document, limit=limit, run=None)
    return method.plan(SummaryTask(document, segments)).nodes


async def _jobs(
    workspace: Workspace, result: SummaryResult, nodes: Sequence[PlannedNode], record: Mapping[str, _Recorded]
) -> list[Job]:
    """For each node the call that made it: what the server did, checked against our own ledger."""
    jobs: list[Job] = []
    for node in nodes:
        (call_id,) = await workspace.records.nodes.calls(f"{result.run_id}.{node.number}")
        completion = (await workspace.records.ledger.call(call_id)).completion
        done = record[completion.text]
        usage = completion.usage
        if (usage.prompt_tokens, usage.completion_tokens) != (done.prompt_tokens, done.answer_tokens):
            raise RuntimeError("the ledger and the server disagree on the tokens of a call")
        jobs.append(Job(done.prompt_tokens, done.answer_tokens, done.blocks))
    if len(jobs) != len(record):
        raise RuntimeError(f"the server answered {len(record)} calls, the run needed {len(jobs)}")
    return jobs


async def _record(base_url: str) -> Mapping[str, _Recorded]:
    parts = urlsplit(base_url)
    async with httpx.AsyncClient(trust_env=False) as client:
        reply = await client.get(urlunsplit((parts.scheme, parts.netloc, "/record", "", "")))
    rows = TypeAdapter(list[_Recorded]).validate_json(reply.content)
    return {row.answer: row for row in rows}


def _ignore(*heard: object) -> None:
    del heard
