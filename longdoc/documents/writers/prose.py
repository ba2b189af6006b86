"""Prose as a tree: what Markdown says, free of its notation.

Owns the value types and walking them. Every writer renders these; `prose_parser.py` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias


class Style(StrEnum):
    """How a stretch of text is set off."""

    EMPHASIS = "emphasis"
    STRONG = "strong"
    STRUCK = "struck"


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text without line breaks."""

    text: str


@dataclass(frozen=True, slots=True)
class CodeText:
    """Code within a line."""

    text: str


@dataclass(frozen=True, slots=True)
class LineBreak:
    """A forced line break."""


@dataclass(frozen=True, slots=True)
class NoteMark:
    """Where the note of this number is called."""

    number: int


@dataclass(frozen=True, slots=True)
class Styled:
    """Text set off from what is around it."""

    style: Style
    content: Inlines


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads to an address outside the manuscript (http, https or mailto; ASCII, percent-encoded)."""

    address: str
    content: Inlines


Inline: TypeAlias = "Text | CodeText | LineBreak | NoteMark | Styled | Link"
Inlines: TypeAlias = "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph."""

    content: Inlines


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section; `depth` 1 is one level below the section's own heading."""

    depth: int
    content: Inlines


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Lines of code; `language` may be empty."""

    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Quote:
    """A block quotation."""

    blocks: Blocks


@dataclass(frozen=True, slots=True)
class ItemList:
    """A list; `start` is the first number, None for bullets."""

    items: tuple[Blocks, ...]
    start: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first row is its head; `alignments` ("left", "center", "right" or "") has one entry per column."""

    rows: tuple[tuple[Inlines, ...], ...]
    alignments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A break between paragraphs, drawn as a line or stars."""


Block: TypeAlias = "Paragraph | Heading | CodeBlock | Quote | ItemList | Table | Rule"
Blocks: TypeAlias = "tuple[Block, ...]"


def plain_text(content: Inlines) -> str:
    """The text alone; note marks have none."""
    return "".join(_plain(part) for part in content)


def _plain(part: Inline) -> str:
    match part:
        case Text() | CodeText():
            return part.text
        case Styled() | Link():
            return plain_text(part.content)
        case LineBreak():
            return "\n"
        case NoteMark():
            return ""


def inlines_of(blocks: Sequence[Block]) -> Iterator[Inlines]:
    """The content of every paragraph, heading and cell, in order; code as one piece of code."""
    for block in blocks:
        match block:
            case Paragraph() | Heading():
                yield block.content
            case CodeBlock():
                yield (CodeText(block.text),)
            case Quote():
                yield from inlines_of(block.blocks)
            case ItemList():
                for item in block.items:
                    yield from inlines_of(item)
            case Table():
                for row in block.rows:
                    yield from row
            case Rule():
                pass


def marks_in(content: Inlines) -> Iterator[int]:
    """Numbers of the notes that are called, in order."""
    for part in content:
        if isinstance(part, NoteMark):
            yield part.number
        elif isinstance(part, Styled | Link):
            yield from marks_in(part.content)


def without_marks(content: Inlines) -> Inlines:
    """The content without calls of notes."""
    kept = (part for part in content if not isinstance(part, NoteMark))
    return tuple(replace(p, content=without_marks(p.content)) if isinstance(p, Styled | Link) else p for p in kept)
