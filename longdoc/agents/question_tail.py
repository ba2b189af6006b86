"""A question at the end of a text: what comes of a program that sends one blob.

Source: XL3M (2024, arXiv 2405.17755), which takes the last tokens of the input as the question; that these are the
last paragraph, of at most 128 tokens, is our own.
"""

from __future__ import annotations

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.tokens import estimate_tokens

_MOST_TOKENS = 128


def question_tail(text: str) -> int:
    """Where the question at the end of a text begins: its last paragraph, or the last sentences of a long one."""
    end = len(text.rstrip())
    start = max(text.rfind("\n\n", 0, end) + 2, 0) if "\n\n" in text[:end] else 0
    start += len(text[start:end]) - len(text[start:end].lstrip())
    if estimate_tokens(text[start:end]) <= _MOST_TOKENS:
        return start
    spans = sentence_spans(text[start:end])
    question = start + spans[-1][0]
    for first, _ in reversed(spans):
        if estimate_tokens(text[start + first : end]) > _MOST_TOKENS:
            break
        question = start + first
    return question
