"""The figures of a summary by which methods are compared: what it is worth, and what it took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from longdoc.agents.sentences import count_words
from longdoc.evaluation.repetition import repeated_trigrams
from longdoc.storage.ledger import CallWork
from longdoc.storage.supports import SentenceSupport


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one summary, or means over several; rates are in 0..1, None where they were not measured.

    `support_rate` is the share of sentences that rest on something in the text, `length_error` how far the words are
    from those asked for, in shares of these, `repetition` the share of repeated runs of three words. Calls, tokens,
    seconds (added up, also of calls made at the same time) and dollars are those of all calls behind the summary,
    whether they were made for it or found in the record; judging is not in them.
    """

    words: float
    coherence: float | None
    support_rate: float | None
    length_error: float | None
    repetition: float
    calls: float
    prompt_tokens: float
    completion_tokens: float
    seconds: float
    cost: float


def figures_of(
    text: str, *, asked_words: int | None, support: float | None, coherence: float | None, work: CallWork
) -> Figures:
    """The figures of a summary from its text and what is known of it."""
    words = count_words(text)
    return Figures(
        words=words,
        coherence=coherence,
        support_rate=support,
        length_error=None if asked_words is None else abs(words - asked_words) / asked_words,
        repetition=repeated_trigrams(text),
        calls=work.calls,
        prompt_tokens=work.usage.prompt_tokens,
        completion_tokens=work.usage.completion_tokens,
        seconds=work.seconds,
        cost=work.cost,
    )


def mean_figures(figures: Sequence[Figures]) -> Figures:
    """The mean of each figure, over those of which it was measured. Raises `ValueError` for none."""

    def mean(of: Callable[[Figures], float]) -> float:
        return fmean(map(of, figures))

    return Figures(
        words=mean(lambda one: one.words),
        coherence=_mean_of_measured(one.coherence for one in figures),
        support_rate=_mean_of_measured(one.support_rate for one in figures),
        length_error=_mean_of_measured(one.length_error for one in figures),
        repetition=mean(lambda one: one.repetition),
        calls=mean(lambda one: one.calls),
        prompt_tokens=mean(lambda one: one.prompt_tokens),
        completion_tokens=mean(lambda one: one.completion_tokens),
        seconds=mean(lambda one: one.seconds),
        cost=mean(lambda one: one.cost),
    )


def support_rate(sentences: Sequence[SentenceSupport]) -> float | None:
    """The share of sentences that rest on something in the text; None where that was not traced."""
    if not sentences:
        return None
    return round(sum(sentence.supported for sentence in sentences) / len(sentences), 4)


def _mean_of_measured(values: Iterable[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return fmean(measured) if measured else None
