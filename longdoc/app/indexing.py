"""Indexes of documents to search: of those at hand, or of a named collection that documents are put into."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from longdoc.agents.events import Emit, Indexed, Warned
from longdoc.app.bootstrap import Library, Records, Workspace
from longdoc.documents.document import Document
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError, NotFoundError
from longdoc.retrieval.collection_index import CollectionIndex
from longdoc.retrieval.index_rows import IndexRows
from longdoc.storage.collections import Collection, Member
from longdoc.storage.documents import StoredDocument

DEFAULT_COLLECTION = "default"

_HASHED = "hashed"
_NAME_LENGTH = 32


async def open_index(
    library: Library | Workspace, documents: Sequence[Document], *, collection: str | None, emit: Emit
) -> CollectionIndex:
    """The index of a collection, or of the documents given where there is none; close it after use.

    It is built where it is not there, and goes on where it was stopped. Documents given with a collection are not put
    into it: they only need not be loaded. Without a model for embeddings it searches by words alone, and says so.
    Raises `NotFoundError` for an unknown collection, `StorageError`, and what the embedder raises.
    """
    records = library.records
    if collection is None:
        await _store_missing(records, documents)
        ids = sorted({document.id for document in documents})
        members = tuple(Member(number, one) for number, one in enumerate(ids, 1))
        folder = _folder(records, "documents", *ids)
    else:
        found = await records.collections.get(collection)
        members, folder = found.members, _folder_of(records, found)
    rows = IndexRows(records.documents, records.embeddings, at_hand=documents)
    embedder = await _embedder(library, emit)

    def progress(done: int, total: int) -> None:
        emit(Indexed(done, total))

    def waiting() -> None:
        emit(Warned("another process is at work on this index; waiting for it"))

    return await CollectionIndex.open(folder, members, rows, embedder, progress=progress, waiting=waiting)


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of documents that were put into a collection: how many were new to it, and what it searches by."""

    new: int
    rankings: tuple[str, ...]


async def ingest(
    library: Library | Workspace, documents: Sequence[Document], *, collection: str, emit: Emit
) -> Ingested:
    """Put documents into a collection, which is made where there is none, and bring its index up to date.

    A document that is in it already is not put there again. Raises as `open_index`.
    """
    new = await add_documents(library.records, documents, collection=collection)
    index = await open_index(library, documents, collection=collection, emit=emit)
    index.close()
    return Ingested(new, index.rankings)


async def add_documents(records: Records, documents: Sequence[Document], *, collection: str) -> int:
    """Store documents and put them into a collection, without an index; how many were not in it yet."""
    for document in documents:
        await records.documents.save(document)
    return await records.collections.add(collection, [document.id for document in documents])


async def remove_document(records: Records, collection: str, prefix: str) -> StoredDocument:
    """Take the document whose id begins so out of a collection; its index follows when it is opened next.

    Raises `NotFoundError` for none or several.
    """
    inside = await records.collections.documents(collection)
    found = [document for document in inside if document.id.startswith(prefix)]
    if len(found) != 1 or not prefix:
        problem = "several documents begin" if found and prefix else "no document begins"
        raise NotFoundError(f"in the collection {collection!r} {problem} with {prefix!r}")
    await records.collections.remove(collection, found[0].id)
    return found[0]


async def remove_collection(records: Records, name: str) -> None:
    """Delete a collection and its index; its documents and their embeddings stay stored. Raises `NotFoundError`."""
    folder = _folder_of(records, await records.collections.get(name))
    await records.collections.delete(name)
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _store_missing(records: Records, documents: Sequence[Document]) -> None:
    for document in documents:
        try:
            await records.documents.find(document.id)
        except NotFoundError:
            await records.documents.save(document)


async def _embedder(library: Library | Workspace, emit: Emit) -> Embedder | None:
    try:
        embedder = await library.embedder.opened()
    except (ConfigError, EngineError) as error:
        emit(Warned(f"the texts are searched by their words alone: {error}"))
        return None
    lacking = "model for embeddings" if embedder.info.engine == _HASHED else None if find_spec("faiss") else "FAISS"
    if lacking is None:
        return embedder
    emit(Warned(f"the texts are searched by their words alone: there is no {lacking}"))
    return None


def _folder_of(records: Records, collection: Collection) -> Path:
    """One that no other collection ever has, of the same name or in another database."""
    return _folder(records, "collection", collection.name, collection.created_at.isoformat())


def _folder(records: Records, *named: str) -> Path:
    key = hashlib.sha256("\0".join(named).encode("utf-8", "surrogatepass")).hexdigest()
    return records.indexes / key[:_NAME_LENGTH]
