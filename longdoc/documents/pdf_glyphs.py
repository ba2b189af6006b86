"""Glyphs of a PDF page, read from pdfium and grouped into runs.

Owns characters (ligatures, surrogates, what has no Unicode), font properties and the direction of writing. Callers
hold the lock of `pdf_source.py`.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pypdfium2 ships no types; nothing untyped leaves this module.

from __future__ import annotations

import ctypes
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import pypdfium2
from pypdfium2 import raw

_FIXED_PITCH = 1
_NAME_BYTES = 256
_MONO_NAMES = ("mono", "courier", "typewriter", "consol", "cmtt", "sftt", "menlo")
_WIDTH_SAMPLE = "iltr.mwaenosMW"
_WIDTHS_NEEDED = 4
_HYPHEN_AT_LINE_END = (0x2, 0xFFFE)
"""What pdfium gives in place of a hyphen that ends a line, without a line end after it."""
_SPLIT_GAP = 1.0
"""White space wider than this, in sizes of the font, parts two runs."""
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\u00ad": "-"}
)


@dataclass(frozen=True, slots=True)
class Run:
    """Glyphs of one font on one baseline; coordinates and size are in points, `baseline` grows upwards.

    Everything is turned so that the page's main direction of writing is horizontal; `turned` marks what is
    written in another one.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    mono: bool = False
    turned: bool = False


@dataclass(frozen=True, slots=True)
class _Style:
    """What the glyphs of a run share; `quarter` counts quarter turns against the clock."""

    size: float
    mono: bool
    quarter: int
    baseline: float


@dataclass(frozen=True, slots=True)
class _Glyph:
    text: str
    style: _Style | None
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0


_Pointer: TypeAlias = ctypes.c_void_p
"""A handle of pdfium, passed around unopened."""
_LINE_END = _Glyph("\n", None)
_SPACE = _Glyph(" ", None)


def read_runs(textpage: pypdfium2.PdfTextPage) -> tuple[tuple[Run, ...], ...]:
    """The runs of a page, grouped into lines as pdfium sees them."""
    glyphs = list(_GlyphReader(textpage).glyphs())
    quarters = Counter(glyph.style.quarter for glyph in glyphs if glyph.style is not None)
    main = max(quarters, key=lambda quarter: quarters[quarter], default=0)
    lines: list[tuple[Run, ...]] = []
    line: list[_Glyph] = []
    for glyph in (*glyphs, _LINE_END):
        if glyph is not _LINE_END:
            line.append(glyph)
        elif line:
            lines.append(tuple(_runs(line, main)))
            line = []
    return tuple(runs for runs in lines if runs)


class _GlyphReader:
    """Reads one page glyph by glyph; what text objects and fonts say is asked once for each."""

    def __init__(self, textpage: pypdfium2.PdfTextPage) -> None:
        self._textpage = textpage
        self._styles: dict[int | None, _Style] = {}
        self._mono: dict[int | None, bool] = {}

    def glyphs(self) -> Iterator[_Glyph]:
        """Glyphs in pdfium's order, with `_SPACE` and `_LINE_END` for what only parts them."""
        for index in range(self._textpage.count_chars()):
            code = raw.FPDFText_GetUnicode(self._textpage, index)
            if code in _HYPHEN_AT_LINE_END:
                yield self._glyph(index, "-")
                yield _LINE_END
            elif code in (10, 13):
                yield _LINE_END
            elif code in (9, 32, 160):
                yield _SPACE
            elif code >= 32:
                yield self._glyph(index, chr(code))

    def _glyph(self, index: int, text: str) -> _Glyph:
        text_object = raw.FPDFText_GetTextObject(self._textpage, index)
        key = _address(text_object)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._style(index, self._is_mono(text_object))
        box = raw.FS_RECTF()
        raw.FPDFText_GetLooseCharBox(self._textpage, index, box)
        return _Glyph(text, style, box.left, box.right, box.bottom, box.top)

    def _style(self, index: int, mono: bool) -> _Style:
        matrix, x, y = raw.FS_MATRIX(), ctypes.c_double(), ctypes.c_double()
        raw.FPDFText_GetMatrix(self._textpage, index, matrix)
        raw.FPDFText_GetCharOrigin(self._textpage, index, x, y)
        size = raw.FPDFText_GetFontSize(self._textpage, index) * math.hypot(matrix.c, matrix.d)
        quarter = round(math.atan2(matrix.b, matrix.a) / (math.pi / 2)) % 4
        baseline = (y.value, -x.value, -y.value, x.value)[quarter]
        return _Style(round(size, 1) or 1.0, mono, quarter, round(baseline, 1))

    def _is_mono(self, text_object: _Pointer) -> bool:
        font = raw.FPDFTextObj_GetFont(text_object) if text_object else None
        key = _address(font)
        if key not in self._mono:
            self._mono[key] = font is not None and bool(font) and _has_one_width(font)
        return self._mono[key]


def _address(pointer: _Pointer | None) -> int | None:
    return ctypes.cast(pointer, ctypes.c_void_p).value if pointer else None


def _has_one_width(font: _Pointer) -> bool:
    """Whether a font is for typewriting; few say so themselves, so names and widths are asked too."""
    if raw.FPDFFont_GetFlags(font) & _FIXED_PITCH:
        return True
    buffer = ctypes.create_string_buffer(_NAME_BYTES)
    raw.FPDFFont_GetBaseFontName(font, buffer, _NAME_BYTES - 1)
    name = buffer.value.decode("utf-8", "replace").lower()
    return any(part in name for part in _MONO_NAMES) or _widths_agree(font)


def _widths_agree(font: _Pointer) -> bool:
    """Whether letters that differ in any other font are equally wide; glyphs left out of the font count for none."""
    width = ctypes.c_float()
    widths = [
        width.value
        for character in _WIDTH_SAMPLE
        if raw.FPDFFont_GetGlyphWidth(font, ord(character), 100.0, width) and width.value > 0
    ]
    return len(widths) >= _WIDTHS_NEEDED and max(widths) - min(widths) < 0.5


def _runs(line: list[_Glyph], main: int) -> Iterator[Run]:
    """Runs of one line; a space belongs to the run before it, and wide gaps part runs of one style."""
    texts: list[str] = []
    style: _Style | None = None
    left = right = 0.0
    for glyph in line:
        if glyph.style is None:
            if texts:
                texts.append(" ")
            continue
        start, end = _extent(glyph, main)
        if style is not None and (glyph.style != style or start - right > _SPLIT_GAP * style.size):
            yield _run(texts, style, left, right, main)
            texts, style = [], None
        if style is None:
            style, left, right = glyph.style, start, end
        texts.append(glyph.text)
        left, right = min(left, start), max(right, end)
    if style is not None:
        yield _run(texts, style, left, right, main)


def _run(texts: list[str], style: _Style, left: float, right: float, main: int) -> Run:
    text = "".join(texts).translate(_LIGATURES)
    if any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return Run(text, left, right, style.baseline, style.size, style.mono, style.quarter != main)


def _extent(glyph: _Glyph, main: int) -> tuple[float, float]:
    """Where a glyph begins and ends along the main direction of writing."""
    if main == 0:
        return glyph.left, glyph.right
    if main == 1:
        return glyph.bottom, glyph.top
    if main == 2:
        return -glyph.right, -glyph.left
    return -glyph.top, -glyph.bottom
