"""A manuscript as one HTML page that needs nothing else.

Owns the page: contents list, notes, bibliography, and a security policy under which nothing is loaded or run. Prose is
`xhtml.py`, the look is `page.css`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from importlib.resources import files

from longdoc.documents.manuscript import Manuscript
from longdoc.documents.writers.contents import contents_of
from longdoc.documents.writers.prose import Text
from longdoc.documents.writers.typesetting import NumberedNote, TypesetManuscript, typeset
from longdoc.documents.writers.xhtml import XhtmlWriter

_CALL = 'class="noteref" role="doc-noteref"'
_BACK = 'class="back" role="doc-backlink"'
_NOTES = "notes"
_BIBLIOGRAPHY = "bibliography"


def manuscript_html(manuscript: Manuscript) -> str:
    """The manuscript as a single page for screen and print."""
    work = typeset(manuscript)
    style = files("longdoc.documents.writers").joinpath("page.css").read_text(encoding="utf-8")
    return "\n".join([*_head(work, style), "<body>", *_body(work), "</body>", "</html>", ""])


def _head(work: TypesetManuscript, style: str) -> Iterator[str]:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    yield "<!DOCTYPE html>"
    yield f'<html lang="{work.language}" dir="{work.direction}">'
    yield "<head>"
    yield '<meta charset="utf-8"/>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield '<meta name="color-scheme" content="light dark"/>'
    if work.author:
        yield f'<meta name="author" content="{escape(work.author)}"/>'
    yield f"<title>{escape(work.title, quote=False)}</title>"
    yield f"<style>{style}</style>"
    yield "</head>"


def _body(work: TypesetManuscript) -> Iterator[str]:
    writer = XhtmlWriter(work.direction, _CALL)
    yield "<main>"
    yield '<div class="title">'
    yield writer.heading(1, (Text(work.title),))
    if work.author:
        yield f'<p class="author">{escape(work.author, quote=False)}</p>'
    if work.date:
        yield f'<p class="date"><time>{work.date.isoformat()}</time></p>'
    yield "</div>"
    yield from _contents(work, writer)
    for number, section in enumerate(work.sections, 1):
        if section.title:
            yield writer.heading(section.level + 1, (Text(section.title),), anchor=f"section{number}")
        yield writer.blocks(section.blocks, level=section.level + 1)
    yield from _bibliography(work, writer)
    yield from _notes(work, writer)
    yield "</main>"


def _contents(work: TypesetManuscript, writer: XhtmlWriter) -> Iterator[str]:
    added: list[tuple[str, str]] = []
    if work.bibliography:
        added.append((work.labels.bibliography, f"#{_BIBLIOGRAPHY}"))
    if work.notes:
        added.append((work.labels.notes, f"#{_NOTES}"))
    entries = contents_of(work.sections, lambda number: f"#section{number}", added)
    if entries:
        yield f'<nav role="doc-toc" aria-labelledby="contents"><p id="contents">{work.labels.contents}</p>'
        yield writer.contents(entries)
        yield "</nav>"


def _bibliography(work: TypesetManuscript, writer: XhtmlWriter) -> Iterator[str]:
    if work.bibliography:
        yield f'<section id="{_BIBLIOGRAPHY}" role="doc-bibliography">'
        yield writer.heading(2, (Text(work.labels.bibliography),))
        yield from (
            f"<p{writer.turned((Text(entry),))}>{escape(entry, quote=False)}</p>" for entry in work.bibliography
        )
        yield "</section>"


def _notes(work: TypesetManuscript, writer: XhtmlWriter) -> Iterator[str]:
    if work.notes:
        yield f'<section id="{_NOTES}" role="doc-endnotes">'
        yield writer.heading(2, (Text(work.labels.notes),))
        yield "<ol>"
        yield from (_note(note, writer) for note in work.notes)
        yield "</ol>"
        yield "</section>"


def _note(note: NumberedNote, writer: XhtmlWriter) -> str:
    back = f'<a href="#ref{note.number}" {_BACK}>↩</a>'
    return f'<li id="note{note.number}"{writer.turned(note.content)}>{writer.inlines(note.content)} {back}</li>'
