"""The text inside a paragraph of a DOCX.

Owns runs, fields, tracked changes (accepted), symbols and formulas; what a paragraph becomes is `docx.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from longdoc.documents.docx.symbol_fonts import symbol
from longdoc.documents.markup.formulas import formula_text
from longdoc.documents.markup.xml import Element, attribute, local_name

_DROPPED = frozenset(
    {"ppr", "rpr", "del", "movefrom", "deltext", "instrtext", "delinstrtext", "sdtpr", "sdtendpr", "rt",
     "smarttagpr", "customxmlpr", "fldsimplepr", "annotationref", "footnoteref", "endnoteref"}
)  # fmt: skip
_TEXT = {"tab": "\t", "ptab": "\t", "cr": "\n", "nobreakhyphen": "\u2011", "softhyphen": ""}
_PAGE_BREAKS = frozenset({"page", "column"})
_PICTURES = frozenset({"drawing", "pict", "object"})
_OFF = frozenset({"0", "false", "off"})


@dataclass(frozen=True, slots=True)
class NoteCall:
    """A call of a note: where it stands in the text, "footnote" or "endnote", and which one."""

    offset: int
    kind: str
    note_id: str


@dataclass(slots=True)
class Inline:
    """The content of a paragraph; text boxes anchored in it are kept apart."""

    calls: list[NoteCall] = field(default_factory=list[NoteCall])
    boxes: list[Element] = field(default_factory=list[Element])
    _parts: list[str] = field(default_factory=list[str])
    _length: int = 0

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def add(self, text: str) -> None:
        """Add text at the end."""
        self._parts.append(text)
        self._length += len(text)

    def call(self, kind: str, note_id: str) -> None:
        """Note that a note is called here."""
        self.calls.append(NoteCall(self._length, kind, note_id))

    def extend(self, other: Inline) -> None:
        """Add what another paragraph holds, when the end of this one was deleted."""
        base = self._length
        self.add(other.text)
        self.calls.extend(NoteCall(base + call.offset, call.kind, call.note_id) for call in other.calls)
        self.boxes.extend(other.boxes)


class InlineReader:
    """Reads paragraphs of one story in order; fields may run over several of them."""

    def __init__(self) -> None:
        self._fields: list[bool] = []
        """For each open field whether its result was reached: what stands before is its instruction."""

    def read(self, paragraph: Element) -> Inline:
        """The content of one paragraph."""
        inline = Inline()
        for child in paragraph:
            self._add(child, inline)
        return inline

    def _add(self, element: Element, inline: Inline) -> None:
        name = local_name(element)
        if name in _DROPPED or not name:
            return
        if name == "fldchar":
            self._field(attribute(element, "fldCharType"))
        elif name in _PICTURES:
            inline.boxes.extend(text_boxes(element))
        elif name == "alternatecontent":
            for child in chosen(element):
                self._add(child, inline)
        elif not all(self._fields):
            self._descend(element, inline)
        else:
            self._add_visible(name, element, inline)

    def _add_visible(self, name: str, element: Element, inline: Inline) -> None:
        if name == "t":
            inline.add(element.text or "")
        elif name in _TEXT:
            inline.add(_TEXT[name])
        elif name == "br":
            inline.add(" " if attribute(element, "type") in _PAGE_BREAKS else "\n")
        elif name == "sym":
            inline.add(symbol(attribute(element, "char"), attribute(element, "font")))
        elif name in {"footnotereference", "endnotereference"}:
            inline.call(name.removesuffix("reference"), attribute(element, "id"))
        elif name == "omath":
            inline.add(formula_text(element))
        elif name != "r" or not _is_hidden(element):
            self._descend(element, inline)

    def _descend(self, element: Element, inline: Inline) -> None:
        for child in element:
            self._add(child, inline)

    def _field(self, kind: str) -> None:
        if kind == "begin":
            self._fields.append(False)
        elif kind == "separate" and self._fields:
            self._fields[-1] = True
        elif kind == "end" and self._fields:
            self._fields.pop()


def chosen(alternatives: Element) -> Iterator[Element]:
    """What stands in the first choice of alternatives, or in the fallback where there is none."""
    options = {local_name(option): option for option in reversed(alternatives)}
    option = options.get("choice", options.get("fallback"))
    return iter(()) if option is None else iter(option)


def text_boxes(element: Element) -> Iterator[Element]:
    """The outermost text boxes in a drawing, each once."""
    for child in element:
        name = local_name(child)
        if name == "txbxcontent":
            yield child
        elif name == "alternatecontent":
            for option in chosen(child):
                yield from text_boxes(option)
        else:
            yield from text_boxes(child)


def mark_is_deleted(properties: Element | None) -> bool:
    """Whether the end of a paragraph is a tracked deletion, so that it goes on in the next one."""
    for child in () if properties is None else properties:
        if local_name(child) == "rpr":
            return any(local_name(mark) in {"del", "movefrom"} for mark in child)
    return False


def _is_hidden(run: Element) -> bool:
    for child in run:
        if local_name(child) == "rpr":
            return any(local_name(mark) == "vanish" and attribute(mark, "val") not in _OFF for mark in child)
    return False
