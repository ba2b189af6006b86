"""Answers and estimates of questions as Markdown, plain text and JSON."""

from __future__ import annotations

from dataclasses import dataclass

from longdoc.agents.relevance import Relevance
from longdoc.app.answer_records import answer_json, candidates_json, excerpts_json
from longdoc.app.ask import AskEstimate, AskResult
from longdoc.app.shelf import Shelf
from longdoc.cli.citation_notes import CitationNotes
from longdoc.cli.estimates import estimate_json, estimate_text
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat, usage_json
from longdoc.engines.engine import EngineInfo
from longdoc.json_value import JsonValue

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class AskOutput:
    """An answer, to be shown; `explain`: with what it was found by."""

    result: AskResult
    shelf: Shelf
    explain: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.shelf.title

    @property
    def gaps(self) -> bool:
        """Whether parts of the text could not be read for it."""
        return self.result.unread > 0

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        notes = CitationNotes(several=len(self.shelf.ids) > 1, markdown=form is OutputFormat.MARKDOWN)
        answer = self.result.answer
        marked = [notes.marked(claim) for claim in answer.claims]
        said = "\n".join(f"- {one}" for one in marked) if answer.listed else " ".join(marked)
        said = said or answer.text
        return "\n\n".join(filter(None, [said, "\n".join(notes.lines()), self._remarks(), self._explained()]))

    def _remarks(self) -> str:
        dropped, unread = self.result.answer.dropped, self.result.unread
        lines = [
            f"> {_count(dropped, 'quotation')} of the model's not in the text, left out." if dropped else "",
            f"> {_count(unread, 'part')} of the text could not be read." if unread else "",
        ]
        return "\n".join(filter(None, lines))

    def _explained(self) -> str:
        if not self.explain:
            return ""
        choice, selection = self.result.choice, self.result.selection
        scored = f", scored by {choice.scoring}" if choice.scoring is not None else ""
        lines = [f"Strategy: {choice.strategy}{scored} ({choice.reason})"]
        if self.result.asked != self.result.question:
            lines.append(f"Searched for: {self.result.asked}")
        tokens, excerpts = selection.context.tokens, len(selection.context.excerpts)
        if excerpts:
            lines.append(f"Read: {_count(excerpts, 'excerpt')} of {tokens:,} tokens (budget {selection.budget:,})")
        return "\n\n".join([*lines, *([self._table()] if selection.candidates else [])])

    def _table(self) -> str:
        shown = self.result.selection.candidates[:_SHOWN]
        used = {hit.place for hit in self.result.selection.context.used}
        names = sorted({name for candidate in shown for name in candidate.hit.ranks})
        scored = any(candidate.relevance is not None for candidate in shown)
        rows = [
            [
                str(rank),
                f"{candidate.hit.segment.start:,}–{candidate.hit.segment.end:,}",
                *(str(candidate.hit.ranks.get(name, "")) for name in names),
                *([_relevance(candidate.relevance)] if scored else []),
                "yes" if candidate.hit.place in used else "",
            ]
            for rank, candidate in enumerate(shown, 1)
        ]
        columns = ["rank", "characters", *names, *(["relevance"] if scored else []), "read"]
        more = len(self.result.selection.candidates) - len(shown)
        return "\n".join(markdown_table(columns, rows, left=2)) + (f"\n\nand {more:,} more" if more else "")

    def json(self) -> JsonValue:
        """As a value for programs."""
        result = self.result
        return {
            "run": result.run_id,
            "question": result.question,
            "asked": result.asked,
            "documents": list(self.shelf.ids),
            "collection": self.shelf.collection,
            "strategy": str(result.choice.strategy),
            "scoring": None if result.choice.scoring is None else str(result.choice.scoring),
            "reason": result.choice.reason,
            "answer": answer_json(result.answer),
            "count": result.count,
            "unit": None if result.unit is None else str(result.unit),
            "unread": result.unread,
            "budget": result.selection.budget,
            "excerpts": excerpts_json(result.selection),
            "candidates": candidates_json(result.selection) if self.explain else [],
            "usage": usage_json(result.usage),
        }


@dataclass(frozen=True, slots=True)
class AskEstimateOutput:
    """What an answer would take, to be shown."""

    shelf: Shelf
    question: str
    estimate: AskEstimate
    engine: EngineInfo
    gaps: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.shelf.title

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        choice = self.estimate.choice
        return (
            f"{self.shelf.title}: at most {estimate_text(self.estimate, self.engine)}; {choice.strategy}: "
            f"{choice.reason}"
        )

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {
            "question": self.question,
            "documents": list(self.shelf.ids),
            "estimate": {
                "strategy": str(self.estimate.choice.strategy),
                "reason": self.estimate.choice.reason,
                **estimate_json(self.estimate, self.engine),
            },
        }


def _relevance(relevance: Relevance | None) -> str:
    if relevance is None:
        return ""
    if relevance.value is None:
        return "unknown"
    return f"{relevance.value:.3f}{' (weak)' if relevance.weak else ''}"


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
