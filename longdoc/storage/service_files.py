"""Files that clients of the service uploaded, as they came; what was read from each is a stored document.

Equal documents are stored once, whoever brought them; what a file is called, and says of itself, is the file's.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, select

from longdoc.documents.document import Document, Metadata
from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.document_erasure import delete_unused_document
from longdoc.storage.document_rows import read_metadata
from longdoc.storage.schema import service_files, tenants
from longdoc.storage.tenant_documents import TenantDocuments

_PREFIX: Final = "file-"
_ID_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A file of a tenant; `size` is in bytes, `document_id` names what was read from it, `metadata` is what it says of
    itself as a stored value, None where that is not known."""

    id: str
    name: str
    purpose: str
    size: int
    document_id: str
    created_at: datetime
    metadata: dict[str, Any] | None

    def own(self, document: Document) -> Document:
        """Its document as this file has it, whoever stored it first."""
        metadata = document.metadata if self.metadata is None else read_metadata(self.metadata)
        return replace(document, source=self.name, metadata=metadata)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be stored, whose document is."""

    name: str
    purpose: str
    document_id: str
    body: bytes
    metadata: Metadata


class ServiceFiles:
    """The stored files, each a tenant's."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(self, tenant: int, new: NewFile, *, most_bytes: int | None = None) -> ServiceFile:
        """Store a file; the tenant's have at most so many bytes in all.

        Raises `ConfigError` where they would have more, `StorageError` where its document is not stored.
        """
        id_ = _PREFIX + secrets.token_hex(_ID_BYTES)
        values: dict[str, Any] = {
            "id": id_,
            "tenant_id": tenant,
            "name": new.name,
            "purpose": new.purpose,
            "document_id": new.document_id,
            "size": len(new.body),
            "body": new.body,
            "metadata": asdict(new.metadata),
            "created_at": self._now(),
        }
        last = select(func.coalesce(func.max(service_files.c.number), 0)).where(service_files.c.tenant_id == tenant)

        def work(connection: Connection) -> ServiceFile:
            connection.execute(select(tenants.c.id).where(tenants.c.id == tenant).with_for_update())
            _check_room(connection, tenant, len(new.body), most_bytes)
            number = connection.execute(last).scalar_one() + 1
            connection.execute(insert(service_files).values(**values, number=number))
            return _get(connection, tenant, id_)

        return await self._database.write(work)

    async def check_room(self, tenant: int, size: int, *, most_bytes: int) -> None:
        """Raise `ConfigError` where a file of that size is too much for the tenant."""
        await self._database.read(lambda connection: _check_room(connection, tenant, size, most_bytes))

    def documents(self, tenant: int, *, hidden: str) -> TenantDocuments:
        """The documents that a tenant may see; collections whose names begin with `hidden` are others'."""
        return TenantDocuments(self._database, tenant, hidden)

    async def get(self, tenant: int, id_: str) -> ServiceFile:
        """A file of a tenant. Raises `NotFoundError`."""
        return await self._database.read(lambda connection: _get(connection, tenant, id_))

    async def content(self, tenant: int, id_: str) -> bytes:
        """The bytes of a file of a tenant. Raises `NotFoundError`."""
        statement = select(service_files.c.body).where(*_mine(tenant, id_))
        found = await self._database.read(lambda connection: connection.execute(statement).scalar())
        if found is None:
            raise _missing(id_)
        return found

    async def list(
        self,
        tenant: int,
        count: int,
        *,
        after: str | None = None,
        oldest_first: bool = False,
        purpose: str | None = None,
    ) -> Sequence[ServiceFile]:
        """At most so many files of a tenant, the newest first unless asked otherwise, those after a file of it.

        Raises `NotFoundError` where there is no file to go on after.
        """
        number = service_files.c.number
        found = _SELECT.where(service_files.c.tenant_id == tenant).limit(count)
        found = found.order_by(number if oldest_first else number.desc())
        if purpose is not None:
            found = found.where(service_files.c.purpose == purpose)

        def work(connection: Connection) -> Sequence[ServiceFile]:
            statement = found
            if after is not None:
                place = connection.execute(select(number).where(*_mine(tenant, after))).scalar()
                if place is None:
                    raise _missing(after)
                statement = found.where(number > place if oldest_first else number < place)
            return [ServiceFile(*row) for row in connection.execute(statement)]

        return await self._database.read(work)

    async def delete(self, tenant: int, id_: str) -> None:
        """Delete a file of a tenant, with its document where nothing else needs it. Raises `NotFoundError`."""

        def work(connection: Connection) -> None:
            found = _get(connection, tenant, id_)
            connection.execute(delete(service_files).where(*_mine(tenant, id_)))
            delete_unused_document(connection, found.document_id)

        await self._database.write(work)


_SELECT: Select[Any] = select(*(service_files.c[field.name] for field in fields(ServiceFile)))


def _mine(tenant: int, id_: str) -> tuple[Any, Any]:
    return service_files.c.id == id_, service_files.c.tenant_id == tenant


def _get(connection: Connection, tenant: int, id_: str) -> ServiceFile:
    row = connection.execute(_SELECT.where(*_mine(tenant, id_))).first()
    if row is None:
        raise _missing(id_)
    return ServiceFile(*row)


def _check_room(connection: Connection, tenant: int, size: int, most_bytes: int | None) -> None:
    if most_bytes is None:
        return
    stored = select(func.coalesce(func.sum(service_files.c.size), 0)).where(service_files.c.tenant_id == tenant)
    if int(connection.execute(stored).scalar_one()) + size > most_bytes:
        raise ConfigError(f"the files of a tenant have at most {most_bytes:,} bytes; delete some first")


def _missing(id_: str) -> NotFoundError:
    return NotFoundError(f"there is no file {id_!r}")
