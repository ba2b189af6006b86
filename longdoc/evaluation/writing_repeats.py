"""What a long text says twice: runs of words, and sentences that come again in later sections.

Words are compared without case and punctuation, in scripts without spaces each character is one. Time grows with the
length of the text, not with its square, whatever stands in it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rapidfuzz import fuzz

from longdoc.documents.atoms import sentence_spans
from longdoc.evaluation.shares import Share
from longdoc.retrieval.scripts import MARKS, SPACELESS

LEAST_LIKENESS: Final = 0.85
"""How alike two sentences are, letter by letter, of which one is taken for the other said again. A choice of ours."""

_WORD = re.compile(rf"[{SPACELESS}]|[^\W{SPACELESS}]+(?:['’{MARKS}]+[^\W{SPACELESS}]+)*")
_RUN = 4
_LEAST_WORDS = 6
"""Shorter sentences come again in any text, in dialogues above all."""
_LONGEST_COMPARED = 400
"""Characters of a sentence that are compared: two that begin alike for so long are alike."""
_SHARED_RUN = 3
_MOST_HOLDERS = 16
_MOST_COMPARED = 8

_Words: TypeAlias = tuple[str, ...]


def repeated_four_grams(text: str) -> float:
    """The share of runs of four words that stood in the text before: 1 - distinct / all, 0 for under four words.

    Longer texts repeat more: compare texts of about one length.
    """
    runs = list(_runs(_words(text), _RUN))
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def repeated_four_grams_across(sections: Sequence[str]) -> float:
    """Of the runs of four words of all sections but the first, the share that stand in a section before theirs.

    0 where there are no such runs. Every occurrence counts; what a section repeats of itself does not.
    """
    before: set[_Words] = set()
    repeated = count = 0
    for number, section in enumerate(sections):
        runs = list(_runs(_words(section), _RUN))
        if number:
            repeated += sum(run in before for run in runs)
            count += len(runs)
        before.update(runs)
    return repeated / count if count else 0.0


def near_duplicate_sentences(sections: Sequence[str]) -> Share:
    """The sentences of later sections that say again, word for word or nearly so, what stands in a section before.

    Sentences of six words or more are compared, with those that share most runs of three words with them; two are
    nearly the same from a likeness of 0.85 on (`rapidfuzz.fuzz.ratio` of their words). A sentence with a word changed
    is found, one put another way is not.
    """
    said = _SaidSentences()
    hits = cases = 0
    for number, section in enumerate(sections):
        sentences = list(_sentences(section))
        if number:
            cases += len(sentences)
            hits += sum(said.holds_alike(sentence) for sentence in sentences)
        for sentence in sentences:
            said.add(sentence)
    return Share(hits, cases)


@dataclass(frozen=True, slots=True)
class _Sentence:
    words: _Words
    joined: str


class _SaidSentences:
    """Distinct sentences, found again by the runs of words that they hold.

    A run that many sentences hold is looked up in the first of them only, so that no text takes long.
    """

    def __init__(self) -> None:
        self._sentences: dict[str, int] = {}
        self._joined: list[str] = []
        self._holders: defaultdict[_Words, list[int]] = defaultdict(list)

    def add(self, sentence: _Sentence) -> None:
        if sentence.joined in self._sentences:
            return
        number = self._sentences[sentence.joined] = len(self._joined)
        self._joined.append(sentence.joined)
        for run in set(_runs(sentence.words, _SHARED_RUN)):
            holders = self._holders[run]
            if len(holders) < _MOST_HOLDERS:
                holders.append(number)

    def holds_alike(self, sentence: _Sentence) -> bool:
        if sentence.joined in self._sentences:
            return True
        shared: Counter[int] = Counter()
        for run in set(_runs(sentence.words, _SHARED_RUN)):
            shared.update(self._holders.get(run, ()))
        likely = (self._joined[number] for number, _ in shared.most_common(_MOST_COMPARED))
        return any(fuzz.ratio(sentence.joined, other) >= 100 * LEAST_LIKENESS for other in likely)


def _sentences(text: str) -> Iterator[_Sentence]:
    for start, end in sentence_spans(text):
        words = _words(text[start:end])
        if len(words) >= _LEAST_WORDS:
            yield _Sentence(words, " ".join(words)[:_LONGEST_COMPARED])


def _words(text: str) -> _Words:
    return tuple(_WORD.findall(text.casefold()))


def _runs(words: _Words, length: int) -> Iterator[_Words]:
    return (words[start : start + length] for start in range(len(words) - length + 1))
