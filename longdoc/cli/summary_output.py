"""Summaries and estimates as Markdown, plain text and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from longdoc.agents.summary import SummaryEstimate
from longdoc.app.summaries import SummaryResult
from longdoc.cli.output import OutputFormat, document_json, usage_json
from longdoc.documents.document import Document
from longdoc.engines.engine import EngineInfo, Usage
from longdoc.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class SummaryOutput:
    """A summary, to be shown."""

    result: SummaryResult

    @property
    def source(self) -> str:
        """What it is of."""
        return self.result.document.source

    @property
    def gaps(self) -> bool:
        """Whether something is missing from it."""
        return bool(self.result.summary.gaps)

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        summary = self.result.summary
        if form is OutputFormat.TEXT:
            return summary.text
        notes = [f"> Not covered: {gap}" for gap in summary.gaps]
        return "\n\n".join([f"# {self.result.document.title}", summary.text, *notes])

    def json(self) -> JsonValue:
        """As a value for programs."""
        summary = self.result.summary
        return {
            "run": self.result.run_id,
            "document": document_json(self.result.document),
            "summary": {
                "node": summary.node_id,
                "text": summary.text,
                "words": len(summary.text.split()),
                "levels": summary.levels,
                "nodes": summary.nodes,
                "truncated": summary.truncated,
                "gaps": list(summary.gaps),
            },
            "usage": usage_json(self.result.usage),
        }


@dataclass(frozen=True, slots=True)
class EstimateOutput:
    """What a summary of a document would take on an engine, to be shown."""

    document: Document
    estimate: SummaryEstimate
    engine: EngineInfo
    gaps: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.document.source

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        estimate = self.estimate
        return (
            f"{self.document.title}: {estimate.calls} calls in {estimate.levels} levels, about "
            f"{estimate.prompt_tokens:,} tokens read and {estimate.completion_tokens:,} written, "
            f"${self._cost():.4f}, when every answer is good at the first attempt"
        )

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {
            "document": document_json(self.document),
            "estimate": {
                "calls": self.estimate.calls,
                "levels": self.estimate.levels,
                "prompt_tokens": self.estimate.prompt_tokens,
                "completion_tokens": self.estimate.completion_tokens,
                "cost": self._cost(),
            },
        }

    def _cost(self) -> float:
        return self.engine.cost(Usage(self.estimate.prompt_tokens, self.estimate.completion_tokens))
