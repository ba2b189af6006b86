"""How much of a claim's wording is found in sources, whatever the language.

Owns taking texts apart into terms and weighing them; what is made of the shares is `alignment.py`'s.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float32]

_SPACELESS = (  # scripts that put no spaces between words
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
)
_LETTERS = rf"(?:(?![{_SPACELESS}\d_])[\w\u0900-\u0dff\u0300-\u036f])+"  # marks of Indic scripts are no \w
_TERM = re.compile(rf"\d+(?:[.,:]\d+)*|[{_SPACELESS}]+|{_LETTERS}(?:['’ʼ]{_LETTERS})*")
_STARTS_SPACELESS = re.compile(rf"[{_SPACELESS}]")
_APOSTROPHE = re.compile("['’ʼ]")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0640]")  # Latin, Greek and Cyrillic; Hebrew; Arabic
_ENDING = re.compile(r"(?:ings?|edly|ed|es|ly|s|e)$")
_SHORTEST_STEM = 3
_LONGEST_STEM = 6
_BACKGROUND = 100
"""Sentences elsewhere that are taken to lack each term, so that weights differ little where sources are few."""
_FULL_LENGTH = 6
"""Terms of this length and numbers count in full: short words are mostly grammar (Zipf's law of abbreviation)."""
_RARITY_POWER = 1.5
"""Between plain inverse document frequency and its square (as in the cosine of tf-idf vectors)."""


@dataclass(frozen=True, slots=True)
class LexicalOverlap:
    """Terms of claims and of sources.

    `shares[claim, term]` is the weight of a term in a claim (rows sum to 1, or to 0 for a claim without terms);
    `present[source, term]` is 1 where the source has the term.
    """

    shares: Shares
    present: Shares

    def containment(self) -> Shares:
        """What share of each claim each source holds: shape (claims, sources)."""
        return self.shares @ self.present.T

    def known(self) -> Shares:
        """What share of each claim is found in any source: shape (claims,)."""
        return self.shares @ self.present.max(axis=0)


def terms(text: str) -> frozenset[str]:
    """What a text says as stems of words, numbers and, in scripts without spaces, pairs of characters.

    Words are cut to their first letters, a stemming that needs to know no language (McNamee, Nicholas and Mayfield,
    "Addressing morphological variation in alphabetic languages", SIGIR 2009), after common English endings.
    """
    found: set[str] = set()
    for match in _TERM.finditer(unicodedata.normalize("NFKC", text)):
        term = match.group()
        if _STARTS_SPACELESS.match(term):
            found.update(term[start : start + 2] for start in range(max(1, len(term) - 1)))
        else:
            found.add(_stem(term))
    return frozenset(found - {""})


def lexical_overlap(claims: Sequence[frozenset[str]], sources: Sequence[frozenset[str]]) -> LexicalOverlap:
    """Weigh the terms of claims by how rare they are among the sources given. Both must hold at least one text."""
    numbers = {term: number for number, term in enumerate(sorted(frozenset[str]().union(*claims)))}
    present = _incidence(sources, numbers)
    rarity = np.log((len(sources) + _BACKGROUND) / (present.sum(axis=0) + 1)) ** _RARITY_POWER
    weighted = _incidence(claims, numbers) * (rarity * np.array([_length_share(term) for term in numbers], np.float32))
    totals = weighted.sum(axis=1, keepdims=True)
    return LexicalOverlap((weighted / np.where(totals == 0.0, 1.0, totals)).astype(np.float32), present)


def _incidence(texts: Sequence[frozenset[str]], numbers: Mapping[str, int]) -> Shares:
    matrix = np.zeros((len(texts), len(numbers)), np.float32)
    for row, text in enumerate(texts):
        matrix[row, [numbers[term] for term in text if term in numbers]] = 1.0
    return matrix


def _length_share(term: str) -> float:
    full = term[0].isdigit() or _STARTS_SPACELESS.match(term)
    return 1.0 if full else min(1.0, len(term) / _FULL_LENGTH)


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    if word[0].isdigit():
        return word
    plain = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", word.casefold())))
    plain = max(_APOSTROPHE.split(plain), key=len)  # the word in "Hester's" and in "l'homme"
    shorter = _ENDING.sub("", plain)
    return (shorter if len(shorter) >= _SHORTEST_STEM else plain)[:_LONGEST_STEM]
