"""Lines of a page from its runs, in reading order.

Owns what stands on one line (raised and lowered characters included), how wide gaps are kept, and the order of
lines where the page draws them out of order. Which lines belong together is `pdf/paragraphs.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longdoc.documents.pdf.glyphs import Run

_SPACE_GAP = 0.17
_CELL_GAP = 1.6
"""Gaps between runs, in sizes of the font, that are a space and the border of a cell."""
_RAISED = 0.2
_SMALLER = 0.85
_ASCENT, _DESCENT = 0.7, 0.2
_MOST_STRETCHES = 400
_MOST_RUNS = 2_000
_WORD = re.compile(r"[^\W_]{2}")
_MARK = re.compile(r"\s*(\d{1,3}|[*†‡§]{1,3})\s*")


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line; wide gaps in it are tabs. `page` is counted from 1, measures are as in `Run`.

    `marks` are raised numbers in it: where each begins in `text`, and the number as it stands.
    """

    text: str
    page: int
    left: float
    right: float
    baseline: float
    size: float
    mono: bool = False
    marks: tuple[tuple[int, str], ...] = ()
    turned: bool = False

    @property
    def bottom(self) -> float:
        """The lower edge of its letters."""
        return self.baseline - _DESCENT * self.size

    @property
    def top(self) -> float:
        """The upper edge of its letters."""
        return self.baseline + _ASCENT * self.size


def page_lines(runs: Sequence[Sequence[Run]], page: int) -> list[Line]:
    """The lines of one page in reading order; what is written in another direction comes last."""
    straight = [[run for run in line if not run.turned] for line in runs]
    turned = [[run for run in line if run.turned] for line in runs]
    lines = [_line(group, page) for group in _visual_lines(line for line in straight if line)]
    aside = [_line(line, page) for line in turned if line]
    return [line for line in (*_reading_order(lines), *aside) if line.text]


def _visual_lines(lines: Iterator[list[Run]]) -> Iterator[list[Run]]:
    """Join what pdfium parts because it is raised, lowered or far to the right, but stands on one line."""
    current: list[Run] = []
    for runs in lines:
        if current and _continues(current, runs):
            current.extend(runs)
            continue
        if current:
            yield current
        current = list(runs)
    if current:
        yield current


def _continues(line: Sequence[Run], runs: Sequence[Run]) -> bool:
    last, first = line[-1], runs[0]
    if len(line) > _MOST_RUNS or first.left < max(run.right for run in line) - 0.3 * first.size:
        return False
    main = _main_run(line)
    overlap = min(_top(main), _top(first)) - max(_bottom(main), _bottom(first))
    return overlap > 0.5 * min(main.size, first.size, last.size) * (_ASCENT + _DESCENT)


def _top(run: Run) -> float:
    return run.baseline + _ASCENT * run.size


def _bottom(run: Run) -> float:
    return run.baseline - _DESCENT * run.size


def _main_run(runs: Sequence[Run]) -> Run:
    """A run in the size and on the baseline that most of the line has."""
    weights: Counter[tuple[float, float]] = Counter()
    for run in runs:
        weights[run.size, run.baseline] += len(run.text)
    size, baseline = max(weights, key=lambda key: (weights[key], key[0]))
    return next(run for run in runs if run.size == size and run.baseline == baseline)


def _line(runs: Sequence[Run], page: int) -> Line:
    main = _main_run(runs)
    text = ""
    marks: list[tuple[int, str]] = []
    for index, run in enumerate(runs):
        text += _gap(runs[index - 1], run, text) if index else ""
        if mark := _mark(run, main):
            marks.append((len(text), mark))
        text += run.text
    letters = [run for run in runs if run.text.strip()]
    return Line(
        text=text.rstrip(),
        page=page,
        left=min(run.left for run in runs),
        right=max(run.right for run in runs),
        baseline=main.baseline,
        size=main.size,
        mono=bool(_WORD.search(text)) and all(run.mono for run in letters),
        marks=tuple(marks),
        turned=main.turned,
    )


def _gap(before: Run, after: Run, text: str) -> str:
    gap = after.left - before.right
    size = max(before.size, after.size)
    if gap > _CELL_GAP * size:
        return "\t"
    return " " if gap > _SPACE_GAP * min(before.size, after.size) and not text.endswith(" ") else ""


def _mark(run: Run, main: Run) -> str:
    """The number or sign of a run that is smaller and raised, as calls of notes are; else nothing."""
    if run.size > _SMALLER * main.size or run.baseline < main.baseline + _RAISED * main.size:
        return ""
    match = _MARK.fullmatch(run.text)
    return match[1] if match else ""


def _reading_order(lines: list[Line]) -> list[Line]:
    """Keep the page's own order, but move what stands wholly above something that was drawn before it."""
    stretches = _falling_stretches(lines)
    if len(stretches) > _MOST_STRETCHES:
        return lines
    placed: list[_Stretch] = []
    for stretch in stretches:
        index = next((i for i, other in enumerate(placed) if _stands_above(stretch, other)), len(placed))
        placed.insert(index, stretch)
    return [line for stretch in placed for line in stretch.lines]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Lines that follow each other down the page, and the box around them."""

    lines: tuple[Line, ...]
    left: float
    right: float
    bottom: float
    top: float


def _stands_above(one: _Stretch, other: _Stretch) -> bool:
    across = min(one.right, other.right) - max(one.left, other.left)
    return across > 0 and one.bottom >= other.top


def _falling_stretches(lines: Sequence[Line]) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    current: list[Line] = []
    for line in lines:
        if current and line.baseline > current[-1].baseline + 0.5 * line.size:
            stretches.append(_stretch(current))
            current = []
        current.append(line)
    if current:
        stretches.append(_stretch(current))
    return stretches


def _stretch(lines: Sequence[Line]) -> _Stretch:
    return _Stretch(
        lines=tuple(lines),
        left=min(line.left for line in lines),
        right=max(line.right for line in lines),
        bottom=min(line.bottom for line in lines),
        top=max(line.top for line in lines),
    )
