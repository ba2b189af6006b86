"""Building a `Document` block by block: the one place where text is normalised, joined and measured.

Owns offsets; what becomes a block, a section or a note is for the readers to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longdoc.documents.document import Block, BlockKind, Document, Metadata, Note, Section, SectionRole
from longdoc.documents.normal import normal_code, normal_line, normal_rows, normal_text
from longdoc.documents.outline import OutlineEntry, SectionDraft, freeze_sections, sections_from_outline
from longdoc.errors import EmptyDocumentError

_JOINT = "\n\n"
_NOTES_TITLE = "Notes"
_HASHED_AT_ONCE = 1 << 20
_NORMAL_FORMS = {BlockKind.CODE: normal_code, BlockKind.TABLE: normal_rows}


@dataclass(frozen=True, slots=True)
class _PendingNote:
    label: str
    text: str
    anchor: int | None
    href: str | None


class DocumentBuilder:
    """Collects blocks, sections, notes and warnings of one document; `build` ends its use.

    `metadata` may be set at any time before `build`.
    """

    def __init__(self, document_format: str, source: str) -> None:
        self.metadata = Metadata()
        self._format = document_format
        self._source = source
        self._parts: list[str] = []
        self._blocks: list[Block] = []
        self._position = 0
        self._top: list[SectionDraft] = []
        self._open: list[SectionDraft] = []
        self._outline: Sequence[OutlineEntry] | None = None
        self._notes: list[_PendingNote] = []
        self._warnings: dict[str, None] = {}

    @property
    def position(self) -> int:
        """The offset where the next block will start."""
        return self._position

    @property
    def has_text(self) -> bool:
        """Whether any block or note was added."""
        return bool(self._parts or self._notes)

    def add_block(
        self,
        text: str,
        kind: BlockKind = BlockKind.PARAGRAPH,
        *,
        level: int = 0,
        href: str | None = None,
        page: int | None = None,
    ) -> int | None:
        """Add a block and return the offset of its start, or None where nothing is left of it.

        Runs of white space become one space; "\\n" is kept as a line break (verse), "\\t" between the cells of
        a table, and code as it stands.
        """
        normal = _NORMAL_FORMS.get(kind, normal_text)(text)
        if not normal:
            return None
        start = self._position
        end = start + len(normal)
        self._parts.append(text if text == normal else normal)  # a text that repeats its blocks keeps each once
        self._blocks.append(Block(start, end, kind, level, href, page))
        self._position = end + len(_JOINT)
        return start

    def open_section(self, title: str, *, role: SectionRole = SectionRole.BODY, href: str | None = None) -> None:
        """Begin a section inside the one that is open; it takes the blocks added until it is closed."""
        draft = SectionDraft(normal_line(title), self._position, role, href)
        (self._open[-1].children if self._open else self._top).append(draft)
        self._open.append(draft)

    def close_section(self) -> None:
        """End the innermost open section."""
        self._open.pop().end = self._position

    def set_outline(self, entries: Sequence[OutlineEntry]) -> None:
        """Use an outline given apart from the text in place of the sections opened and closed."""
        self._outline = entries

    def add_note(self, label: str, text: str, *, anchor: int | None = None, href: str | None = None) -> None:
        """Keep a note for the section of notes at the end; `anchor` is where the running text calls it.

        `text` may have several lines; a note without text is dropped.
        """
        normal = normal_text(text)
        if normal:
            self._notes.append(_PendingNote(normal_line(label), normal, anchor, href))

    def warn(self, sentence: str) -> None:
        """Tell the reader what could not be read; the same sentence counts once."""
        self._warnings[sentence] = None

    def build(self) -> Document:
        """The document. Raises `EmptyDocumentError` where no text was added."""
        if not self.has_text:
            raise EmptyDocumentError("there is no text in it", source=self._source)
        sections = self._running_sections()
        notes = self._append_notes()
        text = _JOINT.join(self._parts)
        self._parts.clear()
        if notes:
            sections += (_notes_section(notes[0].start, len(text)),)
        return Document(
            id=_content_id(text, sections),
            text=text,
            format=self._format,
            metadata=self.metadata,
            blocks=tuple(self._blocks),
            sections=sections,
            notes=notes,
            warnings=tuple(self._warnings),
            source=self._source,
        )

    def _running_sections(self) -> tuple[Section, ...]:
        """Sections of the running text; with notes to come, the last one ends where these begin."""
        end = self._position if self._notes else self._position - len(_JOINT)
        if self._outline is not None:
            return sections_from_outline(self._outline, end)
        return freeze_sections(self._top, end)

    def _append_notes(self) -> tuple[Note, ...]:
        last_anchor = max(0, self._position - len(_JOINT))
        return tuple(self._append_note(pending, last_anchor) for pending in self._notes)

    def _append_note(self, pending: _PendingNote, last_anchor: int) -> Note:
        start = self._position
        self.add_block(pending.text, BlockKind.NOTE, href=pending.href)
        anchor = None if pending.anchor is None else min(pending.anchor, last_anchor)
        return Note(pending.label, start, self._position - len(_JOINT), anchor)


def _notes_section(start: int, end: int) -> Section:
    return Section(_NOTES_TITLE, start, end, SectionRole.NOTES, (_NOTES_TITLE,))


def _content_id(text: str, sections: Sequence[Section]) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(text), _HASHED_AT_ONCE):
        digest.update(text[start : start + _HASHED_AT_ONCE].encode())
    for line in _outline_lines(sections, 0):
        digest.update(line.encode())
    return digest.hexdigest()


def _outline_lines(sections: Sequence[Section], depth: int) -> Iterator[str]:
    for section in sections:
        yield f"\n{depth}\t{section.start}\t{section.end}\t{section.role}\t{section.title}"
        yield from _outline_lines(section.children, depth + 1)
