"""What every route asks for: whose request it is, and the parts of the service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import TypeAdapter

from longdoc.app.service.access import Caller
from longdoc.app.service.admission import CALLER
from longdoc.app.service.parts import ServiceParts
from longdoc.app.service.problems import MEDIA_TYPE
from longdoc.app.service.views import ProblemView
from longdoc.storage.api_keys import Scope
from longdoc.storage.profile_types import Profile, Tenant

_BEARER = HTTPBearer(auto_error=False, description="A key that 'lda keys create' made.")

_PROBLEM: Final = TypeAdapter(ProblemView).json_schema()

PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"content": {MEDIA_TYPE: {"schema": _PROBLEM}}, "description": description}
    for status, description in {
        400: "The body cannot be read.",
        401: "No key, or one that is not valid.",
        403: "The key lacks the scope.",
        404: "There is no such thing of this tenant.",
        413: "The request is too large.",
        422: "The request cannot be used.",
        429: "Too many requests of this key.",
        502: "The engine cannot do it.",
        503: "The record or the engine cannot be used at this moment.",
    }.items()
}
"""What any route may reply."""


class Asked:
    """A request that was let in: the parts of the service, and whose it is."""

    __slots__ = ("caller", "parts")

    def __init__(self, parts: ServiceParts, caller: Caller) -> None:
        self.parts = parts
        self.caller = caller

    @property
    def tenant(self) -> Tenant:
        """Whose request it is."""
        return self.caller.tenant

    async def profile(self, user: str) -> Profile:
        """A user of the tenant. Raises `NotFoundError`."""
        return await self.parts.library.records.profiles.get(self.tenant.id, user)


def parts_of(request: Request) -> ServiceParts:
    """The parts of the service that a request came to."""
    parts: ServiceParts = request.app.state.parts
    return parts


def _needing(scope: Scope) -> Callable[..., Awaitable[Asked]]:
    async def asked(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)]
    ) -> Asked:
        del credentials  # for the schema: `Admission` has read the header
        caller: Caller = request.scope["state"][CALLER]
        caller.check(scope)
        return Asked(parts_of(request), caller)

    return asked


Reading: TypeAlias = Annotated[Asked, Depends(_needing(Scope.READ))]
Writing: TypeAlias = Annotated[Asked, Depends(_needing(Scope.WRITE))]
Personalizing: TypeAlias = Annotated[Asked, Depends(_needing(Scope.PERSONALIZE))]
Administering: TypeAlias = Annotated[Asked, Depends(_needing(Scope.ADMIN))]
