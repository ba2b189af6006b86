"""How long a text is against what was asked for, by the counts and scores of three published sets; and how much of
its plan a text holds.

Every published score has its own count of words; counts are not to be mixed. Sources: "LongWriter" (2024), section 2
and the code released with it; "Ruler" (2024), on target length; "Self-Lengthen" (2024), on LonGen; formulas as in their
code. What a text says twice is `writing_repeats.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self, TypeAlias

from longdoc.evaluation.shares import Share, share_of
from longdoc.retrieval.terms import index_terms, question_terms

TOLERANCE: Final = 0.15
"""How far the words of a section may be from its budget, in shares of it."""

_CJK = re.compile(r"[\u4e00-\u9fff]")
_LATIN_WORD = re.compile(r"\b[a-zA-Z]+\b")
_WORD = re.compile(r"\w+")
_CJK_OR_WIDE = re.compile(r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]")
_LEAST_TOLD = 0.5
"""The share of the telling words of a main point that a section which treats it holds. A choice of ours."""
_ROUNDING = 1e-9


def benchmark_words(text: str) -> int:
    """Words by the count of LongBench-Write, for `length_score` only: Chinese characters and words of plain letters.

    Digits do not count, "don't" is two words, an accent ends a word, and a word that touches a Chinese character,
    digit or low line is none.
    """
    return len(_CJK.findall(text)) + len(_LATIN_WORD.findall(text))


def ruler_words(text: str) -> int:
    r"""Words by the count of Ruler, matches of `\w+`, for `precise_match` and `flexible_match`: "don't" is two words, a
    number one, a run of Chinese characters one."""
    return len(_WORD.findall(text))


def longen_words(text: str) -> int:
    """Words by the count of LonGen, for `band_score`: each Chinese character, mark and wide form, and what spaces part
    of the rest."""
    return len(_CJK_OR_WIDE.findall(text)) + len(_CJK_OR_WIDE.sub(" ", text).split())


def length_score(asked: int, written: int) -> float:
    """S_l of LongBench-Write, 0 to 100: 100 for the words asked for, 0 from four times as many up and a third down.

    Nothing written scores 0. Counts are those of `benchmark_words`; raises `ValueError` where no word was asked for.
    """
    if asked < 1:
        raise ValueError(f"a length score needs a length, not {asked} words")
    if written <= 0:
        return 0.0
    lost = (written / asked - 1) / 3 if written > asked else (asked / written - 1) / 2
    return 100 * max(0.0, 1 - lost)


class RulerTarget(StrEnum):
    """A length that Ruler asks for, in words."""

    WORDS_10 = "10"
    WORDS_30 = "30"
    WORDS_50 = "50"
    WORDS_80 = "80"
    WORDS_150 = "150"
    WORDS_300 = "300"
    WORDS_500 = "500"
    WORDS_700 = "700"
    OVER_800 = ">800"


_Range: TypeAlias = tuple[int, int | None]
"""Words above the first number, up to the second one; without end where that is None."""

_PRECISE: Final[Mapping[RulerTarget, _Range]] = dict(
    zip(
        RulerTarget,
        [(0, 20), (20, 40), (40, 60), (70, 90), (130, 170), (280, 320), (450, 550), (630, 770), (800, None)],
        strict=True,
    )
)
_FLEXIBLE: Final[Mapping[RulerTarget, _Range]] = dict(
    zip(
        RulerTarget,
        [(0, 20), (20, 40), (40, 60), (60, 100), (100, 200), (200, 400), (400, 600), (600, 800), (800, None)],
        strict=True,
    )
)


def precise_match(text: str, target: RulerTarget) -> bool:
    """Whether a text is within the narrow range of its target; the share of texts that are is Ruler's PM."""
    return _within(ruler_words(text), _PRECISE[target])


def flexible_match(text: str, target: RulerTarget) -> bool:
    """Whether a text is within the wide range of its target; the share of texts that are is Ruler's FM."""
    return _within(ruler_words(text), _FLEXIBLE[target])


@dataclass(frozen=True, slots=True)
class LengthBand:
    """From how many to how many words a text may have, both included. Raises `ValueError` where there is no such
    length."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high or self.high == 0:
            raise ValueError(f"no text has from {self.low:g} to {self.high:g} words")

    @classmethod
    def about(cls, words: int) -> Self:
        """What LonGen takes for "about so many"."""
        return cls(words * 0.8, words * 1.2)

    @classmethod
    def above(cls, words: int) -> Self:
        """What it takes for "more than so many"."""
        return cls(words, words * 1.5)

    @classmethod
    def below(cls, words: int) -> Self:
        """What it takes for "fewer than so many"."""
        return cls(words * 0.5, words)


def band_score(band: LengthBand, written: int) -> float:
    """LonGen's score of a length, 0 to 1: 1 inside the band, 0 from half its low end down and 1.5 of its high end up.

    Counts are those of `longen_words`; the published figure is the mean over prompts.
    """
    if written < band.low:
        return max(2 * written / band.low - 1, 0.0)
    return 1.0 if written <= band.high else max(3 - 2 * written / band.high, 0.0)


def sections_in_tolerance(budgets: Sequence[int], written: Sequence[int], *, tolerance: float = TOLERANCE) -> Share:
    """The sections whose words are within a tolerance of their budgets, the ends included; a count of words for each.

    Raises `ValueError` where there are more of one than of the other.
    """
    pairs = zip(budgets, written, strict=True)
    return share_of(abs(words - budget) <= tolerance * budget + _ROUNDING for budget, words in pairs)


def plan_coverage(points: Sequence[str], sections: Sequence[str]) -> Share:
    """The main points of a plan that their sections treat: of whose telling words the section holds half or more.

    Telling words are the terms of a point without common English words, each once, by stems; the words of a section are
    the terms of an index (`retrieval/terms.py`). A point without any is left out; a section that was not written is
    empty and treats nothing. Words can be there by chance (of 100 sections of a novel, 6 hold half the words of the
    beginning of another), and Chinese and Japanese are compared by pairs of characters, of which a text shares fewer:
    this tells plans that were not followed, and compares systems on the same prompts. A measure of ours. Raises
    `ValueError` where points and sections are not as many.
    """
    told = [(set(question_terms(point).terms), section) for point, section in zip(points, sections, strict=True)]
    return share_of(_told(terms, section) >= _LEAST_TOLD for terms, section in told if terms)


def _told(terms: set[str], section: str) -> float:
    return len(terms.intersection(index_terms(section))) / len(terms)


def _within(words: int, limits: _Range) -> bool:
    low, high = limits
    return low < words and (high is None or words <= high)
