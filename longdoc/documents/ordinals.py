"""Numbers in the ways lists are numbered: roman, letters and the like."""

from __future__ import annotations

from collections.abc import Callable

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LONGEST_LETTERS = 20


def roman(number: int) -> str:
    """A small roman number; decimal where there is none (0, 4000 and more)."""
    if not 0 < number < 4000:
        return str(number)
    text = ""
    for value, letter in _ROMAN:
        text += letter * (number // value)
        number %= value
    return text


def letters(number: int) -> str:
    """a to z, then aa, bb …; decimal where there is none."""
    if not 0 < number <= 26 * _LONGEST_LETTERS:
        return str(number)
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd …"""
    ending = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


_FORMATS: dict[str, Callable[[int], str]] = {
    "i": roman,
    "I": lambda number: roman(number).upper(),
    "a": letters,
    "A": lambda number: letters(number).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(),
    "lowerLetter": letters,
    "upperLetter": lambda number: letters(number).upper(),
    "decimalZero": lambda number: f"{number:02d}",
    "ordinal": ordinal,
}


def format_number(number: int, number_format: str) -> str:
    """A number in one of the formats of DOCX ("lowerRoman") or ODF ("i"); decimal where the format is unknown."""
    return _FORMATS.get(number_format, str)(number)
