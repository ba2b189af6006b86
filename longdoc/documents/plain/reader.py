"""The reader of plain text.

Owns Project Gutenberg's frame around its books and the order of work; encodings are `encoding.py`,
paragraphs are `plain/layout.py`, headings are `plain/headings.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Document, Metadata, SectionRole
from longdoc.documents.encoding import decode
from longdoc.documents.limits import Limits
from longdoc.documents.outline import OutlineEntry
from longdoc.documents.plain.headings import HeadingLine, Rank, find_headings, is_upper
from longdoc.documents.plain.layout import Paragraphs, blocks_of, split_paragraphs, usual_width

_DEEPEST_HEADING = 6
_LONGEST_SUBTITLE = 80
_GUTENBERG_START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)
_GUTENBERG_END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)
_GUTENBERG_FIELD = re.compile(r"^(Title|Author|Language):[ \t]+(.+(?:\n[ \t]{4,}\S.*)*)", re.MULTILINE)
_HEADER_LENGTH = 20_000
_LANGUAGES = {
    "english": "en",
    "french": "fr",
    "german": "de",
    "spanish": "es",
    "italian": "it",
    "portuguese": "pt",
    "dutch": "nl",
    "russian": "ru",
    "chinese": "zh",
    "japanese": "ja",
    "latin": "la",
    "finnish": "fi",
}


def read_text(data: bytes, *, name: str, limits: Limits) -> Document:
    """Read plain text from its bytes; `name` is for messages. Raises kinds of `DocumentError`."""
    del limits
    text = _with_unix_lines(decode(data))
    builder = DocumentBuilder("text", name)
    _TextReader(builder, split_paragraphs(text)).read()
    del text
    return builder.build()


def _with_unix_lines(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\f", "\n\n") if "\f" in text else text


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the work itself lies among the runs of a text; what is outside is Project Gutenberg's."""

    first: int
    last: int


class _TextReader:
    def __init__(self, builder: DocumentBuilder, paragraphs: Paragraphs) -> None:
        self._builder = builder
        self._paragraphs = paragraphs
        self._width = usual_width(paragraphs)
        self._entries: list[OutlineEntry] = []

    def read(self) -> None:
        frame = _gutenberg_frame(self._paragraphs)
        if frame.first:
            self._builder.metadata = _gutenberg_metadata(self._paragraphs.text[:_HEADER_LENGTH])
            self._enter("Project Gutenberg header", SectionRole.LICENCE)
            self._write(0, frame.first, ())
            self._enter(self._builder.metadata.title or "Front matter", SectionRole.BODY)
        self._write(frame.first, frame.last, find_headings(self._paragraphs, frame.first, frame.last))
        if frame.last < len(self._paragraphs):
            self._enter("Project Gutenberg licence", SectionRole.LICENCE)
            self._write(frame.last, len(self._paragraphs), ())
        self._builder.set_outline(self._entries)

    def _enter(self, title: str, role: SectionRole) -> None:
        self._entries.append(OutlineEntry(title, 0, self._builder.position, role))

    def _write(self, first: int, last: int, headings: Sequence[HeadingLine]) -> None:
        at = {heading.paragraph: heading for heading in headings}
        depths = _depths(headings)
        for index in range(first, last):
            heading = at.get(index)
            if heading is not None:
                self._write_heading(heading, depths[heading.rank], self._subtitle(index + 1, at))
            skip = heading.lines if heading is not None else 0
            for text, is_item in blocks_of(self._paragraphs, index, self._width, skip=skip):
                self._builder.add_block(text, BlockKind.LIST_ITEM if is_item else BlockKind.PARAGRAPH)

    def _subtitle(self, index: int, headings: Mapping[int, HeadingLine]) -> str:
        """The title that stands in capitals below "CHAPTER I", empty where there is none."""
        if headings[index - 1].number is None or index in headings or index >= len(self._paragraphs):
            return ""
        lines = self._paragraphs.lines(index, 2)
        return lines[0] if len(lines) == 1 and len(lines[0]) <= _LONGEST_SUBTITLE and is_upper(lines[0]) else ""

    def _write_heading(self, heading: HeadingLine, depth: int, subtitle: str) -> None:
        start = self._builder.add_block(heading.title, BlockKind.HEADING, level=min(depth + 1, _DEEPEST_HEADING))
        title = f"{heading.title} {subtitle}".rstrip()
        self._entries.append(OutlineEntry(title, depth, start, heading.role))


def _depths(headings: Sequence[HeadingLine]) -> dict[int, int]:
    """From ranks to depths; headings that stand alone (a preface) are as far out as the outermost others."""
    ranks = sorted({heading.rank for heading in headings} - {Rank.ALONE})
    return {Rank.ALONE: 0} | {rank: depth for depth, rank in enumerate(ranks)}


def _gutenberg_frame(paragraphs: Paragraphs) -> _Frame:
    """The runs between the marks of Project Gutenberg; all of them where there are none."""
    count = len(paragraphs)
    start = next(_marked(paragraphs, range(min(count, 400)), _GUTENBERG_START), -1)
    end = next(_marked(paragraphs, range(count - 1, max(start, count - 400), -1), _GUTENBERG_END), count)
    return _Frame(start + 1, end) if start >= 0 else _Frame(0, end)


def _marked(paragraphs: Paragraphs, indexes: range, pattern: re.Pattern[str]) -> Iterator[int]:
    for index in indexes:
        start, end = paragraphs.starts[index], paragraphs.ends[index]
        if pattern.search(paragraphs.text, start, min(end, start + 400)):
            yield index


def _gutenberg_metadata(header: str) -> Metadata:
    fields = {match[1]: " ".join(match[2].split()) for match in _GUTENBERG_FIELD.finditer(header)}
    return Metadata(
        title=fields.get("Title", ""),
        creators=(fields["Author"],) if "Author" in fields else (),
        language=_LANGUAGES.get(fields.get("Language", "").lower(), ""),
    )
