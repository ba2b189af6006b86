"""The job behind `lda eval needle`, `passkey`, `threads` and `tsort`: tried or estimated, shown, and drawn."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias, TypeVar

from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.app.question_answers import Answering, parse_answering
from longdoc.app.question_estimate import QuestionEstimate, StrategyEstimate
from longdoc.app.question_options import counted
from longdoc.app.strategies import AUTO, Strategy
from longdoc.cli.compare_output import NamedTable
from longdoc.cli.evaluation_job import EvaluationJob, TableOutput
from longdoc.cli.exits import ExitCode
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.options import RunOptions
from longdoc.cli.output import OutputFormat
from longdoc.cli.question_output import QuestionOutput
from longdoc.cli.render import notifier
from longdoc.engines.engine import Engine, EngineInfo, Usage
from longdoc.errors import ConfigError
from longdoc.evaluation.heat_map import draw_heat_map
from longdoc.evaluation.question_report import QuestionReport, answer_panels, selection_panels
from longdoc.json_value import JsonValue

Evaluate: TypeAlias = Callable[[Workspace, Watch], Awaitable[QuestionReport]]
Estimate: TypeAlias = Callable[[Engine], QuestionEstimate]

_Name = TypeVar("_Name", bound=StrEnum)
_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([kM]?)")
_SIZES = {"": 1, "k": 1_000, "M": 1_000_000}
_SHOWN_BUDGET = 4096


def parse_lengths(text: str) -> tuple[int, ...]:
    """Lengths in tokens, parted by commas: 8000, 8k, 1.5M. Raises `ConfigError`."""
    found = [(part, _LENGTH.fullmatch(part)) for part in _parts(text)]
    wrong = [part for part, match in found if match is None]
    if wrong or not found:
        raise ConfigError(f"{(wrong or [text])[0]!r} is no length; write lengths like 8k,512k,4M")
    return tuple(dict.fromkeys(round(float(match[1]) * _SIZES[match[2]]) for _, match in found if match))


def parse_numbers(text: str) -> tuple[int, ...]:
    """Numbers parted by commas, in rising order. Raises `ConfigError`."""
    return tuple(sorted(parse_lengths(text)))


def parse_names(text: str | None, known: type[_Name], thing: str) -> tuple[_Name, ...]:
    """Names parted by commas, all of them where none is given. Raises `ConfigError` for one that is not known."""
    if text is None:
        return tuple(known)
    names = _parts(text)
    unknown = [name for name in names if name not in set(known)]
    if unknown or not names:
        raise ConfigError(f"there is no {thing} {(unknown or [text])[0]!r}; choose from: {', '.join(known)}")
    return tuple(dict.fromkeys(known(name) for name in names))


def parse_answers(text: str | None) -> tuple[Answering, ...]:
    """Ways of answering parted by commas, such as retrieve,cascade:entropy; none without. Raises `ConfigError`."""
    if text is None:
        return ()
    found = tuple(dict.fromkeys(map(parse_answering, _parts(text))))
    if not found:
        raise ConfigError(f"name a strategy that answers: {', '.join([*Strategy, AUTO])}")
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass(frozen=True)
class QuestionJob:
    """What was asked for on the command line; `png` is where a heat map goes."""

    command: str
    estimate: Estimate
    evaluate: Evaluate
    run: RunOptions
    png: Path | None = None

    def start(self) -> ExitCode:
        """Evaluate, or say what that would take. Raises `ConfigError` at once for what cannot be written."""
        job = EvaluationJob(self.command, self.run)
        if self.png is not None:
            _check_drawing(self.png)
        return job.start(self._output)

    async def _output(self, workspace: Workspace, watch: Watch) -> TableOutput:
        if self.run.dry_run:
            return EstimateOutput(self.estimate(workspace.engine), workspace.engine.info)
        report = await self.evaluate(workspace, watch)
        if self.png is not None:
            for path in _draw(report, self.png):
                notifier(quiet=self.run.quiet)(f"heat map: {path}")
        return QuestionOutput(report)


@dataclass(frozen=True, slots=True)
class EstimateOutput:
    """What an evaluation would take on an engine, to be shown."""

    estimate: QuestionEstimate
    engine: EngineInfo
    gaps: bool = False
    failures: Sequence[str] = ()

    @property
    def source(self) -> str:
        """What it is of."""
        return self.estimate.title

    @property
    def tables(self) -> Sequence[NamedTable]:
        """The calls of each strategy."""
        rows = [
            [one.label, f"{one.calls:,}", f"{one.tokens:,}", f"${self._cost(one.tokens):.4f}"]
            for one in self.estimate.strategies
        ]
        return [NamedTable(self.estimate.title, ("strategy", "calls", "read", "cost"), rows)]

    @property
    def remarks(self) -> Sequence[str]:
        """How much there is of everything, and what is left out."""
        found = self.estimate
        texts = f" in {counted(found.texts, 'text')}" if found.texts else ""
        indexed = f": {found.segments:,} segments, of which {found.parts:,} parts are embedded"
        return [
            f"{counted(found.cases, 'case')}{texts} of {found.tokens:,} tokens{indexed if found.segments else ''}",
            "at most, where every answer is good at the first attempt; what strategies share is paid once",
            *found.remarks,
        ]

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        (only,) = self.tables
        remarks = "\n".join(f"- {remark}" for remark in self.remarks)
        return "\n\n".join([f"# {only.title}", "\n".join(markdown_table(only.columns, only.rows)), remarks])

    def json(self) -> JsonValue:
        """As a value for programs."""
        found = self.estimate
        return {
            "title": found.title,
            "engine": self.engine.identity,
            "cases": found.cases,
            "texts": found.texts,
            "tokens": found.tokens,
            "segments": found.segments,
            "parts": found.parts,
            "strategies": [self._strategy_json(one) for one in found.strategies],
            "remarks": list(found.remarks),
        }

    def _strategy_json(self, one: StrategyEstimate) -> JsonValue:
        return {"strategy": one.label, "calls": one.calls, "tokens": one.tokens, "cost": self._cost(one.tokens)}

    def _cost(self, tokens: int) -> float:
        return self.engine.cost(Usage(tokens, 0))


def _draw(report: QuestionReport, path: Path) -> Iterator[Path]:
    """Draw what was found, and beside it, where there are answers, how many are right; the files one by one."""
    budgets = list(report.selection[0].recall.within)
    budget = _SHOWN_BUDGET if _SHOWN_BUDGET in budgets else max(budgets)
    panels = [panel for panel in selection_panels(report.selection, budget=budget) if panel.cells]
    draw_heat_map(panels, path, title=report.title, measure=f"found within {budget:,} tokens,")
    yield path
    answers = [panel for panel in answer_panels(report.answers) if panel.cells]
    if answers:
        beside = path.with_stem(f"{path.stem}-answers")
        draw_heat_map(answers, beside, title=f"{report.title}: answers", measure="right answers")
        yield beside


def _check_drawing(path: Path) -> None:
    """Find out before anything is spent whether a picture can be drawn there. Raises `ConfigError`."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise ConfigError("drawing needs matplotlib; install it with: pip install 'longdoc[eval]'")
    if not path.parent.is_dir():
        raise ConfigError(f"there is no folder {path.parent} for {path.name}; choose another --png")
