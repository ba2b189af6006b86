"""What of a document is the summary to be judged: its prose, without what stands around it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Block, BlockKind, Document, Metadata, SectionRole

_MARKED_UP = frozenset({"markdown", "html", "epub", "docx", "odt"})
"""Formats in which headings are marked as such; elsewhere they are guessed, and a guess may hit a sentence."""

_NOTE_MARK = re.compile(r"[ ]*\[\^[^\]\s]+\]")
_LEFT_BY_MARK = re.compile(r"[ ]+(?=[.,](?:\s|$))")
_NOT_COVERED = "Not covered:"
_BLANK_LINES = re.compile(r"\n\s*\n")


def summary_from_document(document: Document) -> Document:
    """The summary that a file holds: without headings, notes, their marks, and what `lda summarize` adds on gaps.

    Raises `EmptyDocumentError` where nothing is left.
    """
    return _document(_prose(document), title=document.title, source=document.source)


def summary_from_text(text: str, *, title: str, source: str) -> Document:
    """A summary that is at hand as text. Raises `EmptyDocumentError` for a blank one."""
    return _document(_BLANK_LINES.split(text), title=title, source=source)


def _document(paragraphs: Iterable[str], *, title: str, source: str) -> Document:
    builder = DocumentBuilder("summary", source)
    builder.metadata = Metadata(title=title)
    for paragraph in paragraphs:
        builder.add_block(_LEFT_BY_MARK.sub("", _NOTE_MARK.sub("", paragraph)))
    return builder.build()


def _prose(document: Document) -> Iterator[str]:
    notes = [(section.start, section.end) for section in document.walk_sections() if section.role is SectionRole.NOTES]
    headings = document.format in _MARKED_UP
    for block in document.blocks:
        text = document.text[block.start : block.end]
        if (headings and block.kind is BlockKind.HEADING) or _is_aside(block, text):
            continue
        if not any(start <= block.start < end for start, end in notes):
            yield text


def _is_aside(block: Block, text: str) -> bool:
    return block.kind is BlockKind.NOTE or (block.kind is BlockKind.QUOTE and text.startswith(_NOT_COVERED))
