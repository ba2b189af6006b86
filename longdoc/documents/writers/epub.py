"""A manuscript as EPUB 3: one page for each outermost section, with its notes at its end.

Owns the pages; the package document is `epub_package.py`, prose is `xhtml.py`, the look is `book.css`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files

from longdoc.documents.manuscript import Manuscript
from longdoc.documents.writers.contents import ContentsEntry, contents_of
from longdoc.documents.writers.epub_package import CONTAINER, STYLE, EpubPage, package_document
from longdoc.documents.writers.prose import Text
from longdoc.documents.writers.typesetting import NumberedNote, TypesetManuscript, TypesetSection, typeset
from longdoc.documents.writers.xhtml import XhtmlWriter
from longdoc.documents.writers.zip_file import zip_bytes

_CALL = 'epub:type="noteref" role="doc-noteref"'
_BACK = 'epub:type="backlink" role="doc-backlink"'
_MIMETYPE = "mimetype"
_TITLE_PAGE = "title.xhtml"
_NAV = "nav.xhtml"
_BIBLIOGRAPHY = "bibliography.xhtml"


def manuscript_epub(manuscript: Manuscript) -> bytes:
    """The manuscript as an EPUB 3; the same manuscript gives the same bytes."""
    return _EpubWriter(typeset(manuscript)).write()


@dataclass(frozen=True, slots=True)
class _Chapter:
    """The sections of one page with their numbers; the first is the outermost."""

    name: str
    sections: tuple[tuple[int, TypesetSection], ...]


class _EpubWriter:
    def __init__(self, work: TypesetManuscript) -> None:
        self._work = work
        self._chapters = tuple(_chapters(work.sections))
        self._writer = XhtmlWriter(work.direction, _CALL)

    def write(self) -> bytes:
        pages = [EpubPage(_TITLE_PAGE, self._title_page()), EpubPage(_NAV, self._nav(), is_nav=True)]
        pages += [EpubPage(chapter.name, self._chapter_page(chapter)) for chapter in self._chapters]
        if self._work.bibliography:
            pages.append(EpubPage(_BIBLIOGRAPHY, self._bibliography()))
        style = files("longdoc.documents.writers").joinpath(STYLE).read_text(encoding="utf-8")
        members = {_MIMETYPE: "application/epub+zip", "META-INF/container.xml": CONTAINER}
        members["OPS/package.opf"] = package_document(self._work, pages)
        members |= {f"OPS/{page.name}": page.text for page in pages}
        return zip_bytes(members | {f"OPS/{STYLE}": style}, stored=_MIMETYPE)

    def _page(self, title: str, body: Iterator[str]) -> str:
        language, direction = self._work.language, self._work.direction
        namespaces = 'xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"'
        lines = [
            '<?xml version="1.0" encoding="utf-8"?>',
            "<!DOCTYPE html>",
            f'<html {namespaces} lang="{language}" xml:lang="{language}" dir="{direction}">',
            "<head>",
            f"<title>{escape(title, quote=False)}</title>",
            f'<link rel="stylesheet" type="text/css" href="{STYLE}"/>',
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
        return "\n".join(lines)

    def _title_page(self) -> str:
        def body() -> Iterator[str]:
            yield '<section epub:type="titlepage" class="title">'
            yield self._writer.heading(1, (Text(self._work.title),))
            if self._work.author:
                yield f'<p class="author">{escape(self._work.author, quote=False)}</p>'
            if self._work.date:
                yield f'<p class="date">{self._work.date.isoformat()}</p>'
            yield "</section>"

        return self._page(self._work.title, body())

    def _chapter_page(self, chapter: _Chapter) -> str:
        def body() -> Iterator[str]:
            yield '<section epub:type="chapter">'
            for number, section in chapter.sections:
                if section.title:
                    yield self._writer.heading(section.level, (Text(section.title),), anchor=f"section{number}")
                yield self._writer.blocks(section.blocks, level=section.level)
            yield from self._notes(chapter)
            yield "</section>"

        first = chapter.sections[0][1]
        return self._page(first.title or self._work.title, body())

    def _notes(self, chapter: _Chapter) -> Iterator[str]:
        notes = [note for _, section in chapter.sections for note in section.notes]
        if notes:
            yield f'<div class="notes" role="group" aria-label="{escape(self._work.labels.notes)}">'
        yield from (self._note(note) for note in notes)
        if notes:
            yield "</div>"

    def _note(self, note: NumberedNote) -> str:
        back = f'<a href="#ref{note.number}" {_BACK}>{note.number}.</a>'
        text = f"<p{self._writer.turned(note.content)}>{back} {self._writer.inlines(note.content)}</p>"
        return f'<aside epub:type="footnote" role="doc-footnote" id="note{note.number}">{text}</aside>'

    def _bibliography(self) -> str:
        def body() -> Iterator[str]:
            yield '<section epub:type="bibliography" role="doc-bibliography">'
            yield self._writer.heading(1, (Text(self._work.labels.bibliography),))
            for entry in self._work.bibliography:
                yield f"<p{self._writer.turned((Text(entry),))}>{escape(entry, quote=False)}</p>"
            yield "</section>"

        return self._page(self._work.labels.bibliography, body())

    def _nav(self) -> str:
        def body() -> Iterator[str]:
            yield '<nav epub:type="toc" role="doc-toc" id="toc">'
            yield f"<h1>{self._work.labels.contents}</h1>"
            yield self._writer.contents(self._contents())
            yield "</nav>"

        return self._page(self._work.labels.contents, body())

    def _contents(self) -> tuple[ContentsEntry, ...]:
        pages = {number: chapter.name for chapter in self._chapters for number, _ in chapter.sections}
        added = [(self._work.labels.bibliography, _BIBLIOGRAPHY)] if self._work.bibliography else []
        entries = contents_of(self._work.sections, lambda number: f"{pages[number]}#section{number}", added)
        return entries or (ContentsEntry(self._work.title, _TITLE_PAGE, ()),)


def _chapters(sections: tuple[TypesetSection, ...]) -> Iterator[_Chapter]:
    """Sections by page: each of level 1 begins one."""
    held: list[tuple[int, TypesetSection]] = []
    count = 0
    for number, section in enumerate(sections, 1):
        if held and section.level == 1:
            count += 1
            yield _Chapter(f"chapter{count:04d}.xhtml", tuple(held))
            held.clear()
        held.append((number, section))
    if held:
        yield _Chapter(f"chapter{count + 1:04d}.xhtml", tuple(held))
