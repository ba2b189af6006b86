"""Footnotes at the ends of pages.

Owns telling them from text: smaller letters at the end of a page, begun by a number that the text above calls.
What is not plainly a note stays in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from longdoc.documents.pdf.lines import Line

_SMALLER = 0.93
_LABEL = re.compile(r"(\d{1,3}|[*†‡§]{1,3})[\s\t.)]+(?=\S)")


@dataclass(frozen=True, slots=True)
class FootNote:
    """A note: the page it stands on, its number or sign as printed, and its lines without that."""

    page: int
    label: str
    lines: tuple[Line, ...]


def take_notes(pages: Sequence[Sequence[Line]], body_size: float) -> tuple[list[list[Line]], list[FootNote]]:
    """The pages without their footnotes, and the footnotes.

    In the lines that are kept, `marks` holds only calls of these notes, taken out of the text.
    """
    kept: list[list[Line]] = []
    notes: list[FootNote] = []
    for lines in pages:
        body, found = _split_page(lines, body_size)
        labels = {note.label for note in found}
        kept.append([_without_calls(line, labels) for line in body])
        notes.extend(found)
    return kept, notes


def _split_page(lines: Sequence[Line], body_size: float) -> tuple[Sequence[Line], list[FootNote]]:
    start = len(lines)
    while start and lines[start - 1].size <= _SMALLER * body_size and not lines[start - 1].turned:
        start -= 1
    body, small = lines[:start], lines[start:]
    if not any(line.size > _SMALLER * body_size for line in body):
        return lines, []
    called = {label for line in body for _, label in line.marks}
    begins = [index for index, line in enumerate(small) if _label(line) in called]
    if not begins:
        return lines, []
    ends = [*begins[1:], len(small)]
    notes = [_note(small[begin:end]) for begin, end in zip(begins, ends, strict=True)]
    return lines[: start + begins[0]], notes


def _label(line: Line) -> str | None:
    if line.marks and line.marks[0][0] == 0:
        return line.marks[0][1]
    match = _LABEL.match(line.text)
    return match[1] if match else None


def _note(lines: Sequence[Line]) -> FootNote:
    first = lines[0]
    label = _label(first) or ""
    text = first.text.lstrip()[len(label) :].lstrip(" \t.)")
    rest = tuple(replace(line, marks=()) for line in lines[1:])
    return FootNote(first.page, label, (replace(first, text=text, marks=()), *rest))


def _without_calls(line: Line, labels: set[str]) -> Line:
    """The line with the calls of these notes taken out; `marks` tells where they were."""
    if not line.marks:
        return line
    text = line.text
    places: list[tuple[int, str]] = []
    removed = 0
    for place, label in line.marks:
        if label in labels:
            begin = place - removed
            text = text[:begin].rstrip() + text[begin:].lstrip()[len(label) :]
            removed = len(line.text) - len(text)
            places.append((min(begin, len(text)), label))
    return replace(line, text=text, marks=tuple(places)) if places else replace(line, marks=())
