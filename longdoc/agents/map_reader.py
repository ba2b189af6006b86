"""Answering from the whole of a text: every segment is read with the question in mind, and the answer is made of all.

For counting, listing and aggregation, where no selection of segments can hold the answer. What is counted is computed
from the places of verified quotes; a model is asked only for what a segment holds, and to put notes together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.answer_reader import Answer, not_in_text
from longdoc.agents.citations import Claim
from longdoc.agents.events import Emit, Planned, Read, Warned
from longdoc.agents.graph import run_graph
from longdoc.agents.note_combiner import NoteCombiner
from longdoc.agents.place_counts import Documents, Group, at_term, distinct_places, grouped
from longdoc.agents.question_kinds import QuestionForm, QuestionKind, Unit, kind_of
from longdoc.agents.segment_notes import FailedSegment, MapItem, NoteTaker, SegmentNotes, Wanted
from longdoc.documents.document import Document, SectionRole
from longdoc.documents.segments import Segment
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError

_MOST_SEGMENT_TOKENS = 3072
_MOST_NOTE_TOKENS = 1024
_TEMPLATE_TOKENS = 700
_MOST_TITLES = 50
COUNTED: Final = frozenset({QuestionForm.COUNTING, QuestionForm.LISTING})
"""What is answered from the places of the notes alone, without a call."""
_MOST_CITATIONS: Final = 3
"""How many citations a thing of a list has, of those that there are."""


@dataclass(frozen=True, slots=True)
class MapText:
    """A document and the segments that tile it."""

    document: Document
    segments: Sequence[Segment]


@dataclass(frozen=True, slots=True)
class MapAnswer:
    """An answer from every segment.

    `items` are the verified notes in text order, each place once. For counting and listing `count` is computed from
    them, and `unit` says of what. Of the `segments_read`, `passed` had nothing to say; `failed` were not read or not to
    their end, so that a count is a lower bound. `dropped` counts notes whose quotes did not verify.
    """

    answer: Answer
    items: tuple[MapItem, ...]
    count: int | None
    unit: Unit | None
    segments_read: int
    passed: int
    dropped: int
    failed: tuple[FailedSegment, ...]


class MapReader:
    """Reads all of some documents for a question, on any engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def segment_limit(self, window: int) -> int:
        """The most tokens a segment should have in a window of so many."""
        return min(_MOST_SEGMENT_TOKENS, max(16, window - _TEMPLATE_TOKENS - self.note_tokens(window)))

    async def answer(
        self,
        question: str,
        texts: Sequence[MapText],
        *,
        max_tokens: int,
        emit: Emit,
        kind: QuestionKind | None = None,
    ) -> MapAnswer:
        """The answer; `max_tokens` are for the call that makes it of the notes, where there is one.

        A segment that cannot be read is a gap: told, and in the answer. Only body segments are read, where there are
        any. Raises `ConfigError` where the window is too small, `BudgetExceededError`, `EngineError`.
        """
        asked = kind or kind_of(question)
        counts = asked.form in COUNTED
        combiner = NoteCombiner(self._engine, question, max_tokens=max_tokens, emit=emit)
        if not counts:
            combiner.require_room()
        window = self._engine.info.context_window
        taker = NoteTaker(self._engine, question, _wanted(asked), max_tokens=self.note_tokens(window), emit=emit)
        notes = await _read_all(taker, bodies(texts), emit)
        _warn_of_failed(notes, emit)
        documents = {text.document.id: text.document for text in texts}
        found = [item for note in notes for item in note.items]
        items = distinct_places(found, documents)
        if counts:
            return _counted(items, asked, documents, notes, emit)
        return _map_answer(await combiner.combine(items), items, notes)

    def note_tokens(self, window: int) -> int:
        """The most tokens that the notes on a segment may have in a window of so many."""
        most = self._engine.info.max_output or _MOST_NOTE_TOKENS
        return min(_MOST_NOTE_TOKENS, most, max(1, window // 4))


def _wanted(kind: QuestionKind) -> Wanted:
    """What the notes on a segment should be for a question of this kind."""
    if kind.unit in {Unit.CHAPTERS, Unit.SECTIONS}:
        return "stretches"
    if kind.unit is Unit.ITEMS:
        return "things"
    return "facts" if kind.unit is None else "mentions"


def bodies(texts: Sequence[MapText]) -> list[tuple[Document, Segment]]:
    """The segments of the works themselves; all of a document that has none such."""
    pieces: list[tuple[Document, Segment]] = []
    for text in texts:
        body = [segment for segment in text.segments if segment.role is SectionRole.BODY]
        pieces += [(text.document, segment) for segment in body or text.segments]
    return pieces


async def _read_all(taker: NoteTaker, pieces: Sequence[tuple[Document, Segment]], emit: Emit) -> list[SegmentNotes]:
    emit(Planned(len(pieces), f"{len(pieces)} {'segment' if len(pieces) == 1 else 'segments'} to read"))
    notes: dict[int, SegmentNotes] = {}

    async def read(number: int) -> None:
        notes[number] = await taker.read(*pieces[number])
        emit(Read(len(notes), len(pieces)))

    await run_graph([()] * len(pieces), read)
    return [notes[number] for number in range(len(pieces))]


def _warn_of_failed(notes: Sequence[SegmentNotes], emit: Emit) -> None:
    failed = [gap for note in notes for gap in note.failed]
    if failed:
        gaps = sum(bool(note.failed) for note in notes)
        emit(Warned(f"{gaps} of {len(notes)} segments could not be read to the end: {failed[0].reason}"))


def _counted(
    items: Sequence[MapItem], kind: QuestionKind, documents: Documents, notes: Sequence[SegmentNotes], emit: Emit
) -> MapAnswer:
    """A count or a list, without a call."""
    places = items if kind.term is None else at_term(items, kind.term, documents)
    unit = kind.unit or Unit.ITEMS
    try:
        groups = grouped(places, unit, documents)
    except ConfigError as error:
        emit(Warned(f"{error}, so mentions are counted"))
        unit = Unit.MENTIONS
        groups = grouped(places, unit, documents)
    made = _listed(groups) if kind.form is QuestionForm.LISTING else _number(groups, unit, notes)
    return _map_answer(made, places, notes, count=len(groups), unit=unit)


def _number(groups: Sequence[Group], unit: Unit, notes: Sequence[SegmentNotes]) -> Answer:
    """The number in words, with the first citation of each thing counted."""
    if not groups:
        return Answer(f"0 {unit.value}.", found=False, claims=(), dropped=0)
    least = "At least " if any(note.failed for note in notes) else ""
    named = unit.value if len(groups) > 1 else unit.value.removesuffix("s")
    titles = [group.title for group in groups if group.title] if unit is not Unit.MENTIONS else []
    rest = len(titles) - _MOST_TITLES
    shown = [*titles[:_MOST_TITLES], *([f"and {rest} more"] if rest > 0 else [])]
    text = f"{least}{len(groups)} {named}{': ' if shown else ''}{'; '.join(shown)}."
    claim = Claim(text, tuple(group.items[0].citation for group in groups))
    return Answer(text, found=True, claims=(claim,), dropped=0)


def _listed(groups: Sequence[Group]) -> Answer:
    """A claim for each thing of a list."""
    claims = [
        Claim(_in_words(group), tuple(item.citation for item in group.items[:_MOST_CITATIONS])) for group in groups
    ]
    if not claims:
        return not_in_text()
    text = "\n".join(claim.text for claim in claims)
    return Answer(text, found=True, claims=tuple(claims), dropped=0, listed=True)


def _in_words(group: Group) -> str:
    said = group.items[0].text or group.items[0].citation.quote
    return said if not group.title or said.rstrip(".") == group.title else f"{group.title}: {said}"


def _map_answer(
    answer: Answer,
    items: Sequence[MapItem],
    notes: Sequence[SegmentNotes],
    *,
    count: int | None = None,
    unit: Unit | None = None,
) -> MapAnswer:
    return MapAnswer(
        answer=answer,
        items=tuple(items),
        count=count,
        unit=unit,
        segments_read=sum(not note.failed for note in notes),
        passed=sum(not note.items and not note.failed and not note.dropped for note in notes),
        dropped=sum(note.dropped for note in notes),
        failed=tuple(gap for note in notes for gap in note.failed),
    )
