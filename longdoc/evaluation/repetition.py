"""How much a text repeats itself, from its words alone."""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_WORDS = 3


def repeated_trigrams(text: str) -> float:
    """The share of runs of three words that stood in the text before: 1 - distinct / all, 0 for under three words.

    Words are compared without case and punctuation. Longer texts repeat more: compare texts of about one length.
    """
    words: list[str] = _WORD.findall(text.casefold())
    runs = [tuple(words[i : i + _WORDS]) for i in range(len(words) - _WORDS + 1)]
    return 1 - len(set(runs)) / len(runs) if runs else 0.0
