"""Keys of the service: who may do what for which tenant. Of a key itself only its SHA-256 is stored.

Owns how keys are made, found by their digest, and ended; what a scope allows is the service's business.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, insert, select, update

from longdoc.errors import ConfigError, NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.profile_rows import check_name, insert_missing_named
from longdoc.storage.profile_types import Tenant
from longdoc.storage.schema import api_keys, tenants

PREFIX: Final = "lda_"
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 8
GRACE: Final = timedelta(hours=24)
"""How long a key that was rotated stays valid."""


class Scope(StrEnum):
    """What a key may be used for; `ADMIN` includes the others."""

    READ = "read"
    WRITE = "write"
    PERSONALIZE = "personalize"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A stored key; `per_minute` is how many requests it may make in a minute, None for any number. `lasts` is how long
    it was made for: one that was rotated ends sooner."""

    id: str
    tenant: Tenant
    name: str
    scopes: frozenset[Scope]
    per_minute: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    lasts: timedelta | None = None

    def valid(self, now: datetime) -> bool:
        """Whether it can be used."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made, for a tenant that is made where there is none; `lasts` is how long it can be used."""

    name: str
    tenant: str
    scopes: frozenset[Scope]
    per_minute: int | None = None
    lasts: timedelta | None = None


def digest_of(secret: str) -> str:
    """What is stored of a key, and what it is found by: as a digest is looked up, the time that this takes tells
    nothing of the key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class ApiKeys:
    """The stored keys."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def create(self, new: NewKey) -> tuple[ApiKey, str]:
        """Make a key; it, and the secret, which is nowhere else. Raises `ConfigError` for what cannot be one."""
        check_name(new.name, "a key")
        check_name(new.tenant, "a tenant")
        if not new.scopes or (new.per_minute is not None and new.per_minute < 1):
            raise ConfigError("a key needs a scope, and a limit of one request a minute or more")
        now, secret = self._now(), _secret()

        def work(connection: Connection) -> ApiKey:
            insert_missing_named(connection, new.tenant, now)
            tenant = connection.execute(select(tenants.c.id).where(tenants.c.name == new.tenant)).scalar_one()
            return _insert(connection, tenant, new, secret, now)

        return await self._database.write(work), secret

    async def list(self) -> Sequence[ApiKey]:
        """All keys, the oldest first."""
        statement = _SELECT.order_by(api_keys.c.created_at, api_keys.c.id)
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        return [_key(row) for row in rows]

    async def find(self, digest: str) -> ApiKey | None:
        """The key of that digest, valid or not; None where there is none."""
        statement = _SELECT.where(api_keys.c.sha256 == digest)
        row = await self._database.read(lambda connection: connection.execute(statement).first())
        return None if row is None else _key(row)

    async def any(self) -> bool:
        """Whether a key was ever made; one that was revoked counts."""
        statement = select(api_keys.c.id).limit(1)
        return await self._database.read(lambda connection: connection.execute(statement).first() is not None)

    async def revoke(self, id_: str) -> ApiKey:
        """End a key. Raises `NotFoundError`."""
        now = self._now()

        def work(connection: Connection) -> ApiKey:
            mine = api_keys.c.id == id_, api_keys.c.revoked_at.is_(None)
            connection.execute(update(api_keys).where(*mine).values(revoked_at=now))
            return _get(connection, id_)

        return await self._database.write(work)

    async def rotate(self, id_: str, *, grace: timedelta = GRACE) -> tuple[ApiKey, str]:
        """Make a key that may do what another may, which ends when the grace period is over.

        Raises `NotFoundError`, and `ConfigError` where the other cannot be used any more.
        """
        now, secret = self._now(), _secret()

        def work(connection: Connection) -> ApiKey:
            connection.execute(select(api_keys.c.id).where(api_keys.c.id == id_).with_for_update()).close()
            old = _get(connection, id_)
            if not old.valid(now):
                raise ConfigError(f"{id_} cannot be used any more; make a new one: lda keys create")
            ends = now + grace if old.expires_at is None else min(old.expires_at, now + grace)
            connection.execute(update(api_keys).where(api_keys.c.id == id_).values(expires_at=ends))
            new = NewKey(old.name, old.tenant.name, old.scopes, old.per_minute, old.lasts)
            return _insert(connection, old.tenant.id, new, secret, now)

        return await self._database.write(work), secret


def _insert(connection: Connection, tenant: int, new: NewKey, secret: str, now: datetime) -> ApiKey:
    row: dict[str, Any] = {
        "id": f"key_{secrets.token_hex(_ID_BYTES)}",
        "tenant_id": tenant,
        "name": new.name,
        "sha256": digest_of(secret),
        "scopes": sorted(new.scopes),
        "per_minute": new.per_minute,
        "created_at": now,
        "expires_at": None if new.lasts is None else now + new.lasts,
        "revoked_at": None,
        "lasts": None if new.lasts is None else math.ceil(new.lasts.total_seconds()),
    }
    connection.execute(insert(api_keys), row)
    return _get(connection, row["id"])


def _secret() -> str:
    return PREFIX + secrets.token_urlsafe(_SECRET_BYTES)


_SELECT: Select[Any] = select(
    api_keys.c.id,
    api_keys.c.tenant_id,
    tenants.c.name.label("tenant"),
    tenants.c.created_at.label("tenant_at"),
    *(api_keys.c[name] for name in ("name", "scopes", "per_minute", "created_at", "expires_at", "revoked_at", "lasts")),
).join_from(api_keys, tenants, api_keys.c.tenant_id == tenants.c.id)


def _get(connection: Connection, id_: str) -> ApiKey:
    row = connection.execute(_SELECT.where(api_keys.c.id == id_)).first()
    if row is None:
        raise NotFoundError(f"there is no key {id_!r}; 'lda keys list' shows them")
    return _key(row)


def _key(row: Row[Any]) -> ApiKey:
    scopes = frozenset(Scope(one) for one in row.scopes)
    tenant = Tenant(row.tenant_id, row.tenant, row.tenant_at)
    moments = row.created_at, row.expires_at, row.revoked_at
    lasts = None if row.lasts is None else timedelta(seconds=row.lasts)
    return ApiKey(row.id, tenant, row.name, scopes, row.per_minute, *moments, lasts)
