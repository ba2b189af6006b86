"""Summaries and estimates as Markdown, plain text, JSON and HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.agents.sentences import count_words
from longdoc.agents.summary import SummaryEstimate, SummaryPart
from longdoc.app.methods import MethodChoice
from longdoc.app.summaries import SummaryResult
from longdoc.cli.estimates import estimate_json, estimate_text
from longdoc.cli.output import OutputFormat, document_json, usage_json
from longdoc.cli.source_notes import SourceNotes, sentences_json
from longdoc.documents.document import Document
from longdoc.engines.engine import EngineInfo
from longdoc.evaluation.method_figures import support_rate
from longdoc.json_value import JsonValue
from longdoc.storage.supports import SentenceSupport


@dataclass(frozen=True, slots=True)
class SummaryOutput:
    """A summary, to be shown; `report` is it as an HTML page, made where that is asked for."""

    result: SummaryResult
    report: str | None = None

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
        if form is OutputFormat.HTML:
            return self.report or ""
        summary = self.result.summary
        if form is OutputFormat.TEXT:
            return "\n\n".join(part.text for part in summary.parts)
        notes = SourceNotes(self.result.document)
        parts = [self._marked_part(part, notes) for part in summary.parts]
        gaps = [f"> Not covered: {gap}" for gap in summary.gaps]
        lines = notes.lines()
        return "\n\n".join([f"# {self.result.document.title}", *parts, *gaps, *(["\n".join(lines)] if lines else [])])

    def _marked_part(self, part: SummaryPart, notes: SourceNotes) -> str:
        text = notes.marked(part.text, self._sentences(part.node_id))
        titled = part.title and len(self.result.summary.parts) > 1
        return f"## {part.title}\n\n{text}" if titled else text

    def _sentences(self, node_id: str) -> Sequence[SentenceSupport]:
        found = self.result.supports.get(node_id)
        return () if found is None else found.sentences

    def json(self) -> JsonValue:
        """As a value for programs."""
        summary = self.result.summary
        sentences = self._sentences(summary.node_id)
        return {
            "run": self.result.run_id,
            "document": document_json(self.result.document),
            "summary": {
                "node": summary.node_id,
                "text": summary.text,
                "words": count_words(summary.text),
                "method": self.result.method.name,
                "reason": self.result.method.reason,
                "levels": summary.levels,
                "nodes": summary.nodes,
                "truncated": summary.truncated,
                "gaps": list(summary.gaps),
                "parts": [self._part_json(part) for part in summary.parts],
                "support_rate": support_rate(sentences),
                "sentences": sentences_json(summary.text, sentences, self.result.document),
            },
            "usage": usage_json(self.result.usage),
        }

    def _part_json(self, part: SummaryPart) -> JsonValue:
        return {
            "node": part.node_id,
            "title": part.title,
            "text": part.text,
            "words": count_words(part.text),
            "support_rate": support_rate(self._sentences(part.node_id)),
        }


@dataclass(frozen=True, slots=True)
class EstimateOutput:
    """What a summary of a document would take on an engine, to be shown."""

    document: Document
    method: MethodChoice
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
        levels = f" in {self.estimate.levels} levels"
        return (
            f"{self.document.title}: {estimate_text(self.estimate, self.engine, where=levels)}, when every answer is "
            f"good at the first attempt; {self.method.name} method: {self.method.reason}"
        )

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {
            "document": document_json(self.document),
            "estimate": {
                "method": self.method.name,
                "reason": self.method.reason,
                "levels": self.estimate.levels,
                **estimate_json(self.estimate, self.engine),
            },
        }
