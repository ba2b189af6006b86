"""What an embedder is: the protocol and the values that cross it.

Adapters (`embedder_sentence_transformers`, `embedder_openai`, `embedder_hashed`) and the wrapper `embedder_retry` all
are embedders. Searching among vectors is left to `retrieval`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EmbedderInfo:
    """What an embedder is.

    `identity` names the weights (equal identity, comparable vectors); `dimensions` is the length of a vector;
    `max_tokens` is how much of a text is read, None where unknown.
    """

    engine: str
    model: str
    identity: str
    dimensions: int
    max_tokens: int | None = None


class Embedder(Protocol):
    """Turns texts into vectors whose inner product tells how alike they are. Safe for concurrent calls on one loop."""

    @property
    def info(self) -> EmbedderInfo:
        """What this embedder is; known without a call."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row of length 1 (Euclidean) for each text, in the order given: shape (len(texts), dimensions).

        A text in a script that the model was not made for, as far as its vocabulary tells, gets zeros: it is like
        nothing. A blank text gets either. What of a text lies beyond `info.max_tokens` is not read, or refused with
        `ContextTooLongError` where the engine refuses it. Raises `EngineError` and its kinds.
        """
        ...

    async def aclose(self) -> None:
        """Free what the embedder holds (connections, model, threads). Idempotent."""
        ...


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of a matrix, each scaled to length 1; a row of zeros stays one."""
    import numpy as np

    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths == 0.0, 1.0, lengths)).astype(np.float32, copy=False)
