"""The MCP server over standard input and output, for the program that started it.

Standard output belongs to the protocol alone; the server ends with its input, or with a signal.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Final, cast

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server

from longdoc.app.mcp.parts import open_mcp_parts
from longdoc.app.mcp.tools import make_mcp_server
from longdoc.config import Settings

_READ_AT_ONCE: Final = 65_536
_MOST_WAITING: Final = 64
"""Pieces that were read and not looked at: whoever sends faster waits."""
_LONGEST_LINE: Final = 16 * 1024 * 1024


def serve_stdio(settings: Settings) -> int | None:
    """Serve until the input ends; the number of the signal that ended it before, else None.

    Raises `ConfigError`, `StorageError`.
    """
    return asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> int | None:
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _end, ended, number)
    async with open_mcp_parts(settings, local=True) as parts:
        serving = asyncio.create_task(_run(make_mcp_server(parts, local=True)))
        await asyncio.wait([serving, ended], return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            serving.cancel()
            await asyncio.wait([serving])
        elif (error := serving.exception()) is not None:
            raise error
    return ended.result() if ended.done() else None


def _end(ended: asyncio.Future[int], number: int) -> None:
    if not ended.done():
        ended.set_result(number)


async def _run(server: MCPServer[Any]) -> None:
    lines = cast("anyio.AsyncFile[str]", _lines(os.dup(0)))  # it is only iterated over
    devnull = os.open(os.devnull, os.O_RDONLY)
    os.dup2(devnull, 0)  # what tools start reads nothing of the protocol
    os.close(devnull)
    async with stdio_server(stdin=lines) as (read, write):
        inner = server._lowlevel_server  # pyright: ignore[reportPrivateUsage] - as its own run_stdio_async
        await inner.run(read, write, inner.create_initialization_options())


async def _lines(descriptor: int) -> AsyncGenerator[str, None]:
    """The lines that come, without anything that a signal would have to wait for: a thread of anyio's that reads
    cannot be left."""
    loop = asyncio.get_running_loop()
    found: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_MOST_WAITING)

    def read() -> None:
        while True:
            room.acquire()
            data = os.read(descriptor, _READ_AT_ONCE)
            try:
                loop.call_soon_threadsafe(found.put_nowait, data)
            except RuntimeError:  # the loop has ended
                return
            if not data:
                return

    threading.Thread(target=read, name="longdoc mcp input", daemon=True).start()
    lines = _Lines()
    while data := await found.get():
        room.release()
        for line in lines.take(data):
            yield line
    for line in lines.take(b"\n"):
        if line.strip():
            yield line


class _Lines:
    """Puts lines together from pieces. One that is too long is passed on as far as it goes, which is no message: the
    client is told so."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def take(self, data: bytes) -> Iterator[str]:
        """The lines that end in this piece."""
        *ends, rest = data.split(b"\n")
        for end in ends:
            self._keep(end)
            yield b"".join(self._pieces).decode("utf-8", "replace")
            self._pieces, self._length = [], 0
        self._keep(rest)

    def _keep(self, piece: bytes) -> None:
        kept = piece[: _LONGEST_LINE - self._length]
        self._length += len(kept)
        if kept:
            self._pieces.append(kept)
