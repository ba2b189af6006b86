"""Which source sentences a claim rests on, and whether it rests on any.

Owns the way from sentences to `Support`: wording is compared by `lexical_overlap.py`, meaning by
`sentence_similarity.py`, and what that says of each claim is for `support.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from longdoc.engines.embedder import Embedder
from longdoc.retrieval.lexical_overlap import LexicalOverlap, lexical_overlap, wording_of
from longdoc.retrieval.sentence_similarity import SentenceSimilarity, Similarity, best_with_neighbour
from longdoc.retrieval.support import (
    MEANING_AND_WORDING,
    PLAIN_WORDING,
    WORDING_ALONE,
    Support,
    SupportingSource,
    support_claims,
)

ALIGNMENT_VERSION = 3
"""Raised when the same claims and sources would be aligned otherwise, so that what was stored before is not used."""


class Aligner:
    """Aligns claims with sources by meaning and wording, or by wording alone without an embedder.

    Wording alone misses claims that say it in other words. Safe for concurrent calls on one loop.
    """

    def __init__(self, embedder: Embedder | None) -> None:
        self._similarity = None if embedder is None else SentenceSimilarity(embedder)
        self._identity = f"alignment:{ALIGNMENT_VERSION}:{'wording' if embedder is None else embedder.info.identity}"

    @property
    def identity(self) -> str:
        """The version of the algorithm and the embedder: equal identities give equal results."""
        return self._identity

    async def align(self, claims: Sequence[str], sources: Sequence[str]) -> list[Support]:
        """What each claim rests on, in the order of the claims.

        Sources are sentences in the order of their text, as neighbours tell what a pronoun stands for. Texts without
        letters and digits support nothing and are not supported. Raises what the embedder raises.
        """
        supports = [Support((), 0.0) for _ in claims]
        asked, read = _worded(claims), _worded(sources)
        if asked and read:
            found = await self._align([claims[number] for number in asked], [sources[number] for number in read])
            for number, support in zip(asked, found, strict=True):
                supports[number] = _renumbered(support, read)
        return supports

    async def _align(self, claims: Sequence[str], sources: Sequence[str]) -> list[Support]:
        if self._similarity is None:
            return await asyncio.to_thread(_by_wording, claims, sources)
        similarity = await self._similarity.compare(claims, sources)
        return await asyncio.to_thread(_by_meaning, claims, sources, similarity)


def _worded(texts: Sequence[str]) -> list[int]:
    return [number for number, text in enumerate(texts) if any(map(str.isalnum, text))]


def _renumbered(support: Support, numbers: Sequence[int]) -> Support:
    sources = tuple(SupportingSource(numbers[source.number], source.score) for source in support.sources)
    return Support(sources, support.score)


def _by_meaning(claims: Sequence[str], sources: Sequence[str], similarity: Similarity) -> list[Support]:
    """By meaning, and by wording where that is plain, as in a copy: an embedder may not read the script of a text."""
    overlap = _overlap(claims, sources)
    meant = support_claims(overlap, similarity, MEANING_AND_WORDING)
    worded = support_claims(overlap, _similar_wording(overlap), PLAIN_WORDING)
    return [max(pair, key=lambda support: support.score) for pair in zip(meant, worded, strict=True)]


def _by_wording(claims: Sequence[str], sources: Sequence[str]) -> list[Support]:
    overlap = _overlap(claims, sources)
    return support_claims(overlap, _similar_wording(overlap), WORDING_ALONE)


def _overlap(claims: Sequence[str], sources: Sequence[str]) -> LexicalOverlap:
    return lexical_overlap([wording_of(claim) for claim in claims], [wording_of(source) for source in sources])


def _similar_wording(overlap: LexicalOverlap) -> Similarity:
    """The share of a claim that sources, alone and with a neighbour, hold, in the place of similarity in meaning."""
    single = overlap.containment()
    context = best_with_neighbour(single, overlap.containment_of_pairs())
    return Similarity(single, context, np.zeros(len(single), np.float32))
