"""From an element tree (XHTML, HTML, DTBook, SVG) to blocks: what is running text, and of what kind.

Owns the walk, the white space, and where ids and note calls come to lie. What each element is for is
`elements.py`; which notes there are is `notes.py`; parsing is `xml.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Protocol

from lxml import etree

from longdoc.documents.document import BlockKind
from longdoc.documents.markup.elements import BLOCKS, HEADING_LEVELS, KINDS, is_left_out
from longdoc.documents.markup.tables import Table, is_layout_table
from longdoc.documents.markup.xml import Element, attribute, local_name, structural_types
from longdoc.documents.normal import normal_line, normal_text

_WHITE = re.compile(r"\s+")
_MARK = re.compile(
    r"[\[({]?\s*(?:\d{1,4}|[*∗†‡§¶#]{1,4}|[a-z]|[ivxl]{1,6}|[注註※]\s*\d{0,4}|(?:note|fn)\.?\s*\d{1,4})\s*[\])}]?\.?",
    re.IGNORECASE,
)


class BlockSink(Protocol):
    """Takes blocks; `DocumentBuilder` is one."""

    @property
    def position(self) -> int:
        """Where the next block will start."""
        ...

    def add_block(self, text: str, kind: BlockKind = ..., *, level: int = ..., href: str | None = ...) -> int | None:
        """Add a block; its start, or None where it was empty."""
        ...


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading that became a block; `anchor` is its id or that of what it opens, empty without one."""

    level: int
    title: str
    offset: int
    anchor: str


@dataclass(frozen=True, slots=True)
class NoteCall:
    """A place in the running text that calls the note named by `target`."""

    target: str
    label: str
    offset: int


@dataclass(frozen=True, slots=True)
class PageNotes:
    """What is known about notes before a page is read.

    `calls` maps the elements that call notes to the names of these; `notes` maps elements that are notes to
    theirs; `dropped` are no text: links from notes back to where they are called, the furniture of a page.
    """

    calls: Mapping[Element, str] = field(default_factory=dict[Element, str])
    notes: Mapping[Element, str] = field(default_factory=dict[Element, str])
    dropped: Set[Element] = frozenset()


@dataclass(slots=True)
class PageText:
    """What reading a page found besides its blocks: offsets of ids, headings, note calls, texts of notes.

    `places` are the ranges of the elements that were watched for.
    """

    start: int
    anchors: dict[str, int] = field(default_factory=dict[str, int])
    types: dict[str, str] = field(default_factory=dict[str, str])
    headings: list[Heading] = field(default_factory=list[Heading])
    calls: list[NoteCall] = field(default_factory=list[NoteCall])
    notes: dict[str, str] = field(default_factory=dict[str, str])
    places: dict[Element, tuple[int, int]] = field(default_factory=dict[Element, tuple[int, int]])


def is_mark(text: str) -> bool:
    """Whether a text is a mere mark of a note: a number, a star, a letter, bracketed or not."""
    return _MARK.fullmatch(text) is not None


def write_page(
    root: Element,
    sink: BlockSink,
    *,
    href: str,
    notes: PageNotes | None = None,
    watch: Set[Element] = frozenset(),
) -> PageText:
    """Add the text below an element to the sink, block by block; `watch` names elements to be placed."""
    return _PageWriter(sink, href, notes or PageNotes(), watch).write(root)


class _Lines:
    """A sink that only keeps the text, for what is no running text itself."""

    position = 0

    def __init__(self) -> None:
        self.texts: list[str] = []

    def add_block(
        self, text: str, kind: BlockKind = BlockKind.PARAGRAPH, *, level: int = 0, href: str | None = None
    ) -> int | None:
        del kind, level, href
        normal = normal_text(text)
        if normal:
            self.texts.append(normal)
        return 0 if normal else None


