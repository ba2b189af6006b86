"""Measures of writing as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.cli.compare_output import NamedTable
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat
from longdoc.evaluation.writing_report import WritingReport
from longdoc.evaluation.writing_tables import (
    SCORE_COLUMNS,
    SCORE_TERMS,
    TEXT_COLUMNS,
    TEXT_TERMS,
    score_rows,
    text_rows,
)
from longdoc.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class WritingOutput:
    """A report, to be shown."""

    report: WritingReport
    source: str = "writing"

    @property
    def gaps(self) -> bool:
        """Whether a text was not written."""
        return bool(self.report.failures)

    @property
    def failures(self) -> Sequence[str]:
        """What failed."""
        return [f"{one.prompt}, {one.system}: {one.failure}" for one in self.report.failures]

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms the figures hold."""
        settings = "; ".join(f"{name}: {value}" for name, value in self.report.settings.items())
        return [SCORE_TERMS, TEXT_TERMS, settings, *self.report.remarks]

    @property
    def tables(self) -> Sequence[NamedTable]:
        """Scores and texts, of all prompts and of each bucket of lengths."""
        figures = [*self.report.figures()]
        if len(self.report.buckets) > 1:
            figures += [one for bucket in self.report.buckets for one in self.report.figures(bucket=bucket)]
        return [
            NamedTable("scores", SCORE_COLUMNS, score_rows(figures)),
            NamedTable("texts", TEXT_COLUMNS, text_rows(figures)),
        ]

    def text(self, form: OutputFormat) -> str:
        """As Markdown, or plain text."""
        del form
        parts = [f"# {self.report.title}"]
        for table in self.tables:
            parts += [f"## {table.title}", "\n".join(markdown_table(table.columns, table.rows, left=2))]
        parts.append("\n".join(f"- {remark}" for remark in self.remarks))
        if self.failures:
            parts.append("\n".join(["Failed:", *(f"- {failure}" for failure in self.failures)]))
        return "\n\n".join(parts)

    def json(self) -> JsonValue:
        """As a value for programs."""
        return self.report.to_json()
