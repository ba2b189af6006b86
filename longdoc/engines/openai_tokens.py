"""Exact token counts over the `/tokenize` endpoints of llama.cpp and vLLM, batched where the server allows it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Protocol

from pydantic import BaseModel

from longdoc.engines.engine import Message
from longdoc.engines.openai_transport import Transport
from longdoc.errors import EngineUnavailableError
from longdoc.json_value import JsonValue

_LLAMA_CALLS = 4
_LLAMA_BATCH = 512
_VLLM_CALLS = 32
_BATCH_CHARACTERS = 200_000
_PIECE_CHARACTERS = 100_000
_SEPARATOR = -1
_VLLM_BATCH = 256
_MARKS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|endoftext|>",
    "</s>",
    "<eos>",
    "<|end|>",
    "<|return|>",
    "<|end_of_text|>",
    "[EOS]",
)
"""Marks that some model or other knows as one token, which therefore part what stands before and after them."""
_EDGES = ("one", "one two three", " two ", "\n\nthree\n", "«четыре»", "")
_WORD_START = re.compile(r"(?<=\w)(?= \w)")


class RemoteTokenizer(Protocol):
    """Counts tokens of texts on a server, without special tokens."""

    async def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text. Raises `EngineError`."""
        ...


class _LlamaTokens(BaseModel):
    tokens: list[int]


class _LlamaPiece(BaseModel):
    id: int
    piece: str | list[int]


class _LlamaPieces(BaseModel):
    tokens: list[_LlamaPiece]


class _VllmTokens(BaseModel):
    tokens: list[int]


class LlamaTokenizer:
    """llama.cpp's `/tokenize` takes a list of texts and token ids.

    An id that no text can have stands after each text of a batch and tells their tokens apart in the answer.
    """

    def __init__(self, transport: Transport, root_url: str) -> None:
        self._transport = transport
        self._url = f"{root_url}/tokenize"

    async def count(self, texts: Sequence[str]) -> list[int]:
        """See `RemoteTokenizer`."""
        return await _count(texts, self._count_batch, batch=_LLAMA_BATCH, at_once=_LLAMA_CALLS)

    async def pieces(self, text: str) -> list[tuple[int, str | None]]:
        """The tokens of a text: their ids, and what they say, None for a part of a character. Raises `EngineError`."""
        body: dict[str, JsonValue] = {"content": text, "parse_special": False, "with_pieces": True}
        told = self._transport.read(await self._transport.post(self._url, body), _LlamaPieces).tokens
        return [(one.id, one.piece if isinstance(one.piece, str) else None) for one in told]

    async def _count_batch(self, texts: Sequence[str]) -> list[int]:
        content: list[JsonValue] = [item for text in texts for item in (text, _SEPARATOR)]
        body: dict[str, JsonValue] = {"content": content, "add_special": False, "parse_special": False}
        tokens = self._transport.read(await self._transport.post(self._url, body), _LlamaTokens).tokens
        ends = [-1, *(place for place, token in enumerate(tokens) if token == _SEPARATOR)]
        if len(ends) != len(texts) + 1:
            raise EngineUnavailableError("the engine's tokenizer gave another number of counts than texts")
        return [end - start - 1 for start, end in pairwise(ends)]


@dataclass(frozen=True, slots=True)
class _Mark:
    """A text that is one token by itself, and its id."""

    text: str
    token: int


class VllmTokenizer:
    """vLLM's `/tokenize` takes one text a request; `connect` finds a mark that lets many texts travel as one."""

    def __init__(self, transport: Transport, root_url: str, model: str, *, mark: _Mark | None = None) -> None:
        self._transport = transport
        self._url = f"{root_url}/tokenize"
        self._model = model
        self._mark = mark

    @classmethod
    async def connect(cls, transport: Transport, root_url: str, model: str) -> VllmTokenizer:
        """A tokenizer that parts texts by a mark of the model, where there is one that leaves their counts as they are.

        Raises `EngineError` where the server has no such endpoint.
        """
        single = cls(transport, root_url, model)
        expected = await single.count(_EDGES)
        if not 0 < expected[0] < expected[1]:
            raise EngineUnavailableError("the server's tokenizer counts nothing")
        for text in _MARKS:
            tokens = await single.tokens(text)
            batched = cls(transport, root_url, model, mark=_Mark(text, tokens[0]) if len(tokens) == 1 else None)
            if len(tokens) == 1 and await batched.count(_EDGES) == expected:
                return batched
        return single

    async def count(self, texts: Sequence[str]) -> list[int]:
        """See `RemoteTokenizer`."""
        batch = _VLLM_BATCH if self._mark else 1
        return await _count(texts, self._count_batch, batch=batch, at_once=_VLLM_CALLS)

    async def tokens(self, text: str) -> list[int]:
        """The tokens of a text, without special ones of its own. Raises `EngineError`."""
        return await self._ask({"prompt": text, "add_special_tokens": False})

    async def chat_tokens(self, messages: Sequence[Message]) -> list[int]:
        """The tokens that the model reads when it is asked these messages. Raises `EngineError`."""
        told: list[JsonValue] = [{"role": message.role, "content": message.content} for message in messages]
        return await self._ask({"messages": told, "add_generation_prompt": True})

    async def _count_batch(self, texts: Sequence[str]) -> list[int]:
        if self._mark is not None and len(texts) > 1:
            tokens = await self.tokens(self._mark.text.join(texts))
            ends = [-1, *(n for n, token in enumerate(tokens) if token == self._mark.token), len(tokens)]
            if len(ends) == len(texts) + 1:  # else a text holds the mark itself
                return [end - start - 1 for start, end in pairwise(ends)]
        return [len(await self.tokens(text)) for text in texts]

    async def _ask(self, asked: dict[str, JsonValue]) -> list[int]:
        body: dict[str, JsonValue] = {"model": self._model, **asked}
        reply = await self._transport.post(self._url, body, model=self._model)
        return self._transport.read(reply, _VllmTokens).tokens


def split_for_counting(text: str) -> list[str]:
    """A text in pieces a server can take at once; they join to the text.

    Cuts fall before a space between two words, where byte-pair tokenizers never have a token across. (Tokenizers
    that set a mark before every text may count one token too many for each cut.)
    """
    pieces: list[str] = []
    start = 0
    while len(text) - start > _PIECE_CHARACTERS:
        cut = _WORD_START.search(text, start + _PIECE_CHARACTERS - 2_000, start + _PIECE_CHARACTERS)
        end = cut.start() if cut else start + _PIECE_CHARACTERS
        pieces.append(text[start:end])
        start = end
    return [*pieces, text[start:]]


async def _count(
    texts: Sequence[str],
    count_batch: Callable[[Sequence[str]], Awaitable[list[int]]],
    *,
    batch: int,
    at_once: int,
) -> list[int]:
    cut = [split_for_counting(text) for text in texts]
    batches = _batches(chain.from_iterable(cut), batch)
    counts: list[int] = []
    while group := list(islice(batches, at_once)):
        for counted in await asyncio.gather(*(count_batch(pieces) for pieces in group)):
            counts += counted
    remaining = iter(counts)
    return [sum(islice(remaining, len(pieces))) for pieces in cut]


def _batches(pieces: Iterable[str], limit: int) -> Iterator[list[str]]:
    batch: list[str] = []
    characters = 0
    for piece in pieces:
        if batch and (len(batch) == limit or characters + len(piece) > _BATCH_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(piece)
        characters += len(piece)
    if batch:
        yield batch
