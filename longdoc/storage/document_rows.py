"""Documents and segments as rows and back.

Owns the stored form: what a document has few of as JSON, its blocks as packed columns of integers. Enumerations are
stored by name, so that a new or moved member changes nothing that is stored.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import RowMapping

from longdoc.documents.document import Block, BlockKind, Document, Metadata, Note, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.storage.packing import pack_columns, unpack_columns
from longdoc.storage.texts import decoded, text_sha256

_NONE = -1
"""Stands for None among integers none of which is negative."""
_COUNTED_AT_ONCE = 1 << 20
_SEVERAL = {"creators", "subjects"}
"""What metadata has several of."""

H = TypeVar("H", bound=Hashable)


def to_row(document: Document) -> dict[str, Any]:
    """The row of a document, without the time it was added; its text is stored apart."""
    kinds = _numbered(block.kind for block in document.blocks)
    hrefs = _numbered(block.href for block in document.blocks)
    return {
        "id": document.id,
        "text_sha256": text_sha256(document.text),
        "format": document.format,
        "source": document.source,
        "title": document.title,
        "outline": {
            "metadata": asdict(document.metadata),
            "sections": [_packed_section(section) for section in document.sections],
            "notes": [[note.label, note.start, note.end, note.anchor] for note in document.notes],
            "warnings": document.warnings,
            "kinds": list(kinds),
            "hrefs": list(hrefs),
        },
        "blocks": _packed_blocks(document.blocks, kinds, hrefs),
        "words": count_words(document.text),
        "characters": len(document.text),
    }


def from_row(row: RowMapping) -> Document:
    """The document of a row that also holds the body of its text."""
    outline: dict[str, Any] = row["outline"]
    return Document(
        id=row["id"],
        text=decoded(row["body"]),
        format=row["format"],
        metadata=read_metadata(outline["metadata"]),
        blocks=tuple(_blocks(row["blocks"], [BlockKind(kind) for kind in outline["kinds"]], outline["hrefs"])),
        sections=tuple(map(_section, outline["sections"])),
        notes=tuple(Note(*note) for note in outline["notes"]),
        warnings=tuple(outline["warnings"]),
        source=row["source"],
    )


def pack_segments(segments: Sequence[Segment]) -> dict[str, Any]:
    """Segments as a JSON value."""
    roles = _numbered(segment.role for segment in segments)
    return {
        "start": [segment.start for segment in segments],
        "end": [segment.end for segment in segments],
        "tokens": [segment.tokens for segment in segments],
        "roles": list(roles),
        "role": [roles[segment.role] for segment in segments],
        "section": [segment.section for segment in segments],
    }


def unpack_segments(payload: dict[str, Any]) -> tuple[Segment, ...]:
    """The segments of a JSON value made by `pack_segments`."""
    roles = [SectionRole(role) for role in payload["roles"]]
    columns: Iterable[tuple[int, int, int, int, int | None]]
    columns = zip(payload["start"], payload["end"], payload["tokens"], payload["role"], payload["section"], strict=True)
    return tuple(
        Segment(index, start, end, tokens, roles[role], section)
        for index, (start, end, tokens, role, section) in enumerate(columns)
    )


def count_words(text: str) -> int:
    """Words between white space, counted piece by piece so that they are never all in memory."""
    words, inside = 0, False
    for start in range(0, len(text), _COUNTED_AT_ONCE):
        piece = text[start : start + _COUNTED_AT_ONCE]
        words += len(piece.split()) - (inside and not piece[0].isspace())
        inside = not piece[-1].isspace()
    return words


def _numbered(values: Iterable[H]) -> dict[H, int]:
    """The different values, in order of appearance, each with its number."""
    return {value: number for number, value in enumerate(dict.fromkeys(values))}


def _packed_blocks(blocks: Sequence[Block], kinds: dict[BlockKind, int], hrefs: dict[str | None, int]) -> bytes:
    return pack_columns(
        (block.start for block in blocks),
        (block.end for block in blocks),
        (kinds[block.kind] for block in blocks),
        (block.level for block in blocks),
        (hrefs[block.href] for block in blocks),
        (_NONE if block.page is None else block.page for block in blocks),
    )


def _blocks(packed: bytes, kinds: Sequence[BlockKind], hrefs: Sequence[str | None]) -> Iterator[Block]:
    starts, ends, kind, level, href, page = unpack_columns(packed, count=6)
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        yield Block(start, end, kinds[kind[i]], level[i], hrefs[href[i]], None if page[i] == _NONE else page[i])


def read_metadata(stored: dict[str, Any]) -> Metadata:
    """Metadata that was stored as a dictionary of its fields."""
    values: dict[str, Any] = {name: tuple(v) if name in _SEVERAL else v for name, v in stored.items()}
    return Metadata(**values)


def _packed_section(section: Section) -> list[Any]:
    children = [_packed_section(child) for child in section.children]
    return [section.title, section.start, section.end, section.role, section.path, section.href, children]


def _section(stored: list[Any]) -> Section:
    title, start, end, role, path, href, children = stored
    return Section(title, start, end, SectionRole(role), tuple(path), href, tuple(map(_section, children)))
