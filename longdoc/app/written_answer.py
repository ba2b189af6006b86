"""An answer of a conversation on its way: shown as it comes, kept as it comes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from longdoc.app.bootstrap import Records
from longdoc.engines.engine import TextSink
from longdoc.json_value import JsonValue
from longdoc.storage.memory_types import MemoryStatus

_JOTTED_EVERY = 1.0


class WrittenAnswer:
    """An answer as it is written: passed on, and kept every second, so that what was seen survives a kill."""

    def __init__(self, records: Records, namespace: int, number: int, on_text: TextSink | None) -> None:
        self._records = records
        self._namespace = namespace
        self._number = number
        self._on_text = on_text
        self._pieces: list[str] = []
        self._kept_at = time.monotonic()
        self._keeping: asyncio.Task[None] | None = None

    def take(self, piece: str) -> None:
        """Hear the next piece."""
        self._pieces.append(piece)
        if self._on_text is not None:
            self._on_text(piece)
        now = time.monotonic()
        if now - self._kept_at >= _JOTTED_EVERY and (self._keeping is None or self._keeping.done()):
            self._kept_at = now
            self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def ended(self) -> None:
        """Nothing is kept after this."""
        if self._keeping is not None:
            await self._keeping

    async def broken_off(self, calls: Sequence[int], decision: JsonValue, *, keyed: bool) -> None:
        """Keep what there is as the answer; without a word of it, or under a key, the input still waits for one: who
        gives keys wants every message answered whole."""
        await self.ended()
        text = "".join(self._pieces).strip()
        if text and not keyed:
            await self._records.memories.answer(
                self._namespace, self._number, text, status=MemoryStatus.CUT, calls=calls, decision=decision
            )

    async def _keep(self) -> None:
        await self._records.memories.jot(self._namespace, self._number, "".join(self._pieces))
