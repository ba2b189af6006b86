"""What a benchmark gives: a title, how it was measured, rows, and whether targets are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BenchmarkTable:
    """One table of the benchmarks page. `passed` is False where a target is missed."""

    title: str
    how: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    passed: bool

    def markdown(self) -> str:
        """The table as a section of the page."""
        head = "| " + " | ".join(self.columns) + " |\n|" + "---|" * len(self.columns)
        body = "\n".join("| " + " | ".join(row) + " |" for row in self.rows)
        verdict = "Targets met." if self.passed else "**A target is missed.**"
        return f"## {self.title}\n\n{self.how}\n\n{head}\n{body}\n\n{verdict}\n"
