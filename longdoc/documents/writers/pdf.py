"""A manuscript as PDF, set by Typst: page numbers, footnotes, contents, bookmarks, tags for screen readers.

Owns handing prose over as JSON and saying which characters no font has. The look is `pdf.typ`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.resources import files

from longdoc.documents.manuscript import Manuscript
from longdoc.documents.writers.languages import direction_of_text, primary
from longdoc.documents.writers.prose import (
    Block,
    Blocks,
    CodeBlock,
    CodeText,
    Heading,
    Inline,
    Inlines,
    ItemList,
    LineBreak,
    Link,
    NoteMark,
    Paragraph,
    Quote,
    Rule,
    Styled,
    Table,
    Text,
    plain_text,
)
from longdoc.documents.writers.typesetting import TypesetManuscript, typeset
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue

_STANDARD = "ua-1"
"""PDF/UA: pages that can be read aloud, which also forbids characters that no font has."""
_NO_GLYPH = re.compile(r'the text `"(.*?)"` could not be displayed')
_CODE_POINT = re.compile(r"\\u\{([0-9a-f]+)\}")
_MOST_SHOWN = 12


def manuscript_pdf(manuscript: Manuscript) -> bytes:
    """The manuscript as a tagged PDF with its fonts in it; the same manuscript and fonts give the same bytes.

    Raises `ConfigError` where the package typst is missing, or where neither the fonts in it (Latin, Greek, Cyrillic,
    Hebrew) nor those of the system have a character.
    """
    try:
        import typst
    except ImportError as error:
        raise ConfigError("PDF needs the package typst; install it with: pip install 'longdoc[write]'") from error
    template = files("longdoc.documents.writers").joinpath("pdf.typ").read_bytes()
    work = json.dumps(_PdfWriter(typeset(manuscript)).value(), ensure_ascii=False)
    try:
        return typst.compile(template, sys_inputs={"manuscript": work}, pdf_standards=_STANDARD)
    except typst.TypstError as error:
        raise ConfigError(_reason(str(error))) from error


def _reason(message: str) -> str:
    missing = list(dict.fromkeys(_CODE_POINT.sub(_character, text) for text in _NO_GLYPH.findall(message)))
    if not missing:
        return f"the PDF cannot be made ({message.splitlines()[0]}); export EPUB, DOCX or HTML instead"
    shown = " ".join(text if text.isprintable() else ascii(text) for text in missing[:_MOST_SHOWN])
    more = f" and {len(missing) - _MOST_SHOWN} more" if len(missing) > _MOST_SHOWN else ""
    return (
        f"no font on this system has the characters {shown}{more}; install one that does (the Noto fonts have most), "
        "or export EPUB, DOCX or HTML instead"
    )


def _character(escape: re.Match[str]) -> str:
    """What Typst writes as a code point in braces."""
    return chr(int(escape[1], 16))


class _PdfWriter:
    """Turns a manuscript into the JSON that the template reads."""

    def __init__(self, work: TypesetManuscript) -> None:
        self._work = work
        self._level = 0

    def value(self) -> JsonValue:
        work = self._work
        headings = any(section.title for section in work.sections) or bool(work.bibliography)
        return {
            "title": work.title,
            "heading": self._line((Text(work.title),)),
            "author": work.author,
            "date": work.date.isoformat() if work.date else "",
            "language": primary(work.language),
            "direction": work.direction.value,
            "contents": work.labels.contents if headings else "",
            "notes": {str(note.number): self._line(note.content) for note in work.notes},
            "blocks": list(self._all_blocks()),
            "bibliography": [self._line((Text(entry),)) for entry in work.bibliography],
        }

    def _all_blocks(self) -> Iterator[JsonValue]:
        for section in self._work.sections:
            if section.title:
                yield self._heading(section.level, (Text(section.title),), is_listed=True)
            yield from self._blocks(section.blocks, section.level)
        if self._work.bibliography:
            yield self._heading(1, (Text(self._work.labels.bibliography),), is_listed=True)

    def _heading(self, level: int, content: Inlines, *, is_listed: bool) -> JsonValue:
        """A heading, at most one level below the one before, as the standard wants it."""
        self._level = min(level, self._level + 1)
        return ["heading", self._level, is_listed, self._line(content)]

    def _line(self, content: Inlines) -> JsonValue:
        """The direction of a line, empty for that of the manuscript, and what is in it."""
        direction = direction_of_text(plain_text(content), self._work.direction)
        return ["" if direction is self._work.direction else direction.value, _inlines(content)]

    def _blocks(self, blocks: Blocks, level: int) -> list[JsonValue]:
        return [self._block(block, level) for block in blocks]

    def _block(self, block: Block, level: int) -> JsonValue:
        made: JsonValue
        match block:
            case Paragraph():
                made = ["paragraph", self._line(block.content)]
            case Heading():
                made = self._heading(level + block.depth, block.content, is_listed=False)
            case CodeBlock():
                made = ["code", block.text, block.language]
            case Quote():
                made = ["quote", self._blocks(block.blocks, level)]
            case ItemList():
                items: list[JsonValue] = [self._blocks(item, level) for item in block.items]
                made = ["bullets", items] if block.start is None else ["numbers", block.start, items]
            case Table():
                rows: list[JsonValue] = [[self._line(cell) for cell in row] for row in block.rows]
                made = ["table", list(block.alignments), rows]
            case Rule():
                made = ["rule"]
        return made


def _inlines(content: Inlines) -> list[JsonValue]:
    return [_inline(part) for part in content]


def _inline(part: Inline) -> JsonValue:
    match part:
        case Text():
            return ["text", part.text]
        case CodeText():
            return ["code", part.text]
        case LineBreak():
            return ["break"]
        case NoteMark():
            return ["note", part.number]
        case Styled():
            return [part.style.value, _inlines(part.content)]
        case Link():
            return ["link", part.address, _inlines(part.content)]
