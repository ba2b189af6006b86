"""Cutting many texts into calls, and waiting for calls that run at once."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from typing import Any, TypeVar

_Result = TypeVar("_Result")


def split_batches(texts: Sequence[str], *, most_texts: int, most_characters: int) -> Iterator[Sequence[str]]:
    """Consecutive runs of the texts within both limits; a text that is over the limit by itself stands alone."""
    start, characters = 0, 0
    for place, text in enumerate(texts):
        if place > start and (place - start >= most_texts or characters + len(text) > most_characters):
            yield texts[start:place]
            start, characters = place, 0
        characters += len(text)
    if start < len(texts):
        yield texts[start:]


async def gather_or_cancel(calls: Iterable[Coroutine[Any, Any, _Result]]) -> list[_Result]:
    """The results of all, in order. The first error is raised once the rest is cancelled and has ended."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
