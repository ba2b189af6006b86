"""Glyphs of a PDF page, read from pdfium and grouped into runs.

Owns characters (ligatures, surrogates, what has no Unicode), font properties and the direction of writing. Callers
hold the lock of `pdf/source.py`.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pypdfium2 ships no types; nothing untyped leaves this module.

from __future__ import annotations

import ctypes
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

import pypdfium2
from pypdfium2 import raw

_FIXED_PITCH = 1
_NAME_BYTES = 256
_MONO_NAMES = ("mono", "courier", "typewriter", "consol", "cmtt", "sftt", "menlo")
_WIDTH_SAMPLE = "iltr.mwaenosMW"
_WIDTHS_NEEDED = 4
_HYPHEN_AT_LINE_END = (0x2, 0xFFFE)
"""What pdfium gives in place of a hyphen that ends a line, without a line end after it."""
_SPACES = (9, 32, 160)
_LINE_ENDS = (10, 13)
_FIRST_VISIBLE = 33
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


@dataclass(slots=True)
class _OpenRun:
    """A run being read, measured along its own direction of writing."""

    style: _Style
    left: float
    right: float
    characters: list[str] = field(default_factory=list[str])


class _Pointer(Protocol):
    """A handle of pdfium, passed around unopened."""

    @property
    def contents(self) -> ctypes.Structure: ...


def read_runs(textpage: pypdfium2.PdfTextPage) -> tuple[tuple[Run, ...], ...]:
    """The runs of a page, grouped into lines as pdfium sees them."""
    lines = _PageReader(textpage).lines()
    quarters: Counter[int] = Counter()
    for line in lines:
        for run in line:
            quarters[run.style.quarter] += len(run.characters)
    main = max(quarters, key=lambda quarter: quarters[quarter], default=0)
    return tuple(tuple(_closed(run, main) for run in line) for line in lines)


def _closed(run: _OpenRun, main: int) -> Run:
    text = "".join(run.characters).translate(_LIGATURES)
    if any("\ud800" <= character <= "\udfff" for character in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    style = run.style
    return Run(text, run.left, run.right, style.baseline, style.size, style.mono, style.quarter != main)


class _PageReader:
    """Reads one page glyph by glyph; what text objects and fonts say is asked once for each."""

    def __init__(self, textpage: pypdfium2.PdfTextPage) -> None:
        self._textpage = textpage
        self._handle = textpage.raw
        self._styles: dict[int, _Style] = {}
        self._mono: dict[int, bool] = {}
        self._box = raw.FS_RECTF()
        self._box_reference = ctypes.byref(self._box)
        self._line: list[_OpenRun] = []

    def lines(self) -> list[list[_OpenRun]]:
        """Lines in pdfium's order, without empty ones."""
        lines: list[list[_OpenRun]] = []
        for index in range(self._textpage.count_chars()):
            code = raw.FPDFText_GetUnicode(self._handle, index)
            hyphen = code in _HYPHEN_AT_LINE_END
            if code in _SPACES:
                self._add_space()
            elif hyphen or code >= _FIRST_VISIBLE:
                self._add(index, "-" if hyphen else chr(code))
            if (hyphen or code in _LINE_ENDS) and self._line:
                lines.append(self._line)
                self._line = []
        return [*lines, self._line] if self._line else lines

    def _add_space(self) -> None:
        """A space belongs to the run before it."""
        if self._line:
            self._line[-1].characters.append(" ")

    def _add(self, index: int, text: str) -> None:
        """Add a glyph to the last run, or begin one where style or a wide gap parts them."""
        text_object = raw.FPDFText_GetTextObject(self._handle, index)
        key = _address(text_object)
        style = self._styles.get(key)
        if style is None:
            style = self._styles[key] = self._style(index, self._is_mono(text_object))
        raw.FPDFText_GetLooseCharBox(self._handle, index, self._box_reference)
        start, end = self._extent(style.quarter)
        run = self._line[-1] if self._line else None
        if (
            run is None
            or (run.style is not style and run.style != style)
            or start - run.right > _SPLIT_GAP * style.size
        ):
            run = _OpenRun(style, start, end)
            self._line.append(run)
        run.characters.append(text)
        run.left = min(run.left, start)
        run.right = max(run.right, end)

    def _extent(self, quarter: int) -> tuple[float, float]:
        """Where the glyph in the box begins and ends along a direction of writing."""
        box = self._box
        if quarter == 0:
            return box.left, box.right
        if quarter == 1:
            return box.bottom, box.top
        return (-box.right, -box.left) if quarter == 2 else (-box.top, -box.bottom)

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


def _address(pointer: _Pointer | None) -> int:
    """Where a handle points to, 0 for none: enough to tell handles apart while a page is open."""
    return ctypes.addressof(pointer.contents) if pointer else 0


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
