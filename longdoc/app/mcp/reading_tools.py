"""Tools that look at what is stored: documents, collections, sections, ranges of text; and the one that adds a file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import Field

from longdoc.app.indexing import add_documents
from longdoc.app.mcp.parts import McpParts
from longdoc.app.mcp.replies import (
    MOST_CHARACTERS,
    MOST_LISTED,
    AddedDocument,
    CollectionInfo,
    CollectionList,
    DocumentInfo,
    DocumentList,
    SectionInfo,
    SectionList,
    TextRange,
    shown_title,
    shown_warnings,
)
from longdoc.documents.document import Document
from longdoc.documents.places import place_of
from longdoc.documents.readers import read_document
from longdoc.errors import ConfigError

T = TypeVar("T")

DocumentId = Annotated[str, Field(min_length=1, max_length=100, description="Id of a document, or its beginning.")]
Start = Annotated[int, Field(ge=0, description="Where to begin, counted from 0; 'next' of the reply before.")]
_Count = Annotated[int, Field(ge=1, le=MOST_LISTED, description="How many at most.")]


class ReadingTools:
    """The tools, over the parts of a server."""

    def __init__(self, parts: McpParts) -> None:
        self._parts = parts

    async def list_documents(
        self,
        collection: Annotated[str, Field(description="Only documents of this collection; empty: all.")] = "",
        start: Start = 0,
        count: _Count = 50,
    ) -> DocumentList:
        """List the documents that are stored, with their ids and sizes; the last added first, of a collection in its
        order."""
        sight = self._parts.sight
        if collection:
            found = await self._parts.records.collections.documents(await sight.collection(collection))
            some, total = found[start : start + count], len(found)
        else:
            some, total = await sight.list(count, start=start)
        return DocumentList(list(map(DocumentInfo.of, some)), total, _next(start, some, total))

    async def list_collections(self, start: Start = 0, count: _Count = MOST_LISTED) -> CollectionList:
        """List the collections: sets of documents that are searched together."""
        found = await self._parts.sight.collections()
        some = found[start : start + count]
        shown = [CollectionInfo(one.name, one.documents, one.words) for one in some]
        return CollectionList(shown, len(found), _next(start, some, len(found)))

    async def list_sections(self, document: DocumentId, start: Start = 0, count: _Count = 100) -> SectionList:
        """List the sections (parts, chapters, ...) of a document in order, with the characters where they begin and
        end."""
        loaded = await self._parts.sight.load(document)
        every = [
            SectionInfo(number, shown_title(one.title), max(1, len(one.path)), str(one.role), one.start, one.end)
            for number, one in enumerate(loaded.walk_sections(), 1)
        ]
        some = every[start : start + count]
        after = _next(start, some, len(every))
        return SectionList(loaded.id, shown_title(loaded.title), len(loaded.text), some, len(every), after)

    async def read_range(
        self,
        document: DocumentId,
        start: Start = 0,
        length: Annotated[int, Field(ge=1, le=MOST_CHARACTERS, description="How many characters at most.")] = 8_000,
    ) -> TextRange:
        """Read a range of a document's text, in characters; list_sections tells where sections begin and end."""
        loaded = await self._parts.sight.load(document)
        if start >= len(loaded.text):
            raise ConfigError(f"the document has {len(loaded.text):,} characters; start before its end")
        end = min(start + length, len(loaded.text))
        title, place = shown_title(loaded.title), shown_title(str(place_of(loaded, start, start)))
        after = end if end < len(loaded.text) else None
        return TextRange(loaded.id, title, place, start, end, len(loaded.text), loaded.text[start:end], after)

    async def add_document(
        self,
        path: Annotated[str, Field(min_length=1, description="Path of a file on this computer.")],
        collection: Annotated[str, Field(max_length=200, description="A collection to put it into; empty: none.")] = "",
    ) -> AddedDocument:
        """Read a file of this computer (EPUB, PDF, DOCX, ODT, HTML, Markdown or text) and store it as a document."""
        loaded = await asyncio.to_thread(_read, path)
        records = self._parts.records
        _, total = await records.documents.list(1)
        await records.documents.save(loaded)
        if collection:
            await add_documents(records, [loaded], collection=collection)
        _, after = await records.documents.list(1)
        stored = await records.documents.find(loaded.id)
        return AddedDocument(DocumentInfo.of(stored), collection, after > total, shown_warnings(loaded.warnings))


def _read(path: str) -> Document:
    return read_document(Path(path).expanduser())


def _next(start: int, some: Sequence[T], total: int) -> int | None:
    end = start + len(some)
    return end if some and end < total else None
