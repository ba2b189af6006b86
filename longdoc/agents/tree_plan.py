"""The plan of a summary: which nodes will be made, from what, in which order, as pure data.

Every method plans before its first call, so that dry runs are exact, progress has a true total, and ending is a
property of the plan. How a method lays its nodes out is its own module's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.documents.segments import Segment

WORDS_PER_TOKEN = 0.65
DEFAULT_FINAL_TOKENS = 900
DEFAULT_SEGMENT_TOKENS = 2048
SAFETY_TOKENS = 20
FENCE_TOKENS = 16
"""What the tags and the number around one text take."""


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A summary to be made. `number` is its place in the plan: children come before their parent.

    `level` is 0 for a summary of a segment alone, else one more than the highest child. `limit` is in tokens, `words`
    is what the prompt asks for. It is made from `segment`, from its `children`, or from both (a running summary and
    what comes next); with `joined` its text is that of its children, one after the other, and no call is made.
    `context` is a node that tells what came before (`context_limit` tokens of it fit); `recalls` is how many earlier
    nodes of level 0 are looked up besides. A `result` is (a part of) what the user gets: its length is held.
    `start` and `end` are offsets in the document.
    """

    number: int
    level: int
    limit: int
    words: int
    start: int
    end: int
    title: str
    segment: Segment | None = None
    children: tuple[int, ...] = ()
    context: int | None = None
    context_limit: int = 0
    recalls: int = 0
    joined: bool = False
    result: bool = False

    @property
    def dependencies(self) -> tuple[int, ...]:
        """What must be made before this node."""
        return self.children if self.context is None else (*self.children, self.context)

    @property
    def text(self) -> Segment:
        """The segment it is made from. Raises `ValueError` for a node that is made from summaries alone."""
        if self.segment is None:
            raise ValueError(f"node {self.number} has no segment")
        return self.segment


@dataclass(frozen=True, slots=True)
class SummaryPlan:
    """Nodes in an order in which each comes after what it needs; the last one is the root.

    `overhead` is the tokens of the longest empty template.
    """

    nodes: tuple[PlannedNode, ...]
    overhead: int

    @property
    def root(self) -> PlannedNode:
        """What all ends in."""
        return self.nodes[-1]

    @property
    def levels(self) -> int:
        """How many levels the tree has."""
        return self.root.level + 1

    @property
    def calls(self) -> int:
        """How many calls it takes, when every answer passes at the first attempt."""
        return sum(not node.joined for node in self.nodes)

    @property
    def prompt_tokens(self) -> int:
        """At most this many tokens are read, when every answer passes at the first attempt."""
        return sum(self.reads(node) for node in self.nodes)

    @property
    def completion_tokens(self) -> int:
        """At most this many tokens are written, when every answer passes at the first attempt."""
        return sum(node.limit for node in self.nodes if not node.joined)

    def reads(self, node: PlannedNode) -> int:
        """At most this many tokens are read by the call that makes a node."""
        if node.joined:
            return 0
        own = node.segment.tokens if node.segment else 0
        if node.context is not None:
            own += min(node.context_limit, self.nodes[node.context].limit) + FENCE_TOKENS
        own += node.recalls * (node.limit + FENCE_TOKENS)
        return self.overhead + own + sum(self.nodes[i].limit + FENCE_TOKENS for i in node.children)


def words_of(limit: int) -> int:
    """The words to ask for where an answer may have so many tokens."""
    return round(limit * WORDS_PER_TOKEN)


def level_above(nodes: Sequence[PlannedNode], children: Sequence[int]) -> int:
    """The level of a node made from these."""
    return 1 + max(nodes[child].level for child in children)
