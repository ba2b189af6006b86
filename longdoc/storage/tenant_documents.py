"""What of the stored documents a tenant may see: those of its files, and of collections that it may ask.

A document is stored once whoever brought it, so one that is seen may be another's, too; it is shown under the name that
the tenant's own file has, where there is one.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from longdoc.storage.database import Database
from longdoc.storage.documents import StoredDocument
from longdoc.storage.lookup import resolve_id
from longdoc.storage.schema import collection_documents, documents, service_files

_SUMMARY = select(*(documents.c[field.name] for field in fields(StoredDocument)))


@dataclass(frozen=True, slots=True)
class TenantDocuments:
    """The documents of a tenant; collections whose names begin with `hidden` are others'."""

    database: Database
    tenant: int
    hidden: str

    async def find(self, prefix: str) -> StoredDocument:
        """The document whose id begins so. Raises `NotFoundError` for none or several."""
        seen = self._seen()

        def work(connection: Connection) -> StoredDocument:
            document_id = resolve_id(connection, documents, prefix, thing="document", among=seen)
            row = connection.execute(_SUMMARY.where(documents.c.id == document_id)).one()
            return self._named(connection, (StoredDocument(*row),))[0]

        return await self.database.read(work)

    async def list(self, count: int, *, start: int = 0) -> tuple[tuple[StoredDocument, ...], int]:
        """So many documents from a place on, the last added first; and how many there are in all."""
        newest = documents.c.added_at.desc(), documents.c.id
        statement = _SUMMARY.where(self._seen()).order_by(*newest).offset(start).limit(count)
        counted = select(func.count()).select_from(documents).where(self._seen())

        def work(connection: Connection) -> tuple[tuple[StoredDocument, ...], int]:
            found = tuple(StoredDocument(*row) for row in connection.execute(statement))
            return self._named(connection, found), connection.execute(counted).scalar_one()

        return await self.database.read(work)

    async def file_of(self, document_id: str) -> str | None:
        """The id of the tenant's newest file with that document, None where it has none."""
        statement = select(service_files.c.id).where(
            service_files.c.tenant_id == self.tenant, service_files.c.document_id == document_id
        )
        newest = statement.order_by(service_files.c.number.desc()).limit(1)
        return await self.database.read(lambda connection: connection.execute(newest).scalar())

    def _seen(self) -> ColumnElement[bool]:
        hidden = collection_documents.c.collection.startswith(self.hidden, autoescape=True)
        collected = select(collection_documents.c.document_id).where(~hidden, collection_documents.c.removed.is_(None))
        uploaded = select(service_files.c.document_id).where(service_files.c.tenant_id == self.tenant)
        return or_(documents.c.id.in_(collected), documents.c.id.in_(uploaded))

    def _named(self, connection: Connection, found: tuple[StoredDocument, ...]) -> tuple[StoredDocument, ...]:
        """The documents under the names of the tenant's files."""
        columns = service_files.c.document_id, service_files.c.name, service_files.c.metadata
        own = select(*columns).where(
            service_files.c.tenant_id == self.tenant, service_files.c.document_id.in_([one.id for one in found])
        )
        names: dict[str, tuple[str, str]] = {}
        for row in connection.execute(own.order_by(service_files.c.number)):
            metadata: dict[str, Any] = row.metadata or {}
            names[row.document_id] = row.name, metadata.get("title") or row.name
        return tuple(
            replace(one, source=names[one.id][0], title=names[one.id][1]) if one.id in names else one for one in found
        )
