"""Reading ODT: paragraphs, headings, lists, tables and notes, with tracked changes accepted.

Owns what each element becomes. The package is `odt/package.py`, styles are `odt/styles.py`, numbers `odt/lists.py`,
the inside of paragraphs `odt/text.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.markup.tables import Table
from longdoc.documents.markup.xml import Element, attribute, local_name
from longdoc.documents.normal import normal_line, normal_text
from longdoc.documents.odt.lists import ListCounter
from longdoc.documents.odt.package import OdtPackage
from longdoc.documents.odt.styles import OdtStyles
from longdoc.documents.odt.text import OdtInline, OdtNote, read_inline
from longdoc.documents.roles import role_of_title

_FORMAT = "odt"
_DROPPED = frozenset(
    {"tracked-changes", "variable-decls", "sequence-decls", "user-field-decls", "dde-connection-decls", "forms",
     "alphabetical-index-auto-mark-file", "covered-table-cell", "image", "title", "desc"}
)  # fmt: skip
_INDEXES = {
    "table-of-content": SectionRole.CONTENTS,
    "illustration-index": SectionRole.CONTENTS,
    "table-index": SectionRole.CONTENTS,
    "object-index": SectionRole.CONTENTS,
    "user-index": SectionRole.CONTENTS,
    "alphabetical-index": SectionRole.BACK,
    "bibliography": SectionRole.BACK,
}
_ITEMS = frozenset({"list-item", "list-header"})
_MOST_REPEATS = 20


def read_odt(data: bytes, *, name: str, limits: Limits) -> Document:
    """The text of an ODT with sections from its headings.

    Raises `EncryptedDocumentError`, `EmptyDocumentError`, `MalformedDocumentError`, `UnsupportedDocumentError`,
    `DocumentTooLargeError`.
    """
    package = OdtPackage(data, source=name, limits=limits)
    return _Reading(package, name).document(package.text())


class _Reading:
    """One ODT on its way from elements to a document."""

    def __init__(self, package: OdtPackage, name: str) -> None:
        self._package = package
        self._builder = DocumentBuilder(_FORMAT, name)
        self._builder.metadata = package.metadata()
        self._styles = OdtStyles((package.content, package.styles()))
        self._lists = ListCounter(self._styles)
        self._levels: list[int] = []
        self._comments = 0
        self._code: list[str] = []

    def document(self, text: Element) -> Document:
        """The finished document."""
        self._add_all(text, "")
        self._end_code()
        if self._comments:
            self._builder.warn(f"{self._comments} comments were left out.")
        return self._builder.build()

    def _add_all(self, elements: Iterable[Element], label: str) -> None:
        """Add elements in order; `label` is the number of the list item whose first paragraph comes next."""
        for element in elements:
            name = local_name(element)
            if name == "p":
                self._add_paragraph(element, label)
                label = ""
            elif name == "h":
                self._add_heading(element)
            elif name == "list":
                self._add_list(element)
            elif name == "table":
                self._add_table(element)
            elif name in _INDEXES:
                self._add_index(element, _INDEXES[name])
            elif name not in _DROPPED:
                self._add_all(element, "")

    def _inline(self, paragraph: Element) -> OdtInline:
        inline = read_inline(paragraph, self._package.formula)
        self._comments += inline.comments
        return inline

    def _add_paragraph(self, paragraph: Element, label: str) -> None:
        style = attribute(paragraph, "style-name")
        kind = self._styles.kind(style)
        inline = self._inline(paragraph)
        if kind is BlockKind.CODE and not label and not inline.notes:
            self._code.append(inline.text)
            return
        self._end_code()
        text = f"{label} {inline.text}" if label else inline.text
        if self._lists.is_open:
            kind = BlockKind.LIST_ITEM
        level = 0
        if self._styles.is_title(style) and text.strip():
            kind, level = BlockKind.HEADING, 1
            if not self._builder.metadata.title:
                self._builder.metadata = replace(self._builder.metadata, title=normal_line(text))
        start = self._builder.add_block(text if inline.text.strip() else "", kind, level=level)
        self._add_notes(inline.notes, start, text, inline.text)
        self._add_boxes(inline)

    def _add_heading(self, heading: Element) -> None:
        self._end_code()
        inline = self._inline(heading)
        title = normal_line(f"{inline.number} {inline.text}")
        if not title:
            return
        value = attribute(heading, "outline-level")
        level = int(value) if value.isdigit() and int(value) else 1
        self._open_section(title, level)
        start = self._builder.add_block(title, BlockKind.HEADING, level=min(level, 6))
        self._add_notes(inline.notes, start, title, inline.text)
        self._add_boxes(inline)

    def _open_section(self, title: str, level: int) -> None:
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
            self._builder.close_section()
        self._levels.append(level)
        self._builder.open_section(title, role=role_of_title(title) or SectionRole.BODY)

    def _add_boxes(self, inline: OdtInline) -> None:
        for box in inline.boxes:
            self._add_all(box, "")

    def _add_list(self, element: Element) -> None:
        self._lists.enter(element)
        for item in element:
            if local_name(item) in _ITEMS:
                numbered = local_name(item) == "list-item" and _begins_with_text(item)
                self._add_all(item, self._lists.next_label(item) if numbered else "")
        self._lists.leave()

    def _add_index(self, index: Element, role: SectionRole) -> None:
        """A contents list, an index or a bibliography as a section of its own."""
        body = next((child for child in index if local_name(child) == "index-body"), None)
        if body is None or not "".join(body.itertext()).strip():
            return
        title = next(("".join(child.itertext()) for child in body if local_name(child) == "index-title"), "")
        self._end_code()
        self._builder.open_section(title or role.value.capitalize(), role=role)
        self._add_all(body, "")
        self._end_code()
        self._builder.close_section()

    def _end_code(self) -> None:
        """Add the lines of code so far as one block; each was a paragraph."""
        if self._code:
            self._builder.add_block("\n".join(self._code), BlockKind.CODE)
            self._code.clear()

    def _add_notes(self, notes: Iterable[OdtNote], start: int | None, text: str, inner: str) -> None:
        """Add the notes called in a block; `inner` is the end of `text` in which their places are counted."""
        base = len(text) - len(inner)
        for note in notes:
            place = len(normal_text(text[: max(0, base + note.offset)]))
            anchor = self._builder.position if start is None else start + place
            self._builder.add_note(note.label, self._flat_text(note.body, "\n"), anchor=anchor)

    def _add_table(self, table: Element) -> None:
        self._end_code()
        position = self._builder.position
        content, notes = Table(), list[OdtNote]()
        self._fill_table(table, content, notes)
        self._builder.add_block(content.text(), BlockKind.TABLE)
        self._add_notes((replace(note, offset=0) for note in notes), position, "", "")

    def _fill_table(self, element: Element, table: Table, notes: list[OdtNote]) -> None:
        for child in element:
            name = local_name(child)
            if name == "table-row":
                self._add_row(child, table, notes)
            elif name == "table-cell":
                self._add_cell(child, table, notes)
            elif name == "covered-table-cell":
                table.leave("td")
            elif name not in _DROPPED:
                self._fill_table(child, table, notes)

    def _add_row(self, row: Element, table: Table, notes: list[OdtNote]) -> None:
        repeats = _repeats(row, "number-rows-repeated") if "".join(row.itertext()).strip() else 1
        for _ in range(repeats):
            self._fill_table(row, table, notes)
            table.leave("tr")

    def _add_cell(self, cell: Element, table: Table, notes: list[OdtNote]) -> None:
        text = normal_line(self._flat_text(cell, " ", notes))
        for _ in range(_repeats(cell, "number-columns-repeated")):
            table.add(text)
            table.leave("td")

    def _flat_text(self, element: Element, joint: str, notes: list[OdtNote] | None = None) -> str:
        """All paragraphs below an element, with the numbers of lists; tables and boxes in it are flattened."""
        texts: list[str] = []
        for child in element:
            name = local_name(child)
            if name in {"p", "h"}:
                texts.extend(self._flat_paragraph(child, notes))
            elif name == "list":
                texts.append(self._flat_list(child, joint, notes))
            elif name not in _DROPPED:
                texts.append(self._flat_text(child, joint, notes))
        return joint.join(text for text in texts if text.strip())

    def _flat_list(self, element: Element, joint: str, notes: list[OdtNote] | None) -> str:
        self._lists.enter(element)
        texts: list[str] = []
        for item in element:
            label = self._lists.next_label(item) if _begins_with_text(item) else ""
            texts.append(f"{label} {self._flat_text(item, joint, notes)}".strip())
        self._lists.leave()
        return joint.join(texts)

    def _flat_paragraph(self, paragraph: Element, notes: list[OdtNote] | None) -> list[str]:
        inline = self._inline(paragraph)
        if notes is not None:
            notes.extend(inline.notes)
        return [inline.text, *(self._flat_text(box, " ", notes) for box in inline.boxes)]


def _begins_with_text(item: Element) -> bool:
    """Whether an item has a number of its own: one that only holds an inner list has none."""
    return any(local_name(child) in {"p", "h"} for child in item)


def _repeats(element: Element, name: str) -> int:
    value = attribute(element, name)
    return max(1, min(int(value), _MOST_REPEATS)) if value.isdigit() else 1
