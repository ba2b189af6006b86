"""The prefix cache: blocks of prompts that were read before, the least recently used forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import takewhile

from benchmarks.simulated_gpu.settings import BLOCK_TOKENS


class PrefixCache:
    """Keeps up to `capacity` blocks. A block's hash covers all that stands before it, as in vLLM."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._blocks: OrderedDict[int, None] = OrderedDict()

    def cached_tokens(self, blocks: Sequence[int], *, prompt_tokens: int) -> int:
        """Tokens of a prompt that need not be read; at least one has to be."""
        hits = sum(1 for _ in takewhile(self._blocks.__contains__, blocks))
        return max(0, min(hits, (prompt_tokens - 1) // BLOCK_TOKENS)) * BLOCK_TOKENS

    def add(self, blocks: Sequence[int]) -> None:
        """Keep the blocks of a prompt that was read: its first block is the last to be forgotten."""
        for block in reversed(blocks):
            self._blocks[block] = None
            self._blocks.move_to_end(block)
        while len(self._blocks) > self._capacity:
            self._blocks.popitem(last=False)