class _PageWriter:
    def __init__(self, sink: BlockSink, href: str, notes: PageNotes, watch: Set[Element]) -> None:
        self._sink = sink
        self._href = href
        self._notes = notes
        self._watch = watch
        self._page = PageText(sink.position)
        self._pieces: list[str] = []
        self._pending_calls: list[tuple[int, str, str]] = []
        self._pending_ids: list[str] = []
        self._kinds: list[tuple[BlockKind, int]] = [(BlockKind.PARAGRAPH, 0)]
        self._tables: list[Table | None] = []
        self._skipped: Element | None = None

    def write(self, root: Element) -> PageText:
        walker = etree.iterwalk(root, events=("start", "end"))
        for event, element in walker:
            if event == "start":
                if not self._enter(element):
                    self._skipped = element
                    walker.skip_subtree()
                continue
            if element is self._skipped:
                self._skipped = None
            else:
                self._leave(element, local_name(element))
            if element is not root and element.tail:
                self._add_text(element.tail)
        self._flush()
        return self._page

    def _enter(self, element: Element) -> bool:
        """Begin an element; False where its content is not for the running text."""
        name = local_name(element)
        if name in BLOCKS:
            self._flush()
        self._note_id(element, name)
        if element in self._watch:
            self._page.places[element] = (self._sink.position, self._sink.position)
        if element in self._notes.notes:
            self._take_note(element)
            self._pending_ids.clear()
            return False
        if element in self._notes.calls and self._take_call(element):
            return False
        if element in self._notes.dropped or is_left_out(element, name):
            return False
        self._open(element, name)
        if element.text:
            self._add_text(element.text)
        return True

    def _open(self, element: Element, name: str) -> None:
        if name == "br":
            self._pieces.append("\n")
        elif name in KINDS:
            self._kinds.append((KINDS[name], 0))
        elif name in HEADING_LEVELS:
            self._kinds.append((BlockKind.HEADING, HEADING_LEVELS[name]))
        elif name == "table":
            self._tables.append(None if is_layout_table(element) else Table())
        elif name == "math" and not element.xpath("string()"):
            self._pieces.append(element.get("alttext", ""))

    def _leave(self, element: Element, name: str) -> None:
        if name not in BLOCKS:
            return
        self._flush()
        if element in self._watch:
            self._page.places[element] = (self._page.places[element][0], self._sink.position)
        if name in KINDS or name in HEADING_LEVELS:
            self._kinds.pop()
        elif name == "table":
            table = self._tables.pop()
            if table is not None:
                self._write(table.text(), BlockKind.TABLE, 0)
        elif self._tables and self._tables[-1] is not None:
            self._tables[-1].leave(name)

    def _note_id(self, element: Element, name: str) -> None:
        anchor = attribute(element, "id") or (attribute(element, "name") if name == "a" else "")
        if not anchor:
            return
        self._page.anchors.setdefault(anchor, self._sink.position)
        self._pending_ids.append(anchor)
        types = structural_types(element)
        if types:
            self._page.types[anchor] = " ".join(types)

    def _take_call(self, element: Element) -> bool:
        """Remember a note call; True where its text is a mere mark that leaves the running text."""
        mark = normal_line(str(element.xpath("string()")))
        self._pending_calls.append((len(self._pieces), self._notes.calls[element], mark))
        return is_mark(mark)

    def _take_note(self, element: Element) -> None:
        name = self._notes.notes[element]
        lines = _Lines()
        _PageWriter(lines, self._href, PageNotes(dropped=self._notes.dropped), frozenset()).write(element)
        self._page.notes[name] = "\n".join(lines.texts)

    def _add_text(self, text: str) -> None:
        in_code = self._kinds[-1][0] is BlockKind.CODE
        self._pieces.append(text if in_code else _WHITE.sub(" ", text))

    def _flush(self) -> None:
        if not self._pieces:
            return
        text = "".join(self._pieces)
        kind, level = self._kinds[-1]
        if self._tables and self._tables[-1] is not None and kind is not BlockKind.CAPTION:
            self._tables[-1].add(normal_line(text))
            self._settle_calls(self._sink.position, 0)
        elif text.strip():
            self._write(normal_line(text) if kind is BlockKind.HEADING else text, kind, level)
        self._pieces.clear()

    def _write(self, text: str, kind: BlockKind, level: int) -> None:
        anchor = self._pending_ids[0] if self._pending_ids else ""
        href = f"{self._href}#{anchor}" if anchor else self._href
        start = self._sink.add_block(text, kind, level=level, href=href or None)
        if start is None:
            return
        if kind is BlockKind.HEADING:
            self._page.headings.append(Heading(level, text, start, anchor))
        self._pending_ids.clear()
        self._settle_calls(start, len(self._pieces))

    def _settle_calls(self, start: int, pieces: int) -> None:
        """Turn calls inside the text just written into offsets; only its first `pieces` can be measured."""
        for count, target, label in self._pending_calls:
            before = "".join(self._pieces[: min(count, pieces)])
            self._page.calls.append(NoteCall(target, label, start + len(normal_text(before))))
        self._pending_calls.clear()
