"""What strategies find of needles and passkeys in long texts, by the JSON of `lda eval needle`.

Reads the runs that it is given, else makes a small one, and keeps what others measured before, in `needle_recall.json`.
A model scores thousands of segments for it, which takes hours on two cores, so it runs by name only, a length or a mode
at a time; what an earlier run recorded is found again.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, TypeAdapter

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
_MEASURED = Path(__file__).with_suffix(".json")
_KINDS = "passkey,plain,bridge,decoys,paraphrase"
_STRATEGIES = "lexical,dense,retrieve,cascade,random,head and tail"
_KS = ("1", "4", "16", "64")
_BUDGETS = ("1024", "4096", "8192")
_K = "16"
"""Segments that count: with 512 tokens each they fill the window of the small model, 8,192."""
_LEAST = 0.95
_CASCADE = "cascade:"
_RIVALS = ("lexical", "dense")
_MEANT = "paraphrase"
"""The kind that shares no word with its question."""


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


class _Sum(BaseModel):
    """Cases of a strategy, and how many of them are found among the best, and within budgets."""

    cases: int = 0
    found: dict[str, float] = {}
    within: dict[str, float] = {}
    ranks: float = 0.0

    def add(self, other: _Sum) -> None:
        """Count other cases too."""
        self.cases += other.cases
        self.ranks += other.ranks
        for hits, more in ((self.found, other.found), (self.within, other.within)):
            for name, count in more.items():
                hits[name] = hits.get(name, 0.0) + count

    @property
    def rate(self) -> float:
        """The share that is found among the segments that count; 0 of nothing."""
        return self.found.get(_K, 0.0) / self.cases if self.cases else 0.0


class _Trial(BaseModel):
    """What a strategy found in texts of one length, by kind, in which run."""

    length: int
    strategy: str
    kinds: dict[str, _Sum] = {}
    terms: list[str] = []

    @property
    def all(self) -> _Sum:
        """All kinds together."""
        return self.but("")

    def but(self, kind: str) -> _Sum:
        """All kinds but one."""
        found = _Sum()
        for name, total in self.kinds.items():
            if name != kind:
                found.add(total)
        return found

    def add(self, kinds: Mapping[str, _Sum]) -> None:
        """Count other cases too."""
        for kind, total in kinds.items():
            self.kinds.setdefault(kind, _Sum()).add(total)

    def row(self, kinds: Sequence[str]) -> list[str]:
        """As cells of the table."""
        total = self.all
        return [
            self.strategy,
            str(total.cases),
            *(_share(self.kinds.get(kind)) for kind in kinds),
            *(_percent(total.within.get(budget), total.cases) for budget in _BUDGETS),
            *(_percent(total.found.get(k), total.cases, interval=False) for k in _KS),
            f"{total.ranks / total.cases:.3f}",
        ]


_TRIALS = TypeAdapter(list[_Trial])


def run(
    *, engine: str = "embedded", source: Path = _SOURCE, record: Path = _RECORD, measured: Path = _MEASURED
) -> BenchmarkTable:
    """Take in the runs named in `LDA_BENCH_NEEDLES`, or one that is made here, and show all that were ever measured."""
    title = "Needles in long texts"
    given = [Path(name) for name in os.environ.get(_GIVEN, "").split(os.pathsep) if name]
    if not given and not source.exists():
        skipped = [["all", "skipped: the folder of shared data is absent", *[""] * (len(_columns([])) - 2)]]
        return BenchmarkTable(title, "", _columns([]), skipped, passed=True)
    texts = [path.read_text(encoding="utf-8") for path in given] or [_made(engine, source, record)]
    kept = _TRIALS.validate_json(measured.read_bytes()) if measured.exists() else []
    trials = {(one.length, one.strategy): one for one in kept}
    for text in texts:
        for report in _Envelope.model_validate_json(text).results:
            trials |= {(one.length, one.strategy): one for one in _trials(report)}
    found = sorted(trials.values(), key=lambda one: one.length)
    measured.write_bytes(_TRIALS.dump_json(found, indent=1))
    return _table(title, found)


def _trials(report: _Report) -> list[_Trial]:
    """What was measured in a run; cells of what a strategy was not tried on are left out."""
    now = f"measured: {datetime.now(UTC):%Y-%m-%d}"
    terms = [report.title, *(f"{name}: {value}" for name, value in report.settings.items()), now]
    found: dict[tuple[int, str], _Trial] = {}
    for cell in report.selection:
        if None in (cell.kind, cell.depth, cell.length, cell.recall, cell.within, cell.mrr):
            continue
        length, kind = cell.length or 0, cell.kind or ""
        hits = [{name: share.hits for name, share in (told or {}).items()} for told in (cell.recall, cell.within)]
        counted = _Sum(cases=cell.cases, found=hits[0], within=hits[1], ranks=(cell.mrr or 0.0) * cell.cases)
        trial = found.setdefault((length, cell.strategy), _Trial(length=length, strategy=cell.strategy, terms=terms))
        trial.add({kind: counted})
    return list(found.values())


def _table(title: str, trials: Sequence[_Trial]) -> BenchmarkTable:
    kinds = list(dict.fromkeys(kind for trial in trials for kind in trial.kinds))
    by_length: dict[str, dict[str, _Trial]] = {}
    together: dict[str, _Trial] = {}
    for trial in trials:
        by_length.setdefault(f"{trial.length:,}", {})[trial.strategy] = trial
        together.setdefault(trial.strategy, _Trial(length=0, strategy=trial.strategy)).add(trial.kinds)
    groups = {name: _compared(found) for name, found in {**by_length, "all": together}.items()}
    compared = groups["all"]
    modes = [name for name in compared if name.startswith(_CASCADE)]
    best = max(modes, key=lambda name: compared[name].all.rate, default=None)
    rows = [[tokens, *one.row(kinds)] for tokens, group in groups.items() for one in group.values()]
    passed = best is not None and _is_passed(compared, best)
    return BenchmarkTable(title, _how(trials, compared, best), _columns(kinds), rows, passed)


def _compared(found: Mapping[str, _Trial]) -> dict[str, _Trial]:
    """The strategies that were tried on every case."""
    most = max((one.all.cases for one in found.values()), default=0)
    return {name: one for name, one in found.items() if one.all.cases == most > 0}


def _columns(kinds: Sequence[str]) -> list[str]:
    within = [f"within {int(budget):,}" for budget in _BUDGETS]
    return ["tokens", "strategy", "cases", *kinds, *within, *(f"@{k}" for k in _KS), "MRR"]


def _how(trials: Sequence[_Trial], compared: Mapping[str, _Trial], best: str | None) -> str:
    terms = dict.fromkeys(term for trial in trials for term in trial.terms)
    return (
        f"Invented facts and five-digit numbers planted at depths from beginning to end; every strategy "
        f"selects segments for the same questions. By kind: the share whose needles are all among the {_K} best "
        "segments; of all kinds: whole within budgets of tokens, with 95% intervals (Wilson), and among the k best "
        f"segments (`@k`). Only those are told that were tried on every case. {'; '.join(terms)}. Target, of "
        f"all cases: `cascade` in its best mode ({best or 'none was tried on all'}) finds at least {_LEAST:.0%} "
        f"among {_K} segments, as many as the window of a model of 8,192 tokens holds, and no less than "
        f"{' and '.join(_RIVALS)}.{_limit(compared, best)}"
    )


def _limit(compared: Mapping[str, _Trial], best: str | None) -> str:
    """What stands in the way, in figures."""
    if best is None or _MEANT not in compared[best].kinds:
        return ""
    found = compared[best]
    meant = found.kinds[_MEANT]
    return (
        f" It finds {found.all.rate:.1%}: {found.but(_MEANT).rate:.1%} of all kinds but {_MEANT}, which shares no word "
        f"with its question, and {meant.rate:.1%} of these."
    )


def _is_passed(compared: Mapping[str, _Trial], best: str) -> bool:
    if not set(_RIVALS) <= compared.keys():
        return False
    return compared[best].all.rate >= max(_LEAST, *(compared[name].all.rate for name in _RIVALS))


def _share(total: _Sum | None) -> str:
    return "-" if total is None or not total.cases else _percent(total.found.get(_K), total.cases, interval=False)


def _percent(hits: float | None, cases: int, *, interval: bool = True) -> str:
    if hits is None:
        return "-"
    share = CaseShare(hits, cases)
    low, high = share.interval
    return f"{share.rate:.1%} ({100 * low:.0f}-{100 * high:.0f})" if interval else f"{share.rate:.1%}"


def _made(engine: str, source: Path, record: Path) -> str:
    """What a run prints as JSON, made now."""
    record.parent.mkdir(parents=True, exist_ok=True)
    size = ["--lengths", _LENGTHS, "--depths", _DEPTHS, "--each", _EACH]
    asked = [*size, "--kinds", _KINDS, "--strategies", _STRATEGIES, "--budgets", ",".join(_BUDGETS)]
    model = ["--engine", engine, "--model", _MODEL, "--database", str(record)]
    line = [sys.executable, "-m", "longdoc", "eval", "needle", str(source), *asked, *model]
    done = subprocess.run([*line, "--json"], capture_output=True, check=False)
    if done.returncode not in {0, 3}:
        raise RuntimeError(f"eval needle: {done.stderr.decode()[-500:]}")
    return done.stdout.decode()
