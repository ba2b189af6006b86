"""What a search finds: segments of documents, with where each stood in the rankings that found it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Protocol, TypeAlias

from longdoc.documents.segments import Segment

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


def fuse(rankings: Mapping[str, Sequence[Hit]], *, depth: int) -> list[Hit]:
    """All hits of several rankings by the mean of their scores in them, the best first, equal ones in document order.

    Scores are at most 1 and mean as much in one ranking as in another. A ranking with fewer than `depth` hits has
    all that there are, and gives 0 to any other; a longer one was cut off, and any other is scored as its last, which
    is the most it can have. Source: convex combination (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for
    Hybrid Retrieval", 2023; there scores are scaled by the best one found), which finds no less here than sums of
    reciprocal ranks (docs/benchmarks.md).
    """
    found: dict[tuple[str, int], dict[str, Hit]] = {}
    for name, ranking in rankings.items():
        for rank, hit in enumerate(ranking, 1):
            found.setdefault(hit.place, {})[name] = replace(hit, ranks={name: rank})
    others = {name: ranking[-1].score if len(ranking) >= depth else 0.0 for name, ranking in rankings.items()}
    fused: list[Hit] = []
    for hits in found.values():
        score = fmean((others | {name: hit.score for name, hit in hits.items()}).values())
        ranks = {name: rank for hit in hits.values() for name, rank in hit.ranks.items()}
        fused.append(replace(next(iter(hits.values())), score=score, ranks=ranks))
    return sorted(fused, key=lambda hit: (-hit.score, hit.place))
