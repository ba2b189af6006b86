"""How long a text is asked for, as people write it: "10,000 words", "a 5k-word essay", "三千字", "three chapters".

Rules only; what they do not find the model is asked for. Owns what counts as a length in an instruction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MOST_WORDS: Final = 100_000
"""The longest draft."""

_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_SPELLED = {name: number for number, name in enumerate(_ONES)} | _TENS | {"a": 1}
_SCALES = {"hundred": 100, "thousand": 1_000, "k": 1_000, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000}
_HAN_DIGITS = {
    "一": 1,
    "二": 2,
    "两": 2,
    "兩": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
    "十": 10,
}

_FIGURE = r"\d{1,3}(?:[,.  ’]\d{3})+|\d+(?:\.\d+)?"
_NAMES = "|".join(sorted((name for name in _SPELLED if name != "a"), key=len, reverse=True))
_NUMBER = (
    rf"(?P<figure>{_FIGURE}|\b(?:{_NAMES}|a)\b|[{''.join(_HAN_DIGITS)}]+)"
    r"\s*(?P<scale>(?:hundred|thousand|k)\b|[百千万萬])?"
)
_UNIT = (
    r"(?:words?\b|wörtern?\b|worte\b|mots?\b|palabras?\b|parole\b|palavras?\b|woorden\b|ord\b|sł[óo]w\b|слов[а]?\b"
    r"|характеров\b|[个個]?(?:汉字|漢字|字|词|詞)(?!母|体|體|典|幕|段)|文字|단어|자(?![가-힣]))"
)
_LENGTH = re.compile(
    rf"{_NUMBER}(?:\s*(?:-|–|—|‑|to|至|到|~|～)\s*)?(?P<upper>{_FIGURE})?[\s-]*(?:多|余|餘)?{_UNIT}", re.IGNORECASE
)
_EACH_BEFORE = re.compile(r"(?:each|every|per|每[\w]{0,3}|各)[^.,;，。；\n]{0,24}$", re.IGNORECASE)
_EACH_AFTER = re.compile(r"^[^.,;，。；\n]{0,12}?\b(?:each|apiece|per\b)", re.IGNORECASE)
_AT_LEAST_BEFORE = re.compile(
    r"(?:at least|at lease|no(?:t)? (?:less|fewer|shorter) than|more than|over|minimum(?: of)?|mindestens|au moins"
    r"|不少于|不少於|不低于|不低於|至少|超过|超過)[^.,;，。；\n]{0,12}$",
    re.IGNORECASE,
)
_AT_LEAST_AFTER = re.compile(r"^[^.,;，。；\n]{0,4}?(?:以上|\bor more|\bminimum|\bat least|\+)", re.IGNORECASE)
_AT_MOST_BEFORE = re.compile(
    r"(?:at most|no(?:t)? (?:more|longer) than|up to|under|below|less than|fewer than|maximum(?: of)?|höchstens"
    r"|不超过|不超過|最多)[^.,;，。；\n]{0,12}$",
    re.IGNORECASE,
)
_AT_MOST_AFTER = re.compile(
    r"^[^.,;，。；\n]{0,4}?(?:以内|以內|\bor (?:less|fewer)|\bmaximum|\bat most)", re.IGNORECASE
)
_COUNTED = re.compile(
    rf"{_NUMBER}\s*(?:\w+\s+)?(?P<thing>chapters?|kapiteln?|chapitres?|cap[íi]tulos?|章|parts?|essays?|articles?|stories"
    r"|letters|posts|scenes?|acts?|diary entries|entries|sections?|篇|幕|部分|封|节|節)",
    re.IGNORECASE,
)
_CHAPTERS = re.compile(r"chapter|kapitel|chapitre|cap[íi]tulo|章", re.IGNORECASE)
_PAGES = re.compile(rf"{_NUMBER}[\s-]*(?:pages?\b|seiten\b|[页頁])", re.IGNORECASE)
_WORDS_A_PAGE, _WORDS_A_CHAPTER = 500, 2_000
_MORE, _LESS = 1.03, 0.97
"""At least, and at most, so much: a little more, a little less."""
_FEWEST_WORDS = 10


@dataclass(frozen=True, slots=True)
class LengthRequest:
    """What an instruction says of its length: words and chapters, each None where it says nothing of them."""

    words: int | None = None
    chapters: int | None = None


def requested_length(instruction: str) -> LengthRequest:
    """The length that an instruction asks for; of several totals the largest, which holds the others.

    "At least" and "at most" aim a little beyond and below. "Three letters of 400 words each" are 1,200 words. Pages
    count 500 words, and chapters, where nothing else is said, 2,000.
    """
    counted = [(round(_value(match)), match["thing"]) for match in _COUNTED.finditer(instruction)]
    chapters = next((n for n, thing in counted if _CHAPTERS.search(thing) and 1 < n <= 100), None)
    totals = list(filter(None, (_total(instruction, match, counted) for match in _LENGTH.finditer(instruction))))
    if not totals:
        totals = [round(_value(match) * _WORDS_A_PAGE) for match in _PAGES.finditer(instruction)]
    if not totals and chapters:
        totals = [chapters * _WORDS_A_CHAPTER]
    return LengthRequest(max(totals) if totals else None, chapters)


def _total(instruction: str, match: re.Match[str], counted: list[tuple[int, str]]) -> int | None:
    before, after = instruction[: match.start()], instruction[match.end() :]
    words = _figure(match["upper"]) if match["upper"] else _value(match)
    if words < _FEWEST_WORDS:
        return None
    if _EACH_BEFORE.search(before[-40:]) or _EACH_AFTER.search(after):
        words *= next((n for n, _ in counted if n > 1), 1)
    if _AT_MOST_BEFORE.search(before[-40:]) or _AT_MOST_AFTER.search(after):
        words *= _LESS
    elif _AT_LEAST_BEFORE.search(before[-40:]) or _AT_LEAST_AFTER.search(after):
        words *= _MORE
    return round(words)


def _value(match: re.Match[str]) -> float:
    figure, scale = match["figure"].casefold(), (match["scale"] or "").casefold()
    return _figure(figure) * _SCALES.get(scale, 1)


def _figure(figure: str) -> float:
    if figure in _SPELLED:
        return _SPELLED[figure]
    if figure[0] in _HAN_DIGITS:
        return _han(figure)
    parts = re.split(r"[,.  ’]", figure)
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]):
        return float("".join(parts))
    return float(figure)


def _han(figure: str) -> float:
    """Up to ninety-nine: 十二, 二十, 三."""
    tens, ten, ones = figure.partition("十")
    if not ten:
        return _HAN_DIGITS[figure[0]]
    return 10 * (_HAN_DIGITS[tens[0]] if tens else 1) + (_HAN_DIGITS[ones[0]] if ones else 0)
