"""Where in a document a stretch of its text stands, as a reader would say it: section, page, address."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.documents.document import Block, Document, Section

_MOST_TITLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stretch begins and, for pages, ends; empty where the document does not say.

    `section` is the titles from the outermost section to the innermost one, `page` and `last_page` are counted from 1,
    `href` is an address inside the source.
    """

    section: tuple[str, ...] = ()
    page: int | None = None
    last_page: int | None = None
    href: str | None = None

    def __str__(self) -> str:
        """In short: "Chapter 3, page 41"; empty where nothing is known."""
        return ", ".join(filter(None, (self._title(), self._pages())))

    def _title(self) -> str:
        title = next((title for title in reversed(self.section) if title), "")
        short = len(title) <= _MOST_TITLE_CHARACTERS
        return title if short else f"{title[: _MOST_TITLE_CHARACTERS - 1].rstrip()}…"

    def _pages(self) -> str:
        if self.page is None:
            return ""
        if self.last_page is None or self.last_page == self.page:
            return f"page {self.page}"
        return f"pages {self.page}–{self.last_page}"


def place_of(document: Document, start: int, end: int) -> Place:
    """Where `document.text[start:end]` stands: the innermost section that holds its first character, and its pages."""
    sections = _sections_at(document.sections, start)
    first, last = _block_at(document.blocks, start), _block_at(document.blocks, max(start, end - 1))
    page = None if first is None else first.page
    return Place(
        section=tuple(section.title for section in sections),
        page=page,
        last_page=page if last is None or last.page is None else last.page,
        href=_href(first, sections),
    )


def _sections_at(sections: Sequence[Section], offset: int) -> list[Section]:
    """The sections that hold an offset, outermost first."""
    found: list[Section] = []
    while sections:
        number = bisect_right(sections, offset, key=lambda section: section.start) - 1
        if number < 0 or offset >= sections[number].end:
            break
        found.append(sections[number])
        sections = sections[number].children
    return found


def _block_at(blocks: Sequence[Block], offset: int) -> Block | None:
    """The block that holds an offset or is the last one before it."""
    number = bisect_right(blocks, offset, key=lambda block: block.start) - 1
    return blocks[number] if number >= 0 else None


def _href(block: Block | None, sections: Sequence[Section]) -> str | None:
    if block is not None and block.href is not None:
        return block.href
    return next((section.href for section in reversed(sections) if section.href is not None), None)
