"""Answers and what they were found by as JSON: what is stored beside a run, and what programs get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from longdoc.agents.citations import Citation, Claim
from longdoc.agents.segment_ranking import Candidate
from longdoc.json_value import JsonValue

if TYPE_CHECKING:
    from longdoc.agents.answer_reader import Answer
    from longdoc.app.ask import AskResult, Selection


class _Stored(BaseModel):
    """What is read back; the rest is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow")


class StoredCitation(_Stored):
    """A citation as it was stored."""

    title: str
    section: tuple[str, ...]
    start: int
    end: int
    quote: str


class StoredClaim(_Stored):
    """A claim as it was stored."""

    text: str
    citations: tuple[StoredCitation, ...]


class StoredAnswer(_Stored):
    """An answer as it was stored."""

    text: str
    claims: tuple[StoredClaim, ...]


class StoredSelection(_Stored):
    """How a question was answered, as it was stored."""

    question: str
    strategy: str
    reason: str
    answer: StoredAnswer


def selection_json(result: AskResult) -> dict[str, JsonValue]:
    """All that a question was answered by: every candidate with every score, the excerpts, the checked claims."""
    return {
        "question": result.question,
        "asked": result.asked,
        "strategy": str(result.choice.strategy),
        "reason": result.choice.reason,
        "scoring": None if result.choice.scoring is None else str(result.choice.scoring),
        "count": result.count,
        "unit": None if result.unit is None else str(result.unit),
        "budget": result.selection.budget,
        "candidates": candidates_json(result.selection),
        "excerpts": excerpts_json(result.selection),
        "answer": answer_json(result.answer),
    }


def answer_json(answer: Answer) -> dict[str, JsonValue]:
    """An answer with its claims and their citations."""
    return {
        "text": answer.text,
        "found": answer.found,
        "claims": [claim_json(claim) for claim in answer.claims],
        "dropped": answer.dropped,
    }


def claim_json(claim: Claim) -> JsonValue:
    """A claim with what it rests on."""
    return {"text": claim.text, "supported": claim.supported, "citations": citations_json(claim.citations)}


def citations_json(citations: Sequence[Citation]) -> list[JsonValue]:
    """Citations with the place each stands at."""
    return [citation_json(citation) for citation in citations]


def citation_json(citation: Citation) -> JsonValue:
    """A citation with the place it stands at; offsets are characters of the document's text."""
    return {
        "document": citation.document_id,
        "title": citation.title,
        "section": list(citation.place.section),
        "page": citation.place.page,
        "href": citation.place.href,
        "start": citation.start,
        "end": citation.end,
        "quote": citation.quote,
        "score": citation.score,
        "excerpt": citation.excerpt,
    }


def excerpts_json(selection: Selection) -> list[JsonValue]:
    """The excerpts by place; their text is the documents'."""
    return [
        {
            "number": excerpt.number,
            "document": excerpt.document.id,
            "start": excerpt.start,
            "end": excerpt.end,
            "tokens": excerpt.tokens,
        }
        for excerpt in selection.context.excerpts
    ]


def candidates_json(selection: Selection) -> list[JsonValue]:
    """Every segment that was considered, the best first."""
    used = {hit.place for hit in selection.context.used}
    return [_candidate(candidate, used=candidate.hit.place in used) for candidate in selection.candidates]


def _candidate(candidate: Candidate, *, used: bool) -> JsonValue:
    hit, relevance = candidate.hit, candidate.relevance
    told: dict[str, JsonValue] = {
        "document": hit.document_id,
        "start": hit.segment.start,
        "end": hit.segment.end,
        "score": hit.score,
        "ranks": dict(hit.ranks),
        "used": used,
    }
    if relevance is not None:
        told |= {"relevance": relevance.value, "share": relevance.share}
        told |= {"weak": relevance.weak, "figures": dict(relevance.figures)}
    return told
