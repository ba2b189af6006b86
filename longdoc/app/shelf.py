"""The documents that a question is asked of: given ones, or those of a collection, loaded when they are needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from longdoc.app.bootstrap import Records
from longdoc.documents.document import Document
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError

_CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents in their order: `held` are in memory, all are stored.

    `tokens` is about the length of all texts; `collection` the name of the collection they are, None for given ones.
    """

    records: Records
    title: str
    ids: tuple[str, ...]
    tokens: float
    held: Mapping[str, Document]
    collection: str | None = None

    async def load(self, ids: Iterable[str]) -> dict[str, Document]:
        """These documents by their ids, in the order of the shelf."""
        wanted = set(ids)
        documents = self.records.documents
        return {one: self.held.get(one) or await documents.load(one) for one in self.ids if one in wanted}

    async def all(self) -> Sequence[Document]:
        """All documents, in their order."""
        return list((await self.load(self.ids)).values())


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
