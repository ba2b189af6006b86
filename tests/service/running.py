"""A service that runs for a test: in a thread of its own, on a free port, with a scripted reader."""

import asyncio
import socket
import threading
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI

from longdoc.app.bootstrap import open_records
from longdoc.app.service.edge import LARGEST_REQUEST
from longdoc.app.service.server import create_app, make_server
from longdoc.client import Client
from longdoc.config import Settings, load_settings
from longdoc.engines.scripted import ScriptedEngine
from longdoc.storage.api_keys import NewKey, Scope
from tests.app.personalizing import reader

ALL = frozenset(Scope)


@dataclass(frozen=True)
class Running:
    """A running service: its address, its app, and the file of its record."""

    address: str
    app: FastAPI
    database: Path

    @property
    def settings(self) -> Settings:
        return settings_for(self.database)

    def key(
        self, tenant: str, scopes: frozenset[Scope] = frozenset({Scope.ADMIN}), *, per_minute: int | None = None
    ) -> str:
        """The secret of a new key."""
        return make_key(self.database, tenant, scopes, per_minute=per_minute)[1]

    def client(self, key: str | None = None) -> Client:
        return Client(self.address, key=key)

    def http(self, key: str | None = None) -> httpx.Client:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.address, headers=headers)


def settings_for(database: Path) -> Settings:
    return load_settings({"database": str(database), "engine": "scripted"})


def make_key(
    database: Path, tenant: str, scopes: frozenset[Scope] = frozenset({Scope.ADMIN}), *, per_minute: int | None = None
) -> tuple[str, str]:
    """Id and secret of a new key."""

    async def make() -> tuple[str, str]:
        async with open_records(settings_for(database)) as records:
            key, secret = await records.api_keys.create(NewKey("test", tenant, scopes, per_minute))
            return key.id, secret

    with ThreadPoolExecutor(1) as thread:  # a browser that is open has a loop in this one
        return thread.submit(lambda: asyncio.run(make())).result()


@contextmanager
def running(
    database: Path, *, engine: ScriptedEngine | None = None, keyless: bool = True, largest: int = LARGEST_REQUEST
) -> Generator[Running, None, None]:
    """Serve a record until the context ends."""
    app = create_app(settings_for(database), keyless=keyless, engine=engine or ScriptedEngine(reader), largest=largest)
    with serving(make_server(app, ready=lambda: None)) as address:
        yield Running(address, app, database)


@contextmanager
def serving(server: uvicorn.Server) -> Iterator[str]:
    """Run a server in a thread until the context ends; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=lambda: server.run(sockets=[listening]), daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + 60
            while not server.started:
                assert thread.is_alive(), "the server did not start"
                assert time.monotonic() < deadline, "the server did not start in time"
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the server did not end"
