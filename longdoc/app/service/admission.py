"""Requests are let in before anything of them is read: who has no key makes the service parse nothing."""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from longdoc.app.service.access import Gate
from longdoc.app.service.problems import problem_reply, service_error
from longdoc.errors import LdaError

CALLER: Final = "caller"
"""What of the state of a request says whose it is."""
_OPEN = frozenset({"/health", "/ready", "/docs", "/docs/oauth2-redirect", "/redoc", "/openapi.json"})
"""Paths that are no tenant's."""


class Admission:
    """ASGI middleware, see the module."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] == "http" and scope["path"] not in _OPEN:
            gate: Gate = scope["app"].state.parts.gate
            try:
                caller = await gate.admit(Headers(scope=scope))
            except LdaError as error:
                await problem_reply(service_error(error))(scope, receive, send)
                return
            scope.setdefault("state", {})[CALLER] = caller
        await self._app(scope, receive, send)
