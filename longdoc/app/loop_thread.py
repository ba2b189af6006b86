"""A loop in a thread of its own, for programs that have none."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncGenerator, Coroutine, Iterator
from threading import Thread, current_thread
from typing import Any, Final, TypeVar

from longdoc.errors import ConfigError

T = TypeVar("T")

CLOSED: Final = "longdoc is not open; use it as a context manager: with LongDoc() as lda"

_WITHIN: Final = "emit and on_text cannot ask longdoc for anything; note what they hear, and ask when the call is over"


class LoopThread:
    """A loop in a thread, and how to wait for what runs on it."""

    def __init__(self) -> None:
        self._running: tuple[asyncio.AbstractEventLoop, Thread] | None = None

    def start(self) -> None:
        """Start the thread. Idempotent."""
        if self._running is not None:
            return
        loop = asyncio.new_event_loop()
        thread = Thread(target=loop.run_forever, name="longdoc", daemon=True)
        thread.start()
        self._running = loop, thread

    def stop(self) -> None:
        """End what still runs, loop and thread. Idempotent."""
        if self._running is not None:
            self.run(_end_all())
            loop, thread = self._running
            self._running = None
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for a coroutine; an interrupt cancels it. Raises `ConfigError` where the loop does not run, and in the
        thread of the loop itself, which cannot wait for what it has to do."""
        if self._running is None or self._running[1] is current_thread():
            work.close()
            raise ConfigError(CLOSED if self._running is None else _WITHIN)
        future = asyncio.run_coroutine_threadsafe(work, self._running[0])
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    async def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """As `run`, for a caller that has a loop of its own, which goes on meanwhile."""
        if self._running is None:
            work.close()
            raise ConfigError(CLOSED)
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running[0]))

    def iterate(self, pieces: AsyncGenerator[T, None]) -> Iterator[T]:
        """What an asynchronous generator gives, each when it is asked for; who stops listening stops it, and has it
        stopped then."""
        heard: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

        async def listen(wanted: asyncio.Semaphore) -> None:
            try:
                await wanted.acquire()
                async for piece in pieces:
                    heard.put((True, piece))
                    del piece  # whoever hears it may let go of it
                    await wanted.acquire()
            finally:
                await pieces.aclose()

        async def begin() -> tuple[asyncio.Task[None], asyncio.Semaphore]:
            wanted = asyncio.Semaphore(0)
            task = asyncio.ensure_future(listen(wanted))
            task.add_done_callback(lambda _: heard.put((False, None)))
            return task, wanted

        task, wanted = self.run(begin())
        loop = task.get_loop()
        try:
            while True:
                if not task.done():  # nor its loop closed
                    loop.call_soon_threadsafe(wanted.release)
                there, piece = heard.get()
                if not there:
                    break
                yield piece
                del piece
        finally:
            if not task.done():
                loop.call_soon_threadsafe(task.cancel)
                while heard.get()[0]:
                    pass
        if task.cancelled():
            raise ConfigError(CLOSED)
        task.result()


async def _end_all() -> None:
    """Cancel whatever runs on this loop, and wait until it has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    loop = asyncio.get_running_loop()
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
