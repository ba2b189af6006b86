"""The documents that a question is asked of: given ones, or those of a collection, loaded when they are needed."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from longdoc.agents.events import Emit
from longdoc.app.bootstrap import Library, Records, Workspace
from longdoc.app.indexing import open_index
from longdoc.documents.document import Document
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError
from longdoc.retrieval.collection_index import CollectionIndex, Lost

_CHARACTERS_PER_TOKEN = 4
_MOST_KEPT = 20_000_000
"""Characters of documents that were loaded and are kept for the next question."""


@dataclass(slots=True)
class Shelf:
    """Documents in their order: `held` are in memory, all are stored. Close it when nothing is asked any more.

    `tokens` is about the length of all texts; `collection` the name of the collection they are, None for given ones;
    `lost` is told where the embedder fails, see `open_index`.
    Its index is opened by the first question that searches and serves all others.
    """

    records: Records
    title: str
    ids: tuple[str, ...]
    tokens: float
    held: Mapping[str, Document]
    collection: str | None = None
    lost: Lost = lambda error: None
    _loaded: OrderedDict[str, Document] = field(default_factory=OrderedDict[str, Document])
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _index: CollectionIndex | None = None

    async def load(self, ids: Iterable[str]) -> dict[str, Document]:
        """These documents by their ids, in the order of the shelf."""
        wanted = set(ids)
        return {one: await self._document(one) for one in self.ids if one in wanted}

    async def all(self) -> Sequence[Document]:
        """All documents, in their order."""
        return list((await self.load(self.ids)).values())

    async def index(self, library: Library | Workspace, *, emit: Emit) -> CollectionIndex:
        """The index of these documents, built where it is not there; the shelf's own. Raises as `open_index`."""
        async with self._opening:
            if self._index is None:
                documents = list(self.held.values())
                self._index = await open_index(
                    library, documents, collection=self.collection, emit=emit, lost=self.lost
                )
            return self._index

    def close(self) -> None:
        """Free the index. Idempotent."""
        if self._index is not None:
            self._index.close()
            self._index = None

    async def _document(self, document_id: str) -> Document:
        found = self.held.get(document_id) or self._loaded.get(document_id)
        if found is not None:
            return found
        document = self._loaded[document_id] = await self.records.documents.load(document_id)
        while len(self._loaded) > 1 and sum(len(one.text) for one in self._loaded.values()) > _MOST_KEPT:
            self._loaded.popitem(last=False)
        return document


async def shelf_of(records: Records, documents: Sequence[Document]) -> Shelf:
    """A shelf of given documents, which are stored first; the same document twice counts once."""
    held = {document.id: document for document in documents}
    if not held:
        raise ConfigError("name a document to ask about, or a collection (--collection NAME)")
    for document in held.values():
        await records.documents.save(document)
    first = next(iter(held.values()))
    title = first.title if len(held) == 1 else f"{first.title} and {len(held) - 1} more"
    return Shelf(records, title, tuple(held), sum(estimate_tokens(document.text) for document in held.values()), held)


async def shelf_of_collection(records: Records, name: str) -> Shelf:
    """A shelf of what is in a collection. Raises `NotFoundError`; `ConfigError` where it is empty."""
    stored = await records.collections.documents(name)
    if not stored:
        raise ConfigError(f"the collection {name!r} is empty; add documents: lda ingest PATH --collection {name}")
    ids = tuple(document.id for document in stored)
    tokens = sum(document.characters for document in stored) / _CHARACTERS_PER_TOKEN
    return Shelf(records, name, ids, tokens, {}, collection=name)
