"""Comparisons of memory policies as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from longdoc.cli.compare_output import NamedTable
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat
from longdoc.evaluation.memory_report import KS, MemoryReport, PolicyFigures
from longdoc.json_value import JsonValue

_NONE = "-"
_COLUMNS = ("policy", "budget", "recall", "in full", "tokens", "judge calls", "gated out", "ms")
_ANSWERED = ("exact", "F1")
_JUDGED = ("right", "unjudged")
_NUMBERS = frozenset({"gold", "also", "candidates", "ranked", "kept", "full"})
_TERMS = (
    "recall: share of the turns with the evidence that stand in the prompt (in full: not as a summary); tokens: of "
    "memories in the prompt, on average; judge calls: about memories; gated out: questions for which nothing was "
    "recalled; ms: median, with the embedding of the question and calls about memories that were not recorded; right: "
    "share of the answers that the model marks as right by the reference, without those it gave no mark (unjudged)"
)


@dataclass(frozen=True, slots=True)
class MemoryReportOutput:
    """A comparison, to be shown."""

    report: MemoryReport
    source: str = "memory"

    @property
    def gaps(self) -> bool:
        """Whether a trial failed."""
        return bool(self.report.failures)

    @property
    def failures(self) -> Sequence[str]:
        """What failed."""
        return [
            f"{one.dialogue}, {one.question}, {one.policy} at {one.budget}: {one.failure}"
            for one in self.report.failures
        ]

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms the figures hold."""
        settings = "; ".join(f"{name}: {value}" for name, value in self.report.settings.items())
        return [_TERMS, settings, *self.report.remarks]

    @property
    def tables(self) -> Sequence[NamedTable]:
        """All questions, then each kind of them."""
        kinds = self.report.kinds if len(self.report.kinds) > 1 else []
        found = [self._table("all questions", self.report.figures()), self._ranked()]
        return [*found, *(self._table(kind, self.report.figures(kind=kind)) for kind in kinds)]

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        parts = [f"# {self.report.title}"]
        for table in self.tables:
            parts += [f"## {table.title}", "\n".join(markdown_table(table.columns, table.rows))]
        parts.append("\n".join(f"- {remark}" for remark in self.remarks))
        if self.failures:
            parts.append("\n".join(["Failed:", *(f"- {failure}" for failure in self.failures)]))
        return "\n\n".join(parts)

    def json(self) -> JsonValue:
        """As a value for programs."""
        report = self.report
        trials: list[JsonValue] = [
            {name: list(map(int, value)) if name in _NUMBERS else value for name, value in asdict(trial).items()}
            for trial in report.trials
        ]
        return {
            "title": report.title,
            "settings": dict(report.settings),
            "remarks": list(report.remarks),
            "figures": [one.to_json() for one in report.figures()],
            "by_kind": {kind: [one.to_json() for one in report.figures(kind=kind)] for kind in report.kinds},
            "trials": trials,
        }

    def _ranked(self) -> NamedTable:
        """What is among the best ranked, whatever fits; the same at every budget but for how many are looked at."""
        rows = [
            [one.policy, f"{one.budget:,}", *(_share(one.recall_at[k]) for k in KS), _share(one.recall_candidates)]
            for one in self.report.figures()
        ]
        columns = ["policy", "budget", *(f"@{k}" for k in KS), "of candidates"]
        return NamedTable("recall at k, by rank and before fitting", columns, rows)

    def _table(self, title: str, figures: Sequence[PolicyFigures]) -> NamedTable:
        answered = any(one.f1 is not None for one in figures)
        judged = any(one.right is not None or one.unjudged for one in figures)
        columns = (*_COLUMNS, *(_ANSWERED if answered else ()), *(_JUDGED if judged else ()))
        rows = [
            [
                one.policy,
                f"{one.budget:,}",
                _share(one.recall),
                _share(one.recall_full),
                f"{one.tokens:,.0f}",
                f"{one.judge_calls:.1f}",
                f"{one.refused}",
                f"{one.seconds * 1000:.0f}",
                *([_share(one.exact), _share(one.f1)] if answered else []),
                *([_share(one.right), str(one.unjudged)] if judged else []),
            ]
            for one in figures
        ]
        cases = max((one.cases for one in figures), default=0)
        return NamedTable(f"{title} ({cases})", columns, rows)


def _share(value: float | None) -> str:
    return _NONE if value is None else f"{value:.1%}"
