"""What may differ between a quote and its text, and what an ellipsis may stand for.

Owns the rules and the walk that pairs the words of a quote with those of a text; where to look is `quotes.py`.

No letter of a word may differ. What is misspelled cannot be told from another word without knowing the language: among
128,000 words of English, 145 of seven letters or more become another one when two inner letters change places
("compiled", "complied"), and 1,025 without a doubled letter ("needless"). In Turkish one "m" makes a denial.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from longdoc.retrieval.quote_words import QuoteWords

_LITTLE_WORDS = frozenset(("a", "an", "the", "and", "that", "then", "of", "to"))
"""What a quote may lack or have besides. Words of denial, degree, persons and directions are none of these."""
_QUANTITIES = frozenset(("few", "little"))
"""With "a" before them they say the opposite."""
_WORDS_AN_EDIT = 4
_MOST_EDITS = 6
_HYPHEN = re.compile("[-\u2010\u2011\u05be]\n?[ \t]*")

_BORDER = re.compile(r"\n\s*\n|\t|\n[ ]*(?:[-*•·–—]|\d+[.)])\s")
"""What parts blocks, items of a list and cells of a table."""
_STOP = re.compile(
    r"[。！？｡।॥؟۔።፧；：;؛]|:(?!\d)"
    r"|(?P<mark>[!?…]+|\.+(?![^\W_]))(?P<closing>[\"'’”»)\]]*)(?P<small>\s+[a-zß-öø-ÿа-яё])?"
)
_NEW_CLAUSE = re.compile(
    r"[,،][\s\"'’”»)\]]*(?:"
    r"(?:and|but|or|yet|so|for|while|whereas)\s+(?:the|an?|I|it|s?he|they|we|you|his|her|its|their|my|our|your|this|"
    r"that|these|those|there|every|each|some|[A-Z]\w+)"
    r"|(?:und|aber|doch|denn|während|et|mais|car|tandis|y|pero|mientras|ma|mentre|mas|enquanto|maar|want|terwijl"
    r"|och|men|og|а|но|але|ale|lecz|ama|fakat)"
    r")(?![^\W_])|[，、](?:而|但|可是|却|卻)"
)
"""What may begin a clause with its own subject: where it is left out, what it says falls to the subject before."""
_TITLES = re.compile(r"(?<![^\W_])(?:Mr|Mrs|Ms|Messrs|Mme|Mlle|Dr|Prof|Rev|Capt|Col|Lt|Sgt|Hon)$")
_DENIAL_TEXT = """
    no not none never neither nor nobody nothing nowhere cannot without hardly scarcely barely seldom rarely almost
    nearly unless if aint arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mustnt neednt shant shouldnt
    wasnt werent wont wouldnt nicht kein keine keinen keinem keiner keines nie niemals niemand nichts weder ohne kaum
    ne pas jamais rien aucun aucune ni sans nunca jamás nada nadie ningún ninguno ninguna sin tampoco non mai nulla
    niente nessuno nessuna né senza não nem ninguém nenhum nenhuma sem niet geen nooit niemand niets zonder ikke inte
    aldrig aldri uten utan uden не нет ни никогда никто ничего ничто без нельзя nigdy nikt nic bez není nikdy nikdo
    değil yok hiç asla לא אין בלי لا لم لن ليس بدون नहीं
"""
_DENIALS = frozenset(_DENIAL_TEXT.split())
"""Words without which a sentence says something else, in languages that have words for it."""
_DENIAL_CHARACTERS = re.compile("[不没沒無无未勿않없못]|ない|なかっ|ません|ไม่")


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
        while place > first and place < len(self._text) and _is_little(self._text, place):
            place, edits = place + 1, edits + 1
            _keep(here, place, (edits, first), self._most)

    def _steps(self, number: int, place: int) -> Iterator[tuple[int, int, int]]:
        """What can be made of a word of the quote: words of the quote taken, place in the text after it, edits."""
        quote, text = self._quote.words, self._text.words
        word = quote[number]
        if _is_little(self._quote, number):
            yield 1, place, 1
        if place >= len(text):
            return
        if word == text[place]:
            yield 1, place + 1, 0
        if place + 1 < len(text) and word == text[place] + text[place + 1] and _may_join(self._text, place):
            yield 1, place + 2, 0
        if number + 1 < len(quote) and text[place] == word + quote[number + 1] and _may_join(self._quote, number):
            yield 2, place + 1, 0


def _keep(places: dict[int, tuple[int, int]], place: int, state: tuple[int, int], most: int) -> None:
    if state[0] <= most and (place not in places or state < places[place]):
        places[place] = state


def _is_little(words: QuoteWords, number: int) -> bool:
    following = words.words[number + 1] if number + 1 < len(words) else ""
    return words.words[number] in _LITTLE_WORDS and following not in _QUANTITIES


def _may_join(words: QuoteWords, number: int) -> bool:
    """Whether a word and the next one are the same written together: parted by a hyphen that tells nothing.

    One after "re" does ("re-sign"), but before an "e"; and so does one between digits.
    """
    word, following = words.words[number], words.words[number + 1]
    if (word == "re" and not following.startswith("e")) or (word[-1].isdigit() and following[0].isdigit()):
        return False
    return _HYPHEN.fullmatch(words.gap(number)) is not None


def may_leave_out(text: QuoteWords, before: int, after: int) -> bool:
    """Whether an ellipsis may stand for what is between two words of a text: a part of one clause, without a denial.

    In doubt a full stop ends a sentence; colons and semicolons always do. Not every clause with its own subject can be
    told by its words, so what an ellipsis stands in is never a quote word for word.
    """
    start, end = text.end(before), text.start(after)
    if any(found.search(text.text, start, end) for found in (_BORDER, _NEW_CLAUSE, _DENIAL_CHARACTERS)):
        return False
    if any(_is_stop(stop) for stop in _STOP.finditer(text.text, start, end + 1)):
        return False
    return _DENIALS.isdisjoint(text.words[before + 1 : after])


def _is_stop(found: re.Match[str]) -> bool:
    """Not after a title, nor where an ellipsis or what was said goes on with a small letter ("“Go!” he cried")."""
    mark = found["mark"]
    if mark is None or "." in mark:
        return mark != "." or not _TITLES.search(found.string, max(0, found.start() - 10), found.start())
    return found["small"] is None or not (found["closing"] or "…" in mark)
