"""Paragraphs from lines: where one ends, what goes on over the page, what is a list, a table or code.

Owns these decisions, made from indentation, distance, size and how full lines are; which lines are headings or
contents is told by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import Enum, auto

from longdoc.documents.document import BlockKind
from longdoc.documents.pdf.hyphens import Vocabulary
from longdoc.documents.pdf.lines import Line
from longdoc.documents.pdf.typography import Typography

_BULLET = re.compile(r"([•◦▪■●○‣▸►·∙*–—\-])\s+(?=\S)")
_NUMBERED = re.compile(r"(\(?(?:\d{1,3}|[a-zA-Z]|[ivxlc]{1,6})[.)])\s+(?=\S)")
_LABELLED = re.compile(r"\[[\w.+-]{1,12}\]\s+(?=\S)")
_CAPTION = re.compile(r"(?:figure|fig\.|table|abbildung|abb\.|tabelle|tab\.)\s*\d+(?:\.\d+)*\s*[:.]", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?:;…。！？][\"'”’»)\]]*$")
_BROKEN_WORD = re.compile(r"[^\W\d_][-\u2010]$")
_INDENT = 0.6
_SAME_SIZE = 0.07
_WIDE = 1.42
_WIDE_AFTER_SENTENCE = 1.22
_CODE_GAP = 2.3


class _Joint(Enum):
    """How a line goes on from the one before."""

    SPACE = auto()
    LINE = auto()
    NEW = auto()


@dataclass(frozen=True, slots=True)
class Mark:
    """What the caller knows of a line; lines of one `group` belong together."""

    kind: BlockKind
    group: int
    level: int = 0


@dataclass(slots=True)
class Paragraph:
    """Lines that make one block; `breaks` holds the indexes of lines that begin on a line of their own."""

    lines: list[Line]
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    group: int | None = None
    breaks: set[int] = field(default_factory=set[int])

    @property
    def first(self) -> Line:
        """The line it begins with."""
        return self.lines[0]

    @property
    def last(self) -> Line:
        """The line it ends with."""
        return self.lines[-1]


def make_paragraphs(
    pages: Sequence[Sequence[Line]], typography: Typography, marks: Mapping[int, Mark], starts: Set[int]
) -> list[Paragraph]:
    """The paragraphs of all pages in order; `marks` and `starts` (lines that begin one) are by identity."""
    joiner = _Joiner(typography, starts)
    paragraphs: list[Paragraph] = []
    for line in (line for lines in pages for line in lines):
        joiner.add(paragraphs, line, marks.get(id(line)))
    for paragraph in paragraphs:
        _settle_kind(paragraph)
    return paragraphs


def paragraph_text(paragraph: Paragraph, vocabulary: Vocabulary) -> tuple[str, list[tuple[int, int, str]]]:
    """The text, and the calls of notes in it: offset, page and label."""
    if paragraph.kind is BlockKind.CODE:
        return _code_text(paragraph.lines), []
    parts: list[str] = []
    length = 0
    calls: list[tuple[int, int, str]] = []
    for index, line in enumerate(paragraph.lines):
        piece = line.text.lstrip()
        drops, between = False, "\n" if index else ""
        if index and index not in paragraph.breaks:
            drops, between = vocabulary.seam(parts[-1], piece)
        if drops:
            parts[-1] = parts[-1][:-1]
        parts.append(between + piece)
        base = length - drops + len(between) - (len(line.text) - len(piece))
        calls.extend((max(0, base + place), line.page, label) for place, label in line.marks)
        length += len(between) + len(piece) - drops
    return "".join(parts), calls


class _Joiner:
    def __init__(self, typography: Typography, starts: Set[int]) -> None:
        self._typography = typography
        self._starts = starts

    def add(self, paragraphs: list[Paragraph], line: Line, mark: Mark | None) -> None:
        """Add a line to the last paragraph, or begin one with it."""
        current = paragraphs[-1] if paragraphs else None
        joint = _Joint.NEW if current is None else self._joint(current, line, mark)
        if current is None or joint is _Joint.NEW:
            paragraphs.append(self._begin(line, mark, current))
            return
        if joint is _Joint.LINE:
            current.breaks.add(len(current.lines))
        current.lines.append(line)

    def _begin(self, line: Line, mark: Mark | None, before: Paragraph | None) -> Paragraph:
        if mark is not None:
            return Paragraph([line], mark.kind, mark.level, mark.group)
        if line.mono:
            return Paragraph([line], BlockKind.CODE)
        if _is_item(line, before):
            return Paragraph([line], BlockKind.LIST_ITEM)
        return Paragraph([line], BlockKind.CAPTION if _CAPTION.match(line.text) else BlockKind.PARAGRAPH)

    def _joint(self, current: Paragraph, line: Line, mark: Mark | None) -> _Joint:
        if mark is not None and mark.group == current.group:
            return _Joint.SPACE
        last = current.last
        other_size = abs(last.size - line.size) > _SAME_SIZE * max(last.size, line.size)
        known = id(line) in self._starts or mark is not None or current.group is not None
        if known or other_size or last.turned != line.turned:
            return _Joint.NEW
        if current.kind is BlockKind.CODE:
            return self._joint_in_code(current, line)
        if line.page != last.page or line.baseline > last.baseline + 0.5 * line.size:
            return self._joint_over_page(current, line)
        if "\t" in line.text and "\t" in last.text and not _starts_item(line):
            return _Joint.LINE
        return self._joint_in_column(current, line)

    def _joint_in_code(self, current: Paragraph, line: Line) -> _Joint:
        gap = current.last.baseline - line.baseline
        near = line.page != current.last.page or gap < _CODE_GAP * self._typography.leading(line)
        return _Joint.LINE if line.mono and near else _Joint.NEW

    def _joint_over_page(self, current: Paragraph, line: Line) -> _Joint:
        """Whether the first line of a page or column goes on with what stood before."""
        last = current.last
        if _is_broken_word(last, line):
            return _Joint.SPACE
        ended = bool(_SENTENCE_END.search(last.text))
        if _starts_item(line) or line.mono or not self._typography.fills(last, line):
            return _Joint.NEW
        if ended and not self._typography.is_justified(last):
            return _Joint.NEW
        if ended and not line.text[:1].islower():
            return _Joint.SPACE if len(current.lines) > 1 and self._typography.is_justified(line) else _Joint.NEW
        return _Joint.SPACE

    def _joint_in_column(self, current: Paragraph, line: Line) -> _Joint:
        last = current.last
        gap = (last.baseline - line.baseline) / self._typography.leading(line)
        ended = bool(_SENTENCE_END.search(last.text))
        if gap > (_WIDE_AFTER_SENTENCE if ended else _WIDE):
            return _Joint.NEW
        if _is_broken_word(last, line):
            return _Joint.SPACE
        full = self._typography.fills(last, line)
        indent = (line.left - last.left) / line.size
        if _starts_item(line) and (not full or ended or abs(indent) > _INDENT or current.kind is BlockKind.LIST_ITEM):
            return _Joint.NEW
        if not full:
            return _Joint.NEW if ended or line.mono else _Joint.LINE
        return self._joint_by_indent(current, indent, ended)

    def _joint_by_indent(self, current: Paragraph, indent: float, ended: bool) -> _Joint:
        """After a full line: a paragraph goes on unless the left edge says otherwise."""
        first_line = len(current.lines) == 1
        if indent > _INDENT:
            hanging = first_line and (current.kind is BlockKind.LIST_ITEM or not ended)
            return _Joint.SPACE if hanging else _Joint.NEW
        if indent < -_INDENT:
            return _Joint.SPACE if first_line and current.kind is not BlockKind.LIST_ITEM else _Joint.NEW
        return _Joint.SPACE


def _is_broken_word(line: Line, following: Line) -> bool:
    return bool(_BROKEN_WORD.search(line.text)) and following.text[:1].islower()


def _starts_item(line: Line) -> bool:
    return bool(_BULLET.match(line.text) or _NUMBERED.match(line.text) or _LABELLED.match(line.text))


def _is_item(line: Line, before: Paragraph | None) -> bool:
    """Whether a line that begins a paragraph is an item; a dash alone may be speech, so it needs company."""
    match = _BULLET.match(line.text)
    if match and match[1] in "–—-*·":
        return before is not None and (
            before.kind is BlockKind.LIST_ITEM or line.left > before.first.left + _INDENT * line.size
        )
    return _starts_item(line)


def _settle_kind(paragraph: Paragraph) -> None:
    """Several lines with cells are a table."""
    several = paragraph.kind is BlockKind.PARAGRAPH and len(paragraph.lines) > 1
    if several and all("\t" in line.text for line in paragraph.lines):
        paragraph.kind = BlockKind.TABLE


def _code_text(lines: Sequence[Line]) -> str:
    """Code with its indentation, which a PDF keeps only as a distance."""
    edge = min(line.left for line in lines)
    rows: list[str] = []
    for line in lines:
        letter = (line.right - line.left) / max(1, len(line.text))
        rows.append(" " * round((line.left - edge) / letter if letter else 0) + line.text.replace("\t", "    "))
    return "\n".join(rows)
