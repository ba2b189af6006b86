"""Collections: named sets of documents that are searched together, and every change that was made to them.

Owns who is in a collection; what is derived from that carries the number of the last change it knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from longdoc.errors import NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.documents import StoredDocument
from longdoc.storage.inserts import insert_missing
from longdoc.storage.schema import collection_documents, collections, documents


@dataclass(frozen=True, slots=True)
class Member:
    """A document in a collection: `number` is that of the change that added it, `removed` of the one that ended it."""

    number: int
    document_id: str
    removed: int | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection with all who ever were in it, by number. A document that comes back has a number of its own."""

    name: str
    created_at: datetime
    members: tuple[Member, ...]

    @property
    def document_ids(self) -> tuple[str, ...]:
        """The documents that are in it now, in the order in which they came."""
        return tuple(member.document_id for member in self.members if member.removed is None)


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """What is known of a collection at a glance; `words` are those of all its documents."""

    name: str
    created_at: datetime
    documents: int
    words: int


_DOCUMENT = [documents.c[field.name] for field in fields(StoredDocument)]
_PRESENT = collection_documents.c.removed.is_(None)


class Collections:
    """The stored collections."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(self, name: str, document_ids: Sequence[str]) -> int:
        """Put documents into a collection, which is made where there is none; how many were not in it yet.

        Raises `StorageError` where a document is not stored.
        """
        now = self._now()

        def work(connection: Connection) -> int:
            insert_missing(connection, collections, [{"name": name, "created_at": now}])
            number = _last_change(connection, name)
            there = {member.document_id for member in _members(connection, name) if member.removed is None}
            new = [one for one in dict.fromkeys(document_ids) if one not in there]
            rows = [
                {"collection": name, "number": place, "document_id": one, "removed": None, "added_at": now}
                for place, one in enumerate(new, number + 1)
            ]
            if rows:
                connection.execute(insert(collection_documents), rows)
            return len(rows)

        return await self._database.write(work)

    async def remove(self, name: str, document_id: str) -> None:
        """Take a document out of a collection. Raises `NotFoundError` where it is not in it."""

        def work(connection: Connection) -> None:
            statement = update(collection_documents).where(
                collection_documents.c.collection == name, collection_documents.c.document_id == document_id, _PRESENT
            )
            if connection.execute(statement.values(removed=_last_change(connection, name) + 1)).rowcount == 0:
                raise NotFoundError(f"there is no document {document_id!r} in the collection {name!r}")

        await self._database.write(work)

    async def delete(self, name: str, *, created_at: datetime | None = None) -> None:
        """Delete a collection; its documents stay stored.

        With `created_at` only the one that was made then. Raises `NotFoundError`.
        """
        meant = collections.c.name == name
        if created_at is not None:
            meant &= collections.c.created_at == created_at

        def work(connection: Connection) -> None:
            if connection.execute(delete(collections).where(meant)).rowcount == 0:
                raise _unknown(name)

        await self._database.write(work)

    async def get(self, name: str) -> Collection:
        """A collection. Raises `NotFoundError`."""

        def work(connection: Connection) -> Collection:
            row = connection.execute(select(collections).where(collections.c.name == name)).first()
            if row is None:
                raise _unknown(name)
            return Collection(row.name, row.created_at, _members(connection, name))

        return await self._database.read(work)

    async def documents(self, name: str) -> tuple[StoredDocument, ...]:
        """The documents that are in a collection, in the order in which they came. Raises `NotFoundError`."""
        statement = (
            select(*_DOCUMENT)
            .join(collection_documents, collection_documents.c.document_id == documents.c.id)
            .where(collection_documents.c.collection == name, _PRESENT)
            .order_by(collection_documents.c.number)
        )

        def work(connection: Connection) -> tuple[StoredDocument, ...]:
            if connection.execute(select(collections.c.name).where(collections.c.name == name)).first() is None:
                raise _unknown(name)
            return tuple(StoredDocument(*row) for row in connection.execute(statement))

        return await self._database.read(work)

    async def made(self) -> Mapping[str, datetime]:
        """When each collection was made, by name."""
        statement = select(collections.c.name, collections.c.created_at)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return {name: created_at for name, created_at in rows}  # noqa: C416 - rows are no pairs to a type checker

    async def list(self) -> tuple[CollectionSummary, ...]:
        """All collections, by name."""
        inside = collection_documents.c.collection == collections.c.name
        statement = (
            select(
                collections.c.name,
                collections.c.created_at,
                func.count(documents.c.id),
                func.coalesce(func.sum(documents.c.words), 0),
            )
            .outerjoin(collection_documents, inside & _PRESENT)
            .outerjoin(documents, documents.c.id == collection_documents.c.document_id)
            .group_by(collections.c.name, collections.c.created_at)
            .order_by(collections.c.name)
        )

        def work(connection: Connection) -> tuple[CollectionSummary, ...]:
            return tuple(
                CollectionSummary(row[0], row[1], row[2], int(row[3])) for row in connection.execute(statement)
            )

        return await self._database.read(work)


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"there is no collection {name!r}; 'lda collections list' shows those there are")


def _members(connection: Connection, name: str) -> tuple[Member, ...]:
    columns = (collection_documents.c[field.name] for field in fields(Member))
    statement = select(*columns).where(collection_documents.c.collection == name)
    return tuple(Member(*row) for row in connection.execute(statement.order_by(collection_documents.c.number)))


def _last_change(connection: Connection, name: str) -> int:
    """The number of the last change; whoever asks has the collection to itself until its transaction ends."""
    connection.execute(select(collections.c.name).where(collections.c.name == name).with_for_update())
    changes = select(func.max(collection_documents.c.number), func.max(collection_documents.c.removed))
    return max(
        change or 0 for change in connection.execute(changes.where(collection_documents.c.collection == name)).one()
    )
