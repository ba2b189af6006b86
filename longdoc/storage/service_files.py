"""Files that clients of the service uploaded, as they came; what was read from each is a stored document."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, select

from longdoc.errors import NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.schema import service_files, tenants

_PREFIX: Final = "file-"
_ID_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class ServiceFile:
    """A file of a tenant; `size` is in bytes, `document_id` names what was read from it."""

    id: str
    name: str
    purpose: str
    size: int
    document_id: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to be stored, whose document is."""

    name: str
    purpose: str
    document_id: str
    body: bytes


class ServiceFiles:
    """The stored files, each a tenant's."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def add(self, tenant: int, new: NewFile) -> ServiceFile:
        """Store a file. Raises `StorageError` where its document is not stored."""
        id_ = _PREFIX + secrets.token_hex(_ID_BYTES)
        values: dict[str, Any] = {
            "id": id_,
            "tenant_id": tenant,
            "name": new.name,
            "purpose": new.purpose,
            "document_id": new.document_id,
            "size": len(new.body),
            "body": new.body,
            "created_at": self._now(),
        }
        last = select(func.coalesce(func.max(service_files.c.number), 0)).where(service_files.c.tenant_id == tenant)

        def work(connection: Connection) -> ServiceFile:
            connection.execute(select(tenants.c.id).where(tenants.c.id == tenant).with_for_update())
            number = connection.execute(last).scalar_one() + 1
            connection.execute(insert(service_files).values(**values, number=number))
            return _get(connection, tenant, id_)

        return await self._database.write(work)

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
        """Delete a file of a tenant; what was read from it stays where runs point to it. Raises `NotFoundError`."""

        def work(connection: Connection) -> None:
            if connection.execute(delete(service_files).where(*_mine(tenant, id_))).rowcount == 0:
                raise _missing(id_)

        await self._database.write(work)


_SELECT: Select[Any] = select(*(service_files.c[field.name] for field in fields(ServiceFile)))


def _mine(tenant: int, id_: str) -> tuple[Any, Any]:
    return service_files.c.id == id_, service_files.c.tenant_id == tenant


def _get(connection: Connection, tenant: int, id_: str) -> ServiceFile:
    row = connection.execute(_SELECT.where(*_mine(tenant, id_))).first()
    if row is None:
        raise _missing(id_)
    return ServiceFile(*row)


def _missing(id_: str) -> NotFoundError:
    return NotFoundError(f"there is no file {id_!r}")
