"""How much of all is in the indexes while they are brought up to date, told again and again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many stretches of text of how many are in the indexes."""

_SECONDS: Final = 1.0


class Tally:
    """Counts windows and parts. How many there are is estimated until their document is cut."""

    def __init__(self, progress: Progress = lambda done, total: None) -> None:
        self._progress = progress
        self._expected: dict[tuple[str, str], int] = {}
        self._total = 0
        self._done = 0

    def expect(self, kind: str, document_id: str, count: int) -> None:
        """So many of a kind are to be added for a document; takes the place of what was expected before."""
        self._total += count - self._expected.get((kind, document_id), 0)
        self._expected[kind, document_id] = count

    def add(self, count: int) -> None:
        """So many more are there."""
        self._done += count
        self._tell()

    def settle(self) -> None:
        """No more than what is there comes."""
        self._total = self._done
        self._tell()

    @asynccontextmanager
    async def telling(self) -> AsyncGenerator[None]:
        """Tell at once and every second, so that long steps (cutting, merging, training) are not taken for a hang."""
        self._tell()
        telling = asyncio.create_task(self._tell_on())
        try:
            yield
        finally:
            telling.cancel()

    async def _tell_on(self) -> None:
        while True:
            await asyncio.sleep(_SECONDS)
            self._tell()

    def _tell(self) -> None:
        if self._total:
            self._progress(self._done, self._total)
