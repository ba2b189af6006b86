"""QMSum: meetings with questions, and the turns from which each is answered.

Source: Zhong et al., "QMSum" (NAACL 2021). Owns reading the published files; a turn is a block of the document.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document, Metadata
from longdoc.errors import MalformedDocumentError
from longdoc.evaluation.gold import GoldCase, GoldText, Span, nearest_step
from longdoc.evaluation.json_lines import read_file, read_lines
from longdoc.evaluation.planted import DEPTHS

SPECIFIC: Final = "specific"
"""The kind of questions about a part of a meeting."""


class _Turn(BaseModel):
    speaker: str
    content: str


class _Query(BaseModel):
    query: str
    answer: str


class _SpecificQuery(_Query):
    relevant_text_span: list[tuple[int, int]]


class _Meeting(BaseModel):
    meeting_transcripts: list[_Turn]
    general_query_list: list[_Query]
    specific_query_list: list[_SpecificQuery]


@dataclass(frozen=True, slots=True)
class MeetingQuery:
    """A question, its reference answer, and where the turns that it rests on stand; none for the whole meeting."""

    question: str
    answer: str
    turns: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting: its turns as a document, questions about the whole of it, and about parts of it."""

    name: str
    domain: str
    document: Document
    general: tuple[MeetingQuery, ...]
    specific: tuple[MeetingQuery, ...]

    @property
    def gold(self) -> GoldText:
        """The specific questions as cases: each turn that says something is a span."""
        length = len(self.document.text)
        cases = [
            GoldCase(
                id=f"{self.name}-{number}",
                kind=SPECIFIC,
                question=query.question,
                answers=(query.answer,),
                spans=query.turns,
                depth=nearest_step(query.turns[0][0] / length, DEPTHS),
            )
            for number, query in enumerate(self.specific, 1)
        ]
        return GoldText(self.document, tuple(cases))


def read_qmsum(path: Path) -> Iterator[Meeting]:
    """The meetings of a file such as `val.jsonl`, with names and domains from `val_index.tsv` beside it if it is there.

    Raises `DocumentError` where a file cannot be read or a span names a turn that is not there.
    """
    index = _index(path.with_name(f"{path.stem}_index.tsv"))
    for number, meeting in enumerate(read_lines(path, _Meeting), 1):
        name, domain = index.get(number, (f"meeting {number}", ""))
        yield _meeting(meeting, name, domain, source=f"{path}, line {number}")


def _index(path: Path) -> dict[int, tuple[str, str]]:
    if not path.exists():
        return {}
    rows = csv.DictReader(read_file(path).splitlines(), delimiter="\t")
    try:
        return {int(row["line"]): (row["meeting"], row["domain"]) for row in rows}
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedDocumentError(f"has a row that cannot be used: {error!r}", source=str(path)) from error


def _meeting(meeting: _Meeting, name: str, domain: str, *, source: str) -> Meeting:
    builder = DocumentBuilder("qmsum", name)
    builder.metadata = Metadata(title=name, language="en")
    turns = [_add_turn(builder, turn) for turn in meeting.meeting_transcripts]
    said = [bool(turn.content.strip()) for turn in meeting.meeting_transcripts]
    specific = tuple(
        MeetingQuery(query.query, query.answer, _spans(query.relevant_text_span, turns, said, source))
        for query in meeting.specific_query_list
    )
    general = tuple(MeetingQuery(query.query, query.answer) for query in meeting.general_query_list)
    return Meeting(name, domain, builder.build(), general, specific)


def _add_turn(builder: DocumentBuilder, turn: _Turn) -> Span:
    start = builder.position
    builder.add_block(f"{turn.speaker}: {' '.join(turn.content.split())}")
    return start, max(start, builder.position - len("\n\n"))


def _spans(
    ranges: Sequence[tuple[int, int]], turns: Sequence[Span], said: Sequence[bool], source: str
) -> tuple[Span, ...]:
    """The turns of some ranges, whose last number is meant too; all of them where nobody says anything in them."""
    numbers = sorted({number for first, last in ranges for number in range(first, last + 1)})
    if not numbers or numbers[0] < 0 or numbers[-1] >= len(turns):
        raise MalformedDocumentError("has a question about turns that are not there", source=source)
    return tuple(turns[number] for number in [n for n in numbers if said[n]] or numbers)
