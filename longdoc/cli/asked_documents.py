"""The documents named on a command line that something is asked of: files, or a collection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.app.bootstrap import Records
from longdoc.app.shelf import Shelf, shelf_of, shelf_of_collection
from longdoc.cli.reading import read_sources
from longdoc.cli.record import with_records
from longdoc.documents.document import Document
from longdoc.errors import ConfigError


@dataclass(frozen=True, slots=True)
class AskedDocuments:
    """Documents that are read, or the name of a collection."""

    documents: Sequence[Document]
    collection: str | None

    @classmethod
    def read(
        cls, sources: Sequence[str], collection: str | None, *, database: str | None, reader: str | None = None
    ) -> AskedDocuments:
        """Read what was named, before an engine is looked for: one that cannot be read ends it, since an answer from
        fewer documents than were named would mislead; `database` is the record that holds the collection. Raises
        `ConfigError`, `DocumentError`, and `NotFoundError` for an unknown collection."""
        if collection is not None and sources:
            raise ConfigError("name either files or a collection, not both at once")
        if collection is None and not sources:
            raise ConfigError("name a document, or a collection (--collection NAME)")
        if collection is not None:
            asyncio.run(with_records(database, lambda records: shelf_of_collection(records, collection)))
        return cls(read_sources(sources, reader=reader), collection)

    async def shelf(self, records: Records) -> Shelf:
        """The same as a shelf. Raises `NotFoundError` for an unknown collection."""
        if self.collection is not None:
            return await shelf_of_collection(records, self.collection)
        return await shelf_of(records, self.documents)
