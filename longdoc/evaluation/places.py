"""Where a text may be opened or cut without breaking a sentence, and how long its beginning is in tokens."""

from __future__ import annotations

from bisect import bisect_right

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.tokens import estimate_tokens

_SEEN = 2000
"""How far around the place wanted sentences are looked for, in characters: a sentence is hardly ever longer."""


def place_near(text: str, wanted: int, *, tolerance: int, language: str = "en") -> int:
    """The border of a sentence nearest to an offset, else of a word; the offset itself where none is near enough.

    The beginning and the end of the text are borders too. Takes the same time however long the text is.
    """
    low, high = max(0, wanted - _SEEN), min(len(text), wanted + _SEEN)
    starts = [low + start for start, _ in sentence_spans(text[low:high], language)]
    borders = [start for start in starts if start > low] + [0] * (low == 0) + [high] * (high == len(text))
    near = _nearest(borders, wanted, tolerance)
    if near is None:
        spaces = (text.rfind(" ", low, wanted), text.find(" ", wanted, high))
        near = _nearest([space + 1 for space in spaces if space >= 0], wanted, tolerance)
    return wanted if near is None else near


def _nearest(offsets: list[int], wanted: int, tolerance: int) -> int | None:
    near = [offset for offset in offsets if abs(offset - wanted) <= tolerance]
    return min(near, key=lambda offset: abs(offset - wanted)) if near else None


def characters_of(text: str, tokens: float) -> int:
    """How many characters at the beginning of a text take at most so many tokens, by the estimate."""
    if estimate_tokens(text) <= tokens:
        return len(text)
    return max(0, bisect_right(range(len(text)), tokens, key=lambda end: estimate_tokens(text[:end])) - 1)
