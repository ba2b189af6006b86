"""The text inside a paragraph of an ODT.

Owns spaces, breaks, references, fields and formulas; what a paragraph becomes is `odt.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from longdoc.documents.odt_package import reference_of
from longdoc.documents.xml import Element, attribute, local_name

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

    text: str = ""
    number: str = ""
    notes: list[OdtNote] = field(default_factory=list[OdtNote])
    boxes: list[Element] = field(default_factory=list[Element])
    comments: int = 0


def read_inline(paragraph: Element, formula: Callable[[str], str]) -> OdtInline:
    """The content of a paragraph; `formula` gives the text of an embedded formula by its reference."""
    inline = OdtInline()
    for child in paragraph:
        if local_name(child) == "number":
            inline.number = "".join(child.itertext()).strip()
    _add_children(paragraph, inline, formula)
    return inline


def _add_children(element: Element, inline: OdtInline, formula: Callable[[str], str]) -> None:
    inline.text += element.text or ""
    for child in element:
        _add(child, inline, formula)
        inline.text += child.tail or ""


def _add(element: Element, inline: OdtInline, formula: Callable[[str], str]) -> None:
    name = local_name(element)
    if name in _DROPPED or not name:
        return
    match name:
        case "s":
            inline.text += " " * min(_count(element, "c"), _MOST_SPACES)
        case "tab":
            inline.text += "\t"
        case "line-break":
            inline.text += "\n"
        case "note":
            _add_note(element, inline)
        case "annotation":
            inline.comments += 1
        case "text-box":
            inline.boxes.append(element)
        case "object":
            inline.text += formula(reference_of(element))
        case _:
            _add_children(element, inline, formula)


def _add_note(note: Element, inline: OdtInline) -> None:
    label = ""
    for child in note:
        if local_name(child) == "note-citation":
            label = attribute(child, "label") or "".join(child.itertext()).strip()
        elif local_name(child) == "note-body":
            inline.notes.append(OdtNote(len(inline.text), label, child))


def _count(element: Element, name: str) -> int:
    value = attribute(element, name)
    return int(value) if value.isdigit() else 1
