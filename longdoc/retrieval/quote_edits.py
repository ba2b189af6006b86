"""What a quote may have got wrong and still be one: typos and little words, and nothing on which its meaning hangs.

Owns the rules and the walk that pairs the words of a quote with those of a text; where to look is `quotes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from longdoc.retrieval.common_words import COMMON_WORDS
from longdoc.retrieval.quote_words import QuoteWords

_LITTLE_WORDS = frozenset(("a", "an", "the", "and", "that", "then", "so", "very", "of", "to"))
"""What a quote may lack or have besides. Words of denial, persons and directions are none of these."""
_TYPO_LENGTH = 5
_LONG_WORD = 9
_WORDS_AN_EDIT = 4
_MOST_EDITS = 6
_JOINT = re.compile("[-\u2010\u2011'’ʼ]")
_NUMBER_TEXT = """
    three seven eight eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty
    fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion billions third
    fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth
    seventeenth eighteenth nineteenth twentieth thirtieth dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn
    neunzehn zwanzig dreissig vierzig fünfzig sechzig siebzig achtzig neunzig hundert tausend treize quatorze quinze
    seize trente quarante cinquante soixante trece catorce quince veinte treinta cuarenta cincuenta sesenta setenta
    ochenta noventa
"""
_NUMBERS = frozenset(_NUMBER_TEXT.split())
"""A typo never turns one word into one of these."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Words `first` to `last` of the text are the quote, with so many edits."""

    edits: int
    first: int
    last: int


def most_edits(words: int) -> int:
    """How many edits a quote of so many words may have: one in four, six at most."""
    return min(_MOST_EDITS, words // _WORDS_AN_EDIT)


def pair(quote: QuoteWords, text: QuoteWords, starts: range) -> Pairing | None:
    """The pairing with the fewest edits that begins at one of these words of the text, the first of equal ones.

    None where the quote says anything that the text does not say there.
    """
    return _Walk(quote, text).walk(starts)


class _Walk:
    """Goes along the quote with all places in the text that its words so far may have led to.

    A place is the next word of the text; what is kept of it is the fewest edits and where the pairing began.
    """

    def __init__(self, quote: QuoteWords, text: QuoteWords) -> None:
        self._quote = quote
        self._text = text
        self._most = most_edits(len(quote))

    def walk(self, starts: range) -> Pairing | None:
        open_places = {start: (0, start) for start in starts if 0 <= start < len(self._text)}
        ahead: dict[int, tuple[int, int]] = {}
        for number in range(len(self._quote)):
            here, open_places, ahead = open_places, ahead, {}
            for place, (edits, first) in sorted(here.items()):
                self._pass_little_words(here, place, edits, first)
            for place, state in here.items():
                for taken, led, cost in self._steps(number, place):
                    _keep(open_places if taken == 1 else ahead, led, (state[0] + cost, state[1]), self._most)
            if not open_places and not ahead:
                return None
        ends = [(edits, first, place - 1) for place, (edits, first) in open_places.items() if place > first]
        return Pairing(*min(ends)) if ends else None

    def _pass_little_words(self, here: dict[int, tuple[int, int]], place: int, edits: int, first: int) -> None:
        """Add the places after little words of the text that the quote lacks; none before its first word."""
        while place > first and place < len(self._text) and self._text.words[place] in _LITTLE_WORDS:
            place, edits = place + 1, edits + 1
            _keep(here, place, (edits, first), self._most)

    def _steps(self, number: int, place: int) -> Iterator[tuple[int, int, int]]:
        """What can be made of a word of the quote: words of the quote taken, place in the text after it, edits."""
        quote, text = self._quote.words, self._text.words
        word = quote[number]
        if word in _LITTLE_WORDS:
            yield 1, place, 1
        if place >= len(text):
            return
        if word == text[place]:
            yield 1, place + 1, 0
        elif self._is_typo(number, place):
            yield 1, place + 1, 1
        if place + 1 < len(text) and word == text[place] + text[place + 1] and _JOINT.search(self._text.gap(place)):
            yield 1, place + 2, 0
        joined = number + 1 < len(quote) and text[place] == word + quote[number + 1]
        if joined and _JOINT.search(self._quote.gap(number)):
            yield 2, place + 1, 0

    def _is_typo(self, number: int, place: int) -> bool:
        """Whether a word of the quote is hardly anything but a word of the text, misspelled.

        What is a word by itself is meant; and a name or a number is not the same with another letter.
        """
        word, meant = self._quote.words[number], self._text.words[place]
        if min(len(word), len(meant)) < _TYPO_LENGTH or word[0] != meant[0] or not (word + meant).isalpha():
            return False
        if self._quote.raw(number)[0].isupper() or self._text.raw(place)[0].isupper():
            return False
        if word in COMMON_WORDS or word in _NUMBERS or word in self._text.vocabulary:
            return False
        most = 2 if min(len(word), len(meant)) >= _LONG_WORD else 1
        return OSA.distance(word, meant, score_cutoff=most) <= most


def _keep(places: dict[int, tuple[int, int]], place: int, state: tuple[int, int], most: int) -> None:
    if state[0] <= most and (place not in places or state < places[place]):
        places[place] = state
