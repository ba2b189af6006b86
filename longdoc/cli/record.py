"""Opening the record for commands that only look at it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from longdoc.app.bootstrap import Records, open_records
from longdoc.config import load_settings

T = TypeVar("T")


async def with_records(database: str | None, work: Callable[[Records], Awaitable[T]]) -> T:
    """Do something with the record. Raises `StorageError`, and what `work` raises."""
    async with open_records(load_settings({"database": database})) as records:
        return await work(records)
