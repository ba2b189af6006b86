"""Segments: what one model call reads. They tile the document, and none passes the token limit.

Owns how atoms are packed; where a text may be cut is `atoms.py`, what atoms count is `atom_counts.py`.
"""

from __future__ import annotations

import asyncio
import math
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from longdoc.documents.atom_counts import count_atoms
from longdoc.documents.atoms import Atoms, split_atoms
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.tokens import TokenCounter
from longdoc.errors import ConfigError

SEGMENTER_VERSION = 1
"""Raised when the same document would be cut elsewhere, so that what was stored before is not used."""

_SMALL_SHARE = 4
"""A section under limit/4 is packed with small neighbours; a larger one never shares a segment."""
_SLIVER_SHARE = 16
"""A piece under limit/16 (a lone part title, say) joins the segment next to it."""
_EARLIEST_CUT = 0.75
"""How far before the even share a better place to cut may lie, as a share of it."""


@dataclass(frozen=True, slots=True)
class Segment:
    """`document.text[start:end]`; `section` is an index into `Document.walk_sections()`, None outside any."""

    index: int
    start: int
    end: int
    tokens: int
    role: SectionRole
    section: int | None


async def segment_document(document: Document, counter: TokenCounter, *, limit: int) -> tuple[Segment, ...]:
    """Cut a document into segments of at most `limit` tokens, in document order, that join back to its text.

    They break at sections, then paragraphs, then sentences; a word is cut only if it alone passes the limit.
    Counts of atoms are summed, which is at or above the count of the joined text for byte-pair tokenizers.
    Raises `ConfigError` for a limit under 16.
    """
    if limit < 16:
        raise ConfigError(f"a segment limit of {limit} tokens is too small; use at least 16")
    atoms = await asyncio.to_thread(split_atoms, document, max_characters=limit)
    atoms, counts = await count_atoms(document.text, atoms, counter, limit=limit)
    return await asyncio.to_thread(pack_segments, document, atoms, counts, limit=limit)


def pack_segments(document: Document, atoms: Atoms, counts: Sequence[int], *, limit: int) -> tuple[Segment, ...]:
    """Join atoms into segments; `counts[i]` is the tokens of atom i. Pure, and linear in the number of atoms."""
    packer = _Packer(document, atoms, counts, limit)
    ranges = packer.joined_slivers(list(packer.whole()))
    return tuple(
        Segment(index, atoms.starts[r.low], atoms.end(r.high - 1), packer.tokens(r.low, r.high), r.role, r.section)
        for index, r in enumerate(ranges)
    )


@dataclass(frozen=True, slots=True)
class _Range:
    """Atoms low..high-1, and the section they are of."""

    low: int
    high: int
    role: SectionRole
    section: int | None


@dataclass(frozen=True, slots=True)
class _Part:
    """A section as a range of atoms, with its place in `Document.walk_sections()` and its effective role."""

    range: _Range
    children: tuple[_Part, ...]
    uniform: bool


