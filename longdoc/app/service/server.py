"""The service put together: the app with its routes, and the server that it runs in."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from types import FrameType
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.applications import Starlette

from longdoc.agents.profile_tasks import load_tasks
from longdoc.app.bootstrap import open_records
from longdoc.app.service import (
    chat_completions,
    health,
    memories,
    openai_files,
    openai_models,
    personal,
    refreshes,
    users,
)
from longdoc.app.service.access import is_loopback
from longdoc.app.service.admission import Admission
from longdoc.app.service.body_room import BodyRoom
from longdoc.app.service.edge import LARGEST_REQUEST, Edge
from longdoc.app.service.metrics import Metrics
from longdoc.app.service.parts import open_parts
from longdoc.app.service.problems import install_problems
from longdoc.app.service.request_log import log, log_to_stderr
from longdoc.app.tracing import flush
from longdoc.config import Settings
from longdoc.engines.engine import Engine
from longdoc.errors import ConfigError, StorageError
from longdoc.storage.clock import utc_now

if TYPE_CHECKING:
    import uvicorn

_PATIENCE_SECONDS = 15
"""How long requests that are being answered have when the service ends."""
_AT_ONCE = 16
"""Requests of the largest usual size whose bodies are in memory together."""
_ABOUT = (
    "Personalization and memory: users with their items and summaries, what of them stands before a request, answers. "
    "Chat completions in OpenAI's shape, for documents and messages of any length."
)


def create_app(
    settings: Settings, *, keyless: bool, engine: Engine | None = None, largest: int = LARGEST_REQUEST
) -> FastAPI:
    """The service as an ASGI app. `keyless`: as long as there are no keys, none is needed, see `access`.

    With an `engine` that one answers, and the app does not close it.
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with open_parts(settings, keyless=keyless, metrics=metrics, engine=engine) as parts:
            app.state.parts = parts
            yield
        flush()

    app = FastAPI(
        title="longdoc", version=version("longdoc"), summary=_ABOUT, lifespan=lifespan, redirect_slashes=False
    )
    install_problems(app)
    app.add_middleware(BodyRoom, most_bytes=_AT_ONCE * largest)
    app.add_middleware(Admission)
    app.add_middleware(Edge, metrics=metrics, largest=largest)
    for module in (users, personal, memories, refreshes, openai_files, openai_models, chat_completions, health):
        app.include_router(module.router)
    return app


async def check_binding(settings: Settings, host: str, *, require_keys: bool) -> bool:
    """Whether a service at an address goes without keys as long as there are none.

    Raises `ConfigError` where keys are needed and there is none that can be used, `StorageError` where the record
    cannot be opened.
    """
    local = is_loopback(host)
    async with open_records(settings) as records:
        if local and not require_keys:
            return True
        if any(key.valid(utc_now()) for key in await records.api_keys.list()):
            return False
    why = "with --require-keys" if local else f"at {host}, which others can reach,"
    raise ConfigError(f"{why} the service needs a key, and there is none; make one: lda keys create NAME")


def serve(settings: Settings, host: str, port: int, *, require_keys: bool, ready: Callable[[str], None]) -> None:
    """Serve until a signal ends it; `ready` is told the address. Raises `ConfigError`, `StorageError`."""
    load_tasks(settings.profile_tasks)  # what cannot be used is told before anything is opened
    keyless = asyncio.run(check_binding(settings, host, require_keys=require_keys))
    with listening_at(host, port) as listening:
        app = create_app(settings, keyless=keyless)
        log_to_stderr()
        shown = f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listening.getsockname()[1]}"
        server = make_server(app, ready=lambda: ready(address))
        server.run(sockets=[listening])
        if not server.started:
            raise StorageError("the service did not start; the lines before this one say why")


def make_server(app: Starlette, *, ready: Callable[[], None]) -> uvicorn.Server:
    """The server of an app; `ready` is called when requests are answered."""
    import uvicorn

    class Server(uvicorn.Server):
        """Tells the app that it is about to end, so that nobody listens to what goes on for ever."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.parts.closing.set()
            await super().shutdown(sockets)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            log("ending", signal=sig)
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=_PATIENCE_SECONDS,
    )
    return Server(config)


def listening_at(host: str, port: int) -> socket.socket:
    """A socket that listens at an address; port 0 is any that is free. Raises `ConfigError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise ConfigError(f"nothing can be served at {host}:{port}: {error.strerror}; choose another --port") from error
