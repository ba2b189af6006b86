"""What the Python face takes as documents: files, bytes with a name, documents that are read, or a collection."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, closing
from os import PathLike, fspath
from typing import TypeAlias

from longdoc.app.bootstrap import Workspace
from longdoc.app.shelf import Shelf, shelf_of, shelf_of_collection
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes, read_document
from longdoc.errors import ConfigError, DocumentError

Input: TypeAlias = "str | PathLike[str] | Document"
"""A document: the path of its file, or the document itself."""

Inputs: TypeAlias = "Input | Iterable[Input]"
"""One document, or several."""

_URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)


async def open_input(source: Input | bytes, *, name: str | None = None) -> Document:
    """The document in a file or in bytes, read in a thread; one that is read already is given back as it is.

    Raises kinds of `DocumentError`.
    """
    if isinstance(source, Document):
        return source
    if isinstance(source, bytes):
        return await asyncio.to_thread(read_bytes, source, name=name or "document")
    path = fspath(source)
    if _URL.match(path):
        raise DocumentError("is an address on the net; fetch it, and name the file or give its bytes", source=path)
    return await asyncio.to_thread(read_document, path)


async def open_inputs(sources: Inputs) -> list[Document]:
    """Documents, read one after the other: one that cannot be read ends it, since an answer from fewer than were named
    would mislead. Raises kinds of `DocumentError`."""
    if isinstance(sources, str | PathLike | Document):
        return [await open_input(sources)]
    return [await open_input(source) for source in sources]


@asynccontextmanager
async def open_shelf(workspace: Workspace, sources: Inputs, collection: str | None) -> AsyncGenerator[Shelf, None]:
    """Documents, or those of a collection, to be asked about for as long as the context lasts.

    Raises kinds of `DocumentError`, `ConfigError` for none and for both, `NotFoundError` for an unknown collection.
    """
    read = await open_inputs(sources)
    if collection is not None and read:
        raise ConfigError("name either documents or a collection, not both at once")
    if collection is None and not read:
        raise ConfigError("name a document to ask about, or a collection: collection=…")
    records = workspace.records
    opened = await shelf_of(records, read) if collection is None else await shelf_of_collection(records, collection)
    with closing(opened) as shelf:
        yield shelf


def name_of(source: Input) -> str:
    """What a document is called in messages and tables: its path, or the source of one that is read."""
    return source.source or source.title if isinstance(source, Document) else fspath(source)
