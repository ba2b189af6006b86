"""Measures of personalization as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.cli.compare_output import NamedTable
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat
from longdoc.evaluation.lamp_report import LampReport
from longdoc.evaluation.lamp_tables import COLD_TERMS, COST_TERMS, TERMS, tables_of
from longdoc.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class LampOutput:
    """A report, to be shown."""

    report: LampReport
    source: str = "lamp"

    @property
    def gaps(self) -> bool:
        """Whether a question was not answered."""
        return bool(self.report.failures)

    @property
    def failures(self) -> Sequence[str]:
        """What failed."""
        return self.report.failures

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms the figures hold."""
        settings = "; ".join(f"{name}: {value}" for name, value in self.report.settings.items())
        cold = [COLD_TERMS] * any(part.cold_users for part in self.report.parts)
        return [TERMS, COST_TERMS, *cold, settings, *self.report.remarks]

    @property
    def tables(self) -> Sequence[NamedTable]:
        """The tables of each set."""
        return [
            NamedTable(one.title, one.columns, one.rows)
            for part in self.report.parts
            for one in tables_of(part, self.report.compared)
        ]

    def text(self, form: OutputFormat) -> str:
        """As Markdown, or plain text."""
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
        return self.report.to_json()
