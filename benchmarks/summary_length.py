"""How well summaries keep the length asked for, with the small real model, which does not keep any by itself."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks.table import BenchmarkTable
from longdoc.agents.sentences import count_words
from longdoc.app.bootstrap import Workspace, open_workspace
from longdoc.app.summaries import SummaryOptions, summarize
from longdoc.config import load_settings
from longdoc.documents.document import Document
from longdoc.documents.readers import read_document
from longdoc.engines.budget import Budget

_BOOKS = (
    Path("examples/novella.epub"),
    Path("../shared/data/books/idpf/georgia-cfi.epub"),
    Path("../shared/data/books/developers-reference/developers-reference.epub"),
)
_TARGETS = (100, 150, 200, 300, 450, 600, 900, 1300, 2000, 3000)
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
"""A catalogue name or a GGUF file: 8-bit weights of the same model are read twice as fast as its 4-bit ones."""
_RECORD = Path(".cache/benchmarks/summary_length.db")
_MOST_MEAN, _MOST = 0.1, 0.2


@dataclass(frozen=True, slots=True)
class _Length:
    """A summary's length beside what was asked for; `calls` of its run, recorded ones included."""

    asked: int
    words: int
    calls: int

    @property
    def error(self) -> float:
        return abs(self.words - self.asked) / self.asked


def run() -> BenchmarkTable:
    """Summarize each book that is there to each length. What an earlier, interrupted run made is found again."""
    rows: list[list[str]] = []
    lengths: list[_Length] = []
    for path in _BOOKS:
        if not path.exists():
            rows.append([path.name, "skipped: the folder of shared data is absent", *[""] * len(_TARGETS)])
            continue
        found = asyncio.run(_lengths(path))
        lengths += found
        rows.append([path.name, *(f"{length.words:,} ({length.error:.1%})" for length in found), _sum(found)])
    worst = max(length.error for length in lengths)
    average = mean(length.error for length in lengths)
    rows.append(["all", *[""] * len(_TARGETS), f"mean {average:.1%}, worst {worst:.1%}"])
    columns = ["book", *(f"{target:,} words" for target in _TARGETS), "calls"]
    passed = average < _MOST_MEAN and worst <= _MOST
    return BenchmarkTable("Length of summaries", _how(), columns, rows, passed)


def _how() -> str:
    return (
        f"Summaries by {Path(_MODEL).name} (135 million parameters, embedded), which repeats itself and keeps no "
        "length; what is measured is how the rules around it hold one. Segments of 2,048 tokens. Words made and the "
        f"error, for each length asked for. Targets: mean error under {_MOST_MEAN:.0%}, none over {_MOST:.0%}."
    )


def _sum(lengths: list[_Length]) -> str:
    return f"{sum(length.calls for length in lengths):,}"


async def _lengths(path: Path) -> list[_Length]:
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    settings = load_settings({"engine": "embedded", "model": _MODEL, "database": str(_RECORD)})
    async with open_workspace(settings, budget=Budget(), notify=_ignore, progress=_ignore) as workspace:
        document = read_document(path)
        return [await _length(workspace, document, target) for target in _TARGETS]


async def _length(workspace: Workspace, document: Document, words: int) -> _Length:
    options = SummaryOptions(method="hierarchical", words=words, sources=False)
    result = await summarize(workspace, document, options, fresh=False, emit=_ignore)
    length = _Length(words, count_words(result.summary.text), result.usage.calls + result.usage.recorded)
    print(f"{document.source}: {length.words} of {words} words, {result.usage.calls} calls made", flush=True)
    return length


def _ignore(*heard: object) -> None:
    del heard
