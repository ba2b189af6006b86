"""The text inside a paragraph of an ODT.

Owns spaces, breaks, references, fields and formulas; what a paragraph becomes is `odt.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from longdoc.documents.markup.xml import Element, attribute, local_name
from longdoc.documents.odt.package import reference_of

_DROPPED = frozenset(
    {"annotation-end", "tracked-changes", "ruby-text", "hidden-text", "hidden-paragraph", "script", "image",
     "title", "desc", "event-listeners", "number", "placeholder", "plugin", "contour-polygon"}
)  # fmt: skip
_MOST_SPACES = 100


@dataclass(frozen=True, slots=True)
class OdtNote:
    """A call of a note in a text, and the note."""

    offset: int
    label: str
    body: Element


@dataclass(slots=True)
class OdtInline:
    """The content of a paragraph; boxes anchored in it are kept apart, comments are counted."""

    number: str = ""
    notes: list[OdtNote] = field(default_factory=list[OdtNote])
    boxes: list[Element] = field(default_factory=list[Element])
    comments: int = 0
    _parts: list[str] = field(default_factory=list[str])
    _length: int = 0

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def add(self, text: str | None) -> None:
        """Add text at the end."""
        if text:
            self._parts.append(text)
            self._length += len(text)

    def call(self, label: str, body: Element) -> None:
        """Note that a note is called here."""
        self.notes.append(OdtNote(self._length, label, body))


def read_inline(paragraph: Element, formula: Callable[[str], str]) -> OdtInline:
    """The content of a paragraph; `formula` gives the text of an embedded formula by its reference."""
    inline = OdtInline()
    for child in paragraph:
        if local_name(child) == "number":
            inline.number = "".join(child.itertext()).strip()
    _add_children(paragraph, inline, formula)
    return inline


def _add_children(element: Element, inline: OdtInline, formula: Callable[[str], str]) -> None:
    inline.add(element.text)
    for child in element:
        _add(child, inline, formula)
        inline.add(child.tail)


def _add(element: Element, inline: OdtInline, formula: Callable[[str], str]) -> None:
    name = local_name(element)
    if name in _DROPPED or not name:
        return
    match name:
        case "s":
            inline.add(" " * min(_count(element, "c"), _MOST_SPACES))
        case "tab":
            inline.add("\t")
        case "line-break":
            inline.add("\n")
        case "note":
            _add_note(element, inline)
        case "annotation":
            inline.comments += 1
        case "text-box":
            inline.boxes.append(element)
        case "object":
            inline.add(formula(reference_of(element)))
        case _:
            _add_children(element, inline, formula)


def _add_note(note: Element, inline: OdtInline) -> None:
    label = ""
    for child in note:
        if local_name(child) == "note-citation":
            label = attribute(child, "label") or "".join(child.itertext()).strip()
        elif local_name(child) == "note-body":
            inline.call(label, child)


def _count(element: Element, name: str) -> int:
    value = attribute(element, name)
    return int(value) if value.isdigit() else 1
