"""Ranking the segments of an indexed collection for a question: by retrieval, by relevance to the model, by both.

Source of the exhaustive way: XL3M (2024, arXiv 2405.17755), which scores every segment. The cascade, where retrieval
chooses what the model scores, is our own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Protocol, TypeAlias

from longdoc.agents.events import Emit
from longdoc.agents.relevance import UNKNOWN, Relevance, RelevanceScorer
from longdoc.prompts.catalogue import Quoted
from longdoc.retrieval.hits import Hit, Searcher

PREFILTERED = 64
"""How many segments retrieval leaves for the model to score."""

Texts: TypeAlias = Callable[[Sequence[Hit]], Awaitable[Sequence[Quoted]]]
"""The texts of segments, in their order."""


class Parts(Protocol):
    """Finds the parts of segments that a question is most likely about."""

    async def parts(self, question: str, hits: Sequence[Hit], *, count: int) -> Sequence[Sequence[Hit]]:
        """For each hit those of the `count` best parts of all that are of it, each in the place of its segment."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A segment in a ranking, with what the model made of it where it was asked."""

    hit: Hit
    relevance: Relevance | None = None


class Ranker(Protocol):
    """Ranks segments for a question."""

    async def rank(self, question: str, *, emit: Emit) -> Sequence[Candidate]:
        """All segments worth considering, the best first. Raises what the engine and the embedder raise."""
        ...


class RetrievalRanker:
    """The order of a search."""

    def __init__(self, searcher: Searcher, *, k: int = PREFILTERED) -> None:
        self._searcher = searcher
        self._k = k

    async def rank(self, question: str, *, emit: Emit) -> Sequence[Candidate]:
        """See `Ranker`."""
        del emit
        return [Candidate(hit) for hit in await self._searcher.search(question, k=self._k)]


class ExhaustiveRanker:
    """Every segment there is, by its relevance to the model; of segments with the same text the first."""

    def __init__(self, segments: Iterable[Hit], texts: Texts, scorer: RelevanceScorer) -> None:
        self._segments = list(segments)
        self._texts = texts
        self._scorer = scorer

    async def rank(self, question: str, *, emit: Emit) -> Sequence[Candidate]:
        """See `Ranker`."""
        texts = await self._texts(self._segments)
        first = {quoted.text: (hit, quoted) for hit, quoted in reversed(list(zip(self._segments, texts, strict=True)))}
        different = sorted(first.values(), key=lambda pair: pair[0].place)
        hits, quotes = [hit for hit, _ in different], [quoted for _, quoted in different]
        return by_relevance(await _scored(hits, quotes, question, self._scorer, emit))


class CascadeRanker:
    """What a search finds, in the order of its relevance to the model and, unless `alone`, of the search.

    The model scores as many parts as segments, the best of all of them: a tenth of the tokens, and most segments help
    by one part if at all. A segment is as relevant as its best part, and one of which none was scored as little as the
    least of those. Behind the `prefiltered` that are scored comes the rest of what was found, as it was.
    """

    def __init__(
        self,
        searcher: Searcher,
        parts: Parts,
        texts: Texts,
        scorer: RelevanceScorer,
        *,
        prefiltered: int = PREFILTERED,
        alone: bool = False,
    ) -> None:
        self._searcher = searcher
        self._parts = parts
        self._texts = texts
        self._scorer = scorer
        self._prefiltered = prefiltered
        self._order = by_relevance if alone else by_both

    async def rank(self, question: str, *, emit: Emit) -> Sequence[Candidate]:
        """See `Ranker`."""
        found = await self._searcher.search(question, k=max(self._prefiltered, PREFILTERED))
        hits = found[: self._prefiltered]
        scored = self._order(await self._scored(hits, question, emit))
        return [*scored, *(Candidate(hit) for hit in found[self._prefiltered :])]

    async def _scored(self, hits: Sequence[Hit], question: str, emit: Emit) -> list[Candidate]:
        """The hits with the relevance of their best parts."""
        found = await self._parts.parts(question, hits, count=len(hits))
        parts = [part for some in found for part in some]
        scored = iter(await _scored(parts, await self._texts(parts), question, self._scorer, emit))
        best = [max((next(scored) for _ in some), key=_value, default=None) for some in found]
        known = [one.relevance for one in best if one is not None and one.relevance is not None]
        least = min((one for one in known if one.value is not None), key=_worth, default=UNKNOWN)
        least = replace(least, weak=False, figures={})
        return [Candidate(hit, least if one is None else one.relevance) for hit, one in zip(hits, best, strict=True)]


async def _scored(
    hits: Sequence[Hit], texts: Sequence[Quoted], question: str, scorer: RelevanceScorer, emit: Emit
) -> list[Candidate]:
    relevance = await scorer.score(question, texts, emit=emit)
    return [Candidate(hit, found) for hit, found in zip(hits, relevance, strict=True)]


def by_relevance(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Most relevant first, equal ones as they were; unknown ones stay at their place.

    Those that do not help go, unless that is all of them: something has to be read.
    """
    placed = _placed(candidates)
    return [candidate for candidate in placed if candidate.relevance is None or candidate.relevance.kept] or placed


def by_both(candidates: Sequence[Candidate]) -> list[Candidate]:
    """By the mean of the score of the search and of what the model finds, equal ones as they were.

    Both lie between 0 and 1, as words and meaning do that the search puts together in the same way. So a model counts
    as much as it tells segments apart: one that is sure of them decides, one that finds all alike leaves the order as
    it was. An unknown one counts as the average.
    """
    shares = [None if one.relevance is None else one.relevance.share for one in candidates]
    known = [share for share in shares if share is not None]
    average = fmean(known) if known else 0.0
    scores = [
        fmean((one.hit.score, average if share is None else share))
        for one, share in zip(candidates, shares, strict=True)
    ]
    return [candidates[number] for number in sorted(range(len(candidates)), key=lambda number: -scores[number])]


def _placed(candidates: Sequence[Candidate]) -> list[Candidate]:
    ranked = iter(sorted(filter(_is_known, candidates), key=_value, reverse=True))
    return [next(ranked) if _is_known(candidate) else candidate for candidate in candidates]


def _is_known(candidate: Candidate) -> bool:
    return candidate.relevance is not None and candidate.relevance.value is not None


def _value(candidate: Candidate) -> float:
    return float("-inf") if candidate.relevance is None else _worth(candidate.relevance)


def _worth(relevance: Relevance) -> float:
    return float("-inf") if relevance.value is None else relevance.value
