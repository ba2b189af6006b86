"""How much of a claim's wording is found in sources, whatever the language.

Owns taking texts apart into terms and weighing them; what is made of the shares is `alignment.py`'s.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from longdoc.retrieval.common_words import COMMON_WORDS
from longdoc.retrieval.scripts import ACCENTS, MARKS, SPACELESS

Shares = NDArray[np.float32]

_LETTERS = rf"(?:(?![{SPACELESS}\d_])[\w{MARKS}])+"
_TERM = re.compile(rf"\d+(?:[.,:]\d+)*|[{SPACELESS}]+|{_LETTERS}(?:['’ʼ]{_LETTERS})*")
_STARTS_SPACELESS = re.compile(rf"[{SPACELESS}]")
_APOSTROPHE = re.compile("['’ʼ]")
_OPENS_SENTENCE = re.compile('[.!?:;…"“”‘«»„]')
_ACCENTS = re.compile(f"[{ACCENTS}]")
_ENDING = re.compile(r"(?<=\w{3})(?:ings?|edly|ed|es|ly|s|e)$")
_LONGEST_STEM = 6
_BACKGROUND = 100
"""Sentences elsewhere that are taken to lack each term, so that weights differ little where sources are few."""
_FULL_LENGTH = 6
"""Words of this length count in full, shorter ones less: these are mostly grammar (Zipf's law of abbreviation)."""
_RARITY_POWER = 1.5
"""Between plain inverse document frequency and its square (as in the cosine of tf-idf vectors)."""
_NAME_WEIGHT = 2.0
"""What names and numbers count, which hardly ever are shared by chance."""
_COMMON_WEIGHT = 0.3
"""What part of their weight the words of `COMMON_WORDS` keep."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The terms of a text: stems of words, numbers and, in scripts without spaces, pairs of characters.

    `capital` are those written with a capital where none begins a sentence, `small` those written without one.
    """

    terms: frozenset[str]
    capital: frozenset[str]
    small: frozenset[str]


@dataclass(frozen=True, slots=True)
class LexicalOverlap:
    """Terms of claims and of sources.

    `shares[claim, term]` is the weight of a term in a claim (rows sum to 1, or to 0 for a claim without terms);
    `present[source, term]` is 1 where the source has the term. `mass[claim]` is the weight of a whole claim; a long
    word that no source has weighs 1.
    """

    shares: Shares
    present: Shares
    mass: Shares

    def containment(self) -> Shares:
        """What share of each claim each source holds: shape (claims, sources)."""
        return self._held(self.present)

    def containment_of_pairs(self) -> Shares:
        """What share of each claim source n and n + 1 hold together: shape (claims, sources - 1)."""
        return self._held(np.maximum(self.present[1:], self.present[:-1]))

    def _held(self, present: Shares) -> Shares:
        """Claim by claim over its few terms: BLAS starts no threads, slow on busy cores, for little products."""
        said = [row.nonzero()[0] for row in self.shares]
        return np.stack([present[:, terms] @ row[terms] for row, terms in zip(self.shares, said, strict=True)])

    def known(self) -> Shares:
        """What share of each claim is found in any source: shape (claims,)."""
        return self.shares @ self.present.max(axis=0)


def wording_of(text: str) -> Wording:
    """Take a text apart into its terms.

    Words are cut to their first letters, a stemming that needs to know no language (McNamee, Nicholas and Mayfield,
    "Addressing morphological variation in alphabetic languages", SIGIR 2009), after common English endings.
    """
    text = unicodedata.normalize("NFKC", text)
    found: set[str] = set()
    capital: set[str] = set()
    small: set[str] = set()
    end = 0
    for match in _TERM.finditer(text):
        word = match.group()
        if _STARTS_SPACELESS.match(word):
            found.update(word[start : start + 2] for start in range(max(1, len(word) - 1)))
        else:
            stem = _stem(word)
            found.add(stem)
            if word[0].islower():
                small.add(stem)
            elif word[0].isupper() and end > 0 and not _OPENS_SENTENCE.search(text, end, match.start()):
                capital.add(stem)
        end = match.end()
    return Wording(frozenset(found - {""}), frozenset(capital), frozenset(small))


def lexical_overlap(claims: Sequence[Wording], sources: Sequence[Wording]) -> LexicalOverlap:
    """Weigh the terms of claims by how rare they are among the sources given. Both must hold at least one text."""
    numbers = {term: number for number, term in enumerate(sorted(_union(claim.terms for claim in claims)))}
    names = _union(one.capital for one in (*claims, *sources)) - _union(one.small for one in (*claims, *sources))
    present = _incidence(sources, numbers)
    rarity = np.log((len(sources) + _BACKGROUND) / (present.sum(axis=0) + 1)) / math.log(len(sources) + _BACKGROUND)
    kinds = np.array([_kind_weight(term, names) for term in numbers], np.float32)
    weighted = _incidence(claims, numbers) * (rarity**_RARITY_POWER * kinds)
    mass = weighted.sum(axis=1)
    shares = weighted / np.where(mass == 0.0, 1.0, mass)[:, None]
    return LexicalOverlap(shares.astype(np.float32), present, mass.astype(np.float32))


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _incidence(texts: Sequence[Wording], numbers: Mapping[str, int]) -> Shares:
    matrix = np.zeros((len(texts), len(numbers)), np.float32)
    for row, text in enumerate(texts):
        matrix[row, [numbers[term] for term in text.terms if term in numbers]] = 1.0
    return matrix


def _kind_weight(term: str, names: Set[str]) -> float:
    length = 1.0 if _STARTS_SPACELESS.match(term) else min(1.0, len(term) / _FULL_LENGTH)
    if term in _COMMON:
        return _COMMON_WEIGHT * length
    return _NAME_WEIGHT if term in names or term[0].isdigit() else length


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    if word[0].isdigit():
        return word
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", word.casefold())))
    plain = max(_APOSTROPHE.split(plain), key=len)  # the word in "Hester's" and in "l'homme"
    return _ENDING.sub("", plain)[:_LONGEST_STEM]


_COMMON = frozenset(map(_stem, COMMON_WORDS))
