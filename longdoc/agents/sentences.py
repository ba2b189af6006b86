"""Whether a text ends as a text should, and how to make one end so."""

from __future__ import annotations

import re

_ENDED = re.compile(r"[.!?…‽。！？।॥؟۔][\"'”’»)\]」』*_]*$")
_END = re.compile(r"[.!?…‽।॥؟۔][\"'”’»)\]*_]*(?=\s)|[。！？][」』]*")


def ends_in_sentence(text: str) -> bool:
    """Whether the text ends with a finished sentence, in Latin, Chinese, Japanese, Indic or Arabic punctuation."""
    return _ENDED.search(text.rstrip()) is not None


def cut_to_sentence(text: str) -> str:
    """The text up to its last finished sentence; all of it where it holds none."""
    text = text.rstrip()
    if ends_in_sentence(text):
        return text
    ends = [match.end() for match in _END.finditer(text)]
    return text[: ends[-1]] if ends else text
