"""Reading PDF: pages of glyphs to one running text with sections.

Owns the order of the steps and what becomes of their results; each step is a module of its own (`pdf/source.py`,
`pdf/lines.py`, `pdf/furniture.py`, `pdf/notes.py`, `pdf/outline.py`, `pdf/contents.py`, `pdf/paragraphs.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, Metadata, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.normal import normal_text
from longdoc.documents.outline import OutlineEntry
from longdoc.documents.pdf.contents import PrintedContents, find_contents, without_leader
from longdoc.documents.pdf.furniture import without_furniture
from longdoc.documents.pdf.hyphens import Vocabulary
from longdoc.documents.pdf.lines import Line
from longdoc.documents.pdf.notes import take_notes
from longdoc.documents.pdf.outline import FoundHeading, find_bookmarks, headings_by_size, title_heading
from longdoc.documents.pdf.paragraphs import Mark, Paragraph, make_paragraphs, paragraph_text
from longdoc.documents.pdf.source import PdfSource, read_pdf_source
from longdoc.documents.pdf.typography import Typography, usual_size
from longdoc.documents.roles import role_of_title
from longdoc.errors import DocumentTooLargeError, EmptyDocumentError

_FORMAT = "pdf"
_PEOPLE = re.compile(r"\s*(?:;|\band\b)\s*")
_SUBJECTS = re.compile(r"\s*[;,]\s*")
_TITLE_LENGTH = 60


def read_pdf(data: bytes, *, name: str, limits: Limits) -> Document:
    """The text of a PDF with sections from its bookmarks, or from its headings where it has none.

    Raises `EncryptedDocumentError` where a password is needed, `EmptyDocumentError` where pages are images only,
    `MalformedDocumentError`, `DocumentTooLargeError`.
    """
    if len(data) > limits.file_bytes:
        raise DocumentTooLargeError(f"is larger than {limits.file_bytes} bytes", source=name)
    source = read_pdf_source(data, name=name)
    pages = [page.lines for page in source.pages]
    if not any(pages) and not _filled_fields(source):
        raise EmptyDocumentError(_why_empty(source), source=name)
    return _Reading(source, pages, name).document()


def _why_empty(source: PdfSource) -> str:
    if not any(page.readable for page in source.pages):
        return "has no page that can be read"
    return "has pages of images without text; run OCR over it first (for example with ocrmypdf)"


def _filled_fields(source: PdfSource) -> list[tuple[int, str]]:
    """Form fields with a value: page and text."""
    return [
        (page.number, f"{label}: {value}" if label else value)
        for page in source.pages
        for label, value in page.fields
        if value.strip()
    ]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where things ended up: offsets of lines that begin a block, and of calls of notes by page and label."""

    lines: dict[int, int]
    calls: dict[tuple[int, str], int]


