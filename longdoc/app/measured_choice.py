"""What comparisons of methods say: which one gave the most coherent summaries of texts about as long as this one.

Owns the arithmetic and its words; what is measured is `comparison.py`, what else decides is `methods.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TypeAlias

from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.evaluations import MethodScore

COMPARABLE_SIZES = 4
"""By how much the tokens of a measured text may differ from those of the text at hand, either way."""

_Occasion: TypeAlias = tuple[str, str]
"""A document, and all else that was equal when methods were measured on it."""
_Measured: TypeAlias = Mapping[_Occasion, Mapping[str, MethodScore]]
_Figure: TypeAlias = Callable[[MethodScore], float]


@dataclass(frozen=True, slots=True)
class BestMeasured:
    """The method that measured best, and its figures against those of the others, in words."""

    method: str
    figures: str


def best_measured(
    scores: Iterable[MethodScore], *, tokens: float, methods: Sequence[str], including: str | None = None
) -> BestMeasured | None:
    """The method with the highest mean coherence on the documents that all compared methods share.

    `scores` are those of one model, newest first; `methods` may be chosen, the one to take of equals first;
    `including` must be among those compared. Compared are as many methods as share a document of comparable size
    (within a factor of 4 of `tokens`), judged alike; None where not even two do. Of equals, the one that took fewer
    tokens is best. Judgements of toys are noise, and a summary with gaps is none of the whole: neither counts.
    """
    measured = _by_occasion(score for score in scores if _counts(score, tokens, methods))
    compared, occasions = _largest_comparison(measured, methods, including)
    if not occasions:
        return None
    coherence = {method: _mean(measured, occasions, method, _coherence) for method in compared}
    taken = {method: _mean(measured, occasions, method, _tokens) for method in compared}
    ranked = sorted(compared, key=lambda method: (-round(coherence[method], 6), taken[method]))
    return BestMeasured(ranked[0], _in_words(ranked, coherence, taken, documents=_documents(occasions)))


def _counts(score: MethodScore, tokens: float, methods: Sequence[str]) -> bool:
    judged = score.coherence is not None and not score.toy and score.gaps == 0
    smaller, larger = sorted((tokens, score.document_tokens))
    return judged and larger <= smaller * COMPARABLE_SIZES and score.method in methods


def _coherence(score: MethodScore) -> float:
    return score.coherence or 0.0


def _tokens(score: MethodScore) -> float:
    return float(score.tokens)


def _by_occasion(scores: Iterable[MethodScore]) -> _Measured:
    found: dict[_Occasion, dict[str, MethodScore]] = defaultdict(dict)
    for score in scores:
        alike = to_canonical_json([score.words, dict(score.settings), score.judge, score.protocol, score.prompt])
        found[score.document_id, alike].setdefault(score.method, score)
    return found


def _largest_comparison(
    measured: _Measured, methods: Sequence[str], including: str | None
) -> tuple[Sequence[str], Sequence[_Occasion]]:
    """The most methods that share a document, of as many methods those that share most; and where they do."""
    for size in range(len(methods), 1, -1):
        shared = [(some, list(_shared(measured, some))) for some in combinations(methods, size)]
        fitting = [(some, where) for some, where in shared if where and including in {None, *some}]
        if fitting:
            return max(fitting, key=lambda found: (_documents(found[1]), len(found[1])))
    return (), ()


def _shared(measured: _Measured, methods: Sequence[str]) -> Iterator[_Occasion]:
    return (occasion for occasion, scores in measured.items() if scores.keys() >= set(methods))


def _documents(occasions: Sequence[_Occasion]) -> int:
    return len({document for document, _ in occasions})


def _mean(measured: _Measured, occasions: Sequence[_Occasion], method: str, figure: _Figure) -> float:
    """The mean over documents, each of which counts once."""
    by_document: dict[str, list[float]] = defaultdict(list)
    for occasion in occasions:
        by_document[occasion[0]].append(figure(measured[occasion][method]))
    return fmean(fmean(values) for values in by_document.values())


def _in_words(
    ranked: Sequence[str], coherence: Mapping[str, float], taken: Mapping[str, float], *, documents: int
) -> str:
    best, *others = ranked
    digits = 2 if _tell_apart(coherence, 2) else 4
    against = " and ".join(f"{coherence[other]:.{digits}f} for {other}" for other in others)
    books = "1 book" if documents == 1 else f"{documents} books"
    equal = [other for other in others if round(coherence[other], 6) == round(coherence[best], 6)]
    fewest = bool(equal) and taken[best] < min(taken[other] for other in equal)
    note = f", with fewer tokens than {' and '.join(equal)}" if fewest else ""
    return f"{coherence[best]:.{digits}f} against {against} over {books} you compared with this model{note}"


def _tell_apart(coherence: Mapping[str, float], digits: int) -> bool:
    """Whether figures that differ still do with so few digits."""
    return len({round(value, 6) for value in coherence.values()}) == len(
        {round(value, digits) for value in coherence.values()}
    )
