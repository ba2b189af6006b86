"""How long a text is asked for, as people write it: "10,000 words", "a 5k-word essay", "三千字", "three chapters".

Rules only; what they do not find the model is asked for. Owns what counts as a length in an instruction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.number_words import FoundNumber, numbers_in

MOST_WORDS: Final = 100_000
"""The longest draft."""
FEWEST_WORDS: Final = 10
"""The shortest one."""

_UNIT = re.compile(
    r"(?P<more>\+|\s{1,2}or\smore)?(?P<less>\s{1,2}or\s(?:less|fewer))?[\s-]{0,3}[多余餘]?\s?"
    r"(?:(?:words?|wörtern?|worte|mots?|palabras?|parole|palavras?|woorden|ord|sł[óo]w|слова?)\b"
    r"|[个個]?(?:汉字|漢字|字|词|詞)(?![母体體典幕段数數])|文字|단어|자(?![가-힣]))"
)
_TOLD = re.compile(
    r"(?:word (?:count|limit|target)|wortzahl|nombre de mots|número de palabras|字数|字數)[^\d\n.;。；]{0,20}$"
)
"""Before a length that no unit follows: "word count: 800"."""
_CHAPTER = r"(?:chapters?|kapiteln?|chapitres?|cap[íi]tulos?|章)"
_THING = (
    rf"(?:{_CHAPTER}|parts?|teilen?|parties|partes|essays?|articles?|stories|letters|posts|scenes?|acts?"
    r"|diary entries|entries|sections?|篇|幕|部分|封|节|節|段)"
)
_COUNTED = re.compile(rf"[\s-]{{0,3}}(?:\w{{1,20}}\s{{1,2}})?(?P<thing>{_THING})")
_IS_CHAPTER = re.compile(_CHAPTER)
_PAGES = re.compile(r"[\s-]{0,3}(?:pages?\b|seiten?\b|páginas?\b|[页頁])")

_EACH_BEFORE = re.compile(
    r"(?:\b(?:each|every|per|je|jeweils|pro|chaque|chacune?|cada)\b|每\w{0,3}|各)[^.,;，。；\n]{0,24}$"
)
_EACH_AFTER = re.compile(r"^[^.,;，。；\n]{0,12}?\b(?:each|apiece|per|je|pro|par|chacune?|por|cada)\b")
_OF_THINGS = re.compile(rf"\b{_THING}\s(?:of|zu|von|à|de)\s[^.,;，。；\n\d]{{0,12}}$")

_NOT = r"(?P<not>\b(?:not|no|nicht|kein|keine|pas|non)\s(?:be\s|to\s|go\s)?|不(?:要|能|得|可|应|應)?)?"
_MORE = (
    r"\b(?:more|longer|larger|greater) than|\bover\b|exceed\w{0,3}|mehr als|über|plus de|más de"
    r"|超过|超過|多于|多於|高于"
)
_LESS = (
    r"\b(?:less|fewer|shorter|smaller) than|\bunder\b|\bbelow\b|weniger als|unter\b|kürzer als|moins de|menos de"
    r"|少于|少於|低于|低於"
)
_COMPARED = re.compile(rf"{_NOT}(?:(?P<more>{_MORE})|(?P<less>{_LESS}))[^.,;，。；\n]{{0,12}}$")
_AT_LEAST = re.compile(r"(?:\bat leas[te]\b|minimum|mindestens|au moins|al menos|mínimo|至少)[^.,;，。；\n]{0,12}$")
_AT_MOST = re.compile(
    r"(?:\bat most\b|\bup to\b|\bwithin\b|maximum|höchstens|maximal|bis zu|au plus|jusqu['’]à|hasta|máximo|最多)"
    r"[^.,;，。；\n]{0,12}$",
)
_OR_MORE = re.compile(
    r"^[^.,;，。；\n]{0,4}?(?:以上|\bor more|\b(?:(?:at|au|como|im)\s)?(?:minimum|mínimo|least|moins))",
)
_OR_LESS = re.compile(
    r"^[^.,;，。；\n]{0,4}?(?:以[内內下]|\bor (?:less|fewer)"
    r"|\b(?:(?:at|au|como|im)\s)?(?:maximum|máximo|most|plus)\b)",
)
_VAGUE = re.compile(
    r"\b(?:half|few|several|many|couple of|einige|mehrere|halbe|quelques|plusieurs|varias|varios|unas)\s(?:an?\s)?$",
)
_OF_ELSE = re.compile(
    r"(?:\b(?:of (?:an?|the|my|our|this)|my|our|this|that|the|from an?|about an?)\s"
    r"|\blimit\b[^.;\n]{0,30}|[一这那這][本部])$"
)
"""What stands before the length of something else than the text."""
_READ = 20_000
"""Characters of the beginning and of the end of an instruction that are read: between them stands what it is about."""
_AROUND = 40
"""Characters before and after a number that tell how it is meant."""
WORDS_A_CHAPTER: Final = 2_000
_WORDS_A_PAGE = 500
_A_LITTLE_MORE, _A_LITTLE_LESS = 1.03, 0.97
_MOST_CHAPTERS = 100


@dataclass(frozen=True, slots=True)
class LengthRequest:
    """What an instruction says of its length: words and chapters, each None where it says nothing of them. `several`:
    it names other lengths too, which may be meant."""

    words: int | None = None
    chapters: int | None = None
    several: bool = False


@dataclass(frozen=True, slots=True)
class _Counted:
    """So many of a thing."""

    number: int
    chapters: bool


def requested_length(instruction: str) -> LengthRequest:
    """The length that an instruction asks for: of several totals the largest, which holds the others. One that tells of
    something else ("a review of a 100,000 word novel") counts only where there is no other.

    Of a range it is the upper end. "At least" and "at most" aim a little beyond and below. "Three letters of 400 words
    each" are 1,200 words. Pages count 500 words, and chapters, where nothing else is said, 2,000. Of an instruction of
    over 40,000 characters the middle is not read.
    """
    text = instruction.casefold()
    if len(text) > 2 * _READ:
        text = f"{text[:_READ]}\n\n{text[-_READ:]}"
    numbers = list(numbers_in(text))
    counted = [
        _Counted(round(number.value), _IS_CHAPTER.match(match["thing"]) is not None)
        for number in numbers
        if (match := _COUNTED.match(text, number.end))
    ]
    chapters = next((one.number for one in counted if one.chapters and 1 < one.number <= _MOST_CHAPTERS), None)
    found = [(words, number) for number in numbers if (words := _total(text, number, counted))]
    meant = [
        words for words, number in found if not _OF_ELSE.search(text[max(0, number.start - _AROUND) : number.start])
    ]
    totals = sorted(meant, reverse=True) or [words for words, _ in found]
    if not totals:
        totals = [round(number.value * _WORDS_A_PAGE) for number in numbers if _PAGES.match(text, number.end)]
    if not totals and chapters:
        totals = [chapters * WORDS_A_CHAPTER]
    return LengthRequest(totals[0] if totals else None, chapters, several=len({words for words, _ in found}) > 1)


def _total(text: str, number: FoundNumber, counted: Sequence[_Counted]) -> int | None:
    """The words that a number asks for; None where it is no number of words."""
    before = text[max(0, number.start - _AROUND) : number.start]
    unit = _UNIT.match(text, number.end)
    if number.value < FEWEST_WORDS or _VAGUE.search(before) or (unit is None and not _TOLD.search(before)):
        return None
    end = number.end if unit is None else unit.end()
    after = text[end : end + _AROUND]
    words = number.value
    if _EACH_BEFORE.search(before) or _EACH_AFTER.search(after) or _OF_THINGS.search(before):
        words *= _times(before + after, counted)
    if unit is not None and (unit["more"] or unit["less"]):
        return round(words * (_A_LITTLE_MORE if unit["more"] else _A_LITTLE_LESS))
    return round(words * _sense(before, after))


def _times(around: str, counted: Sequence[_Counted]) -> int:
    """How many there are of what each has a length: of chapters, where these are spoken of beside it."""
    several = [one for one in counted if one.number > 1]
    of_chapters = [one for one in several if one.chapters] if _IS_CHAPTER.search(around) else []
    return next((one.number for one in (*of_chapters, *several)), 1)


def _sense(before: str, after: str) -> float:
    """What a number is multiplied with: a bit over one for "at least", a bit under one for "at most"."""
    compared = _COMPARED.search(before)
    if compared is not None:
        return _A_LITTLE_MORE if (compared["more"] is None) == (compared["not"] is not None) else _A_LITTLE_LESS
    if _AT_MOST.search(before) or _OR_LESS.search(after):
        return _A_LITTLE_LESS
    return _A_LITTLE_MORE if _AT_LEAST.search(before) or _OR_MORE.search(after) else 1.0
