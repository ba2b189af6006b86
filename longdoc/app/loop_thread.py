"""A loop in a thread of its own, for programs that have none."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncGenerator, Coroutine, Iterator
from threading import Thread
from typing import Any, Final, TypeVar

from longdoc.errors import ConfigError

T = TypeVar("T")

CLOSED: Final = "longdoc is not open; use it as a context manager: with LongDoc() as lda"


class LoopThread:
    """A loop in a thread, and how to wait for what runs on it."""

    def __init__(self) -> None:
        self._running: tuple[asyncio.AbstractEventLoop, Thread] | None = None

    def start(self) -> None:
        """Start the thread."""
        loop = asyncio.new_event_loop()
        thread = Thread(target=loop.run_forever, name="longdoc", daemon=True)
        thread.start()
        self._running = loop, thread

    def stop(self) -> None:
        """End loop and thread. Idempotent."""
        if self._running is not None:
            loop, thread = self._running
            self._running = None
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine; an interrupt cancels it. Raises `ConfigError` where the loop does not run."""
        if self._running is None:
            work.close()
            raise ConfigError(CLOSED)
        future = asyncio.run_coroutine_threadsafe(work, self._running[0])
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, pieces: AsyncGenerator[T, None]) -> Iterator[T]:
        """What an asynchronous generator gives, piece by piece; who stops listening stops it."""
        heard: queue.Queue[tuple[bool, Any]] = queue.Queue()

        async def listen() -> None:
            try:
                async for piece in pieces:
                    heard.put((True, piece))
            finally:
                await pieces.aclose()

        if self._running is None:
            raise ConfigError(CLOSED)
        future = asyncio.run_coroutine_threadsafe(listen(), self._running[0])
        future.add_done_callback(lambda _: heard.put((False, None)))
        try:
            while (item := heard.get())[0]:
                yield item[1]
            future.result()
        finally:
            future.cancel()
