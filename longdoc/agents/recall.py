"""Activation memory over what was summarized so far: which earlier summaries are closest to a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longdoc.engines.embedder import Embedder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PIECE_CHARACTERS = 800
"""A piece of a text that embedders read whole; a longer text is asked for piece by piece."""
_DECIMALS = 4
"""Similarities are compared no finer, so that the order does not hang on how vectors were computed."""


class EarlierSummaries:
    """The summaries of one run, looked up by how close they are to a text."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: dict[int, NDArray[np.float32]] = {}

    async def add(self, number: int, text: str) -> None:
        """Remember a summary under its number."""
        self._vectors[number] = (await self._embedder.embed([text]))[0]

    async def closest(self, text: str, count: int, *, but: int | None) -> list[int]:
        """The numbers of the `count` summaries closest to any piece of the text, `but` that one, in ascending order.

        Ties go to the later one. Raises `EngineError` and its kinds.
        """
        import numpy as np

        numbers = sorted((number for number in self._vectors if number != but), reverse=True)
        if not numbers or count == 0:
            return []
        pieces = await self._embedder.embed(_pieces(text))
        memories = np.stack([self._vectors[number] for number in numbers])
        similar: list[float] = np.max(memories @ pieces.T, axis=1).tolist()
        best = sorted(range(len(numbers)), key=lambda i: -round(similar[i], _DECIMALS))[:count]
        return sorted(numbers[i] for i in best)


def _pieces(text: str) -> list[str]:
    count = max(1, -(-len(text) // _PIECE_CHARACTERS))
    size = -(-len(text) // count) or 1
    return [text[start : start + size] for start in range(0, max(1, len(text)), size)]
