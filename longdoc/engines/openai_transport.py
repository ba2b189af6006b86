"""The one HTTP connection pool of an OpenAI-compatible server: sends, receives, translates every failure.

Leaves what the bytes mean to `openai_wire`, and what is asked to `openai` and `openai_probe`.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pydantic_core

from longdoc.engines.openai_errors import Reply, translate_refusal, translate_transport
from longdoc.errors import ConfigError, EngineTimeoutError
from longdoc.json_value import JsonValue

_JSON = {"content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class WireSettings:
    """Limits of the connection pool; times in seconds (`timeout` is for one whole answer, None for no limit)."""

    connections: int = 1024
    connect_timeout: float = 10.0
    timeout: float | None = 600.0


class Transport:
    """Sends to one server. The API key is kept in the headers of the pool and shown nowhere."""

    def __init__(self, base_url: str, *, api_key: str | None = None, settings: WireSettings | None = None) -> None:
        self._settings = settings or WireSettings()
        self._secret = api_key
        try:
            self._client = httpx.AsyncClient(
                headers=_authorization(api_key),
                timeout=httpx.Timeout(None, connect=self._settings.connect_timeout),
                limits=httpx.Limits(max_connections=self._settings.connections, max_keepalive_connections=512),
                trust_env=not is_loopback(base_url),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigError(f"cannot talk to {base_url!r}; check the address and the proxy settings") from error

    async def get(self, url: str) -> bytes:
        """The body of a successful answer. Raises `EngineError` and its kinds."""
        async with self._deadline(url), self._send("GET", url, None, model="") as response:
            return await response.aread()

    async def post(self, url: str, body: Mapping[str, JsonValue], *, model: str = "") -> bytes:
        """The body of a successful answer. Raises `EngineError` and its kinds."""
        async with self._deadline(url), self._send("POST", url, body, model=model) as response:
            return await response.aread()

    async def post_for_events(
        self, url: str, body: Mapping[str, JsonValue], *, model: str = ""
    ) -> AsyncIterator[bytes]:
        """The data of each server-sent event, up to `[DONE]` or the end of the stream."""
        async with self._deadline(url), self._send("POST", url, body, model=model) as response:
            async for data in _events(response.aiter_bytes()):
                if data == b"[DONE]":
                    return
                yield data

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    @asynccontextmanager
    async def _deadline(self, url: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._settings.timeout):
                yield
        except TimeoutError as error:
            raise EngineTimeoutError(f"{url} gave no whole answer within {self._settings.timeout:g} s") from error

    @asynccontextmanager
    async def _send(
        self, method: str, url: str, body: Mapping[str, JsonValue] | None, *, model: str
    ) -> AsyncIterator[httpx.Response]:
        content = None if body is None else _encode(body)
        try:
            async with self._client.stream(method, url, content=content, headers=_JSON) as response:
                if not response.is_success:
                    text = (await response.aread()).decode("utf-8", "replace")
                    raise translate_refusal(Reply(response.status_code, text, response.headers, model, self._secret))
                yield response
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise translate_transport(error, url=url) from error


def is_loopback(url: str) -> bool:
    """Whether an address names this machine (no proxy stands between)."""
    try:
        host = httpx.URL(url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False


def _encode(body: Mapping[str, JsonValue]) -> bytes:
    # Lone surrogates cannot be sent as UTF-8; no server could read them.
    return pydantic_core.to_json(body, inf_nan_mode="null") if _is_clean(body) else b""


def _authorization(api_key: str | None) -> dict[str, str]:
    if not api_key:
        return {}
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigError("the API key holds characters that no key has (spaces, line ends …); set it again")
    return {"authorization": f"Bearer {api_key}"}


async def _events(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Data of server-sent events. Lines end at line feeds only: JSON may hold other Unicode line ends."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip()
    if rest.startswith(b"data:"):
        yield rest[5:].strip()
