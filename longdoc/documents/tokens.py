"""Counting tokens: the protocol, and the estimate used where no tokenizer is at hand."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Protocol


class TokenCounter(Protocol):
    """Counts tokens of texts.

    `identity` names the tokenizer (or the estimate and its ratio): equal identities give equal counts.
    """

    @property
    def identity(self) -> str: ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, in order."""
        ...
