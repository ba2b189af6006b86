"""How tools tell what goes on: progress while they work, warnings with what they give."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from mcp.server.mcpserver import Context

from longdoc.agents.events import Event, Warned
from longdoc.app.event_lines import line_of

_LEAST_SECONDS: Final = 0.2
"""Between two notes of progress."""


@dataclass(slots=True)
class Telling:
    """Takes the events of some work: keeps its warnings, and passes on how far it is."""

    lines: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    warnings: list[str] = field(default_factory=list[str])
    told_at: float = float("-inf")

    def emit(self, event: Event) -> None:
        """See `Emit`."""
        if isinstance(event, Warned):
            self.warnings.append(event.message)
        line = line_of(event)
        if line and monotonic() - self.told_at >= _LEAST_SECONDS:
            self.told_at = monotonic()
            self.lines.put_nowait(line)


@asynccontextmanager
async def telling(context: Context[Any, Any]) -> AsyncGenerator[Telling, None]:
    """Progress notifications for a client for as long as the context lasts; nothing where it wants none."""
    told = Telling()

    async def pass_on() -> None:
        count = 0
        while True:
            count += 1
            await context.report_progress(count, message=await told.lines.get())

    passing = asyncio.create_task(pass_on())
    try:
        yield told
    finally:
        passing.cancel()
        await asyncio.wait([passing])
