"""Printed contents pages in a PDF.

Owns finding them: a run of lines that end in page numbers, with leaders of dots or under a heading that says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.documents.document import SectionRole
from longdoc.documents.pdf.lines import Line
from longdoc.documents.roles import role_of_title

_LEADER = re.compile(r"(?:[\s\t]*[.…·_]){3,}[\s\t]*")
_LEADER_ENTRY = re.compile(r"(?:[\s\t]*\.){3,}[\s\t]*(?:\d{1,5}|[ivxlc]{1,7})$|…+\s*(?:\d{1,5}|[ivxlc]{1,7})$")
_ENTRY = re.compile(r"\S.*[\s\t](?:(\d{1,5})|[ivxlc]{1,7})$")
_FEWEST_ENTRIES = 3
_WRAPPED_LINES = 2


@dataclass(frozen=True, slots=True)
class PrintedContents:
    """A contents list: its lines from `start` to before `end` among all lines; the first may be its heading."""

    start: int
    end: int
    title: str
    entries: frozenset[int]
    """Identities of the lines that begin after the heading."""


def find_contents(lines: Sequence[Line]) -> PrintedContents | None:
    """The first contents list among the lines of a document, None where there is none."""
    for index, line in enumerate(lines):
        headed = role_of_title(line.text) is SectionRole.CONTENTS
        if not headed and not _LEADER_ENTRY.search(line.text):
            continue
        begin = index + 1 if headed else index
        end = _end_of_entries(lines, begin)
        entries = [entry for entry in lines[begin:end] if _ENTRY.search(entry.text)]
        if len(entries) >= _FEWEST_ENTRIES:
            title = line.text if headed else "Contents"
            return PrintedContents(index, end, title, frozenset(id(entry) for entry in lines[begin:end]))
    return None


def without_leader(text: str) -> str:
    """An entry of a contents list with a space in place of its dots."""
    return _LEADER.sub(" ", text)


def _end_of_entries(lines: Sequence[Line], begin: int) -> int:
    """Where the entries end; an entry may be wrapped over a few lines, and page numbers never fall."""
    end = begin
    reached = 0
    for index in range(begin, len(lines)):
        match = _ENTRY.search(lines[index].text)
        if match and int(match[1] or reached) < reached:
            break
        if match:
            end, reached = index + 1, int(match[1] or reached)
        elif index - end >= _WRAPPED_LINES:
            break
    return end
