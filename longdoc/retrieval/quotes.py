"""Finding a quote in the text that it is said to come from, and only if it is there.

White space, case, punctuation, kinds of quotes and dashes, ligatures, points of Hebrew and Arabic, and hyphens at line
ends never matter. A quote that is not found word for word may lack little words and leave out a part of a sentence
(`quote_edits.py`); another word makes it none, however alike.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice, pairwise

from rapidfuzz import fuzz

from longdoc.retrieval.quote_edits import Pairing, may_leave_out, most_edits, pair
from longdoc.retrieval.quote_words import QuoteWords, is_content

LEAST_SCORE = 0.85
"""The least likeness, letter by letter, of a quote that is not word for word: a second guard behind the rules on words.

Measured on 4,800 quotes of 5 to 40 words from three novels: as they are 998 in 1,000 are found (the others say too
little), without an article as many, with scores from 0.88 up; with another content word, or a misspelled one, none. Of
6,836 sentences with up to 15 words left out anywhere 7 in 10 are found; of 56,000 pairs of pieces of two sentences 16,
all of which stand in one sentence too.
"""

_LEAST_WORDS = 3
_ENOUGH_COMMON_WORDS = 6
_LONG_SINGLE = 4
_MOST_PIECES = 3
_MOST_LEFT_OUT = 300
"""Characters that the ellipses of a quote may stand for together."""
_MOST_SPLICED_SCORE = 0.95
"""What is not all there is not there word for word, however true the pieces are."""
_MOST_OCCURRENCES = 64
_MOST_PLACES = 16
_RAREST = 4
_ELLIPSIS = re.compile(r"\[?\s*(?:…|\.\s?\.\s?\.(?:\s?\.)?)\s*\]?")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class QuoteMatch:
    """Where a quote stands: `text[start:end]`, from its first word to its last.

    `exact` tells that it is there word for word, `score` in 0..1 how alike both are, letter by letter: 1.0 where exact.
    `pieces` are several where an ellipsis of the quote leaves something out, else the one span; the score is then that
    of the least alike of them, and 0.95 at most.
    """

    start: int
    end: int
    exact: bool
    score: float
    pieces: tuple[Span, ...]


def find_quote(quote: str, text: str) -> QuoteMatch | None:
    """Where a quote stands in a text, the first place of several; None where it is not there or says too little.

    Too little is what would be found in many a text: fewer than three words, if not two content words or one that
    occurs only once.
    """
    return QuoteFinder(text).find(quote)


class QuoteFinder:
    """Finds quotes in one text, which is taken apart only once."""

    def __init__(self, text: str) -> None:
        self._text = QuoteWords(text)

    def find(self, quote: str) -> QuoteMatch | None:
        """See `find_quote`."""
        return next(iter(self.find_all(quote)), None)

    def find_all(self, quote: str) -> list[QuoteMatch]:
        """Every place at which a quote stands word for word, in order; else the one that it is most like, if any."""
        whole = QuoteWords(quote)
        if not self._says_enough(whole):
            return []
        exact = [self._match([Pairing(0, *found)], exact=True) for found in self._exact(whole)]
        if exact:
            return exact
        pieces = [QuoteWords(piece) for piece in _ELLIPSIS.split(quote)]
        pieces = [piece for piece in pieces if len(piece)]
        matches = [self._alike(whole), self._in_pieces(pieces)]
        return [match for match in matches if match is not None][:1]

    def _says_enough(self, quote: QuoteWords) -> bool:
        if quote.length >= _ENOUGH_COMMON_WORDS or quote.content >= 2:
            return True
        if quote.length >= _LEAST_WORDS:
            return quote.content > 0
        words = [word for word in quote.words if is_content(word) and len(word) >= _LONG_SINGLE]
        return any(len(list(islice(self._text.occurrences(f" {word} "), 2))) == 1 for word in words)

    def _exact(self, quote: QuoteWords) -> Iterator[Span]:
        """First and last word of every place at which the words stand."""
        for first in self._text.occurrences(quote.joined):
            yield first, first + len(quote) - 1

    def _alike(self, quote: QuoteWords) -> QuoteMatch | None:
        found = self._best(quote)
        return None if found is None else self._scored(quote, found)

    def _best(self, quote: QuoteWords) -> Pairing | None:
        slack = 1 + most_edits(len(quote))
        pairings = (
            pair(quote, self._text, range(place - slack, place + slack + 1)) for place in self._likely_places(quote)
        )
        return min((found for found in pairings if found is not None), key=lambda p: (p.edits, p.first), default=None)

    def _likely_places(self, quote: QuoteWords) -> list[int]:
        """Where the quote may begin: at the places on which most of its pairs of words and rarest words agree.

        What stands at many places says little of each of them.
        """
        votes: defaultdict[int, float] = defaultdict(float)
        pairs = [(number, f" {one} {two} ") for number, (one, two) in enumerate(pairwise(quote.words))]
        for number, needle in [*pairs, *self._rarest(quote)]:
            places = list(islice(self._text.occurrences(needle), _MOST_OCCURRENCES))
            for place in places:
                votes[place - number] += 1 / len(places)
        near = {place: sum(votes.get(other, 0.0) for other in range(place - 2, place + 3)) for place in votes}
        return nsmallest(_MOST_PLACES, near, key=lambda place: (-near[place], place))

    def _rarest(self, quote: QuoteWords) -> list[tuple[int, str]]:
        counts = [(self._text.joined.count(f" {word} "), number) for number, word in enumerate(quote.words)]
        rarest = nsmallest(_RAREST, (found for found in counts if found[0]))
        return [(number, f" {quote.words[number]} ") for _, number in rarest]

    def _in_pieces(self, pieces: Sequence[QuoteWords]) -> QuoteMatch | None:
        """The pieces one after the other in one sentence; each says something by itself."""
        if not 1 < len(pieces) <= _MOST_PIECES:
            return None
        if any(piece.length < _LEAST_WORDS or piece.content == 0 for piece in pieces):
            return None
        for found in islice(self._places(pieces[0]), _MOST_OCCURRENCES):
            row = self._row(found, pieces[1:])
            if row:
                return self._spliced(pieces, row)
        return None

    def _row(self, first: Pairing, pieces: Sequence[QuoteWords]) -> list[Pairing]:
        """The places of the pieces that follow the first one, and its own before them; nothing where one is missing."""
        row, left_out = [first], 0
        for piece in pieces:
            before = row[-1]
            following = next((found for found in self._places(piece) if found.first > before.last), None)
            if following is None:
                return []
            left_out += self._text.start(following.first) - self._text.end(before.last)
            if left_out > _MOST_LEFT_OUT or not may_leave_out(self._text, before.last, following.first):
                return []
            row.append(following)
        return row

    def _places(self, piece: QuoteWords) -> Iterator[Pairing]:
        exact = False
        for found in self._exact(piece):
            exact = True
            yield Pairing(0, *found)
        best = None if exact else self._best(piece)
        if best is not None:
            yield best

    def _spliced(self, pieces: Sequence[QuoteWords], row: Sequence[Pairing]) -> QuoteMatch | None:
        score = min(self._likeness(piece, found) for piece, found in zip(pieces, row, strict=True))
        spliced = self._match(row, exact=False, score=min(score, _MOST_SPLICED_SCORE))
        return spliced if score >= LEAST_SCORE else None

    def _scored(self, quote: QuoteWords, found: Pairing) -> QuoteMatch | None:
        score = self._likeness(quote, found)
        return self._match([found], exact=False, score=score) if score >= LEAST_SCORE else None

    def _likeness(self, quote: QuoteWords, found: Pairing) -> float:
        return fuzz.ratio(quote.joined, f" {' '.join(self._text.words[found.first : found.last + 1])} ") / 100

    def _match(self, row: Sequence[Pairing], *, exact: bool, score: float = 1.0) -> QuoteMatch:
        pieces = tuple((self._text.start(found.first), self._text.end(found.last)) for found in row)
        return QuoteMatch(pieces[0][0], pieces[-1][1], exact, round(score, 4), pieces)
