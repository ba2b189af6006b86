"""What the segments of a text hold for a question: each is read by a call of its own, and notes it or passes.

Owns the calls, the halving of what gives too long an answer, and finding the notes' quotes in the text; what is made
of the notes is `map_reader.py`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, Field, JsonValue, field_validator

from longdoc.agents.answer_reader import quoted_excerpt
from longdoc.agents.answer_shapes import LENIENT, Sentence, Words, first_ones
from longdoc.agents.calls import request_of
from longdoc.agents.citations import Citation, citation_of
from longdoc.agents.events import CallFinished, Emit, Event
from longdoc.agents.structured import call_structured, read_shape
from longdoc.documents.atoms import sentence_spans
from longdoc.documents.document import Document
from longdoc.documents.segments import Segment
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, OutputCutError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.quotes import QuoteFinder, QuoteMatch

MOST_NOTES: Final = 40
"""As many as one answer holds; with so many the segment is read in halves, as there may be more."""
_MOST_HALVINGS = 4
_LEAST_HALF = 200
"""Characters under which a half is not worth a call."""

Wanted: TypeAlias = Literal["mentions", "stretches", "things", "facts"]
"""What a note is: one place among all; a place of a chapter, of which some do; a thing by its name; a statement."""


@dataclass(frozen=True, slots=True)
class MapItem:
    """One note: what is there, and the verified words that say so. `call` is the row of its call in the ledger."""

    text: str
    citation: Citation
    call: int | None = None


@dataclass(frozen=True, slots=True)
class FailedSegment:
    """A stretch of a document that was not read, or not to its end, and why."""

    document_id: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class SegmentNotes:
    """What came of reading a segment; `dropped` counts notes whose quotes do not stand there."""

    items: tuple[MapItem, ...] = ()
    dropped: int = 0
    failed: tuple[FailedSegment, ...] = ()

    def __add__(self, other: SegmentNotes) -> SegmentNotes:
        return SegmentNotes(self.items + other.items, self.dropped + other.dropped, self.failed + other.failed)


class NoteShape(BaseModel):
    """A note: the words of the text, then what is there."""

    model_config = LENIENT

    quote: Words
    text: Sentence


class NotesShape(BaseModel):
    """The notes on a segment."""

    model_config = LENIENT

    items: Annotated[list[NoteShape], Field(max_length=MOST_NOTES)]

    @field_validator("items", mode="before")
    @classmethod
    def _first_items(cls, value: JsonValue) -> JsonValue:
        return first_ones(value, MOST_NOTES)


class NoteTaker:
    """Reads segments with a question in mind."""

    def __init__(self, engine: Engine, question: str, wanted: Wanted, *, max_tokens: int, emit: Emit) -> None:
        self._engine = engine
        self._question = question
        self._wanted: Wanted = wanted
        self._max_tokens = max_tokens
        self._emit = emit

    async def read(self, document: Document, segment: Segment) -> SegmentNotes:
        """The notes on a segment, in the order in which they were given.

        Where an answer runs into its limit, or a segment does not fit the window, its halves are read, and theirs. What
        is refused or cannot be used is told as failed. Raises what else `Engine.complete` raises.
        """
        return await self._read(document, segment, halvings=_MOST_HALVINGS)

    async def _read(self, document: Document, segment: Segment, *, halvings: int) -> SegmentNotes:
        calls: list[int | None] = []
        try:
            said = await self._ask(document, segment, calls)
            reason = f"it has {MOST_NOTES} notes and may have more" if len(said.items) >= MOST_NOTES else ""
        except (OutputCutError, ContextTooLongError) as error:
            said, reason = _whole_notes(error), str(error)
        except (RequestRefusedError, InvalidOutputError) as error:
            return SegmentNotes(failed=(_failed(document, segment, str(error)),))
        halves = halved(document, segment) if reason and halvings else ()
        if halves:
            notes = [await self._read(document, half, halvings=halvings - 1) for half in halves]
            return sum(notes, SegmentNotes())
        found = _located(said, document, segment, calls[-1] if calls else None)
        return replace(found, failed=(_failed(document, segment, reason),)) if reason else found

    async def _ask(self, document: Document, segment: Segment, calls: list[int | None]) -> NotesShape:
        def note(event: Event) -> None:
            if isinstance(event, CallFinished):
                calls.append(event.completion.call_id)
            self._emit(event)

        variables = {
            "segment": quoted_excerpt(_excerpt(document, segment)),
            "question": Quoted(self._question, {"question": self._question}),
            "wanted": self._wanted,
        }
        return await call_structured(
            self._engine,
            request_of(render("ask/map", variables), max_tokens=self._max_tokens),
            NotesShape,
            purpose=f"notes on segment {segment.index + 1}",
            emit=note,
            again_when_cut=False,
        )


def halved(document: Document, segment: Segment) -> tuple[Segment, ...]:
    """A segment in two, cut where a sentence begins nearest to its middle; nothing where there is no such place."""
    text = document.text[segment.start : segment.end]
    language = document.metadata.language.split("-")[0].lower() or "en"
    starts = [start for start, _ in sentence_spans(text, language)]
    inner = [start for start in starts if _LEAST_HALF <= start <= len(text) - _LEAST_HALF]
    if not inner:
        return ()
    middle = segment.start + min(inner, key=lambda start: abs(2 * start - len(text)))
    return (_part(segment, segment.start, middle), _part(segment, middle, segment.end))


def _part(segment: Segment, start: int, end: int) -> Segment:
    tokens = -(-segment.tokens * (end - start) // (segment.end - segment.start))
    return replace(segment, start=start, end=end, tokens=tokens)


def _whole_notes(error: InvalidOutputError | ContextTooLongError) -> NotesShape:
    """The notes of an answer that are whole, where it was cut within one."""
    text = error.text if isinstance(error, OutputCutError) else ""
    try:
        return read_shape(f"{text[: text.rfind('}') + 1]}]}}", NotesShape)
    except InvalidOutputError:
        return NotesShape(items=[])


def _failed(document: Document, segment: Segment, reason: str) -> FailedSegment:
    return FailedSegment(document.id, segment.start, segment.end, reason)


def _excerpt(document: Document, segment: Segment) -> Excerpt:
    return Excerpt(segment.index + 1, document, segment.start, segment.end, segment.tokens)


def _located(said: NotesShape, document: Document, segment: Segment, call: int | None) -> SegmentNotes:
    """The notes whose quotes stand in the segment, each at the place that it most likely means."""
    if not said.items:
        return SegmentNotes()
    excerpt = _excerpt(document, segment)
    finder = QuoteFinder(excerpt.text)
    used: Counter[QuoteMatch] = Counter()
    items: list[MapItem] = []
    position = 0
    for note in said.items:
        match = _meant(finder.find_all(note.quote), used, position)
        if match is not None:
            used[match] += 1
            position = match.start
            items.append(MapItem(" ".join(note.text.split()), citation_of(excerpt, match), call))
    return SegmentNotes(tuple(items), dropped=len(said.items) - len(items))


def _meant(matches: Sequence[QuoteMatch], used: Counter[QuoteMatch], position: int) -> QuoteMatch | None:
    """Of the places where the words of a quote stand, the first from the note before it on that no other note has."""
    free = [match for match in matches if not used[match]]
    return next((match for match in free if match.start >= position), next(iter(free or matches), None))