class _Reading:
    """One PDF on its way from lines to a document."""

    def __init__(self, source: PdfSource, pages: Sequence[Sequence[Line]], name: str) -> None:
        self._source = source
        self._builder = DocumentBuilder(_FORMAT, name)
        body_size = usual_size(pages)
        self._pages, self._notes = take_notes(without_furniture(pages, body_size), body_size)
        self._lines = [line for lines in self._pages for line in lines]
        self._typography = Typography(self._pages)
        self._vocabulary = Vocabulary(line.text for line in self._lines)
        self._contents = find_contents(self._lines)
        self._headings = self._find_headings()

    def document(self) -> Document:
        """The finished document."""
        self._builder.metadata = self._metadata()
        placed = self._add_blocks()
        self._add_fields()
        self._add_notes(placed)
        entries = self._outline(placed)
        if entries:
            self._builder.set_outline(entries)
        unread = sum(1 for page in self._source.pages if not page.readable)
        if unread:
            self._builder.warn(f"{unread} of {len(self._source.pages)} pages are broken and were left out.")
        self._warn_of_images()
        return self._builder.build()

    def _find_headings(self) -> list[FoundHeading]:
        if self._source.bookmarks:
            return find_bookmarks(self._source.bookmarks, self._pages)
        contents = self._contents.entries if self._contents else frozenset[int]()
        pages = [[line for line in lines if id(line) not in contents] for lines in self._pages]
        return headings_by_size(pages, self._typography.body_size)

    def _marks(self) -> dict[int, Mark]:
        """What is known of lines before paragraphs are made: headings, entries of the contents, starts."""
        marks: dict[int, Mark] = {}
        if self._contents:
            for group, line in enumerate(self._lines[self._contents.start : self._contents.end]):
                marks[id(line)] = Mark(BlockKind.LIST_ITEM, -1 - group)
            if id(self._lines[self._contents.start]) not in self._contents.entries:
                marks[id(self._lines[self._contents.start])] = Mark(BlockKind.HEADING, 0, level=1)
        for group, heading in enumerate(self._headings, start=1):
            for line in heading.lines:
                marks[id(line)] = Mark(BlockKind.HEADING, group, level=min(heading.depth + 1, 6))
        return marks

    def _add_blocks(self) -> _Placed:
        starts = {id(heading.start) for heading in self._headings if heading.start is not None}
        placed = _Placed({}, {})
        for paragraph in make_paragraphs(self._pages, self._typography, self._marks(), starts):
            self._add_block(paragraph, placed)
        return placed

    def _add_block(self, paragraph: Paragraph, placed: _Placed) -> None:
        text, calls = paragraph_text(paragraph, self._vocabulary)
        if self._contents and id(paragraph.first) in self._contents.entries:
            text = without_leader(text)
        start = self._builder.add_block(text, paragraph.kind, level=paragraph.level, page=paragraph.first.page)
        placed.lines[id(paragraph.first)] = self._builder.position if start is None else start
        if start is None:
            return
        for place, page, label in calls:
            placed.calls.setdefault((page, label), start + len(normal_text(text[:place])))

    def _add_fields(self) -> None:
        for page, text in _filled_fields(self._source):
            self._builder.add_block(text, page=page)

    def _add_notes(self, placed: _Placed) -> None:
        for note in self._notes:
            text = self._vocabulary.join(line.text for line in note.lines)
            anchor = placed.calls.get((note.page, note.label))
            self._builder.add_note(note.label, text, anchor=anchor)

    def _outline(self, placed: _Placed) -> list[OutlineEntry]:
        entries = [self._entry(heading, placed) for heading in self._sections()]
        return entries if self._contents is None else self._with_contents(entries, self._contents, placed)

    def _sections(self) -> list[FoundHeading]:
        """Headings that begin sections: not the one that names the whole document."""
        if self._source.bookmarks:
            return self._headings
        title = title_heading(self._headings, self._pages)
        return [heading for heading in self._headings if heading is not title]

    def _entry(self, heading: FoundHeading, placed: _Placed) -> OutlineEntry:
        offset = None if heading.start is None else placed.lines.get(id(heading.start))
        return OutlineEntry(heading.title, heading.depth, offset, role_of_title(heading.title) or SectionRole.BODY)

    def _with_contents(
        self, entries: list[OutlineEntry], contents: PrintedContents, placed: _Placed
    ) -> list[OutlineEntry]:
        """Add the printed contents as a section in front, unless the outline already has it."""
        if any(entry.role is SectionRole.CONTENTS for entry in entries):
            return entries
        start = placed.lines.get(id(self._lines[contents.start]))
        first = min((entry.offset for entry in entries if entry.offset is not None), default=None)
        if start is None or (first is not None and first < start):
            return entries
        front = [OutlineEntry(contents.title, 0, start, SectionRole.CONTENTS)]
        if contents.end < len(self._lines):
            following = self._lines[contents.end]
            offset = placed.lines.get(id(following))
            if offset is not None and (first is None or offset < first):
                front.append(OutlineEntry(following.text[:_TITLE_LENGTH], 0, offset))
        return [*front, *entries]

    def _metadata(self) -> Metadata:
        information = self._source.information
        return Metadata(
            title=information.get("Title", "").strip() or self._printed_title(),
            creators=_split(_PEOPLE, information.get("Author", "")),
            language=self._source.language,
            subjects=_split(_SUBJECTS, information.get("Keywords", "")),
        )

    def _printed_title(self) -> str:
        title = None if self._source.bookmarks else title_heading(self._headings, self._pages)
        return title.title if title else ""

    def _warn_of_images(self) -> None:
        empty = len(self._source.pages) - len({line.page for line in self._lines})
        if empty > 1 and empty * 2 > len(self._source.pages):
            self._builder.warn(f"{empty} of {len(self._source.pages)} pages hold no text; they may be images.")


def _split(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.split(text.strip()) if part)
