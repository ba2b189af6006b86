"""What strategies find of needles and passkeys in long texts, by the JSON of `lda eval needle` and `lda eval passkey`.

Reads the runs that it is given, else makes small ones. A model scores thousands of segments for it, which takes hours
on two cores, so it runs by name only; what an earlier run recorded is found again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from benchmarks.table import BenchmarkTable
from longdoc.evaluation.question_report import CaseShare

_GIVEN = "LDA_BENCH_NEEDLES"
"""Names the JSON files to be read, parted as in PATH."""
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
"""A catalogue name or a GGUF file."""
_LENGTHS = os.environ.get("LDA_BENCH_LENGTHS", "8k,64k")
_DEPTHS = os.environ.get("LDA_BENCH_DEPTHS", "11")
_EACH = os.environ.get("LDA_BENCH_EACH", "1")
"""The size of what is made here: tokens of the texts, depths, and cases of each kind at each depth."""
_SOURCE = Path("../shared/data/books/standardebooks/war-and-peace.epub")
_RECORD = Path(".cache/benchmarks/needle_recall.db")
_COMMANDS = ("needle", "passkey")
_STRATEGIES = "lexical,dense,retrieve,cascade,random,head and tail"
_KS = ("1", "4", "16", "64")
_BUDGETS = ("1024", "4096")
_BUDGET = "4096"
_LEAST = 0.95
_CASCADE = "cascade:"
_RIVALS = ("lexical", "dense")
_COLUMNS = (
    "texts",
    "tokens",
    "strategy",
    "cases",
    *(f"@{k}" for k in _KS),
    *(f"within {int(budget):,}" for budget in _BUDGETS),
    "MRR",
)


class _Share(BaseModel):
    hits: float


class _Cell(BaseModel):
    """Figures of a strategy; those of one kind, length and depth are the ones that are added up here."""

    strategy: str
    kind: str | None
    length: int | None
    depth: float | None
    cases: int
    recall: dict[str, _Share] | None
    within: dict[str, _Share] | None
    mrr: float | None


class _Report(BaseModel):
    title: str
    settings: dict[str, str]
    selection: list[_Cell]


class _Envelope(BaseModel):
    results: list[_Report]


@dataclass(slots=True)
class _Sum:
    """Cases of a strategy, and how many of them are found among the best, and within budgets."""

    cases: int = 0
    found: dict[str, float] = field(default_factory=dict[str, float])
    within: dict[str, float] = field(default_factory=dict[str, float])
    ranks: float = 0.0

    def add(self, cell: _Cell) -> None:
        """Count a cell, where the strategy was tried on all of it."""
        if cell.recall is None or cell.within is None or cell.mrr is None:
            return
        self.cases += cell.cases
        self.ranks += cell.mrr * cell.cases
        for hits, shares in ((self.found, cell.recall), (self.within, cell.within)):
            for name, share in shares.items():
                hits[name] = hits.get(name, 0.0) + share.hits

    def cells(self) -> list[str]:
        """As cells of the table."""
        found = [_percent(self.found.get(k), self.cases) for k in _KS]
        within = [_percent(self.within.get(budget), self.cases) for budget in _BUDGETS]
        return [str(self.cases), *found, *within, f"{self.ranks / self.cases:.3f}"]

    @property
    def rate(self) -> float:
        """The share that is found within the budget that counts."""
        return self.within[_BUDGET] / self.cases


def run(*, engine: str = "embedded", source: Path = _SOURCE, record: Path = _RECORD) -> BenchmarkTable:
    """Add up the runs named in `LDA_BENCH_NEEDLES`, or those that are made here."""
    title = "Needles in long texts"
    given = [Path(name) for name in os.environ.get(_GIVEN, "").split(os.pathsep) if name]
    if not given and not source.exists():
        skipped = [["all", "skipped: the folder of shared data is absent", *[""] * (len(_COLUMNS) - 2)]]
        return BenchmarkTable(title, "", _COLUMNS, skipped, passed=True)
    texts = [path.read_text(encoding="utf-8") for path in given]
    texts = texts or [_made(command, engine, source, record) for command in _COMMANDS]
    reports = [report for text in texts for report in _Envelope.model_validate_json(text).results]
    together = _summed(reports)
    most = max(together[name].cases for name in _RIVALS if name in together)
    compared = {name: total for name, total in together.items() if total.cases == most}
    modes = [name for name in compared if name.startswith(_CASCADE)]
    best = max(modes, key=lambda name: compared[name].rate, default=None)
    rows = [*_rows(reports), *(["all", "all", name, *_told(compared.get(name))] for name in together)]
    return BenchmarkTable(title, _how(reports, best), _COLUMNS, rows, _is_passed(compared, best))


def _how(reports: Sequence[_Report], best: str | None) -> str:
    terms = dict.fromkeys(f"{name}: {value}" for report in reports for name, value in report.settings.items())
    return (
        "Invented facts and five-digit numbers planted in books, at depths from beginning to end; every strategy "
        "selects segments for the same questions. `@k`: all needles of a question lie whole in one of the k best "
        "segments each; `within`: in what so many tokens hold; in brackets 95% intervals (Wilson). Over all texts only "
        f"those are told that were tried on every case. {'; '.join(terms)}. Target, of all cases: `cascade` in its "
        f"best mode ({best or 'none was tried on all'}) finds at least {_LEAST:.0%} within {int(_BUDGET):,} tokens, "
        f"and no less than {' and '.join(_RIVALS)}."
    )


def _is_passed(compared: Mapping[str, _Sum], best: str | None) -> bool:
    if best is None or not set(_RIVALS) <= compared.keys():
        return False
    return compared[best].rate >= max(_LEAST, *(compared[name].rate for name in _RIVALS))


def _rows(reports: Sequence[_Report]) -> list[list[str]]:
    """A row for each strategy at each length of each run."""
    found: dict[tuple[str, int, str], _Sum] = {}
    for report in reports:
        for cell in _cells(report):
            found.setdefault((report.title, cell.length or 0, cell.strategy), _Sum()).add(cell)
    return [[title, f"{length:,}", strategy, *_told(total)] for (title, length, strategy), total in found.items()]


def _summed(reports: Sequence[_Report]) -> dict[str, _Sum]:
    """All cases of each strategy."""
    found: dict[str, _Sum] = {}
    for report in reports:
        for cell in _cells(report):
            found.setdefault(cell.strategy, _Sum()).add(cell)
    return found


def _cells(report: _Report) -> list[_Cell]:
    """The finest cells, shorter texts first."""
    cells = [one for one in report.selection if None not in (one.kind, one.depth, one.length)]
    return sorted(cells, key=lambda cell: cell.length or 0)


def _told(total: _Sum | None) -> list[str]:
    return ["-"] * (len(_COLUMNS) - 3) if total is None or not total.cases else total.cells()


def _percent(hits: float | None, cases: int) -> str:
    if hits is None:
        return "-"
    share = CaseShare(hits, cases)
    low, high = share.interval
    return f"{share.rate:.1%} ({100 * low:.0f}-{100 * high:.0f})"


def _made(command: str, engine: str, source: Path, record: Path) -> str:
    """What a run prints as JSON, made now."""
    record.parent.mkdir(parents=True, exist_ok=True)
    asked = ["--lengths", _LENGTHS, "--depths", _DEPTHS, "--each", _EACH, "--strategies", _STRATEGIES]
    model = ["--engine", engine, "--model", _MODEL, "--database", str(record)]
    line = [sys.executable, "-m", "longdoc", "eval", command, str(source), *asked, *model]
    done = subprocess.run([*line, "--json"], capture_output=True, check=False)
    if done.returncode not in {0, 3}:
        raise RuntimeError(f"eval {command}: {done.stderr.decode()[-500:]}")
    return done.stdout.decode()
