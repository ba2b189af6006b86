"""The normal form of text inside a document: NFC, no invisible control characters, white space collapsed.

Owns what characters survive; how blocks are joined is `builder.py`.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata

_DROPPED = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\ufeff\ufffe\uffff]")
"""Control characters that are not white space, soft hyphens, byte order marks, non-characters."""
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")
_BLANK_LINES = re.compile("\n{3,}")


def normal_text(text: str) -> str:
    """NFC, runs of white space as one space, except that line breaks are kept (one at a time)."""
    text = _clean(text)
    if "\n" not in text:
        return " ".join(text.split())
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def normal_code(text: str) -> str:
    """NFC with white space as it stands: only common indentation, line ends and outer blank lines go."""
    lines = [line.rstrip() for line in _clean(text).expandtabs().split("\n")]
    return _BLANK_LINES.sub("\n\n", textwrap.dedent("\n".join(lines)).strip())


def normal_rows(text: str) -> str:
    """Like `normal_text`, with tabs kept between the cells of a line."""
    rows = ("\t".join(" ".join(cell.split()) for cell in row.split("\t")) for row in _clean(text).split("\n"))
    return "\n".join(row.rstrip() for row in rows if row.strip()).strip()


def normal_line(text: str) -> str:
    """Like `normal_text`, on one line."""
    return " ".join(_clean(text).split())


def _clean(text: str) -> str:
    if not text.isascii():
        text = _LONE_SURROGATE.sub("\ufffd", text)
        text = unicodedata.normalize("NFC", text)
    return _LINE_END.sub("\n", _DROPPED.sub("", text))
