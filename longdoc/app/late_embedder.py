"""An embedder that is opened when it is first asked for something: most repeated runs never need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.engine_choice import Notify
from longdoc.engines.embedder import Embedder, EmbedderInfo
from longdoc.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LateEmbedder:
    """Opens an embedder by `choose` once, and says on `notify` which one it is."""

    def __init__(self, choose: Callable[[], Awaitable[EmbedderChoice]], *, notify: Notify) -> None:
        self._choose = choose
        self._notify = notify
        self._opening = asyncio.Lock()
        self._embedder: Embedder | None = None

    async def opened(self) -> Embedder:
        """The embedder itself. Raises `ConfigError`, `ModelNotFoundError`, `EngineError`."""
        async with self._opening:
            if self._embedder is None:
                choice = await self._choose()
                self._notify(f"embeddings: {choice.reason}")
                self._embedder = choice.embedder
        return self._embedder

    @property
    def info(self) -> EmbedderInfo:
        """See `Embedder`. Raises `ConfigError` before it is opened."""
        if self._embedder is None:
            raise ConfigError("the embedder is not opened yet")
        return self._embedder.info

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`; opens it. Raises what opening raises."""
        return await (await self.opened()).embed(texts)

    async def aclose(self) -> None:
        """See `Embedder`."""
        if self._embedder is not None:
            await self._embedder.aclose()
