"""Evidence given as text: how much of it is found in what was selected, however it is spaced.

Source: LooGLE (Li et al., 2023, arXiv 2311.04939), whose evidence is stored without spaces in places. Evidence given by
its place in the text is measured in `recall.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_WORD = re.compile(r"\w+")
_LEAST_SHARE = 0.9
"""What share of the words of a piece of evidence must be found, in order."""
_STRETCH = 1.25
"""In how many words they must be found, of those that the evidence has: far apart, they agree by chance."""


def evidence_recall(evidence: Sequence[str], selected: Sequence[str]) -> float:
    """The share of pieces of evidence that are found in any of the texts selected. Raises `ValueError` for none."""
    if not evidence:
        raise ValueError("there is no evidence to be found")
    return sum(any(holds_evidence(text, piece) for text in selected) for piece in evidence) / len(evidence)


def holds_evidence(text: str, evidence: str) -> bool:
    """Whether a text holds a piece of evidence: the same but for white space and case, else nine words in ten in order.

    Blank evidence is in no text.
    """
    wanted = _bare(evidence)
    if not wanted:
        return False
    if wanted in _bare(text):
        return True
    return _holds_words(_words(text), _words(evidence))


def _bare(text: str) -> str:
    return "".join(text.split()).casefold()


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _holds_words(text: Sequence[str], wanted: Sequence[str]) -> bool:
    least = len(wanted) * _LEAST_SHARE
    if not wanted or (Counter(text) & Counter(wanted)).total() < least:
        return False
    size = int(len(wanted) * _STRETCH) + 1
    step = max(1, len(wanted) // 8)
    windows = (text[start : start + size] for start in range(0, max(1, len(text) - len(wanted) + step), step))
    return any(
        (Counter(window) & Counter(wanted)).total() >= least and _common_length(window, wanted) >= least
        for window in windows
    )


def _common_length(a: Sequence[str], b: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for word in a:
        before = 0
        for number, other in enumerate(b, 1):
            above = row[number]
            row[number] = before + 1 if word == other else max(above, row[number - 1])
            before = above
    return row[-1]
