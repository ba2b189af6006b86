"""Characters that every format can hold.

Owns what is dropped or replaced before a manuscript is written; the markup of each format is its writer's.
"""

from __future__ import annotations

import re

_LINE_END = re.compile("\r\n|[\r\x85\u2028\u2029]")
_SPACES = re.compile("[\x0b\x0c\x1c-\x1f]")
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
"""Control characters and non-characters: XML 1.0 refuses most of them, and none can be seen."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(text: str) -> str:
    """The text with "\\n" line ends and without characters that XML cannot hold."""
    text = _SPACES.sub(" ", _LINE_END.sub("\n", text))
    return _LONE_SURROGATE.sub("\ufffd", _FORBIDDEN.sub("", text))


def clean_line(text: str) -> str:
    """Like `clean_text`, on one line, with runs of white space as one space."""
    return " ".join(clean_text(text).split())
