"""Counting through the lists of an ODT.

Owns levels, starts and lists that go on counting after a break; how numbers look is `odt/styles.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from longdoc.documents.markup.xml import Element, attribute
from longdoc.documents.odt.styles import OdtStyles

_TRUE = "true"


@dataclass(slots=True)
class _OpenList:
    style: str
    list_id: str
    count: int | None = None


@dataclass(slots=True)
class ListCounter:
    """The lists that are open at a place of the document, outermost first."""

    styles: OdtStyles
    _open: list[_OpenList] = field(default_factory=list[_OpenList])
    _last_by_id: dict[str, int] = field(default_factory=dict[str, int])
    _last_by_style: dict[tuple[str, int], int] = field(default_factory=dict[tuple[str, int], int])

    @property
    def is_open(self) -> bool:
        """Whether this place is inside a list."""
        return bool(self._open)

    def enter(self, element: Element) -> None:
        """Open a list; one without a style has that of the list around it."""
        style = attribute(element, "style-name") or (self._open[-1].style if self._open else "")
        opened = _OpenList(style, attribute(element, "id"))
        continued = attribute(element, "continue-list")
        if continued:
            opened.count = self._last_by_id.get(continued)
        elif attribute(element, "continue-numbering") == _TRUE:
            opened.count = self._last_by_style.get((style, len(self._open)))
        self._open.append(opened)

    def leave(self) -> None:
        """Close the innermost list."""
        closed = self._open.pop()
        if closed.count is not None:
            self._last_by_id[closed.list_id] = closed.count
            self._last_by_style[closed.style, len(self._open)] = closed.count

    def next_label(self, item: Element) -> str:
        """Count one more item of the innermost list and return its number or bullet."""
        current = self._open[-1]
        level = len(self._open)
        start = attribute(item, "start-value")
        if start.isdigit():
            current.count = int(start)
        else:
            first = self.styles.list_start(current.style, level)
            current.count = first if current.count is None else current.count + 1
        return self.styles.list_label(current.style, [opened.count or 1 for opened in self._open])
