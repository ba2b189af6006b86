"""A manuscript made ready for the writers: clean strings, prose as trees, notes numbered through.

Owns what all formats share; each writer then only renders.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.documents.manuscript import Manuscript, ManuscriptSection, Note
from longdoc.documents.writers.characters import clean_line, clean_text
from longdoc.documents.writers.languages import (
    Direction,
    Labels,
    direction_of_language,
    labels_of,
    language_tag,
)
from longdoc.documents.writers.note_marks import prose_with_marks
from longdoc.documents.writers.prose import Blocks, Inline, Inlines, Style, Styled, Text

_UNTITLED = "Untitled"
_DEEPEST = 9


@dataclass(frozen=True, slots=True)
class NumberedNote:
    """The text of a note and the number that its mark has."""

    number: int
    content: Inlines


@dataclass(frozen=True, slots=True)
class TypesetSection:
    """A section as prose; an empty title has no heading. `level` is 1 to 9."""

    title: str
    level: int
    blocks: Blocks
    notes: tuple[NumberedNote, ...]


@dataclass(frozen=True, slots=True)
class TypesetManuscript:
    """A manuscript as prose; `title` is never empty, and `language` a well-formed tag."""

    title: str
    sections: tuple[TypesetSection, ...]
    language: str
    author: str
    identifier: str
    bibliography: tuple[str, ...]
    date: datetime.date | None

    @property
    def labels(self) -> Labels:
        """Added headings, in the language of the text."""
        return labels_of(self.language)

    @property
    def direction(self) -> Direction:
        """Which way lines run unless their text says otherwise."""
        return direction_of_language(self.language)

    @property
    def notes(self) -> tuple[NumberedNote, ...]:
        """All notes by number."""
        return tuple(note for section in self.sections for note in section.notes)


def typeset(manuscript: Manuscript) -> TypesetManuscript:
    """Make a manuscript ready to be written."""
    sections: list[TypesetSection] = []
    noted = 0
    for section in manuscript.sections:
        sections.append(_typeset_section(section, noted + 1))
        noted += len(section.notes)
    titles = (clean_line(manuscript.title), *(section.title for section in sections), _UNTITLED)
    entries = (clean_line(entry) for entry in manuscript.bibliography)
    return TypesetManuscript(
        title=next(title for title in titles if title),
        sections=tuple(sections),
        language=language_tag(manuscript.language),
        author=clean_line(manuscript.author),
        identifier=clean_line(manuscript.identifier),
        bibliography=tuple(entry for entry in entries if entry),
        date=manuscript.date,
    )


def _typeset_section(section: ManuscriptSection, first: int) -> TypesetSection:
    notes = sorted(section.notes, key=lambda pair: pair[0])
    text, offsets = _clean_with_offsets(section.text, [offset for offset, _ in notes])
    return TypesetSection(
        title=clean_line(section.title),
        level=min(max(section.level, 1), _DEEPEST),
        blocks=prose_with_marks(text, [(offset, first + index) for index, offset in enumerate(offsets)]),
        notes=tuple(NumberedNote(first + index, _note_content(note)) for index, (_, note) in enumerate(notes)),
    )


def _clean_with_offsets(text: str, offsets: Sequence[int]) -> tuple[str, list[int]]:
    """Clean text, and where offsets into the raw text, in rising order, lie in it."""
    pieces: list[str] = []
    moved: list[int] = []
    done = length = 0
    for offset in (*offsets, len(text)):
        piece = clean_text(text[done : max(offset, done)])
        pieces.append(piece)
        length += len(piece)
        moved.append(length)
        done = max(offset, done)
    return "".join(pieces), moved[:-1]


def _note_content(note: Note) -> Inlines:
    quote, source, place = clean_line(note.quote), clean_line(note.source), clean_line(note.place)
    parts: list[Inline] = []
    if quote:
        parts.append(Text(f"“{quote}”" + (" — " if source or place else "")))
    if source:
        parts.append(Styled(Style.EMPHASIS, (Text(source),)))
    if place:
        parts.append(Text(f", {place}" if source else place))
    return tuple(parts) or (Text("…"),)
