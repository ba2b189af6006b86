"""What a read document is: one normalised text, and everything else as character offsets into it.

Owns the value types only. Readers make them, the segmenter cuts them, everything later points back through them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum


class BlockKind(StrEnum):
    """What a block is in its source."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    QUOTE = "quote"
    CODE = "code"
    TABLE = "table"
    CAPTION = "caption"
    NOTE = "note"


class SectionRole(StrEnum):
    """What a section is for; only `BODY` is the work itself."""

    BODY = "body"
    COVER = "cover"
    TITLE_PAGE = "title_page"
    CONTENTS = "contents"
    FRONT = "front"
    NOTES = "notes"
    BACK = "back"
    LICENCE = "licence"


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item …: `document.text[start:end]`, without surrounding white space.

    `href` (EPUB member and fragment) and `page` (PDF, counted from 1) say where in the source it came from;
    `level` is the depth of a heading (1 to 6), 0 for anything else.
    """

    start: int
    end: int
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    href: str | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """A titled range of the text. Children lie inside their parent, in order, without overlap.

    `path` holds the titles from the outermost section down to this one.
    """

    title: str
    start: int
    end: int
    role: SectionRole = SectionRole.BODY
    path: tuple[str, ...] = ()
    href: str | None = None
    children: tuple[Section, ...] = ()

    def walk(self) -> Iterator[Section]:
        """This section and all below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote or endnote: its text is `document.text[start:end]` (in a section of role `NOTES`, after the
    running text); `anchor` is the offset in the running text where it is called, None where unknown."""

    label: str
    start: int
    end: int
    anchor: int | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the source says about itself; empty where it says nothing."""

    title: str = ""
    creators: tuple[str, ...] = ()
    language: str = ""
    identifier: str = ""
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A document as text with offsets.

    `text` is Unicode NFC with "\\n" line ends; blocks are joined by blank lines. `sections` is the outline as
    the source gives it (a contents list, bookmarks, headings); parts of the text outside any section are body.
    `warnings` are sentences for the reader about what could not be read. `id` is the SHA-256 of text and outline,
    hence equal for equal content, whatever file it came from.
    """

    id: str
    text: str
    format: str
    metadata: Metadata = field(default_factory=Metadata)
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()
    notes: tuple[Note, ...] = ()
    warnings: tuple[str, ...] = ()
    source: str = ""

    @property
    def title(self) -> str:
        """The title, or the name of the source where there is none."""
        return self.metadata.title or self.source

    def walk_sections(self) -> Iterator[Section]:
        """Every section, in document order, parents before children."""
        for section in self.sections:
            yield from section.walk()
