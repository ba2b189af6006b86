"""Where the sections of a PDF begin: bookmarks found in the text, printed contents, headings by size.

Owns matching titles with lines; nesting is `outline.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from longdoc.documents.pdf.lines import Line
from longdoc.documents.pdf.source import Bookmark

_MOST_LINES = 5
_PAGES_AHEAD = 100
_NUMBERING = re.compile(
    r"(?:(?:chapter|part|section|appendix|kapitel|teil|abschnitt|anhang|chapitre|partie|annexe)?"
    r"(?:[0-9]{0,8}|[ivxlc]{0,7}|[a-z]?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))"
)
_HEADING_SIZE = 1.15
_LONGEST_HEADING = 180
_MOST_HEADINGS_A_PAGE = 4
_MOST_LEVELS = 6


@dataclass(frozen=True, slots=True)
class FoundHeading:
    """A heading found in the text: its lines (none where only the place is known) and where it begins."""

    title: str
    depth: int
    lines: tuple[Line, ...]
    start: Line | None


def find_bookmarks(bookmarks: Sequence[Bookmark], pages: Sequence[Sequence[Line]]) -> list[FoundHeading]:
    """For each bookmark the lines of its heading, or else the line at which its target stands."""
    by_page: defaultdict[int, list[Line]] = defaultdict(list)
    for lines in pages:
        for line in lines:
            by_page[line.page].append(line)
    taken: set[int] = set()
    found: list[FoundHeading] = []
    for bookmark in bookmarks:
        heading = _find(bookmark, by_page, taken)
        taken.update(id(line) for line in heading.lines)
        found.append(heading)
    return found


def _find(bookmark: Bookmark, by_page: Mapping[int, Sequence[Line]], taken: set[int]) -> FoundHeading:
    if bookmark.page is None:
        return FoundHeading(bookmark.title, bookmark.depth, (), None)
    lines = by_page.get(bookmark.page, ())
    place = _place(lines, bookmark.top)
    heading = _nearest(bookmark, lines, place, taken)
    if heading is None and place > len(lines) // 3:
        heading = _nearest(bookmark, by_page.get(bookmark.page + 1, ()), 0, taken)
    return heading or FoundHeading(bookmark.title, bookmark.depth, (), _line_at(bookmark.page, place, by_page))


def _nearest(bookmark: Bookmark, lines: Sequence[Line], place: int, taken: set[int]) -> FoundHeading | None:
    """The lines with the bookmark's title that are nearest to its target."""
    spans = [span for span in _matching_spans(bookmark.title, lines) if id(lines[span[0]]) not in taken]
    if not spans:
        return None
    start, end = min(spans, key=lambda span: abs(span[0] - place))
    begin = place if place < start and _leads_up(lines[place:start], lines[start]) else start
    return FoundHeading(bookmark.title, bookmark.depth, tuple(lines[start:end]), lines[begin])


def _line_at(page: int, place: int, by_page: Mapping[int, Sequence[Line]]) -> Line | None:
    """The line at a place of a page, or the first one on the pages after it."""
    lines = by_page.get(page, ())
    if place < len(lines):
        return lines[place]
    following = next((number for number in range(page + 1, page + _PAGES_AHEAD) if by_page.get(number)), None)
    return None if following is None else by_page[following][0]


def _place(lines: Sequence[Line], top: float | None) -> int:
    """The index of the first line at or below a height."""
    if top is None:
        return 0
    return next((i for i, line in enumerate(lines) if line.baseline <= top + 0.2 * line.size), len(lines))


def _leads_up(lines: Sequence[Line], heading: Line) -> bool:
    """Whether lines are the head of a heading ("Chapter", "One"): few, short, and as large or nearly."""
    return 0 < len(lines) <= 3 and all(len(line.text) <= 30 and line.size > 0.8 * heading.size for line in lines)


def _matching_spans(title: str, lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    wanted = _letters(title)
    if not wanted:
        return
    for start in range(len(lines)):
        joined = ""
        for end in range(start + 1, min(start + _MOST_LINES, len(lines)) + 1):
            joined += _letters(lines[end - 1].text)
            if _same_title(joined, wanted):
                yield start, end
                break
            if len(joined) > len(wanted) + 24:
                break


def _same_title(text: str, title: str) -> bool:
    """Equal up to numbering that only one of them has."""
    if text == title:
        return True
    longer, shorter = (text, title) if len(text) > len(title) else (title, text)
    if not shorter or not longer.endswith(shorter):
        return False
    return bool(_NUMBERING.fullmatch(longer[: -len(shorter)]))


def _letters(text: str) -> str:
    """Letters and digits only, so that quotes, dashes and spaces cannot differ."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if character.isalnum())


def headings_by_size(pages: Sequence[Sequence[Line]], body_size: float) -> list[FoundHeading]:
    """Headings of a document without bookmarks: short lines in clearly larger letters, larger ones outside.

    Careful on purpose: where many large lines stand on a page (posters, slides), there are none.
    """
    groups = [group for lines in pages for group in _large_groups(lines, body_size)]
    written = sum(1 for lines in pages if lines)
    if not groups or len(groups) > _MOST_HEADINGS_A_PAGE * written + 2:
        return []
    sizes = sorted({round(group[0].size) for group in groups}, reverse=True)[:_MOST_LEVELS]
    depths = {size: depth for depth, size in enumerate(sizes)}
    deepest = len(sizes) - 1
    return [
        FoundHeading(
            title=" ".join(line.text for line in group),
            depth=depths.get(round(group[0].size), deepest),
            lines=tuple(group),
            start=group[0],
        )
        for group in groups
    ]


def _large_groups(lines: Sequence[Line], body_size: float) -> Iterator[list[Line]]:
    group: list[Line] = []
    for line in lines:
        if group and not _belongs(group[-1], line):
            yield from _as_heading(group)
            group = []
        if line.size >= _HEADING_SIZE * body_size and not line.mono and not line.turned:
            group.append(line)
    yield from _as_heading(group)


def _belongs(above: Line, below: Line) -> bool:
    gap = above.baseline - below.baseline
    return abs(above.size - below.size) < 0.5 and 0 < gap < 1.6 * below.size


def _as_heading(group: list[Line]) -> Iterator[list[Line]]:
    text = " ".join(line.text for line in group)
    if len(group) <= _MOST_LINES and 2 < len(text) <= _LONGEST_HEADING and sum(map(str.isalpha, text)) > 2:
        yield group


def title_heading(headings: Sequence[FoundHeading], pages: Sequence[Sequence[Line]]) -> FoundHeading | None:
    """The heading that names the whole document: first in it, and the only one of its size."""
    if len(headings) < 2 or not headings[0].lines:
        return None
    first = headings[0]
    sizes = Counter(round(heading.lines[0].size) for heading in headings)
    opening = next((line for lines in pages for line in lines), None)
    size = round(first.lines[0].size)
    return first if sizes[size] == 1 and size == max(sizes) and first.start is opening else None
