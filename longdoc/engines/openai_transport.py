"""The connections to an OpenAI-compatible server: sends, receives, translates every failure.

Leaves what the bytes mean to `openai_wire`, and what is asked to `openai`, `openai_probe` and `openai_tokens`.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from longdoc.engines.openai_errors import Reply, translate_refusal, translate_transport
from longdoc.engines.openai_wire import ErrorReply
from longdoc.errors import ConfigError, EngineError, EngineTimeoutError, EngineUnavailableError
from longdoc.json_value import JsonValue

_REQUESTS_PER_CLIENT = 32
_IDLE_SECONDS = 2.0
"""Idle connections are closed by us first: a server that does so, mostly after 5 seconds, may meet the next request."""
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class WireSettings:
    """Times in seconds; `timeout` is for one whole answer, None for no limit.

    `keep_connections`: whether a connection serves several requests, one after the other.
    """

    connect_timeout: float = 10.0
    timeout: float | None = 600.0
    keep_connections: bool = True


@dataclass(slots=True)
class _Client:
    """An HTTP client and how many exchanges it has under way."""

    http: httpx.AsyncClient
    under_way: int = 0


class Transport:
    """Sends to one server. The API key lies in the headers of the clients and shows nowhere.

    httpx looks through all connections of a client for every request; several small clients keep that cheap with
    hundreds of requests at once.
    """

    def __init__(self, base_url: str, *, api_key: str | None = None, settings: WireSettings | None = None) -> None:
        self._settings = settings or WireSettings()
        self._secret = api_key
        self._headers = _authorization(api_key) | {"content-type": "application/json"}
        self._trust_env = not is_loopback(base_url)
        self._ssl = _ssl_context(base_url)
        self._clients = [self._new_client()]

    async def get(self, url: str) -> bytes:
        """The body of a successful answer. Raises `EngineError` and its kinds, `ConfigError` for a bad address."""
        async with self._exchange("GET", url) as response:
            return await response.aread()

    async def post(self, url: str, body: Mapping[str, JsonValue], *, model: str = "") -> bytes:
        """The body of a successful answer. Raises as `get` does."""
        async with self._exchange("POST", url, body, model=model) as response:
            return await response.aread()

    async def post_for_events(
        self, url: str, body: Mapping[str, JsonValue], *, on_event: Callable[[bytes], bool], model: str = ""
    ) -> None:
        """Pass the data of each server-sent event to `on_event`, until it tells that it wants no more. Raises as `get`.

        A server that is left before the end of its stream stops its work.
        """
        lines = _EventLines()
        async with self._exchange("POST", url, body, model=model) as response:
            async for piece in response.aiter_bytes():
                for data in lines.feed(piece):
                    if not on_event(data):
                        return

    def read(self, body: bytes, shape: type[_Model], *, model: str = "") -> _Model:
        """A body as `shape`. Raises what a body that tells of an error means, else `EngineUnavailableError`."""
        try:
            return shape.model_validate_json(body)
        except ValidationError as error:
            raise self._unreadable(body, model) from error

    def refusal(self, status: int, body: str, headers: Mapping[str, str], *, model: str = "") -> EngineError:
        """The error that a refusal means."""
        return translate_refusal(Reply(status, body, headers, model, self._secret))

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients:
            await client.http.aclose()

    @asynccontextmanager
    async def _exchange(
        self, method: str, url: str, body: Mapping[str, JsonValue] | None = None, *, model: str = ""
    ) -> AsyncGenerator[httpx.Response, None]:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        try:
            async with (
                asyncio.timeout(self._settings.timeout),
                self._free_client() as client,
                client.stream(method, url, content=content) as response,
            ):
                if not response.is_success:
                    text = (await response.aread()).decode("utf-8", "replace")
                    raise self.refusal(response.status_code, text, response.headers, model=model)
                yield response
        except TimeoutError as error:
            raise EngineTimeoutError(f"{url} gave no whole answer within {self._settings.timeout:g} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise translate_transport(error, url=url) from error

    @asynccontextmanager
    async def _free_client(self) -> AsyncGenerator[httpx.AsyncClient, None]:
        client = next((client for client in self._clients if client.under_way < _REQUESTS_PER_CLIENT), None)
        if client is None:
            client = self._new_client()
            self._clients.append(client)
        client.under_way += 1
        try:
            yield client.http
        finally:
            client.under_way -= 1

    def _new_client(self) -> _Client:
        timeout = httpx.Timeout(None, connect=self._settings.connect_timeout)
        try:
            return _Client(
                httpx.AsyncClient(
                    headers=self._headers,
                    timeout=timeout,
                    limits=httpx.Limits(
                        max_connections=None,
                        max_keepalive_connections=_REQUESTS_PER_CLIENT * self._settings.keep_connections,
                        keepalive_expiry=_IDLE_SECONDS,
                    ),
                    trust_env=self._trust_env,
                    verify=self._ssl,
                )
            )
        except (httpx.InvalidURL, ValueError, ImportError) as error:
            raise ConfigError("the proxy settings of the environment cannot be used; look at HTTPS_PROXY") from error

    def _unreadable(self, body: bytes, model: str) -> EngineError:
        text = body.decode("utf-8", "replace")
        try:
            detail = ErrorReply.model_validate_json(body).flatten()
        except ValidationError:
            detail = None
        if detail is None or not detail.message:
            return EngineUnavailableError("the engine sent no readable answer; does this server speak the OpenAI API?")
        status = detail.code if isinstance(detail.code, int) and detail.code >= 400 else 500
        return self.refusal(status, text, {}, model=model)


def is_loopback(url: str) -> bool:
    """Whether an address names this machine (no proxy stands between)."""
    try:
        host = httpx.URL(url).host
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except (httpx.InvalidURL, ValueError):
        return False


class _EventLines:
    """Cuts server-sent events out of a byte stream.

    Lines end at line feeds only: JSON may hold other Unicode line ends. `[DONE]` is no event.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        data = [line[5:].strip() for line in lines if line.startswith(b"data:")]
        return [item for item in data if item != b"[DONE]"]


def _ssl_context(url: str) -> ssl.SSLContext:
    """Loading certificates takes as long as many calls; without TLS an empty, strict context does."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if url.startswith("http://") else httpx.create_ssl_context()


def _authorization(api_key: str | None) -> dict[str, str]:
    if not api_key:
        return {}
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigError("the API key holds characters that no key has (spaces, line ends …); set it again")
    return {"authorization": f"Bearer {api_key}"}
