"""ROUGE-1 and ROUGE-L, F-measures without stemming, as LaMP counts them.

Source: Lin, "ROUGE" (2004), in the tokens of the published package `rouge-score`: runs of ASCII letters and digits of
the text in lower case. A text without any, as in other scripts, scores 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_TOKEN = re.compile(r"[a-z0-9]+")


def rouge_1(reference: str, text: str) -> float:
    """How many words both have, each as often as both have it; 0 to 1."""
    wanted, given = _tokens(reference), _tokens(text)
    return _f_measure((Counter(wanted) & Counter(given)).total(), len(wanted), len(given))


def rouge_l(reference: str, text: str) -> float:
    """How long the longest sequence of words is that both have in this order; 0 to 1."""
    wanted, given = _tokens(reference), _tokens(text)
    return _f_measure(_longest_common(wanted, given), len(wanted), len(given))


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text.lower())


def _f_measure(shared: int, wanted: int, given: int) -> float:
    if not shared:
        return 0.0
    precision, recall = shared / given, shared / wanted
    return 2 * precision * recall / (precision + recall)


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, candidate in enumerate(other, 1):
            before, row[place] = row[place], before + 1 if word == candidate else max(row[place], row[place - 1])
    return row[-1]
