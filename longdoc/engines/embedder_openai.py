"""Any OpenAI-compatible server as an embedder, over `/v1/embeddings`.

Connections are `openai_transport`'s, what the server is `openai_probe`'s, the meaning of failures `openai_errors`'.
Nothing here retries.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from longdoc.engines.embedder import EmbedderInfo, unit_rows
from longdoc.engines.embedder_batches import gather_or_cancel, split_batches
from longdoc.engines.openai_probe import ServerFacts, probe_server
from longdoc.engines.openai_transport import Transport, WireSettings
from longdoc.errors import EngineUnavailableError
from longdoc.json_value import JsonValue

_TEXTS_PER_CALL = 64
_CHARACTERS_PER_CALL = 200_000
_CALLS_AT_ONCE = 4
_BLANK = " "  # servers refuse an empty text


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    embedding: list[float]
    index: int | None = None


class _EmbeddingReply(BaseModel):
    """The body of an answer; rows without an index stand in the order of the texts."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    data: tuple[_Row, ...]


class OpenAIEmbedder:
    """An embedder over HTTP. Made by `connect`, which asks the server what it is."""

    def __init__(
        self,
        transport: Transport,
        facts: ServerFacts,
        info: EmbedderInfo,
        *,
        texts_per_call: int = _TEXTS_PER_CALL,
        characters_per_call: int = _CHARACTERS_PER_CALL,
        calls_at_once: int = _CALLS_AT_ONCE,
    ) -> None:
        self._transport = transport
        self._facts = facts
        self._info = info
        self._texts_per_call = texts_per_call
        self._characters_per_call = characters_per_call
        self._places = asyncio.Semaphore(calls_at_once)

    @classmethod
    async def connect(
        cls,
        base_url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        timeout: float | None = 600.0,  # noqa: ASYNC109 - of later calls, not of this one
        connect_timeout: float = 10.0,
        identity: str | None = None,
        texts_per_call: int = _TEXTS_PER_CALL,
        characters_per_call: int = _CHARACTERS_PER_CALL,
        calls_at_once: int = _CALLS_AT_ONCE,
    ) -> OpenAIEmbedder:
        """Connect to a server at `base_url` (with or without `/v1`) and ask what it is.

        One word is embedded to learn the dimensions. `timeout` is in seconds, for one call (None: no limit); a call
        carries at most `texts_per_call` texts of `characters_per_call` characters together. Raises `ConfigError`,
        `EngineAuthError`, `ModelNotFoundError`, `EngineUnavailableError`, `EngineTimeoutError`.
        """
        settings = WireSettings(connect_timeout=connect_timeout, timeout=timeout)
        transport = Transport(base_url, api_key=api_key, settings=settings)
        try:
            facts = await probe_server(transport, base_url, model=model)
            dimensions = (await _embed(transport, facts, ["dimensions"])).shape[1]
            info = EmbedderInfo(
                "openai", facts.model, identity or facts.fingerprint, dimensions, max_tokens=facts.context_window
            )
            return cls(
                transport,
                facts,
                info,
                texts_per_call=texts_per_call,
                characters_per_call=characters_per_call,
                calls_at_once=calls_at_once,
            )
        except BaseException:
            await transport.aclose()
            raise

    @property
    def info(self) -> EmbedderInfo:
        """See `Embedder`."""
        return self._info

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder`. The server decides whether a text that is too long is cut or refused."""
        batches = split_batches(texts, most_texts=self._texts_per_call, most_characters=self._characters_per_call)
        empty = np.zeros((0, self._info.dimensions), np.float32)
        return np.concatenate([empty, *await gather_or_cancel(self._embed(batch) for batch in batches)])

    async def aclose(self) -> None:
        """See `Embedder`."""
        await self._transport.aclose()

    async def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        async with self._places:
            vectors = await _embed(self._transport, self._facts, texts)
        if vectors.shape[1] != self._info.dimensions:
            raise EngineUnavailableError(
                f"the engine sent vectors of {vectors.shape[1]} dimensions; it sent {self._info.dimensions} before"
            )
        return vectors


async def _embed(transport: Transport, facts: ServerFacts, texts: Sequence[str]) -> NDArray[np.float32]:
    body: dict[str, JsonValue] = {"model": facts.model, "input": [text if text.strip() else _BLANK for text in texts]}
    reply = await transport.post(f"{facts.api_url}/embeddings", body, model=facts.model)
    rows = transport.read(reply, _EmbeddingReply, model=facts.model).data
    placed = {place if row.index is None else row.index: row.embedding for place, row in enumerate(rows)}
    if placed.keys() != set(range(len(texts))) or len({len(vector) for vector in placed.values()}) != 1:
        raise EngineUnavailableError(f"the engine sent {len(rows)} vectors that do not fit {len(texts)} texts")
    vectors = np.array([placed[place] for place in range(len(texts))], np.float32)
    if not np.isfinite(vectors).all():
        raise EngineUnavailableError("the engine sent vectors that hold no numbers")
    return unit_rows(vectors)
