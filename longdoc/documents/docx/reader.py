"""Reading DOCX: paragraphs, headings, lists, tables and notes, with tracked changes accepted.

Owns what each paragraph becomes. The package is `docx/package.py`, styles are `docx/styles.py`, numbers
`docx/numbering.py`, the inside of paragraphs `docx/text.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.docx.numbering import Numbering
from longdoc.documents.docx.package import DocxPackage
from longdoc.documents.docx.styles import Styles, style_of
from longdoc.documents.docx.text import Inline, InlineReader, chosen, mark_is_deleted
from longdoc.documents.limits import Limits
from longdoc.documents.markup.tables import Table
from longdoc.documents.markup.xml import Element, attribute, local_name
from longdoc.documents.normal import normal_line, normal_text
from longdoc.documents.ordinals import roman
from longdoc.documents.roles import role_of_title
from longdoc.errors import MalformedDocumentError

_FORMAT = "docx"
_CONTENTS = "Contents"
_PARTING_NOTES = frozenset({"separator", "continuationseparator", "continuationnotice"})
_MOVED_AWAY = frozenset({"del", "movefrom"})
_MOST_COLUMNS = 63
_LABELS: dict[str, Callable[[int], str]] = {"footnote": str, "endnote": roman}


def read_docx(data: bytes, *, name: str, limits: Limits) -> Document:
    """The text of a DOCX with sections from its heading styles.

    Raises `EncryptedDocumentError`, `EmptyDocumentError`, `MalformedDocumentError`, `UnsupportedDocumentError`,
    `DocumentTooLargeError`.
    """
    package = DocxPackage(data, source=name, limits=limits)
    body = next((child for child in package.document() if local_name(child) == "body"), None)
    if body is None:
        raise MalformedDocumentError("has a document part without a body", source=name)
    return _Reading(package, name).document(body)


class _Reading:
    """One DOCX on its way from elements to a document."""

    def __init__(self, package: DocxPackage, name: str) -> None:
        self._package = package
        self._builder = DocumentBuilder(_FORMAT, name)
        self._builder.metadata = package.metadata()
        self._styles = Styles(package.part("styles"))
        self._numbering = Numbering(package.part("numbering"), self._styles.lists_of_styles)
        self._notes = {kind: _notes_by_id(package.part(f"{kind}s")) for kind in _LABELS}
        self._called = dict.fromkeys(_LABELS, 0)
        self._inline = InlineReader()
        self._levels: list[int] = []
        self._in_contents = False
        self._pending = Inline()
        self._code: list[str] = []

    def document(self, body: Element) -> Document:
        """The finished document."""
        self._add_all(body)
        self._end_code()
        comments = self._package.part("comments")
        if comments is not None and len(comments):
            self._builder.warn(f"{len(comments)} comments were left out.")
        return self._builder.build()

    def _add_all(self, elements: Iterable[Element]) -> None:
        for element in elements:
            name = local_name(element)
            if name == "p":
                self._add_paragraph(element)
            elif name == "tbl":
                self._add_table(element)
            elif name == "alternatecontent":
                self._add_all(chosen(element))
            elif name == "altchunk":
                self._builder.warn("A part embedded in another format was left out.")
            elif name not in _MOVED_AWAY:
                self._add_all(element)

    def _add_paragraph(self, paragraph: Element) -> None:
        properties = next((child for child in paragraph if local_name(child) == "ppr"), None)
        inline = self._inline.read(paragraph)
        self._pending.extend(inline)
        if mark_is_deleted(properties):
            return
        inline, self._pending = self._pending, Inline()
        self._follow_contents(properties, inline)
        kind = self._styles.kind(properties)
        if kind is BlockKind.CODE:
            self._code.append(inline.text)
        else:
            self._end_code()
            self._add_text(inline, kind, properties)
        for box in inline.boxes:
            self._add_all(box)

    def _add_text(self, inline: Inline, kind: BlockKind, properties: Element | None) -> None:
        if not inline.text.strip():
            self._add_calls(inline, self._builder.position, "")
            return
        label = self._label(properties)
        level = 0 if self._in_contents else self._styles.heading_level(properties)
        text = f"{label} {inline.text}" if label else inline.text
        if level:
            text = normal_line(text)
            self._open_section(text, level)
            start = self._builder.add_block(text, BlockKind.HEADING, level=min(level, 6))
        elif self._is_title(properties, text):
            start = self._builder.add_block(text, BlockKind.HEADING, level=1)
        else:
            in_list = bool(label) or self._styles.list_place(properties) is not None
            start = self._builder.add_block(text, BlockKind.LIST_ITEM if in_list else kind)
        if start is not None:
            self._add_calls(inline, start, f"{label} " if label else "")

    def _is_title(self, properties: Element | None, text: str) -> bool:
        """Whether the paragraph is the title; it names the document where nothing else does."""
        if not self._styles.is_title(properties):
            return False
        if not self._builder.metadata.title:
            self._builder.metadata = replace(self._builder.metadata, title=normal_line(text))
        return True

    def _label(self, properties: Element | None) -> str:
        place = self._styles.list_place(properties)
        if place is None:
            return ""
        level = place.level
        if level is None:
            level = self._numbering.level_of_style(place.list_id, style_of(properties))
        return self._numbering.label(place.list_id, level)

    def _open_section(self, title: str, level: int) -> None:
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
            self._builder.close_section()
        self._levels.append(level)
        self._builder.open_section(title, role=role_of_title(title) or SectionRole.BODY)

    def _follow_contents(self, properties: Element | None, inline: Inline) -> None:
        """Open a section where a printed contents list begins, close it where it ends."""
        inside = self._styles.is_contents(properties) and bool(inline.text.strip())
        if inside and not self._in_contents:
            self._builder.open_section(_CONTENTS, role=SectionRole.CONTENTS)
        elif self._in_contents and not inside and inline.text.strip():
            self._builder.close_section()
        self._in_contents = inside or (self._in_contents and not inline.text.strip())

    def _end_code(self) -> None:
        """Add the lines of code so far as one block; each was a paragraph."""
        if self._code:
            self._builder.add_block("\n".join(self._code), BlockKind.CODE)
            self._code.clear()

    def _add_calls(self, inline: Inline, start: int, prefix: str) -> None:
        for call in inline.calls:
            note = self._notes[call.kind].get(call.note_id)
            if note is None:
                continue
            self._called[call.kind] += 1
            label = _LABELS[call.kind](self._called[call.kind])
            anchor = start + len(normal_text(prefix + inline.text[: call.offset]))
            self._builder.add_note(label, self._flat_text(note, "\n"), anchor=anchor)

    def _add_table(self, table: Element) -> None:
        self._end_code()
        position = self._builder.position
        content = Table()
        calls = Inline()
        self._fill_table(table, content, calls)
        self._builder.add_block(content.text(), BlockKind.TABLE)
        self._add_calls(calls, position, "")

    def _fill_table(self, element: Element, table: Table, calls: Inline) -> None:
        for child in element:
            name = local_name(child)
            if name == "tr":
                if not _is_deleted_row(child):
                    self._fill_table(child, table, calls)
                    table.leave("tr")
            elif name == "tc":
                if not _continues_above(child):
                    table.add(self._cell_text(child, calls))
                for _ in range(_columns(child)):
                    table.leave("td")
            elif name not in _MOVED_AWAY:
                self._fill_table(child, table, calls)

    def _cell_text(self, cell: Element, calls: Inline) -> str:
        return normal_line(self._flat_text(cell, " ", calls))

    def _flat_text(self, element: Element, joint: str, calls: Inline | None = None) -> str:
        """All paragraphs below an element, with the numbers of lists; tables and boxes in it are flattened."""
        texts: list[str] = []
        for child in element:
            name = local_name(child)
            if name == "p":
                texts.extend(self._flat_paragraph(child, calls))
            elif name == "alternatecontent":
                texts.extend(self._flat_text(option, joint, calls) for option in chosen(child))
            elif name not in _MOVED_AWAY:
                texts.append(self._flat_text(child, joint, calls))
        return joint.join(text for text in texts if text.strip())

    def _flat_paragraph(self, paragraph: Element, calls: Inline | None) -> list[str]:
        properties = next((child for child in paragraph if local_name(child) == "ppr"), None)
        inline = self._inline.read(paragraph)
        if calls is not None:
            calls.calls.extend(replace(call, offset=0) for call in inline.calls)
        label = self._label(properties) if inline.text.strip() else ""
        boxes = [self._flat_text(box, " ", calls) for box in inline.boxes]
        return [f"{label} {inline.text}" if label else inline.text, *boxes]


def _notes_by_id(root: Element | None) -> dict[str, Element]:
    return {
        attribute(note, "id"): note
        for note in (() if root is None else root)
        if attribute(note, "type").lower() not in _PARTING_NOTES
    }


def _is_deleted_row(row: Element) -> bool:
    return any(local_name(mark) == "del" for child in row if local_name(child) == "trpr" for mark in child)


def _continues_above(cell: Element) -> bool:
    """Whether a cell only goes on with the one above it."""
    return _cell_property(cell, "vmerge") in {"", "continue"}


def _columns(cell: Element) -> int:
    """How many columns a cell spans."""
    span = _cell_property(cell, "gridspan") or "1"
    return max(1, min(int(span), _MOST_COLUMNS)) if span.isdigit() else 1


def _cell_property(cell: Element, name: str) -> str | None:
    """The value of a property of a cell, None where it is not set."""
    for properties in cell:
        if local_name(properties) == "tcpr":
            return next((attribute(mark, "val") for mark in properties if local_name(mark) == name), None)
    return None
