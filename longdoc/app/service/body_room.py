"""The room that bodies of requests have in memory together: who comes when there is none is asked to come again."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from longdoc.app.service.problems import problem_reply, refused

_FULL: Final = "the service reads as much as it can at this moment"
_RETRY_SECONDS: Final = 5


class BodyRoom:
    """ASGI middleware, see the module. What a request says it brings is taken at once, what else comes as it comes;
    all of it is given back when the request ends. A request that is alone always has room."""

    def __init__(self, app: ASGIApp, *, most_bytes: int) -> None:
        self._app = app
        self._most = most_bytes
        self._taken = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        length = Headers(scope=scope).get("content-length", "")
        told = int(length[:20]) if length.isdecimal() else 0
        if self._is_too_much(told, own=0):
            error = refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", _FULL, retry_after=_RETRY_SECONDS)
            await problem_reply(error)(scope, receive, send)
            return
        taken = _Taken(told)
        self._taken += told

        async def counted() -> Message:
            message = await receive()
            taken.came += len(message.get("body", b""))
            more = taken.came - taken.bytes
            if more > 0:
                if self._is_too_much(more, own=taken.bytes):
                    headers = {"retry-after": str(_RETRY_SECONDS)}
                    raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE, _FULL, headers)
                self._taken += more
                taken.bytes += more
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            self._taken -= taken.bytes

    def _is_too_much(self, more: int, *, own: int) -> bool:
        return self._taken > own and self._taken + more > self._most


class _Taken:
    """What a request has of the room, and what has come of it."""

    def __init__(self, told: int) -> None:
        self.bytes = told
        self.came = 0