class _Packer:
    def __init__(self, document: Document, atoms: Atoms, counts: Sequence[int], limit: int) -> None:
        self._atoms = atoms
        self._limit = limit
        self._sums = array("Q", accumulate(counts, initial=0))
        self._numbers = {id(section): i for i, section in enumerate(document.walk_sections())}
        self._root = self._part_of_document(document)

    def tokens(self, low: int, high: int) -> int:
        return self._sums[high] - self._sums[low]

    def whole(self) -> Iterator[_Range]:
        if len(self._atoms) == 0:
            return
        if self._root.uniform and self._size(self._root.range) <= self._limit:
            yield self._root.range
        else:
            yield from self._pack(self._root)

    def joined_slivers(self, ranges: list[_Range]) -> list[_Range]:
        """Give every sliver to the range after it, else to the one before it, where role and limit allow."""
        kept: list[_Range] = []
        for current in ranges:
            if kept and self._joins(kept[-1], current):
                kept[-1] = self._join(kept[-1], current)
            else:
                kept.append(current)
        return kept

    def _joins(self, left: _Range, right: _Range) -> bool:
        sliver = min(self._size(left), self._size(right)) < self._limit // _SLIVER_SHARE
        return sliver and left.role is right.role and self.tokens(left.low, right.high) <= self._limit

    def _join(self, left: _Range, right: _Range) -> _Range:
        larger = left if self._size(left) > self._size(right) else right
        return _Range(left.low, right.high, larger.role, larger.section)

    def _size(self, atoms: _Range) -> int:
        return self.tokens(atoms.low, atoms.high)

    def _part_of_document(self, document: Document) -> _Part:
        everything = _Range(0, len(self._atoms), SectionRole.BODY, None)
        children = self._parts(document.sections, everything)
        return _Part(everything, children, _is_uniform(everything, children))

    def _parts(self, sections: Sequence[Section], parent: _Range) -> tuple[_Part, ...]:
        parts: list[_Part] = []
        low = parent.low
        for section in sections:
            start = min(max(self._atoms.at(section.start), low), parent.high)
            end = min(max(self._atoms.at(section.end), start), parent.high)
            role = section.role if parent.role is SectionRole.BODY else parent.role
            own = _Range(start, end, role, self._numbers[id(section)])
            children = self._parts(section.children, own)
            if end > start:
                parts.append(_Part(own, children, _is_uniform(own, children)))
            low = end
        return tuple(parts)

    def _pack(self, part: _Part) -> Iterator[_Range]:
        """Segments of a section that does not fit one: small units together, large ones alone."""
        group: _Range | None = None
        for unit in _units(part):
            if group is not None and self._fits_group(group, unit):
                group = _Range(group.low, unit.range.high, group.role, part.range.section)
                continue
            if group is not None:
                yield group
                group = None
            if self._is_small(unit):
                group = unit.range
            elif unit.uniform and self._size(unit.range) <= self._limit:
                yield unit.range
            elif unit.children:
                yield from self._pack(unit)
            else:
                yield from self._cut_evenly(unit.range)
        if group is not None:
            yield group

    def _is_small(self, unit: _Part) -> bool:
        return unit.uniform and self._size(unit.range) < self._limit // _SMALL_SHARE

    def _fits_group(self, group: _Range, unit: _Part) -> bool:
        same_role = unit.range.role is group.role
        return same_role and self._is_small(unit) and self.tokens(group.low, unit.range.high) <= self._limit

    def _cut_evenly(self, whole: _Range) -> Iterator[_Range]:
        low = whole.low
        while low < whole.high:
            high = self._next_cut(low, whole.high)
            yield _Range(low, high, whole.role, whole.section)
            low = high

    def _next_cut(self, low: int, high: int) -> int:
        """The best place to end a segment: near an even share of what is left, better cuts preferred."""
        rest = self.tokens(low, high)
        if rest <= self._limit:
            return high
        share = rest / math.ceil(rest / self._limit)
        earliest = max(low + 1, self._index_at(self._sums[low] + share * _EARLIEST_CUT))
        latest = max(low + 1, self._index_at(self._sums[low] + self._limit))
        goal = self._sums[low] + share
        return min(
            range(min(earliest, latest), latest + 1),
            key=lambda i: (self._atoms.cuts[i], abs(self._sums[i] - goal)),
        )

    def _index_at(self, tokens: float) -> int:
        """The largest atom boundary with at most this many tokens before it."""
        return bisect_right(self._sums, tokens) - 1


def _units(part: _Part) -> Iterator[_Part]:
    """A section's own text between its children as units of their own, and the children."""
    low = part.range.low
    for child in part.children:
        if child.range.low > low:
            yield _own_text(part, low, child.range.low)
        yield child
        low = child.range.high
    if part.range.high > low:
        yield _own_text(part, low, part.range.high)


def _own_text(part: _Part, low: int, high: int) -> _Part:
    return _Part(_Range(low, high, part.range.role, part.range.section), (), uniform=True)


def _is_uniform(own: _Range, children: tuple[_Part, ...]) -> bool:
    return all(child.uniform and child.range.role is own.role for child in children)
