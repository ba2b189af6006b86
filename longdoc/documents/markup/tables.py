"""Tables of marked-up pages as lines of text.

Owns the form of a table in a document, and which tables only lay out a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from longdoc.documents.markup.xml import Element, local_name

_CELLS = frozenset({"td", "th"})
_FLOWING = frozenset({"table", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"})
_BETWEEN_CELLS = "\t"


@dataclass(slots=True)
class Table:
    """A table being read: a line per row, cells joined by tabs, which no count of words takes for one."""

    _lines: list[str] = field(default_factory=list[str])
    _row: list[str] = field(default_factory=list[str])
    _cell: list[str] = field(default_factory=list[str])

    def add(self, text: str) -> None:
        """Add text to the open cell."""
        if text:
            self._cell.append(text)

    def leave(self, name: str) -> None:
        """Note that an element inside the table ends."""
        if name in _CELLS:
            self._row.append(" ".join(self._cell))
            self._cell.clear()
        elif name == "tr":
            self._end_row()

    def text(self) -> str:
        """The whole table."""
        self._end_row()
        return "\n".join(self._lines)

    def _end_row(self) -> None:
        if self._cell:
            self.leave("td")
        if any(self._row):
            self._lines.append(_BETWEEN_CELLS.join(self._row))
        self._row.clear()


def is_layout_table(table: Element) -> bool:
    """Whether a table only places things on a page: it holds headings, code or tables, or has one column."""
    if table.get("role") in {"presentation", "none"}:
        return True
    widest = 0
    for element in table.iterdescendants():
        name = local_name(element)
        if name in _FLOWING:
            return True
        if name == "tr":
            widest = max(widest, sum(local_name(cell) in _CELLS for cell in element))
    return widest <= 1
