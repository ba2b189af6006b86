"""A text as words that can be compared: the same for any white space, case, punctuation, and kind of quotes or dashes.

Owns what a word is and where each stands in the text as it is; finding quotes is `quotes.py`.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import accumulate

from longdoc.retrieval.common_words import COMMON_WORDS
from longdoc.retrieval.scripts import MARKS, POINTS, SPACELESS

_INVISIBLE_CHARACTERS = "\u00ad\u200b-\u200d\u2060\ufeff"
_MARKS = f"{MARKS}{_INVISIBLE_CHARACTERS}"
_RAISED = "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2460-\u249b\u24ea-\u24ff\u2776-\u2793"  # circled ones too
_LOWERED = "\u2080-\u2089"
_LETTER = rf"[^\W_{SPACELESS}{_RAISED}{_LOWERED}]"
_ALONE = r"(?<![^\W\d_])"
_POWER = (  # of a variable, or of a unit: not the number of a note
    rf"(?<={_ALONE}[b-hj-zB-HJ-Z])\u207b?[{_RAISED}]+|(?:(?<={_ALONE}[cdkmnµμ]m)|(?<={_ALONE}(?:ft|yd|mi)))[²³]"
)
_RUN = rf"{_LETTER}+(?:(?:[{_MARKS}]+|(?<=[^\W\d_])[{_LOWERED}]+|{_POWER}){_LETTER}*)*"
_LINE_END = r"[-\u2010]\n[ \t]*"
_MINUS = r"(?<![^\s(\[{])[-\u2212](?=\d)"
_WORD = re.compile(
    rf"[{SPACELESS}]"
    rf"|(?:{_MINUS})?{_RUN}(?:(?:(?<=\d)[.,:](?=\d)|(?<=[^\W\d_]){_LINE_END}(?=[^\W\d_])){_RUN})*"
    rf"(?:(?<=[nN])['’ʼ][tT](?!{_LETTER}))?"
    rf"|(?<=\d)(?:\u207b?[{_RAISED}]+|[{_LOWERED}]+)|(?<=[)\]])[²³]|(?<=[\d)\]])\^[-\u2212]?\d+"  # powers of a number
    r"|[%‰°$€£¥]"  # what a number means hangs on these
)
_DROPPED = re.compile(rf"['’ʼ\s{_INVISIBLE_CHARACTERS}]|{_LINE_END}")
_POINTS = re.compile(f"[{POINTS}]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_IS_SMALL = re.compile(rf"\u207b?[{_RAISED}{_LOWERED}]")
_IS_LOWERED = re.compile(f"[{_LOWERED}]")
_IS_SPACELESS = re.compile(f"[{SPACELESS}]")
_CONTENT_LENGTH = 3


class QuoteWords:
    """The words of a text in normal form; word i stands at `text[start(i):end(i)]`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts, self._ends = array("Q"), array("Q")
        words: list[str] = []
        for match in _WORD.finditer(text):
            if word := _normal(match.group()):
                self._starts.append(match.start())
                self._ends.append(match.end())
                words.append(word)
        self.words = words
        self.joined = f" {' '.join(words)} "

    def __len__(self) -> int:
        return len(self.words)

    def start(self, index: int) -> int:
        """Where a word begins in the text."""
        return self._starts[index]

    def end(self, index: int) -> int:
        """Where a word ends in the text."""
        return self._ends[index]

    def gap(self, index: int) -> str:
        """What stands between a word and the next one."""
        return self.text[self._ends[index] : self._starts[index + 1]]

    def occurrences(self, needle: str) -> Iterator[int]:
        """The words at which a row of words begins, in order; `needle` is words joined and surrounded by spaces."""
        place = self.joined.find(needle)
        while place >= 0:
            yield bisect_right(self._places, place) - 1
            place = self.joined.find(needle, place + 1)

    @cached_property
    def length(self) -> float:
        """How many words there are; a character of a script without spaces counts as half of one."""
        return sum(0.5 if _IS_SPACELESS.match(word) else 1.0 for word in self.words)

    @cached_property
    def content(self) -> float:
        """How many of them say something by themselves: names, numbers, and what is not among the commonest."""
        return sum((0.5 if _IS_SPACELESS.match(word) else 1.0) for word in self.words if is_content(word))

    @cached_property
    def _places(self) -> array[int]:
        """Where in `joined` the space before each word stands."""
        return array("Q", accumulate((len(word) + 1 for word in self.words[:-1]), initial=0))


def is_content(word: str) -> bool:
    """Whether a word in normal form says something by itself."""
    if _IS_SPACELESS.match(word) or any(map(str.isdigit, word)):
        return True
    return len(word) >= _CONTENT_LENGTH and word not in COMMON_WORDS


@lru_cache(maxsize=1 << 16)
def _normal(word: str) -> str:
    """NFKC in one case, without apostrophes, points, invisible characters, hyphens of line ends, commas of thousands.

    Small digits by themselves have a mark before them, so that they are no number of their own.
    """
    kept = _DROPPED.sub("", word)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", kept).casefold()).replace("\u2212", "-")
    plain = _THOUSANDS.sub("", _POINTS.sub("", "".join(folded.split())))
    if _IS_SMALL.match(word):
        return f"{'_' if _IS_LOWERED.match(word) else '^'}{plain}"
    return plain
