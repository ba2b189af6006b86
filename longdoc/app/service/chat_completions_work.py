"""The work behind a completion: begun once, heard while it goes on, and stopped when nobody waits for it any more.

What it has paid for is in the ledger by then, so the same request goes on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from starlette.requests import Request

from longdoc.agents.events import Emit, Event, Warned
from longdoc.app.event_lines import line_of
from longdoc.app.orchestrator import DoResult
from longdoc.app.service.problems import refused
from longdoc.engines.engine import TextSink
from longdoc.errors import ServiceError

KEEP_ALIVE_SECONDS: Final = 10.0
_LEAST_SECONDS = 0.5
"""Between two lines that tell how far the work is."""
_RETRY_SECONDS = 5.0
_END: Final = object()


@dataclass(frozen=True, slots=True)
class Told:
    """How far the work is, in words."""

    text: str


class Work:
    """Work that is under way from the start. `do` gets what it tells its events, and its text in pieces; with `closing`
    it is stopped."""

    def __init__(self, do: Callable[[Emit, TextSink], Awaitable[DoResult]], closing: asyncio.Event) -> None:
        self.warnings: list[str] = []
        self._heard: asyncio.Queue[str | Told | object] = asyncio.Queue()
        self._told_at = float("-inf")
        self._closing = closing
        self._task = asyncio.ensure_future(do(self._hear, self._heard.put_nowait))
        self._task.add_done_callback(lambda _: self._heard.put_nowait(_END))
        self._watch = asyncio.create_task(closing.wait())
        self._watch.add_done_callback(lambda watch: None if watch.cancelled() else self.stop())

    async def told(self) -> AsyncGenerator[str | Told, None]:
        """Pieces of text and how far the work is, until it ends; something every few seconds."""
        while True:
            try:
                heard = await asyncio.wait_for(self._heard.get(), KEEP_ALIVE_SECONDS)
            except TimeoutError:
                yield Told("working")
                continue
            if isinstance(heard, str | Told):
                yield heard
            else:
                return

    async def result(self) -> DoResult:
        """What came of it. Raises what the work raises, and `ServiceError` where it was stopped."""
        try:
            await asyncio.wait([self._task])
            if self._task.cancelled():
                raise _stopped()
            return self._task.result()
        finally:
            await self.aclose()

    def stop(self) -> None:
        """Let it end; what is paid for is recorded first."""
        self._task.cancel()

    async def aclose(self) -> None:
        """Stop it, and wait until it has ended. Idempotent."""
        self._watch.cancel()
        self._task.cancel()
        await asyncio.wait([self._task, self._watch])

    def _hear(self, event: Event) -> None:
        if isinstance(event, Warned):
            self.warnings.append(event.message)
        line = line_of(event)
        if line and monotonic() - self._told_at >= _LEAST_SECONDS:
            self._told_at = monotonic()
            self._heard.put_nowait(Told(line))


@asynccontextmanager
async def gone(request: Request, work: Work) -> AsyncGenerator[None, None]:
    """Stop work when the client of a request leaves before it has ended."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        work.stop()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _stopped() -> ServiceError:
    message = "the work was stopped, for the service ends; the same request goes on from what is done"
    return refused(503, "stopped", message, retry_after=_RETRY_SECONDS)
