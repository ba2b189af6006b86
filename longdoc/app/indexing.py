"""Indexes of documents to search: of those at hand, or of a named collection that documents are put into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from longdoc.agents.events import Emit, Indexed, Warned
from longdoc.app.bootstrap import Library, Records, Workspace
from longdoc.documents.document import Document
from longdoc.engines.embedder import Embedder
from longdoc.errors import ConfigError, EngineError, LdaError, NotFoundError
from longdoc.retrieval.collection_index import CollectionIndex, Lost, Members
from longdoc.retrieval.index_folders import IndexFolders
from longdoc.retrieval.index_lock import alone_in
from longdoc.retrieval.index_rows import IndexRows
from longdoc.storage.collections import Collection, Member
from longdoc.storage.documents import StoredDocument

DEFAULT_COLLECTION = "default"
WAITING = "another process is at work on this index; waiting for it"

_HASHED = "hashed"
_GO_ON = "what it embedded is kept; once it works, or another is set, the next use of the index goes on from there"


async def open_index(
    library: Library | Workspace,
    documents: Sequence[Document],
    *,
    collection: str | None,
    emit: Emit,
    lost: Lost = lambda error: None,
) -> CollectionIndex:
    """The index of a collection, or of the documents given where there is none; close it after use.

    It is built where it is not there, and goes on where it was stopped. Documents given with a collection are not put
    into it: they only need not be loaded. Without a model for embeddings it searches by words alone, and says so;
    where there is one that fails, now or at a search, `lost` is told too. Indexes that nobody needs any more are
    removed. Raises `NotFoundError` for an unknown collection, and `StorageError`.
    """
    records = library.records
    if collection is None:
        await _store_missing(records, documents)
        folder, members = _given(records, documents)
    else:
        folder, members = await _collected(records, collection)
    rows = IndexRows(records.documents, records.embeddings, at_hand=documents)

    def without(error: LdaError) -> None:
        lost(error)
        emit(Warned(f"the texts are searched by their words alone, for the embedder fails: {error} ({_GO_ON})"))

    def progress(done: int, total: int) -> None:
        emit(Indexed(done, total))

    embedder = await _embedder(library, emit, without)
    await _tidy(records, folder)
    return await CollectionIndex.open(
        folder, members, rows, embedder, progress=progress, waiting=lambda: emit(Warned(WAITING)), lost=without
    )


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


async def remove_collection(records: Records, name: str, *, waiting: Callable[[], None] = lambda: None) -> None:
    """Delete a collection and its index; its documents and their embeddings stay stored.

    The index goes first: stopped in between, the collection is still there to be removed, or to be indexed again.
    `waiting` is called where another process is at work on the index. Raises `NotFoundError`, `StorageError`.
    """
    found = await records.collections.get(name)
    folder = _folder_of(records, found)
    async with alone_in(folder, waiting):
        await _folders(records).remove(folder)
        await records.collections.delete(name, created_at=found.created_at)


async def _store_missing(records: Records, documents: Sequence[Document]) -> None:
    for document in documents:
        try:
            await records.documents.find(document.id)
        except NotFoundError:
            await records.documents.save(document)


async def _embedder(library: Library | Workspace, emit: Emit, lost: Lost) -> Embedder | None:
    try:
        embedder = await library.embedder.opened()
    except (ConfigError, EngineError) as error:
        lost(error)
        return None
    lacking = "model for embeddings" if embedder.info.engine == _HASHED else None if find_spec("faiss") else "FAISS"
    if lacking is None:
        return embedder
    emit(Warned(f"the texts are searched by their words alone: there is no {lacking}"))
    return None


def _given(records: Records, documents: Sequence[Document]) -> tuple[Path, Members]:
    ids = sorted({document.id for document in documents})

    async def members() -> Sequence[Member]:
        return tuple(Member(number, one) for number, one in enumerate(ids, 1))

    return _folders(records).of_documents(ids), members


async def _collected(records: Records, name: str) -> tuple[Path, Members]:
    folder = _folder_of(records, await records.collections.get(name))

    async def members() -> Sequence[Member]:
        found = await records.collections.get(name)
        if _folder_of(records, found) != folder:
            raise NotFoundError(f"the collection {name!r} was removed and made anew; run the same command again")
        return found.members

    return folder, members


async def _tidy(records: Records, used: Path) -> None:
    """Note which index is used, and remove those that nobody needs."""
    folders = _folders(records)

    async def known() -> set[Path]:
        made = await records.collections.made()
        return {folders.of_collection(name, created_at) for name, created_at in made.items()}

    await folders.touch(used)
    await folders.prune(known)


def _folder_of(records: Records, collection: Collection) -> Path:
    return _folders(records).of_collection(collection.name, collection.created_at)


def _folders(records: Records) -> IndexFolders:
    return IndexFolders(records.indexes)
