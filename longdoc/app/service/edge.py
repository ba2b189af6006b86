"""The outermost of the service: what every request goes through, whatever it asks.

Owns the id of a request, its line in the log and its counts, the limit of its size, and the last resort where something
is raised that nobody expected.
"""

from __future__ import annotations

import logging
import secrets
import time
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from longdoc.app.service.access import Caller
from longdoc.app.service.admission import CALLER
from longdoc.app.service.metrics import Metrics
from longdoc.app.service.problems import internal, problem_reply, refused
from longdoc.app.service.request_log import log, place_of

LARGEST_REQUEST: Final = 16 * 1024 * 1024
"""Bytes of a request's body; those that bring documents may be `_WITH_DOCUMENTS` times as large."""
_WITH_DOCUMENTS = 4
_DOCUMENT_PATHS = frozenset({"/v1/files", "/v1/chat/completions"})
_ID_BYTES = 8
_TOO_LARGE = 413


class Edge:
    """ASGI middleware, see the module."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, largest: int = LARGEST_REQUEST) -> None:
        self._app = app
        self._metrics = metrics
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Routes are found by the path as it was sent, and names unquoted after that: a name may hold a slash.
        scope["path"] = scope["raw_path"].partition(b"?")[0].decode("latin-1")
        request = _Request(secrets.token_hex(_ID_BYTES), send)
        started = time.perf_counter()
        self._metrics.begun()
        try:
            await self._answered(scope, receive, request)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.ended(route, _method(scope), request.status, seconds)
            caller: Caller | None = scope.get("state", {}).get(CALLER)
            log(
                "request",
                id=request.id,
                method=_method(scope),
                route=route,
                status=request.status,
                ms=round(seconds * 1000, 1),
                tenant=None if caller is None else caller.tenant.id,
                key=None if caller is None else caller.key,
            )

    async def _answered(self, scope: Scope, receive: Receive, request: _Request) -> None:
        length = Headers(scope=scope).get("content-length", "")
        largest = self._largest * (_WITH_DOCUMENTS if scope["path"] in _DOCUMENT_PATHS else 1)
        if length.isdecimal() and int(length[:20]) > largest:
            reply = problem_reply(refused(_TOO_LARGE, "too-large", f"a request has at most {largest:,} bytes"))
            reply.headers["connection"] = "close"  # what it has sent already is not read
            await reply(scope, receive, request.send)
            return
        try:
            await self._app(scope, _bounded(receive, largest), request.send)
        except Exception as error:  # the edge of the program: what nobody expected becomes a reply, not a broken line
            log("failed", level=logging.ERROR, id=request.id, error=type(error).__name__, place=place_of(error))
            if request.begun:
                raise
            await problem_reply(internal())(scope, receive, request.send)


class _Request:
    """A request under way: its id, and the status that was sent."""

    def __init__(self, id_: str, send: Send) -> None:
        self.id = id_
        self.status = 499  # as nginx has it: the client left before there was a reply
        self.begun = False
        self._send = send

    async def send(self, message: Message) -> None:
        """Send on what the app sends, with the id and what holds for every reply."""
        if message["type"] == "http.response.start":
            self.status, self.begun = message["status"], True
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self.id
            headers["x-content-type-options"] = "nosniff"
            headers["cache-control"] = "no-store"
        await self._send(message)


def _bounded(receive: Receive, largest: int) -> Receive:
    """The body of a request as far as it may go; of one that goes on the rest is not read."""
    came = 0

    async def bounded() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > largest:
            raise HTTPException(_TOO_LARGE)
        return message

    return bounded


def _method(scope: Scope) -> str:
    """The method, where it is one of those that there are."""
    known = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "other"
