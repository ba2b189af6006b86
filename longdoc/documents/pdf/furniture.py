"""Running heads, running feet and page numbers: which lines of a PDF are not its text.

Owns only this decision. A line goes where it stands at the edge of its page and either repeats on other pages
(digits aside) at the same height, or counts the pages.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from longdoc.documents.pdf.lines import Line

_ROWS_AT_EDGE = 2
_SAME_HEIGHT = 4.0
_GAP = 1.25
"""A head or foot stands apart from the text by at least this many times the usual distance of lines."""
_LARGEST = 1.25
"""Lines in larger letters than this, in sizes of the body, are headings even where they repeat ("Chapter")."""
_DIGITS = re.compile(r"\d+")
_ONLY_NUMBER = re.compile(
    r"[-–—|\[(.\s]*(?:page|seite|pagina|página|p\.|s\.)?\s*(\d{1,5}|[ivxlcdm]{1,8})"
    r"\s*(?:(?:/|of|von|de|sur|di)\s*\d{1,5})?[-–—|\]).\s]*",
    re.IGNORECASE,
)
_NUMBER_AT_EDGE = re.compile(r"^(\d{1,5}|[ivxlcdm]{1,8})\s|\s(\d{1,5}|[ivxlcdm]{1,8})$", re.IGNORECASE)
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100, "d": 500, "m": 1000}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A line at an edge of a page; `apart` tells that a gap parts it from the text."""

    page: int
    line: Line
    top: bool
    apart: bool

    @property
    def key(self) -> str:
        return _DIGITS.sub("#", " ".join(self.line.text.split()).casefold())

    def numbers(self) -> Iterator[tuple[int, bool]]:
        """Numbers it could count pages with, and whether they are roman."""
        text = " ".join(self.line.text.split())
        only = _ONLY_NUMBER.fullmatch(text)
        found = [only[1]] if only else [a or b for a, b in _NUMBER_AT_EDGE.findall(text)]
        for number in found:
            if number.isdigit():
                yield int(number), False
            elif value := _roman_value(number):
                yield value, True


def without_furniture(pages: Sequence[Sequence[Line]], body_size: float) -> list[list[Line]]:
    """The pages without running heads, feet and page numbers, in the same order.

    Where nothing else would be left (slides with one word each), everything stays.
    """
    kept = [list(lines) for lines in pages]
    for _ in range(_ROWS_AT_EDGE):
        removed = _furniture(kept, _LARGEST * body_size)
        if not removed:
            break
        kept = [[line for line in lines if id(line) not in removed] for lines in kept]
    return kept if any(kept) else [list(lines) for lines in pages]


def _furniture(pages: Sequence[Sequence[Line]], largest: float) -> set[int]:
    """Identities of lines to remove, of those that are now outermost."""
    leading = _leading(pages)
    outermost = [c for number, lines in enumerate(pages) for c in _candidates(number, lines, leading)]
    candidates = [candidate for candidate in outermost if candidate.line.size <= largest]
    written = sum(1 for lines in pages if lines)
    chosen = {
        *_page_numbers(candidates, written),
        *_repeated(candidates, written),
    }
    chosen |= _same_place(candidates, chosen)
    return {id(candidates[index].line) for index in chosen}


def _leading(pages: Sequence[Sequence[Line]]) -> float:
    """The usual distance between baselines."""
    gaps = Counter(
        round(above.baseline - below.baseline)
        for lines in pages
        for above, below in pairwise(lines)
        if above.baseline - below.baseline > 1
    )
    return float(gaps.most_common(1)[0][0]) if gaps else 12.0


def _candidates(page: int, lines: Sequence[Line], leading: float) -> Iterator[_Candidate]:
    """The outermost lines of a page, at its top and at its bottom."""
    straight = [line for line in lines if not line.turned]
    if not straight:
        return
    heights = sorted({line.baseline for line in straight})
    for edge, top in ((heights[-1], True), (heights[0], False)):
        row = [line for line in straight if abs(line.baseline - edge) < 2]
        others = [abs(line.baseline - edge) for line in straight if abs(line.baseline - edge) >= 2]
        apart = not others or min(others) > _GAP * leading
        for line in row:
            yield _Candidate(page, line, top, apart)


def _page_numbers(candidates: Sequence[_Candidate], written: int) -> set[int]:
    """Candidates that count pages: the same difference from the page's place on many pages."""
    pages_by_offset: dict[tuple[int, bool], set[int]] = defaultdict(set)
    for candidate in candidates:
        for number, roman in candidate.numbers():
            pages_by_offset[number - candidate.page, roman].add(candidate.page)
    counting = {
        offset for offset, pages in pages_by_offset.items() if len(pages) >= max(2, 0 if offset[1] else written // 5)
    }
    if written == 1:
        counting.add((1, False))
    strong = {offset for offset in counting if len(pages_by_offset[offset]) >= max(3, written // 3)}
    chosen: set[int] = set()
    for index, candidate in enumerate(candidates):
        offsets = {(number - candidate.page, roman) for number, roman in candidate.numbers()}
        alone = bool(_ONLY_NUMBER.fullmatch(candidate.line.text.strip()))
        if (alone and candidate.apart and offsets & counting) or (candidate.apart and offsets & strong):
            chosen.add(index)
    return chosen


def _repeated(candidates: Sequence[_Candidate], written: int) -> set[int]:
    """Candidates whose text stands at the same height on other pages."""
    groups: dict[tuple[str, bool], list[int]] = defaultdict(list)
    for index, candidate in enumerate(candidates):
        if candidate.apart and any(character.isalpha() for character in candidate.key):
            groups[candidate.key, candidate.top].append(index)
    chosen: set[int] = set()
    for members in groups.values():
        for same in _by_height(members, candidates):
            if len({candidates[index].page for index in same}) >= (2 if written < 6 else 3):
                chosen.update(same)
    return chosen


def _by_height(members: Sequence[int], candidates: Sequence[_Candidate]) -> list[list[int]]:
    """The members in groups of nearly the same height and size."""
    groups: list[list[int]] = []
    for index in sorted(members, key=lambda i: candidates[i].line.baseline):
        line = candidates[index].line
        last = candidates[groups[-1][-1]].line if groups else None
        if last and line.baseline - last.baseline <= _SAME_HEIGHT and abs(line.size - last.size) < 0.6:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _same_place(candidates: Sequence[_Candidate], chosen: set[int]) -> set[int]:
    """Candidates that stand exactly where many of the chosen ones stand: heads of short chapters."""
    widths: defaultdict[tuple[bool, int, int], list[float]] = defaultdict(list)
    total = Counter(candidates[index].top for index in chosen)
    for index in chosen:
        line = candidates[index].line
        widths[_place(candidates[index])].append(line.right - line.left)
    found: set[int] = set()
    for index, candidate in enumerate(candidates):
        near = widths.get(_place(candidate), [])
        if index not in chosen and candidate.apart and len(near) >= max(3, total[candidate.top] // 2):
            width = candidate.line.right - candidate.line.left
            found.update({index} if width <= 2 * median(near) else ())
    return found


def _place(candidate: _Candidate) -> tuple[bool, int, int]:
    """Where a line stands, in whole points, and its size in half points."""
    return candidate.top, round(candidate.line.baseline), round(candidate.line.size * 2)


def _roman_value(text: str) -> int:
    """The value of a roman number, 0 where it is none."""
    values = [_ROMAN[character] for character in text.lower()]
    total = sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))
    return total if 0 < total < 200 else 0
