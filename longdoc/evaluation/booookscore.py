"""BooookScore: the share of a summary's sentences that leave no reader confused.

Owns judgements and the arithmetic on them; who judges is `coherence_judge.py` or a file of annotations.
Source: Chang et al., "BooookScore" (ICLR 2024), section 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from longdoc.evaluation.repetition import repeated_trigrams

_RESAMPLES = 10_000
_TAILS = (2.5, 97.5)


class Label(StrEnum):
    """What a sentence can leave a reader confused about."""

    ENTITY_OMISSION = "entity omission"
    EVENT_OMISSION = "event omission"
    CAUSAL_OMISSION = "causal omission"
    SALIENCE = "salience"
    DISCONTINUITY = "discontinuity"
    DUPLICATION = "duplication"
    INCONSISTENCY = "inconsistency"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found about one sentence: the reader's question and its labels, or why there is no judgement."""

    question: str | None = None
    labels: tuple[Label, ...] = ()
    failed: str = ""

    @property
    def confusing(self) -> bool:
        """Whether the sentence leaves a reader confused."""
        return self.question is not None or bool(self.labels)


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """A sentence, `start` and `end` in the text of its summary; `judgement` is None where nobody judged it."""

    text: str
    start: int
    end: int
    judgement: Judgement | None


@dataclass(frozen=True, slots=True)
class BookScore:
    """The figures of one summary; `sentences` counts all, `failed` those whose judgement failed, `missing` those
    that nobody judged; `labels` counts the sentences that have a label."""

    name: str
    sentences: int
    confusing: int
    failed: int = 0
    missing: int = 0
    labels: Mapping[Label, int] = field(default_factory=dict[Label, int])
    repeated_trigrams: float = 0.0

    @property
    def incomplete(self) -> bool:
        """Whether sentences were left out by whoever judged, so that there is no score."""
        return self.missing > 0

    @property
    def score(self) -> float | None:
        """1 - confusing / all, without failed sentences in either; None where that says nothing."""
        judged = self.sentences - self.failed
        return None if self.incomplete or judged == 0 else 1 - self.confusing / judged


@dataclass(frozen=True, slots=True)
class SystemScore:
    """The mean over books (not pooled), with a 95% interval where there are several books with a score."""

    books: tuple[BookScore, ...]
    score: float | None
    interval: tuple[float, float] | None

    @property
    def left_out(self) -> tuple[BookScore, ...]:
        """The books without a score: incomplete, or all of whose sentences failed."""
        return tuple(book for book in self.books if book.score is None)


def score_book(name: str, text: str, judgements: Sequence[Judgement | None]) -> BookScore:
    """The figures of a summary from the judgement of each of its sentences, in order; None: nobody judged it."""
    found = [judgement for judgement in judgements if judgement is not None]
    return BookScore(
        name=name,
        sentences=len(judgements),
        confusing=sum(judgement.confusing for judgement in found),
        failed=sum(bool(judgement.failed) for judgement in found),
        missing=len(judgements) - len(found),
        labels=count_labels(found),
        repeated_trigrams=repeated_trigrams(text),
    )


def count_labels(judgements: Sequence[Judgement]) -> dict[Label, int]:
    """How many judgements carry each of the eight labels."""
    return {label: sum(label in judgement.labels for judgement in judgements) for label in Label}


def score_system(books: Sequence[BookScore], *, seed: int) -> SystemScore:
    """The score of whatever wrote these summaries; the same seed gives the same interval."""
    scores = [book.score for book in books if book.score is not None]
    mean = sum(scores) / len(scores) if scores else None
    return SystemScore(tuple(books), mean, bootstrap_interval(scores, seed=seed))


def bootstrap_interval(values: Sequence[float], *, seed: int) -> tuple[float, float] | None:
    """The 95% percentile interval of the mean, from 10,000 resamples; None for fewer than two values."""
    if len(values) < 2:
        return None
    data = np.asarray(values, dtype=np.float64)
    picked = np.random.default_rng(seed).integers(0, len(data), size=(_RESAMPLES, len(data)))
    low, high = np.percentile(data[picked].mean(axis=1), _TAILS)
    return float(low), float(high)
