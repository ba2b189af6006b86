"""Lines that people type, read without holding up what else goes on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread


async def read_line(prompt: str) -> str | None:
    """A line from the terminal, None at its end; a thread that still waits for one does not keep the program alive."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str | None] = loop.create_future()

    def settle(text: str | None) -> None:
        if not line.done():
            line.set_result(text)

    def read() -> None:
        try:
            text = input(prompt).strip()
        except EOFError:
            text = None
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, text)

    Thread(target=read, daemon=True).start()
    return await line
