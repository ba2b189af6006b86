"""What the paragraph styles of a DOCX mean: headings, quotes, code, captions, contents, lists.

Owns inheritance between styles; a paragraph's own settings go before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from longdoc.documents.document import BlockKind
from longdoc.documents.markup.xml import Element, attribute, local_name

_HEADING_NAME = re.compile(r"heading\s*([1-9])")
_KINDS = (
    (BlockKind.CODE, re.compile(r"source code|code|preformatted.*|html preformatted|macro text|.*verbatim|listing")),
    (BlockKind.QUOTE, re.compile(r"(intense )?quot(e|ations?)|block ?text|block ?quote|quote.*|citation")),
    (BlockKind.CAPTION, re.compile(r"(table |image |figure )?caption.*|legend")),
)
_CONTENTS_NAME = re.compile(r"toc( heading|\s*\d)|contents( heading|\s*\d)|table of figures")
_TITLE_NAMES = frozenset({"title"})
_BODY_LEVEL = 9
_LONGEST_CHAIN = 30
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ListPlace:
    """Which list and level a paragraph is in; `level` None where it follows from the style."""

    list_id: str
    level: int | None


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    based_on: str
    outline: int | None
    place: ListPlace | None


class Styles:
    """The paragraph styles of one document by their ids."""

    def __init__(self, root: Element | None) -> None:
        self._styles: dict[str, _Style] = {}
        self._default = ""
        self.lists_of_styles: dict[str, str] = {}
        for element in () if root is None else root:
            if local_name(element) == "style":
                self._add(element)

    def heading_level(self, properties: Element | None) -> int:
        """The level of a heading from 1, 0 for other paragraphs."""
        own = _outline(properties)
        if own is None:
            own = self._first(style_of(properties), _style_outline)
        return 0 if own is None or own >= _BODY_LEVEL else own + 1

    def kind(self, properties: Element | None) -> BlockKind:
        """What a style says its paragraphs are."""
        return self._first(style_of(properties), _kind_of_name) or BlockKind.PARAGRAPH

    def is_title(self, properties: Element | None) -> bool:
        """Whether the paragraph is the document's title."""
        return bool(self._first(style_of(properties), lambda style: style.name in _TITLE_NAMES or None))

    def is_contents(self, properties: Element | None) -> bool:
        """Whether the paragraph belongs to a contents list."""
        style = style_of(properties)
        return bool(self._first(style, lambda found: bool(_CONTENTS_NAME.fullmatch(found.name)) or None))

    def list_place(self, properties: Element | None) -> ListPlace | None:
        """The list a paragraph is in, by its own settings or by its style."""
        own = _list_place(properties)
        inherited = self._first(style_of(properties) or self._default, lambda style: style.place)
        if own is None:
            return inherited
        if not own.list_id and inherited is not None:
            return ListPlace(inherited.list_id, own.level)
        return own if own.list_id not in {"", "0"} else None

    def _first(self, style: str, ask: Callable[[_Style], _T | None]) -> _T | None:
        """The first answer along the chain of styles that a style is based on."""
        return next((answer for found in self._chain(style) if (answer := ask(found)) is not None), None)

    def _chain(self, style: str) -> Iterator[_Style]:
        for _ in range(_LONGEST_CHAIN):
            found = self._styles.get(style)
            if found is None:
                return
            yield found
            style = found.based_on

    def _add(self, element: Element) -> None:
        style_id = attribute(element, "styleId")
        values = {local_name(child): child for child in element}
        properties = values.get("ppr")
        place = _list_place(properties)
        if attribute(element, "type") == "numbering" and place is not None:
            self.lists_of_styles[style_id] = place.list_id
            return
        name = attribute(values["name"], "val").lower() if "name" in values else style_id.lower()
        based_on = attribute(values["basedon"], "val") if "basedon" in values else ""
        self._styles[style_id] = _Style(name, based_on, _outline(properties), place)
        if attribute(element, "default") in {"1", "true"} and attribute(element, "type") == "paragraph":
            self._default = style_id


def style_of(properties: Element | None) -> str:
    """The id of a paragraph's style, empty where it has none."""
    return _child_value(properties, "pstyle")


def _style_outline(style: _Style) -> int | None:
    match = _HEADING_NAME.fullmatch(style.name)
    if style.outline is not None or match is None:
        return style.outline
    return int(match[1]) - 1


def _kind_of_name(style: _Style) -> BlockKind | None:
    return next((kind for kind, pattern in _KINDS if pattern.fullmatch(style.name)), None)


def _outline(properties: Element | None) -> int | None:
    return _integer(_child_value(properties, "outlinelvl"))


def _list_place(properties: Element | None) -> ListPlace | None:
    numbering = None if properties is None else _child(properties, "numpr")
    if numbering is None:
        return None
    return ListPlace(_child_value(numbering, "numid"), _integer(_child_value(numbering, "ilvl")))


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if local_name(child) == name), None)


def _child_value(element: Element | None, name: str) -> str:
    child = None if element is None else _child(element, name)
    return "" if child is None else attribute(child, "val")


def _integer(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
