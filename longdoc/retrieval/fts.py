"""What queries of SQLite's FTS5 are made of, and what their scores are measured by.

Source of BM25: Robertson and Zaragoza, "The Probabilistic Relevance Framework" (2009); SQLite has k1 = 1.2, b = 0.75.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from longdoc.retrieval.terms import is_beginning

TOKENIZER: Final = "ascii tokenchars '.,:/|-'"
"""Takes the terms of `terms.py`, parted by spaces, as they are."""
_LEAST_WEIGHT = 1e-6
"""Of a term that more than half of the texts have."""
_SATURATED = 2.2
"""k1 + 1: the weights of a term that stands infinitely often in a text."""


def phrase(*terms: str) -> str:
    """What finds these terms one after the other."""
    return f'"{" ".join(terms)}"' + ("*" if len(terms) == 1 and is_beginning(terms[0]) else "")


def most(having: Iterable[int], total: int) -> float:
    """The least upper bound of the BM25 of a text, and no less than for one word that one text has.

    `having` tells for each term asked for how many texts of all have it.
    """
    return _SATURATED * max(math.fsum(_weight(count, total) for count in having), _weight(1, total))


def _weight(having: int, total: int) -> float:
    """By FTS5's own formula: of a term that so many of all texts have."""
    return max(_LEAST_WEIGHT, math.log((total - having + 0.5) / (having + 0.5)))
