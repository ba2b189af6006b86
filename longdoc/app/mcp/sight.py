"""What of the record a server shows: all of it to whoever started it, to others what is the tenant's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.app.bootstrap import Records
from longdoc.app.service.openai_models import OF_TENANT, find_collection, outer_name
from longdoc.documents.document import Document
from longdoc.storage.collections import CollectionSummary
from longdoc.storage.documents import StoredDocument
from longdoc.storage.profile_types import Tenant


@dataclass(frozen=True, slots=True)
class Sight:
    """Looks things up for a `tenant`, whose other tenants' collections and documents are not there; None sees all."""

    records: Records
    tenant: Tenant | None

    async def collection(self, name: str) -> str:
        """The name of a collection, as it is stored. Raises `NotFoundError`."""
        return name if self.tenant is None else await find_collection(self.records, self.tenant, name)

    async def collections(self) -> Sequence[CollectionSummary]:
        """All collections, by name."""
        found = await self.records.collections.list()
        tenant = self.tenant
        return found if tenant is None else [one for one in found if outer_name(tenant, one.name) is not None]

    async def find(self, prefix: str) -> StoredDocument:
        """The document whose id begins so. Raises `NotFoundError` for none or several."""
        tenant = self.tenant
        if tenant is None:
            return await self.records.documents.find(prefix)
        return await self.records.files.documents(tenant.id, hidden=OF_TENANT).find(prefix)

    async def load(self, prefix: str) -> Document:
        """That document with its text; of a file of the tenant under the file's name. Raises `NotFoundError`."""
        stored = await self.find(prefix)
        document, tenant = await self.records.documents.load(stored.id), self.tenant
        if tenant is None:
            return document
        files = self.records.files
        file = await files.documents(tenant.id, hidden=OF_TENANT).file_of(stored.id)
        return document if file is None else (await files.get(tenant.id, file)).own(document)

    async def list(self, count: int, *, start: int) -> tuple[Sequence[StoredDocument], int]:
        """So many documents from a place on, the last added first; and how many there are in all."""
        tenant = self.tenant
        if tenant is None:
            return await self.records.documents.list(count, start=start)
        return await self.records.files.documents(tenant.id, hidden=OF_TENANT).list(count, start=start)
