"""What the nodes of a hierarchical summary may write, and how many a merge reads, in a window."""

from __future__ import annotations

from dataclasses import dataclass

from longdoc.agents.tree_plan import DEFAULT_FINAL_TOKENS, FENCE_TOKENS, SAFETY_TOKENS
from longdoc.errors import ConfigError

_LEVEL_SHRINK = 0.65
_CONTEXT_SHARE = 0.2
_LEAST_FINAL = 64
LEAST_LEAF = 48
"""Tokens that the shortest summary of a segment may have."""


@dataclass(frozen=True, slots=True)
class WindowLimits:
    """What fits a call: the window, the tokens of the longest empty template, and the most an answer may have.

    Limits of answers go by level, from below: 380, 585 and 900 tokens as the paper's code has them for three levels,
    then 900; less in a small window. So a node's limit depends on nothing above it, and what a changed length or
    a changed chapter leaves as it was is found in the record.
    """

    window: int
    overhead: int
    max_output: int | None = None

    @property
    def final(self) -> int:
        """The limit of the highest levels; two summaries of it, and an answer that is gone on with, fit a call."""
        fitting = (self.window - self.overhead - SAFETY_TOKENS - 2 * FENCE_TOKENS) // 4
        final = min(DEFAULT_FINAL_TOKENS, fitting, self.max_output or fitting)
        if final < _LEAST_FINAL:
            raise ConfigError(
                f"a window of {self.window} tokens cannot hold a merge: the template takes {self.overhead}, and what "
                "is left does not hold two summaries and an answer; use a model with a larger window"
            )
        return final

    def limit(self, level: int) -> int:
        """The limit of an answer at this level, in tokens."""
        return max(LEAST_LEAF, int(self.final * _LEVEL_SHRINK ** max(0, 2 - level)))

    def context(self, level: int, *, child_limit: int) -> int:
        """Tokens for what came before; 0 where only without it two summaries fit."""
        room = self._room(level)
        context = int(room * _CONTEXT_SHARE)
        return context if room - context >= 2 * (child_limit + FENCE_TOKENS) else 0

    def children(self, level: int, *, child_limit: int) -> int:
        """How many summaries of at most `child_limit` tokens a merge at this level reads; at least 2."""
        return (self._room(level) - self.context(level, child_limit=child_limit)) // (child_limit + FENCE_TOKENS)

    def _room(self, level: int) -> int:
        """What an answer leaves, which may have to be read once more to be gone on with."""
        return self.window - self.overhead - SAFETY_TOKENS - 2 * self.limit(level)
