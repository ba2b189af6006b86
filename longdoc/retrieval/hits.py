"""What a search finds: segments of documents, with where each stood in the rankings that found it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from longdoc.documents.segments import Segment

RANK_CONSTANT: Final = 60
"""Of reciprocal rank fusion: how little the first places count more than the next."""

Ranks: TypeAlias = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """A segment found in a document; `ranks` tells by the name of a ranking the place in it, counted from 1."""

    document_id: str
    segment: Segment
    score: float
    ranks: Ranks = field(default_factory=dict[str, int])

    @property
    def place(self) -> tuple[str, int]:
        """What it is, and nothing of how it was found: equal for equal segments."""
        return self.document_id, self.segment.start


class Searcher(Protocol):
    """Finds segments in an indexed collection of documents."""

    async def search(self, question: str, *, k: int) -> Sequence[Hit]:
        """The `k` best segments for a question, the best first; equal scores in document order."""
        ...


def fuse(rankings: Mapping[str, Sequence[Hit]], *, k: int) -> list[Hit]:
    """The `k` best of several rankings by `sum 1 / (60 + rank)`, the best first, equal ones in document order.

    Source: reciprocal rank fusion (Cormack, Clarke, Buettcher, SIGIR 2009).
    """
    ranks: dict[tuple[str, int], dict[str, int]] = {}
    found: dict[tuple[str, int], Hit] = {}
    for name, ranking in rankings.items():
        for rank, hit in enumerate(ranking, 1):
            found[hit.place] = hit
            ranks.setdefault(hit.place, {})[name] = rank
    fused = [
        Hit(
            hit.document_id,
            hit.segment,
            sum(1 / (RANK_CONSTANT + rank) for rank in ranks[place].values()),
            ranks[place],
        )
        for place, hit in found.items()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, hit.place))[:k]
