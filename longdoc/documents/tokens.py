"""Counting tokens: the protocol, and the estimate used where no tokenizer is at hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol


class TokenCounter(Protocol):
    """Counts tokens of texts.

    `identity` names the tokenizer (or the estimate and its ratio): equal identities give equal counts.
    """

    @property
    def identity(self) -> str:
        """The name of the tokenizer."""
        ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, in order."""
        ...


_TOKENS_PER_CHARACTER = 0.25
_TOKENS_PER_EXTRA_BYTE = 0.4


def estimate_tokens(text: str) -> float:
    """Tokens of a text as a byte-pair tokenizer of today would cut it, from its length and its UTF-8 length.

    Plain English has about four characters to a token; every byte beyond the first of a character adds a share,
    which puts Cyrillic, Hebrew and Devanagari near two characters to a token and Chinese and Japanese near one.
    """
    if text.isascii():
        return len(text) * _TOKENS_PER_CHARACTER
    extra_bytes = len(text.encode("utf-8", "surrogatepass")) - len(text)
    return len(text) * _TOKENS_PER_CHARACTER + extra_bytes * _TOKENS_PER_EXTRA_BYTE


class EstimatedTokens:
    """A counter for engines without a tokenizer: `estimate_tokens` scaled by `ratio`.

    The ratio is what one real call reported over what was estimated for it (1.0 before any call).
    """

    def __init__(self, ratio: float = 1.0) -> None:
        self._ratio = round(ratio, 4)

    @property
    def identity(self) -> str:
        """The estimate with its ratio."""
        return f"estimate:{self._ratio:g}"

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `TokenCounter`."""
        return [math.ceil(estimate_tokens(text) * self._ratio) for text in texts]
