"""Windows: overlapping stretches of a document that a search finds, and the parts of them that are embedded.

Another view of the text than `segments.py`, over the same offsets: a stretch no longer than the overlap is whole in at
least one window. Source: XL3M (arXiv 2405.17755), whose windows overlap so that no sentence is cut.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from longdoc.documents.atom_counts import count_atoms
from longdoc.documents.atoms import Atoms, Cut, split_sentences
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.documents.tokens import TokenCounter
from longdoc.errors import ConfigError

WINDOWS_VERSION = 1
"""Raised when the same document would get other windows or parts, so that what was stored before is not used."""
WINDOW_TOKENS = 512
OVERLAP_TOKENS = 64
PART_TOKENS = 32
"""About the most tokens of a part, a sentence or two: the vector of more is too much a mean to find one fact by. An
atom that cannot be cut may have more."""

_LEFT_OUT = {SectionRole.CONTENTS, SectionRole.COVER, SectionRole.LICENCE}
"""Nothing is looked for there, and lists of contents are like every question about a chapter."""
_ATOM_CHARACTERS = 120
_LARGEST_ATOM_SHARE = 4
_SLACK = 32
"""How many tokens before the limit a window may end, to end with a sentence."""
_PART_SLACK = 0.25
"""How far from an even share a part may end, as a share of it."""


async def window_document(
    document: Document, counter: TokenCounter, *, limit: int = WINDOW_TOKENS, overlap: int = OVERLAP_TOKENS
) -> tuple[Segment, ...]:
    """Overlapping windows of at most `limit` tokens, in document order.

    One ends with a sentence where one ends within 32 tokens of the limit, and the next begins so that both share more
    than `overlap` tokens. None has text of two roles; contents, covers and licences are left out unless there is
    nothing else. The section of a window is that of its middle. Time is linear in the length of the text.
    Raises `ConfigError` for a limit under 16 and an overlap over a quarter of the limit.
    """
    if limit < 16 or not 0 <= overlap <= limit // 4:
        raise ConfigError(f"windows of {limit} tokens cannot overlap by {overlap}; use 16 or more, and a quarter of it")
    stretches = await asyncio.to_thread(_stretches, document)
    atoms, sums = await _measured(document, stretches, counter, limit)
    cutter = _Cutter(document.text, atoms, sums, counter, limit=limit, overlap=overlap)
    windows: list[Segment] = []
    for start, end, role in _searched(document.text, stretches):
        async for low, high in cutter.windows(atoms.at(start), atoms.at(end)):
            first, last = atoms.starts[low], atoms.end(high - 1)
            section = _section_at(stretches, (first + last) // 2)
            windows.append(Segment(len(windows), first, last, sums[high] - sums[low], role, section))
    return tuple(windows)


async def split_windows(
    document: Document,
    windows: Sequence[Segment],
    counter: TokenCounter,
    *,
    limit: int = WINDOW_TOKENS,
    most: int = PART_TOKENS,
) -> tuple[Segment, ...]:
    """Parts of about even length, of at most `most` tokens if sentences allow, that tile the text of the windows.

    The parts of a window lie between its start and that of the next one, so that no text is in two parts.
    `limit` is the one the windows were made with.
    """
    stretches = await asyncio.to_thread(_stretches, document)
    atoms, sums = await _measured(document, stretches, counter, limit)
    return await asyncio.to_thread(_split, windows, atoms, sums, most)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """From `start` on, text of one role in one section, the innermost one there."""

    start: int
    role: SectionRole
    section: int | None


def _stretches(document: Document) -> list[_Stretch]:
    """What the document is made of: from the start of each to that of the next, or to the end of the text."""
    numbers = {id(section): number for number, section in enumerate(document.walk_sections())}

    def inside(sections: Sequence[Section], low: int, high: int, own: _Stretch) -> Iterator[_Stretch]:
        for section in sections:
            start = min(max(section.start, low), high)
            end = min(max(section.end, start), high)
            if end == start:
                continue
            if start > low:
                yield _Stretch(low, own.role, own.section)
            role = section.role if own.role is SectionRole.BODY else own.role
            yield from inside(section.children, start, end, _Stretch(start, role, numbers[id(section)]))
            low = end
        if high > low:
            yield _Stretch(low, own.role, own.section)

    return list(inside(document.sections, 0, len(document.text), _Stretch(0, SectionRole.BODY, None)))


def _searched(text: str, stretches: Sequence[_Stretch]) -> list[tuple[int, int, SectionRole]]:
    """Start, end and role of all that windows are made of: neighbours of one role together, blank text left out."""
    starts = [(next(run).start, role) for role, run in groupby(stretches, key=lambda stretch: stretch.role)]
    runs = [(start, end, role) for (start, role), (end, _) in pairwise([*starts, (len(text), SectionRole.BODY)])]
    there = [run for run in runs if not text[run[0] : run[1]].isspace()]
    return [run for run in there if run[2] not in _LEFT_OUT] or there


def _section_at(stretches: Sequence[_Stretch], offset: int) -> int | None:
    return stretches[bisect_right(stretches, offset, key=lambda stretch: stretch.start) - 1].section


async def _measured(
    document: Document, stretches: Sequence[_Stretch], counter: TokenCounter, limit: int
) -> tuple[Atoms, array[int]]:
    """Atoms that no stretch cuts, and the tokens before each of them, ending with those of the whole text."""
    atoms = await asyncio.to_thread(split_sentences, document, max_characters=_ATOM_CHARACTERS)
    atoms = _cut_at(atoms, [stretch.start for stretch in stretches])
    atoms, counts = await count_atoms(document.text, atoms, counter, limit=max(1, limit // _LARGEST_ATOM_SHARE))
    return atoms, array("Q", accumulate(counts, initial=0))


def _cut_at(atoms: Atoms, offsets: Sequence[int]) -> Atoms:
    """The same atoms, cut at these offsets too."""
    missing = [offset for offset in offsets if len(atoms) and atoms.starts[atoms.at(offset)] != offset]
    if not missing:
        return atoms
    found = dict(zip(atoms.starts, atoms.cuts, strict=True)) | dict.fromkeys(missing, Cut.SECTION)
    starts = sorted(found)
    return Atoms(array("Q", starts), array("B", (found[start] for start in starts)), atoms.length)


class _Cutter:
    """Finds where windows begin and end, as numbers of atoms."""

    def __init__(
        self, text: str, atoms: Atoms, sums: array[int], counter: TokenCounter, *, limit: int, overlap: int
    ) -> None:
        self._text = text
        self._atoms = atoms
        self._sums = sums
        self._counter = counter
        self._limit = limit
        self._overlap = overlap
        self._slack = min(_SLACK, limit // 8)

    async def windows(self, low: int, high: int) -> AsyncIterator[tuple[int, int]]:
        """The windows of the atoms low..high-1."""
        end = low
        while end < high:
            start = low if end == low else await self._next_start(low, end)
            low, end = start, self._end(start, high)
            yield low, end

    def _end(self, low: int, high: int) -> int:
        """The last end of a sentence near the limit, else the best place there is."""
        latest = max(low + 1, min(high, bisect_right(self._sums, self._sums[low] + self._limit) - 1))
        if latest == high:
            return high
        earliest = bisect_left(self._sums, self._sums[low] + self._limit - self._slack, low + 1, latest)
        return min(range(earliest, latest + 1), key=lambda i: (max(self._atoms.cuts[i], Cut.SENTENCE), -i))

    async def _next_start(self, low: int, end: int) -> int:
        """The last atom with which the overlap is longer than asked for, if that leaves room for the next atom.

        The counts of atoms are each rounded up, so what they have together is counted anew.
        """
        start = bisect_left(self._sums, self._sums[end] - self._overlap) - 1
        while start > low + 1 and await self._tokens(start, end) <= self._overlap:
            start -= 1
        start = max(start, low + 1)
        while start < end and self._sums[end + 1] - self._sums[start] > self._limit:
            start += 1
        return start

    async def _tokens(self, low: int, high: int) -> int:
        await asyncio.sleep(0)
        text = self._text[self._atoms.starts[low] : self._atoms.end(high - 1)]
        return (await self._counter.count_tokens([text]))[0]


def _split(windows: Sequence[Segment], atoms: Atoms, sums: array[int], most: int) -> tuple[Segment, ...]:
    parts: list[Segment] = []
    for number, window in enumerate(windows):
        following = windows[number + 1].start if number + 1 < len(windows) else window.end
        low, high = atoms.at(window.start), atoms.at(min(window.end, following))
        for first, last in _evenly(atoms, sums, low, high, most):
            start, end = atoms.starts[first], atoms.end(last - 1)
            parts.append(Segment(len(parts), start, end, sums[last] - sums[first], window.role, window.section))
    return tuple(parts)


def _evenly(atoms: Atoms, sums: array[int], low: int, high: int, most: int) -> Iterator[tuple[int, int]]:
    """The atoms low..high-1 in as few parts as `most` allows, cut at the best places near even shares."""
    while low < high:
        cut = _even_cut(atoms, sums, low, high, most)
        yield low, cut
        low = cut


def _even_cut(atoms: Atoms, sums: array[int], low: int, high: int, most: int) -> int:
    rest = sums[high] - sums[low]
    share = rest / max(1, math.ceil(rest / most))
    goal = sums[low] + share
    earliest = bisect_left(sums, goal - share * _PART_SLACK, low + 1, high)
    latest = max(earliest, bisect_right(sums, goal + share * _PART_SLACK, low + 1, high) - 1)
    if share == rest or earliest == high:
        return high
    return min(range(earliest, latest + 1), key=lambda i: (max(atoms.cuts[i], Cut.SENTENCE), abs(sums[i] - goal)))
