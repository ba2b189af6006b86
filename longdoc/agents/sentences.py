"""Whether a text ends as a text should, and how to make one end so."""

from __future__ import annotations

import re

_MARKS = ".!?…‽।॥؟۔։။។፧።"
_CLOSING = "\"'”’»)\\]*_"
_ENDED = re.compile(rf"[{_MARKS}。！？][{_CLOSING}」』]*$")
_END = re.compile(rf"[{_MARKS}][{_CLOSING}]*(?=\s)|[。！？][」』]*")
_UNMARKED = re.compile(r"[\u0e00-\u0eff][\"'”’)]*$")
"""Thai and Lao end their sentences without a mark, with a space at most."""


def ends_in_sentence(text: str) -> bool:
    """Whether the text ends with a finished sentence: with a mark of its script, where the script has one."""
    text = text.rstrip()
    return _ENDED.search(text) is not None or _UNMARKED.search(text) is not None


def cut_to_sentence(text: str) -> str:
    """The text up to its last finished sentence; all of it where it holds none."""
    text = text.rstrip()
    if ends_in_sentence(text):
        return text
    ends = [match.end() for match in _END.finditer(text)]
    return text[: ends[-1]] if ends else text
