"""An embedder without a model: shared words mean similarity. For tests and dry runs.

Each word is a fixed random direction made from its hash, a text the sum of its words' (feature hashing; Weinberger et
al., "Feature Hashing for Large Scale Multitask Learning", 2009, section 2).
"""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from longdoc.engines.embedder import EmbedderInfo, unit_rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_WORD = re.compile(r"\w+")
_PLACES = 4


class HashedEmbedder:
    """Vectors of `dimensions` numbers that depend on the words of a text only, the same in every process.

    Words count in any case and order, repeated ones by the logarithm of their number. A text without words gets
    zeros.
    """

    def __init__(self, *, dimensions: int = 256) -> None:
        self._info = EmbedderInfo("hashed", "hashed-words", f"hashed-words:{dimensions}", dimensions)

    @property
    def info(self) -> EmbedderInfo:
        """See `Embedder`."""
        return self._info

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`. Raises nothing."""
        import numpy as np

        vectors = np.zeros((len(texts), self._info.dimensions), np.float32)
        for row, text in enumerate(texts):
            for word, count in Counter(_WORD.findall(text.casefold())).items():
                for place, sign in _directions(word, self._info.dimensions):
                    vectors[row, place] += sign * (1.0 + math.log(count))
        return unit_rows(vectors)

    async def aclose(self) -> None:
        """See `Embedder`."""


def _directions(word: str, dimensions: int) -> list[tuple[int, int]]:
    """The places a word adds to, each with its sign."""
    digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=4 * _PLACES).digest()
    numbers = [int.from_bytes(digest[start : start + 4], "big") for start in range(0, len(digest), 4)]
    return [((number >> 1) % dimensions, 1 if number & 1 else -1) for number in numbers]
