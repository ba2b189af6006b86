"""From bytes to characters: which encoding a text is in.

Owns the order of trust: byte order mark, UTF-8 if it decodes, what the text declares, UTF-16 by its zeros,
Western European, a guess. Markup and layout are the readers' own.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 1 << 16
_WESTERN_SHARE = 0.05
"""Western European text has fewer bytes over 127 than this share; other scripts and languages have more."""
_DAMAGED_SHARE = 0.02
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
_AROUND = 256
_CHARSETS = re.compile(
    r"utf[-_]?(8|16|32)|iso[-_]?(8859|2022)|windows|cp\d|koi8|gb|big5|euc|shift|sjis|ms\d|mac|tis|l\d|johab|hz|ks_",
    re.IGNORECASE,
)
"""Names of encodings of real texts; Python knows others, some of them slow on purpose-made input."""
_HIGH_BYTES = bytes(range(128, 256))
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)|<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]+)""",
    re.IGNORECASE,
)
_BROWSER_NAMES = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "ascii": "cp1252"}
"""Names that pages use for Windows' superset of them."""


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The text of these bytes, without byte order mark; bytes that fit nothing become U+FFFD."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_other(data, declared)
    wide = _wide_encoding(data)
    return data.decode(wide, "replace") if wide else text


def declared_encoding(data: bytes) -> str | None:
    """The encoding that an XML declaration or a `meta` element near the start names."""
    match = _DECLARED.search(data[:2048])
    return (match[1] or match[2]).decode("ascii") if match else None


def _decode_other(data: bytes, declared: str | None) -> str:
    named = _BROWSER_NAMES.get((declared or "").lower(), declared or "")
    if _CHARSETS.match(named):
        try:
            return data.decode(named)
        except (LookupError, UnicodeError):
            pass
    wide = _wide_encoding(data)
    return data.decode(wide, "replace") if wide else _decode_bytewise(data)


def _wide_encoding(data: bytes) -> str | None:
    """UTF-16 without a mark, known by zeros at every other byte."""
    sample = data[:_SAMPLE]
    half = len(sample) // 2
    if half < 2:
        return None
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if odd > half * 0.2 and even < odd * 0.1:
        return "utf-16-le"
    if even > half * 0.2 and odd < even * 0.1:
        return "utf-16-be"
    return None


def _decode_bytewise(data: bytes) -> str:
    sample = data[:_SAMPLE] if len(data) <= _SAMPLE else _telling_sample(data)
    damaged = _damaged_utf8(data)
    if damaged is not None:
        return damaged
    if _high_share(sample) < _WESTERN_SHARE:
        return _western(data)
    best = from_bytes(sample).best()
    if best is None:
        return _western(data)
    try:
        return data.decode(best.encoding, "replace")
    except LookupError:
        return _western(data)


def _telling_sample(data: bytes) -> bytes:
    """The start of the data, and what stands around further bytes that are not plain ASCII."""
    pieces = [data[: _SAMPLE // 2]]
    position = _SAMPLE // 2
    while len(pieces) * _AROUND < _SAMPLE and (match := _HIGH_BYTE.search(data, position)):
        pieces.append(data[match.start() : match.start() + _AROUND])
        position = match.start() + _AROUND
    return b"\n".join(pieces)


def _high_share(sample: bytes) -> float:
    return 1 - len(sample.translate(None, _HIGH_BYTES)) / max(1, len(sample))


def _damaged_utf8(data: bytes) -> str | None:
    """UTF-8 with a few bad bytes in it; None where most of what is not ASCII is no UTF-8."""
    text = data.decode("utf-8", "replace")
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text if text.count("\ufffd") <= beyond_ascii * _DAMAGED_SHARE else None


def _western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")
