"""The blocks of a text in Markdown as it is being written: paragraphs, list items, tables, blocks of code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

_FENCE = re.compile(r"[ \t]{0,12}(?P<fence>`{3,}|~{3,})")
_ITEM = re.compile(r"[ \t]{0,40}(?:[-*+]|\d{1,3}[.)])[ \t]+\S")
_ROW = re.compile(r"[ \t]{0,12}\|")
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]")


class TextBlockKind(StrEnum):
    """What a block is. `OPEN_CODE` is code whose fence is not closed."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    ITEM = "item"
    TABLE = "table"
    CODE = "code"
    OPEN_CODE = "open code"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A stretch of a text, with the white space that follows it."""

    start: int
    end: int
    kind: TextBlockKind


def text_blocks(text: str) -> Iterator[TextBlock]:
    """The blocks of a text, which tile it but for empty lines at its beginning. Time is linear in its length."""
    start = at = len(text) - len(text.lstrip("\n"))
    kind: TextBlockKind | None = None
    fence, apart = "", False
    for line in text[at:].splitlines(keepends=True):
        if fence:
            if _closes(line, fence):
                kind, fence, apart = TextBlockKind.CODE, "", True
        elif not line.strip():
            apart = True
        else:
            now = _kind(line)
            if kind is None:
                kind = now
            elif apart or not _goes_on(kind, now):
                yield TextBlock(start, at, kind)
                start, kind = at, now
            fence, apart = _fence(line), False
        at += len(line)
    if kind is not None:
        yield TextBlock(start, len(text), kind)


def _goes_on(kind: TextBlockKind, line: TextBlockKind) -> bool:
    """Whether a line belongs to the block just before it."""
    if line is TextBlockKind.PARAGRAPH:
        return kind in {TextBlockKind.PARAGRAPH, TextBlockKind.ITEM}
    return line is kind is TextBlockKind.TABLE


def _kind(line: str) -> TextBlockKind:
    if _FENCE.match(line):
        return TextBlockKind.OPEN_CODE
    if _ROW.match(line):
        return TextBlockKind.TABLE
    if _ITEM.match(line):
        return TextBlockKind.ITEM
    return TextBlockKind.HEADING if _HEADING.match(line) else TextBlockKind.PARAGRAPH


def _fence(line: str) -> str:
    match = _FENCE.match(line)
    return match["fence"] if match else ""


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return bare.startswith(fence) and not bare.strip(fence[0])
