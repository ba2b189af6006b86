"""The MCP server over streamable HTTP, at /mcp: for this computer alone, or for whoever has a key.

It has what the tenant `local` has; keys of other tenants are refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from longdoc.app.mcp.parts import McpParts, open_mcp_parts
from longdoc.app.mcp.tools import make_mcp_server
from longdoc.app.service.access import Caller, Gate
from longdoc.app.service.admission import CALLER
from longdoc.app.service.problems import problem_reply, refused, service_error
from longdoc.app.service.request_log import log_to_stderr
from longdoc.app.service.server import check_binding, listening_at, make_server
from longdoc.config import Settings
from longdoc.engines.engine import Engine
from longdoc.errors import LdaError, StorageError
from longdoc.storage import api_keys
from longdoc.storage.profile_types import LOCAL_TENANT

PATH = "/mcp"


def create_mcp_app(settings: Settings, *, keyless: bool, engine: Engine | None = None) -> Starlette:
    """The server as an ASGI app. `keyless`: as long as there are no keys, none is needed.

    With an `engine` that one answers, and the app does not close it.
    """
    entry = _Entry()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None, None]:
        async with open_mcp_parts(settings, engine, local=False) as parts:
            app.state.parts = parts
            local = await parts.records.profiles.tenant(LOCAL_TENANT)
            inner = make_mcp_server(parts, local=False).streamable_http_app(
                streamable_http_path=PATH,
                transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # the gate does
            )
            async with inner.router.lifespan_context(inner):
                entry.open(parts, Gate(parts.records.api_keys, local, keyless=keyless), inner)
                yield

    return Starlette(routes=[Mount("/", app=entry)], lifespan=lifespan)


def serve_http(settings: Settings, host: str, port: int, *, require_keys: bool, ready: Callable[[str], None]) -> None:
    """Serve until a signal ends it; `ready` is told the address. Raises `ConfigError`, `StorageError`."""
    keyless = asyncio.run(check_binding(settings, host, require_keys=require_keys))
    with listening_at(host, port) as listening:
        log_to_stderr()
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listening.getsockname()[1]}{PATH}"
        server = make_server(create_mcp_app(settings, keyless=keyless), ready=lambda: ready(address))
        server.run(sockets=[listening])
        if not server.started:
            raise StorageError("the server did not start; the lines before this one say why")


class _Entry:
    """Lets requests in, as far as they are the tenant's, and ends them with the server."""

    def __init__(self) -> None:
        self._open: tuple[McpParts, Gate, ASGIApp] | None = None

    def open(self, parts: McpParts, gate: Gate, inner: ASGIApp) -> None:
        """Begin to let requests in."""
        self._open = parts, gate, inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if self._open is None or scope["type"] != "http":
            return
        parts, gate, inner = self._open
        try:
            caller = await gate.admit(Headers(scope=scope))
            _check_tenant(caller)
        except LdaError as error:
            await problem_reply(service_error(error))(scope, receive, send)
            return
        inner_scope: dict[str, Any] = {**scope, "root_path": "", "state": {**scope.get("state", {}), CALLER: caller}}
        await _until(parts.closing, _answered(inner, inner_scope, receive, send))


async def _answered(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _check_tenant(caller: Caller) -> None:
    caller.check(api_keys.Scope.READ)
    if caller.tenant.name != LOCAL_TENANT:
        raise refused(HTTPStatus.FORBIDDEN, "tenant", f"only keys of the tenant {LOCAL_TENANT!r} reach this server")


async def _until(closing: asyncio.Event, answering: Coroutine[Any, Any, None]) -> None:
    """Answer, but no longer than until the server ends: a stream that only listens would go on for ever."""
    task, end = asyncio.ensure_future(answering), asyncio.create_task(closing.wait())
    try:
        await asyncio.wait([task, end], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
        end.cancel()
        await asyncio.wait([task, end])
