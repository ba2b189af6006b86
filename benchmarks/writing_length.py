"""Whether lengths hold on prompts that ask for one, by the JSON of `lda eval writing` on the small real model.

Reads the runs that it is given, else makes a small one, and keeps what others measured before, in
`writing_length.json`: all prompts take hours on two cores, so it runs by name only, a bucket or a few at a time.
What is measured of a prompt again takes the place of what was.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean

from pydantic import BaseModel, TypeAdapter

from benchmarks.table import BenchmarkTable
from longdoc.evaluation.writing_prompts import bucket_of, read_longwriter
from longdoc.evaluation.writing_scores import length_score

_GIVEN = "LDA_BENCH_WRITTEN"
"""Names the JSON files to be read, parted as in PATH."""
_MODEL = os.environ.get("LDA_BENCH_MODEL", "smollm2-135m")
_WORDS = os.environ.get("LDA_BENCH_WORDS", "499")
"""The most words of prompts that are made here."""
_FOLDER = Path("../shared/data/writing/longwriter")
_SETS = {"LongBench-Write (even rows)": "longbench_write.even", "LongWrite-Ruler": "longwrite_ruler"}
_RECORD = Path(".cache/benchmarks/writing_length.db")
_MEASURED = Path(__file__).with_suffix(".json")
_LONGDOC = "longdoc"
_LEAST_MEAN, _LEAST_BUCKET = 95.0, 90.0
_COLUMNS = ("set", "words asked", "prompts", "tried", "failed", "S_l", "least", "off by", "repeated across sections")


class _Result(BaseModel):
    """What was written for a prompt."""

    prompt: str
    system: str
    asked: int | None
    written: int
    words: int
    failure: str | None
    repetition_across: float | None
    completion_tokens: int
    measured: str = ""

    @property
    def score(self) -> float:
        return 0.0 if self.failure is not None else length_score(self.asked or 1, self.written)


class _Report(BaseModel):
    settings: dict[str, str]
    results: list[_Result]


class _Envelope(BaseModel):
    results: list[_Report]


_RESULTS = TypeAdapter(list[_Result])


def run(*, folder: Path = _FOLDER, measured: Path = _MEASURED) -> BenchmarkTable:
    """Take in the runs named in `LDA_BENCH_WRITTEN`, or one that is made here, and show all that were ever measured."""
    title = "Lengths of long texts"
    if not folder.exists():
        skipped = [["all", "skipped: the folder of shared data is absent", *[""] * (len(_COLUMNS) - 2)]]
        return BenchmarkTable(title, "", _COLUMNS, skipped, passed=True)
    given = [Path(name) for name in os.environ.get(_GIVEN, "").split(os.pathsep) if name]
    texts = [path.read_text(encoding="utf-8") for path in given] or [_made(folder)]
    kept = {one.prompt: one for one in (_RESULTS.validate_json(measured.read_bytes()) if measured.exists() else [])}
    now = f"{datetime.now(UTC):%Y-%m-%d}"
    for text in texts:
        for report in _Envelope.model_validate_json(text).results:
            told = f"{report.settings.get('model', '')}, {now}"
            kept |= {
                one.prompt: one.model_copy(update={"measured": told})
                for one in report.results
                if one.system == _LONGDOC
            }
    found = sorted(kept.values(), key=lambda one: one.prompt)
    measured.write_bytes(_RESULTS.dump_json(found, indent=1))
    return _table(title, folder, kept)


def _table(title: str, folder: Path, kept: dict[str, _Result]) -> BenchmarkTable:
    rows: list[list[str]] = []
    passed = True
    for name, stem in _SETS.items():
        prompts = list(read_longwriter(folder / f"{stem}.jsonl"))
        groups: dict[str, list[str]] = {}
        for prompt in prompts:
            asked = prompt.asked or 0
            label = f"{asked:,}" if "ruler" in stem else str(bucket_of(asked))
            groups.setdefault(label, []).append(prompt.id)
        for label, ids in groups.items():
            tried = [kept[one] for one in ids if one in kept]
            rows.append(_row(name, label, len(ids), tried))
            passed = passed and len(tried) == len(ids) and _mean(tried) >= _LEAST_BUCKET
        everything = [kept[one.id] for one in prompts if one.id in kept]
        rows.append(_row(name, "all", len(prompts), everything))
        passed = passed and len(everything) == len(prompts) and _mean(everything) >= _LEAST_MEAN
    settings = "; ".join(sorted({one.measured for one in kept.values()}))
    how = (
        "`lda eval writing` with the small real model, embedded, the length taken from the prompt's own words. S_l is "
        "the length score of LongBench-Write (100: as many words as asked for; 0: none, a third, four times as many), "
        "by its own count of words; least: of a single prompt; off by: in shares of what was asked for, by our count; "
        "repeated: runs of four words of a section that stood in one before. Texts of so small a model say little. "
        f"Targets: a mean of {_LEAST_MEAN:g}, and {_LEAST_BUCKET:g} for every length, with every prompt tried. "
        f"{settings}"
    )
    return BenchmarkTable(title, how, _COLUMNS, rows, passed)


def _row(name: str, label: str, prompts: int, tried: Sequence[_Result]) -> list[str]:
    if not tried:
        return [name, label, str(prompts), "0", *["-"] * 5]
    again = [one.repetition_across for one in tried if one.repetition_across is not None]
    return [
        name,
        label,
        str(prompts),
        str(len(tried)),
        str(sum(one.failure is not None for one in tried)),
        f"{_mean(tried):.1f}",
        f"{min(one.score for one in tried):.1f}",
        f"{fmean(abs(one.words - (one.asked or 1)) / (one.asked or 1) for one in tried):.1%}",
        f"{fmean(again):.1%}" if again else "-",
    ]


def _mean(results: Iterable[_Result]) -> float:
    scores = [one.score for one in results]
    return fmean(scores) if scores else 0.0


def _made(folder: Path) -> str:
    """What a run prints as JSON, made now."""
    _RECORD.parent.mkdir(parents=True, exist_ok=True)
    prompts = folder / f"{next(iter(_SETS.values()))}.jsonl"
    model = ["--engine", "embedded", "--model", _MODEL, "--database", str(_RECORD)]
    line = [sys.executable, "-m", "longdoc", "eval", "writing", str(prompts), "--most-words", _WORDS, *model, "--json"]
    done = subprocess.run(line, capture_output=True, check=False)
    if done.returncode not in {0, 3}:
        raise RuntimeError(f"eval writing: {done.stderr.decode()[-500:]}")
    return done.stdout.decode()
