"""How alike a short answer and a reference are, by their words: exact match and F1 over tokens, as SQuAD counts them.

Sources: Rajpurkar et al., "SQuAD" (EMNLP 2016), and "Know What You Don't Know" (ACL 2018), whose `evaluate-v2.0.py`
also says what an empty answer is worth. Punctuation beyond ASCII, and Chinese by characters: Lewis et al., "MLQA"
(ACL 2020), `mlqa_evaluation_v1.py`. Whether a reply holds an answer somewhere is `answer_match.py`.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter

from longdoc.retrieval.scripts import SPACELESS

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_TOKEN = re.compile(rf"[{SPACELESS}]|[^\s{SPACELESS}]+")


def exact(answer: str, reference: str) -> bool:
    """Whether they are the same but for case, punctuation, English articles and spaces.

    Texts of nothing else ("The …") are as good as empty ones, and equal to these.
    """
    return _tokens(answer) == _tokens(reference)


def token_f1(answer: str, reference: str) -> float:
    """The harmonic mean of the shares of tokens of both that the other one has too, each as often as it has it.

    Normalised as for `exact`; 0 to 1. Where either has no tokens, 1 if both have none, else 0.
    """
    given, wanted = _tokens(answer), _tokens(reference)
    if not given or not wanted:
        return float(given == wanted)
    return 2 * (Counter(given) & Counter(wanted)).total() / (len(given) + len(wanted))


def _tokens(text: str) -> list[str]:
    """Words, and the characters of scripts that put no spaces between words; full-width digits are digits."""
    lowered = unicodedata.normalize("NFKC", text).lower()
    return _TOKEN.findall(_ARTICLES.sub(" ", "".join(char for char in lowered if not _is_punctuation(char))))


def _is_punctuation(char: str) -> bool:
    return char in string.punctuation or unicodedata.category(char).startswith("P")
