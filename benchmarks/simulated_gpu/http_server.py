"""HTTP/1.1 as far as the server needs it, cheap enough to share two cores with the client it measures.

Keeps connections open, reads bodies by their length, writes whole answers or events. What is answered is up to the
handler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias

_BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request whose body was read."""

    method: str
    path: str
    body: bytes


class HttpConnection(asyncio.Protocol):
    """One connection: requests one after the other. Work under way is cancelled when the client leaves."""

    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._received = bytearray()
        self._work: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        del exc
        self._transport = None
        if self._work is not None:
            self._work.cancel()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._received += data
        self._next_request()

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a whole body of JSON."""
        self._write(_head(status, {"content-length": str(len(body)), **(headers or {})}) + body)

    def start_events(self) -> None:
        """Begin an answer of server-sent events."""
        self._write(_head(200, {"transfer-encoding": "chunked"}, kind="text/event-stream"))

    def send_event(self, data: bytes) -> None:
        """One event."""
        event = b"data: %b\n\n" % data
        self._write(b"%x\r\n%b\r\n" % (len(event), event))

    def end_events(self) -> None:
        """End an answer of events."""
        self._write(b"0\r\n\r\n")

    def close(self) -> None:
        """Close without any answer, or without the rest of it."""
        if self._transport is not None:
            self._transport.close()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _next_request(self) -> None:
        while self._work is None and (request := self._take()) is not None:
            work = self._handle(request, self)
            if work is not None:
                self._work = work
                self._work.add_done_callback(self._worked)

    def _worked(self, work: asyncio.Task[None]) -> None:
        self._work = None
        if work.cancelled():
            return
        if (error := work.exception()) is not None:
            self.close()
            raise error
        self._next_request()

    def _take(self) -> HttpRequest | None:
        """The next request, once it is there as a whole."""
        head, end, _ = self._received.partition(b"\r\n\r\n")
        if not end:
            return None
        start, *fields = head.decode("latin-1").split("\r\n")
        lengths = [value for name, _, value in (field.partition(":") for field in fields) if _is_length(name)]
        size = len(head) + len(end) + (int(lengths[0]) if lengths else 0)
        if len(self._received) < size:
            return None
        body = bytes(self._received[len(head) + len(end) : size])
        del self._received[:size]
        method, path, _ = start.split(" ", 2)
        return HttpRequest(method, path, body)


Handler: TypeAlias = Callable[[HttpRequest, HttpConnection], asyncio.Task[None] | None]
"""Answers through the connection at once, or gives the task that will."""


async def serve(handle: Handler, *, port: int) -> asyncio.Server:
    """Listen on the loopback interface; port 0 takes a free one."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: HttpConnection(handle), "127.0.0.1", port, backlog=_BACKLOG)


def _is_length(name: str) -> bool:
    return name.strip().lower() == "content-length"


def _head(status: int, headers: Mapping[str, str], *, kind: str = "application/json") -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-type: {kind}\r\n{fields}\r\n".encode()
