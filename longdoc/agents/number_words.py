"""Numbers as people write them: "10,000", "1.5k", "two thousand five hundred", "dreitausend", "deux mille", "一万五".

English, German, French, Spanish and Chinese; what it does not know is no number. Every pattern is bounded, so that time
is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_ENGLISH = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_GERMAN = (
    "null ein zwei drei vier fünf sechs sieben acht neun zehn . zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)
_FRENCH = "zéro une deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize"
_SPANISH = "cero un dos tres cuatro cinco seis siete ocho nueve diez . doce trece catorce quince"
# "elf" and "once" are English words, too: they are left out.
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreissig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "vingt trente quarante cinquante soixante",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
)
_HUNDREDS = "doscientas trescientas cuatrocientas quinientas seiscientas setecientas ochocientas novecientas"
_SCALES: Final = {
    **dict.fromkeys(("hundred", "hundert", "cents", "cent", "cien", "ciento"), 100),
    **dict.fromkeys(("thousand", "tausend", "mille", "mil", "k"), 1_000),
    **dict.fromkeys(("million", "millionen", "millions", "millón", "millones"), 1_000_000),
}
_HAN_SCALES: Final = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000}
_HUNDRED, _MYRIAD = 100, 10_000


def _counted(words: str, first: int, step: int = 1) -> Mapping[str, int]:
    return {word: first + step * number for number, word in enumerate(words.split()) if word != "."}


def _german_twos() -> Mapping[str, int]:
    ones, tens = _counted(_GERMAN, 0), _counted(_TENS[1], 20, 10)
    return {f"{one}und{ten}": n + m for one, n in ones.items() for ten, m in tens.items() if n in range(1, 10)}


_VALUES: Final[Mapping[str, int]] = {
    **{word: value for words in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH) for word, value in _counted(words, 0).items()},
    **{word: value for words in _TENS for word, value in _counted(words, 20, 10).items()},
    **_counted(_HUNDREDS, 200, 100),
    **_german_twos(),
}
_HAN_DIGITS: Final = {**{sign: value for value, sign in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "兩": 2}


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_NO_LETTER_BEFORE, _NO_LETTER_AFTER = r"(?<![A-Za-zÀ-ɏ])", r"(?![A-Za-zÀ-ɏ])"
_WORD = _any_of([*_VALUES, *_SCALES])
_JOINT = r"[\s-]{1,2}(?:(?:and|und|et|y)[\s-]{1,2})?"
_SCALE = rf"(?:{_any_of(_SCALES)}){_NO_LETTER_AFTER}|[{''.join(_HAN_SCALES)}]"
_DIGITS = r"\d{1,3}(?:[,.\u2009\u202f\u00a0 ’']\d{3}){1,3}|\d{1,9}(?:[.,]\d{1,2})?"
_FIGURE = rf"(?<![\dA-Za-z])(?<!\d[.,])(?:{_DIGITS})(?!\d|[.,]\d)(?:[\s-]{{0,2}}(?:{_SCALE}))?"
_SPELLED = rf"{_NO_LETTER_BEFORE}(?:{_WORD})(?:(?:{_JOINT})?(?:{_WORD})){{0,7}}{_NO_LETTER_AFTER}"
_HAN = rf"(?<![数數几幾多第])[{''.join((*_HAN_DIGITS, *_HAN_SCALES))}]{{1,12}}"
_NUMBER = re.compile(f"{_FIGURE}|{_SPELLED}|{_HAN}")
_LEADING_FIGURE = re.compile(rf"(?P<figure>{_DIGITS})[\s-]*(?P<scale>.*)", re.DOTALL)
_GROUPED = re.compile(r"\d{1,3}(?:\D\d{3})+")
_SPELLED_PIECE = re.compile(rf"{_WORD}|and|und|et|y")


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number in a text, and where it stands."""

    value: float
    start: int
    end: int


def numbers_in(text: str) -> Iterator[FoundNumber]:
    """The numbers of a casefolded text, in their order."""
    for match in _NUMBER.finditer(text):
        yield FoundNumber(_value(match[0]), match.start(), match.end())


def _value(number: str) -> float:
    if match := _LEADING_FIGURE.match(number):
        return _figure(match["figure"]) * (_SCALES | _HAN_SCALES).get(match["scale"], 1)
    if number[0] in _HAN_DIGITS or number[0] in _HAN_SCALES:
        return _han(number)
    return _spelled(_SPELLED_PIECE.findall(number))


def _figure(figure: str) -> float:
    if _GROUPED.fullmatch(figure):
        return float("".join(filter(str.isdecimal, figure)))
    return float(figure.replace(",", "."))


def _spelled(pieces: Iterable[str]) -> int:
    """The last number of a run of words: of "three and five thousand" it is the five thousand."""
    whole, part, greatest = 0, 0, 0
    for piece in pieces:
        if piece in _VALUES:
            value = _VALUES[piece]
            if part and not _goes_on(part, value):
                whole, part = 0, 0
            part += value
        elif (scale := _SCALES.get(piece, 0)) == _HUNDRED:
            whole, part = (0, 100) if part >= scale else (whole, max(1, part) * scale)
        elif scale:
            whole = (whole if scale < greatest else 0) + max(1, part) * scale
            part, greatest = 0, scale
    return whole + part


def _goes_on(part: int, value: int) -> bool:
    """Whether a number may be said after another one as the rest of it: "twenty five", "two hundred twelve"."""
    tens, ones = divmod(part % _HUNDRED, 10)
    return value in range(_HUNDRED if not tens and not ones else 10 if tens > 1 and not ones else 0)


def _han(signs: str) -> int:
    """三千五百, 一万五 (a last digit is of the next smaller scale), 二〇〇〇; of 两三千 the greater."""
    if set(signs) <= _HAN_DIGITS.keys():
        digits = "".join(str(_HAN_DIGITS[sign]) for sign in signs)
        return int(digits if "0" in digits else digits[-1])
    whole, part, digit, before = 0, 0, 0, 1
    for at, sign in enumerate(signs):
        scale = _HAN_SCALES.get(sign, 0)
        if scale >= _MYRIAD:
            whole, part, digit = whole + max(1, part + digit) * scale, 0, 0
        elif scale:
            part, digit = part + max(1, digit) * scale, 0
        else:
            digit = _HAN_DIGITS[sign]
            if at == len(signs) - 1 and before >= _HUNDRED:
                digit *= before // 10
        before = scale
    return whole + part + digit
