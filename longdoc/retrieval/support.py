"""What a claim rests on: the value, and how sources are chosen and scored from likeness in wording and meaning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from longdoc.retrieval.lexical_overlap import LexicalOverlap
from longdoc.retrieval.sentence_similarity import Similarity

SUPPORTED_FROM = 0.5
"""The score from which a claim counts as supported."""

_MOST_SOURCES = 4
_LEAST_GAIN = 0.08
"""A source is added where it holds at least this share of the claim that the sources before it do not."""
_LEAST_LIKENESS = 0.4
"""How near to the first source, on the way up from the mean of all sources, a source that is added must be."""
_CONTEXT_SHARE = 0.75
"""How much a source is judged with its better neighbour, and not alone."""
_ALL = 0.999
_SCORE_OF_COPY = 0.95
"""The least score of a claim all of which one source holds, however little the claim says."""
_DECIMALS = 4

Numbers = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class SupportingSource:
    """A source that a claim rests on: its number among the sources given, and its share in the claim's score.

    The score of the best source is that of the claim; others have less of it, as there is less for them.
    """

    number: int
    score: float


@dataclass(frozen=True, slots=True)
class Support:
    """What a claim rests on: sources, best first, none where it is unsupported.

    `score` in 0..1 is of all of them together; an unsupported claim has one too, below `SUPPORTED_FROM`.
    """

    sources: tuple[SupportingSource, ...]
    score: float

    @property
    def supported(self) -> bool:
        """Whether the claim rests on anything."""
        return bool(self.sources)


@dataclass(frozen=True, slots=True)
class Weights:
    """A score is the logistic function of `intercept` and the weighted sum of what speaks for a claim.

    `similarity`: how much more alike than usual the best source is; `known`: the share of the claim found in any
    source; `held`: the logarithm of 1 and the mass that the chosen sources hold, as a word or two may agree by chance.

    Fitted by logistic regression to sentences beside segments of about 2,048 tokens, with MiniLM-L6: of summaries of
    the text (SQuALITY 1.3, 24 stories of the training part; chapters 1 to 5 of the example novella), and of elsewhere:
    of other summaries, of other stories' texts, and of Moby-Dick. The intercepts are lowered from there until 97 % of
    the sentences of other stories, which are the hardest, are below `SUPPORTED_FROM` (96.5 % by wording alone).
    """

    similarity: float
    known: float
    held: float
    intercept: float


MEANING_AND_WORDING = Weights(similarity=19.6, known=3.2, held=2.45, intercept=-10.6)
WORDING_ALONE = Weights(similarity=0.0, known=5.5, held=3.6, intercept=-6.2)
PLAIN_WORDING = Weights(similarity=0.0, known=5.5, held=3.6, intercept=-8.7)
"""Lowered further, until it lets hardly a sentence of other texts pass that `MEANING_AND_WORDING` does not."""


def support_claims(overlap: LexicalOverlap, similarity: Similarity, weights: Weights) -> list[Support]:
    """Choose sources for each claim and score them."""
    near = similarity.single + _CONTEXT_SHARE * (similarity.context - similarity.single)
    contained = overlap.containment()
    evidence = near + contained
    contrast = similarity.context.max(axis=1) - similarity.usual
    values = weights.intercept + weights.similarity * contrast + weights.known * overlap.known()
    supports: list[Support] = []
    for claim, value in enumerate(values):
        first = int(evidence[claim].argmax())
        numbers, held = _choose(first, near[claim], overlap.shares[claim], overlap.present)
        score = _logistic(float(value) + weights.held * math.log1p(float(overlap.mass[claim]) * held))
        if contained[claim, first] > _ALL:
            score = max(score, _SCORE_OF_COPY)
        chosen = numbers if score >= SUPPORTED_FROM else ()
        supports.append(Support(_shared(score, chosen, evidence[claim]), score))
    return supports


def _choose(first: int, near: Numbers, shares: Numbers, present: Numbers) -> tuple[list[int], float]:
    """Sources that together hold as much of a claim as few can, beginning with the first; and the share they hold.

    Greedy, as for any set cover. Sources far less like the claim than the first are no evidence, whatever words they
    have in common with it.
    """
    said = shares.nonzero()[0]
    shares, present = shares[said], present[:, said]
    chosen, left = [first], shares * (1 - present[first])
    mean = near.mean()
    eligible = near >= mean + _LEAST_LIKENESS * (near[first] - mean)
    while len(chosen) < _MOST_SOURCES:
        gains: Numbers = present @ left
        added = np.where(eligible & (gains >= _LEAST_GAIN), gains + near, -np.inf)
        number = int(added.argmax())
        if added[number] == -np.inf:
            break
        chosen.append(number)
        left = left * (1 - present[number])
    return chosen, float(shares.sum() - left.sum())


def _shared(score: float, numbers: Sequence[int], evidence: Numbers) -> tuple[SupportingSource, ...]:
    """The chosen sources, best first; the first of them has the most evidence of all."""
    ordered = sorted(numbers, key=lambda number: -evidence[number])
    best = float(evidence.max())
    shares = [min(1.0, max(0.0, float(evidence[number]) / best)) if best > 0.0 else 1.0 for number in ordered]
    return tuple(
        SupportingSource(number, round(score * share, _DECIMALS)) for number, share in zip(ordered, shares, strict=True)
    )


def _logistic(value: float) -> float:
    return round(0.5 * (1.0 + math.tanh(0.5 * value)), _DECIMALS)
