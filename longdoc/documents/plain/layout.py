"""The layout of plain text: which lines make a paragraph, and whether its line ends mean anything.

Owns paragraphs, wrapping, verse and lists, all linear in the text. What is a heading is `plain/headings.py`.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

_BULLET = re.compile(r"(?:[*•·‣▪–-]|\(?\d{1,3}[.)])\s+\S")
_WIDEST_VERSE = 120
_LONGEST_STANZA = 60
_NARROWEST_WRAP = 40
_SAMPLED_LINES = 20_000
_JUDGED_LINES = 200
_FILLED = 0.8
"""A line is full when the next word would take it past this share of the usual width."""
_MOSTLY = 0.7
_FEWEST_JUDGED = 4
_SENTENCE_END = (".", "!", "?", ":", ";", "”", '"', "»", "。", "！", "？", "」", "।")


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Runs of lines that are not blank: run i is `text[starts[i]:ends[i]]`, without the last line end."""

    text: str
    starts: array[int]
    ends: array[int]

    def __len__(self) -> int:
        return len(self.starts)

    def lines(self, index: int, at_most: int | None = None) -> list[str]:
        """The lines of a run, stripped; only the first ones where a number is given."""
        found: list[str] = []
        for line in self.raw_lines(index):
            found.append(line.strip())
            if at_most is not None and len(found) >= at_most:
                break
        return found

    def raw_lines(self, index: int) -> Iterator[str]:
        """The lines of a run as they are, one after the other."""
        start, end = self.starts[index], self.ends[index]
        while start < end:
            stop = self.text.find("\n", start, end)
            stop = end if stop < 0 else stop
            yield self.text[start:stop]
            start = stop + 1


def split_paragraphs(text: str) -> Paragraphs:
    """Find the runs of lines between blank ones."""
    starts, ends = array("Q"), array("Q")
    inside = False
    start = 0
    while start < len(text):
        stop = text.find("\n", start)
        stop = len(text) if stop < 0 else stop
        blank = stop == start or text[start:stop].isspace()
        if not blank and inside:
            ends[-1] = stop
        elif not blank:
            starts.append(start)
            ends.append(stop)
        inside = not blank
        start = stop + 1
    return Paragraphs(text, starts, ends)


def usual_width(paragraphs: Paragraphs) -> int:
    """The width that lines were wrapped to, in characters, from a sample of lines that others follow."""
    lengths: list[int] = []
    for index in range(len(paragraphs)):
        lines = paragraphs.lines(index, _JUDGED_LINES)
        lengths += [len(line) for line in lines[:-1]]
        if len(lengths) >= _SAMPLED_LINES:
            break
    lengths.sort()
    return max(_NARROWEST_WRAP, lengths[len(lengths) * 9 // 10]) if lengths else _NARROWEST_WRAP


def blocks_of(paragraphs: Paragraphs, index: int, width: int, *, skip: int = 0) -> Iterator[tuple[str, bool]]:
    """The blocks of a run, each with whether it is a list item; the first `skip` lines are left out.

    Wrapped lines are joined; short verse is one block of several lines; other lines are blocks of their own.
    """
    sample = paragraphs.lines(index, _JUDGED_LINES)[skip:]
    if not sample:
        return
    if _is_wrapped(sample, width) or any(_BULLET.match(line) for line in sample[:1]):
        raw = list(paragraphs.raw_lines(index))[skip:]
        for piece in _pieces(raw):
            yield _joined([line.strip() for line in piece]), _BULLET.match(piece[0].strip()) is not None
    elif len(sample) <= _LONGEST_STANZA and max(map(len, sample)) <= _WIDEST_VERSE:
        yield "\n".join(sample), False
    else:
        for number, line in enumerate(paragraphs.raw_lines(index)):
            if number >= skip:
                yield line, False


def _is_wrapped(lines: Sequence[str], width: int) -> bool:
    """Whether lines were broken because they were full, not because they end there."""
    if len(lines) < 2:
        return True
    if len(lines) >= _FEWEST_JUDGED and sum(line.endswith(_SENTENCE_END) for line in lines) >= len(lines) * _MOSTLY:
        return False
    full = sum(
        len(line) + 1 + len(following.split(maxsplit=1)[0]) > width * _FILLED
        for line, following in pairwise(lines)
        if following
    )
    longest = max(map(len, lines))
    return full >= (len(lines) - 1) * _MOSTLY and longest <= width * 1.5


def _pieces(lines: list[str]) -> Iterator[list[str]]:
    """Cut wrapped lines where an item of a list or an indented first line begins a new paragraph."""
    piece: list[str] = []
    for number, line in enumerate(lines):
        if piece and _begins(lines, number):
            yield piece
            piece = []
        piece.append(line)
    yield piece


def _begins(lines: list[str], number: int) -> bool:
    if _BULLET.match(lines[0].strip()):
        return _BULLET.match(lines[number].strip()) is not None
    following = lines[number + 1] if number + 1 < len(lines) else lines[number - 1]
    return _indent(lines[number]) >= 2 and _indent(following) == 0 and _indent(lines[number - 1]) == 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: Sequence[str]) -> str:
    """Wrapped lines as one: a hyphen or a dash at the end of a line takes no space, nor do Chinese lines."""
    parts: list[str] = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        parts.append(line)
        if following and not _joins_closely(line, following):
            parts.append(" ")
    return "".join(parts)


def _joins_closely(line: str, following: str) -> bool:
    if line.endswith(("-", "—")):
        return len(line) > 1 and not line[-2].isspace()
    return _is_unspaced(line[-1:]) and _is_unspaced(following[:1])


def _is_unspaced(character: str) -> bool:
    """Whether this is a character of a script written without spaces (Chinese, Japanese)."""
    return "\u2e80" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"
