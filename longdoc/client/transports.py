"""Clients of the service: one that waits, and one for programs with a loop. What they send is made by `calls`."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any, Self, TypeVar

import httpx
from pydantic import ValidationError

from longdoc.client.calls import Call, StreamCall
from longdoc.client.problems import error_of, problem_of, unreachable, unreadable

T = TypeVar("T")

_TIMEOUT = 120.0


class Client:
    """Sends calls, and waits for their replies. A context manager.

    Raises `NotFoundError`, `ConfigError` for what cannot be used, `ChangedMeanwhileError`, and `ServiceError` for
    whatever else the service tells, or where it does not reply.
    """

    def __init__(self, address: str, *, key: str | None = None, timeout: float = _TIMEOUT) -> None:
        self._address = address
        self._http = httpx.Client(base_url=address, headers=_headers(key), timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. Idempotent."""
        self._http.close()

    def send(self, call: Call[T]) -> T:
        """What the service replies. Raises as the class says."""
        try:
            reply = self._http.request(**_arguments(call))
        except httpx.HTTPError as error:
            raise unreachable(self._address, error) from error
        return _read(call, reply)

    def stream(self, call: StreamCall[T]) -> Generator[T, None, None]:
        """What the service tells, event by event; who stops listening ends it. Raises as the class says."""
        events = _Events(call.read)
        try:
            with self._http.stream(**_arguments(call)) as reply:
                if reply.is_error:
                    raise error_of(reply.status_code, reply.read(), reply.headers)
                for data in reply.iter_bytes():
                    yield from events.take(data)
        except httpx.HTTPError as error:
            raise unreachable(self._address, error) from error


class AsyncClient:
    """As `Client`, for programs with a loop."""

    def __init__(self, address: str, *, key: str | None = None, timeout: float = _TIMEOUT) -> None:
        self._address = address
        self._http = httpx.AsyncClient(base_url=address, headers=_headers(key), timeout=timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """See `Client.close`."""
        await self._http.aclose()

    async def send(self, call: Call[T]) -> T:
        """See `Client.send`."""
        try:
            reply = await self._http.request(**_arguments(call))
        except httpx.HTTPError as error:
            raise unreachable(self._address, error) from error
        return _read(call, reply)

    async def stream(self, call: StreamCall[T]) -> AsyncGenerator[T, None]:
        """See `Client.stream`."""
        events = _Events(call.read)
        try:
            async with self._http.stream(**_arguments(call)) as reply:
                if reply.is_error:
                    raise error_of(reply.status_code, await reply.aread(), reply.headers)
                async for data in reply.aiter_bytes():
                    for event in events.take(data):
                        yield event
        except httpx.HTTPError as error:
            raise unreachable(self._address, error) from error


class _Events:
    """Server-sent events from bytes: a name and one line of data each, as the service sends them. A line ends with a
    line feed and nothing else: whatever else is taken for an end stands within texts."""

    def __init__(self, read: Mapping[str, Callable[[bytes], Any]]) -> None:
        self._read = read
        self._name = ""
        self._rest: list[bytes] = []

    def take(self, data: bytes) -> list[Any]:
        """The events that some bytes complete, of those whose names are known. Raises what a problem tells."""
        first, *others = data.split(b"\n")
        self._rest.append(first)
        if not others:
            return []
        lines = [b"".join(self._rest), *others[:-1]]
        self._rest = [others[-1]]
        return [event for line in lines for event in self._taken(line.removesuffix(b"\r"))]

    def _taken(self, line: bytes) -> list[Any]:
        field, _, value = line.partition(b": ")
        if field == b"event":
            self._name = value.decode(errors="replace")
        if field != b"data":
            return []
        if self._name == "problem":
            raise problem_of(value)
        read = self._read.get(self._name)
        return [] if read is None else [_value(read, value, 200)]


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"authorization": f"Bearer {key}"}


def _arguments(call: Call[T] | StreamCall[T]) -> dict[str, Any]:
    headers = {"content-type": "application/json"} if call.body is not None else {}
    query: Mapping[str, str | int] = {}
    if isinstance(call, Call):
        headers.update(call.headers)
        query = call.query
    content = None if call.body is None else json.dumps(call.body).encode("ascii")
    return {"method": call.method, "url": call.path, "content": content, "params": query, "headers": headers}


def _read(call: Call[T], reply: httpx.Response) -> T:
    if reply.is_error:
        raise error_of(reply.status_code, reply.content, reply.headers)
    return _value(call.read, reply.content, reply.status_code)


def _value(read: Callable[[bytes], T], data: bytes, status: int) -> T:
    """What is read of some bytes. Raises `ServiceError` where they are nothing that a service says."""
    try:
        return read(data)
    except ValidationError as error:
        raise unreadable(status) from error
