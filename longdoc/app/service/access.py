"""Who asks: a key is looked up by its digest, its scopes and its limit are held, and requests become a tenant's.

On loopback, as long as no key was ever made, everybody on the computer is the tenant `local`; then requests that a web
page of somewhere else makes a browser send are refused.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from longdoc.app.service.problems import refused
from longdoc.app.service.rate_limit import RateLimit
from longdoc.storage.api_keys import PREFIX, ApiKey, ApiKeys, Scope, digest_of
from longdoc.storage.clock import utc_now
from longdoc.storage.profile_types import Tenant

KEY_SECONDS: Final = 5.0
"""How long a key that was looked up is taken to be as it was."""
_MOST_KNOWN = 10_000
_LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is; `key` is the id of the key it came with, None where none is needed."""

    tenant: Tenant
    key: str | None
    scopes: frozenset[Scope]

    def check(self, scope: Scope) -> None:
        """Raise `ServiceError` where the key may not be used for something."""
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise refused(HTTPStatus.FORBIDDEN, "scope", f"the key has no scope {scope.value!r}")


class Gate:
    """Lets requests in. With `keyless`, requests need no key as long as there are none."""

    def __init__(
        self, keys: ApiKeys, local: Tenant, *, keyless: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._local = Caller(local, None, frozenset({Scope.ADMIN}))
        self._keyless = keyless
        self._clock = clock
        self._limit = RateLimit(clock=clock)
        self._known: dict[str, tuple[float, ApiKey | None]] = {}
        self._looked = float("-inf")

    async def admit(self, headers: Headers) -> Caller:
        """Whose request it is. Raises `ServiceError` where it may not be made."""
        if await self._open():
            _check_local(headers)
            return self._local
        key = await self._found(_bearer(headers))
        wait = None if key.per_minute is None else self._limit.take(key.id, key.per_minute)
        if wait is not None:
            raise refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rate",
                f"{key.per_minute} requests a minute are allowed",
                retry_after=wait,
            )
        return Caller(key.tenant, key.id, key.scopes)

    async def _open(self) -> bool:
        """Whether no key is needed: once there is one, one is needed for good."""
        if self._keyless and self._clock() - self._looked > KEY_SECONDS:
            self._keyless = not await self._keys.any()
            self._looked = self._clock()
        return self._keyless

    async def _found(self, secret: str) -> ApiKey:
        digest = digest_of(secret)
        at, key = self._known.get(digest, (float("-inf"), None))
        if self._clock() - at > KEY_SECONDS:
            key = await self._keys.find(digest)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[digest] = self._clock(), key
        if key is None or not key.valid(utc_now()):
            raise refused(HTTPStatus.UNAUTHORIZED, "key", "the key is not valid")
        return key


def is_loopback(host: str) -> bool:
    """Whether an address, or a name, is of this computer alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bearer(headers: Headers) -> str:
    kind, _, secret = headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret.startswith(PREFIX) or len(secret) > _LONGEST_KEY:
        raise refused(HTTPStatus.UNAUTHORIZED, "key", "a key is needed: Authorization: Bearer lda_…")
    return secret.strip()


def _check_local(headers: Headers) -> None:
    """Refuse what a browser sends for a page of another host: by a name that leads here, or from its own."""
    origin = headers.get("origin")
    hosts = [_host(f"//{headers.get('host', '')}"), *([] if origin is None else [_host(origin)])]
    if not all(map(is_loopback, hosts)):
        raise refused(HTTPStatus.FORBIDDEN, "host", "without a key, requests come from this computer's own pages only")


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
