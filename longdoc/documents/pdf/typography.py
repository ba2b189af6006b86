"""How a PDF is set: its usual size of letters, distance of lines and right edges.

Owns measuring only; what follows from the measures is for `pdf/paragraphs.py` and its siblings.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from longdoc.documents.pdf.lines import Line

_EDGE_WIDTH = 1.5
_LINES_AT_EDGE = 4
_NEIGHBOURS = 10
_USUAL_LEADING = 1.2
_WIDE_WORD = 1.2
"""A word may be this much wider than the average of its line says."""
_RAGGED_SHARE = 0.12
"""Where lines end anywhere, one is full as long as less than this share of the column is free."""


class Typography:
    """Measures of a document, in points."""

    def __init__(self, pages: Sequence[Sequence[Line]]) -> None:
        self.body_size = usual_size(pages)
        self._leadings = _leadings(pages)
        self._limits: dict[int, float] = {}
        self._justified: set[int] = set()
        self._ragged: set[int] = set()
        for lines in pages:
            self._measure_edges(lines)

    def leading(self, line: Line) -> float:
        """The usual distance between baselines for lines of this size."""
        return self._leadings.get(_half_points(line.size), _USUAL_LEADING * line.size)

    def fills(self, line: Line, following: Line) -> bool:
        """Whether a line is full: the first word of the one that follows would not have fitted into it."""
        words = following.text.split()
        limit = self._limits.get(id(line))
        if not words or limit is None:
            return False
        letter = (following.right - following.left) / max(1, len(following.text))
        needed = _WIDE_WORD * letter * len(words[0]) + 0.2 * following.size
        if id(line) in self._ragged:
            needed = max(needed, _RAGGED_SHARE * (limit - line.left))
        return line.right + needed > limit - 0.5

    def is_justified(self, line: Line) -> bool:
        """Whether a line ends at an edge where many end."""
        return id(line) in self._justified

    def _measure_edges(self, lines: Sequence[Line]) -> None:
        edges = _popular_edges(lines)
        for index, line in enumerate(lines):
            place = bisect_left(edges, line.right - _EDGE_WIDTH)
            if place < len(edges):
                self._limits[id(line)] = edges[place]
                if abs(edges[place] - line.right) <= _EDGE_WIDTH:
                    self._justified.add(id(line))
            elif (edge := _edge_nearby(lines, index)) is not None:
                self._limits[id(line)] = edge
                self._ragged.add(id(line))


def _half_points(size: float) -> float:
    return round(size * 2) / 2


def usual_size(pages: Sequence[Sequence[Line]]) -> float:
    """The size in points that most of the text has."""
    weights: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            weights[_half_points(line.size)] += len(line.text)
    return weights.most_common(1)[0][0] if weights else 10.0


def _leadings(pages: Sequence[Sequence[Line]]) -> dict[float, float]:
    """For each size the commonest distance between two of its lines that follow each other."""
    found: defaultdict[float, Counter[float]] = defaultdict(Counter)
    for lines in pages:
        for above, below in pairwise(lines):
            gap = above.baseline - below.baseline
            if abs(above.size - below.size) < 0.3 and 0.8 * below.size < gap < 2.5 * below.size:
                found[_half_points(below.size)][_half_points(gap)] += 1
    return {size: _commonest_tight(gaps) for size, gaps in found.items()}


def _commonest_tight(gaps: Counter[float]) -> float:
    """The smallest distance among those nearly as common as the commonest."""
    most = max(gaps.values())
    return min(gap for gap, count in gaps.items() if count * 3 >= most)


def _popular_edges(lines: Sequence[Line]) -> list[float]:
    """Right edges at which several lines end, from left to right."""
    rights = sorted(line.right for line in lines if not line.turned)
    edges: list[float] = []
    start = 0
    for index in range(1, len(rights) + 1):
        if index == len(rights) or rights[index] - rights[index - 1] > _EDGE_WIDTH / 2:
            if index - start >= max(_LINES_AT_EDGE, len(rights) // 10):
                edges.append(rights[index - 1])
            start = index
    return edges


def _edge_nearby(lines: Sequence[Line], index: int) -> float | None:
    """The rightmost end among the lines around that share the column, None for a line alone in it."""
    line = lines[index]
    around = lines[max(0, index - _NEIGHBOURS) : index + _NEIGHBOURS + 1]
    ends = [other.right for other in around if other.left < line.right and other.right > line.left]
    return max(ends) if len(ends) > 1 else None
