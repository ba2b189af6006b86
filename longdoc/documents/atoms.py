"""Cutting a text into atoms: small spans that tile it and are never cut further by the segmenter.

Owns where a text may be cut and how good each place is; how many atoms make a segment is `segments.py`.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from sentencex import get_sentence_boundaries

from longdoc.documents.document import Block, BlockKind, Document

_CLAUSE_END = re.compile(r"[,;:–—、，；：](?=\s)\s*|\n\s*|[、，；：]")
_WORD_END = re.compile(r"\s+")
_LONGEST_PIECE = 8000
"""Characters given to `sentencex` at once: its time grows with their square where no spaces stand between sentences."""
_RESTING_PLACE = re.compile(r"[。！？][”’」』）]*|\s+")


class Cut(IntEnum):
    """How good a place to cut is; lower is better."""

    SECTION = 0
    PARAGRAPH = 1
    SENTENCE = 2
    CLAUSE = 3
    AFTER_HEADING = 4
    WORD = 5
    INSIDE_WORD = 6


@dataclass(frozen=True, slots=True)
class Atoms:
    """Spans that tile a text of `length` characters: atom i runs from `starts[i]` to the start of the next one.

    `cuts[i]` is how good it is to cut just before atom i.
    """

    starts: array[int]
    cuts: array[int]
    length: int

    def __len__(self) -> int:
        return len(self.starts)

    def end(self, index: int) -> int:
        """Where an atom ends."""
        return self.starts[index + 1] if index + 1 < len(self.starts) else self.length

    def at(self, offset: int) -> int:
        """The index of the atom that holds this offset; the number of atoms at the end of the text."""
        return len(self.starts) if offset >= self.length else max(0, bisect_right(self.starts, offset) - 1)


def split_atoms(document: Document, *, max_characters: int) -> Atoms:
    """Cut a document at its blocks, and blocks over `max_characters` at sentences, clauses, words, characters.

    Time is linear in the length of the text.
    """
    starts, cuts = array("Q"), array("B")
    section_starts = {section.start for section in document.walk_sections()}
    for start, end, cut in _block_spans(document, section_starts):
        for offset, inner in split_span(document.text, start, end, max_characters, _language(document)):
            starts.append(offset)
            cuts.append(cut if inner is None else inner)
    return Atoms(starts, cuts, len(document.text))


def split_sentences(document: Document, *, max_characters: int) -> Atoms:
    """Cut a document at its blocks and at every sentence, and sentences over `max_characters` as `split_atoms` does.

    Time is linear in the length of the text.
    """
    starts, cuts = array("Q"), array("B")
    language = _language(document)
    section_starts = {section.start for section in document.walk_sections()}
    for start, end, cut in _block_spans(document, section_starts):
        for first, last in sentence_spans(document.text[start:end], language):
            for offset, inner in split_span(document.text, start + first, start + last, max_characters, language):
                starts.append(offset)
                cuts.append((Cut.SENTENCE if first else cut) if inner is None else inner)
    return Atoms(starts, cuts, len(document.text))


def _language(document: Document) -> str:
    return document.metadata.language.split("-")[0].lower() or "en"


def _block_spans(document: Document, section_starts: set[int]) -> Iterator[tuple[int, int, Cut]]:
    """Blocks stretched to tile the text: each takes the white space that follows it."""
    previous: Block | None = None
    blocks = document.blocks or (Block(0, len(document.text)),)
    for index, block in enumerate(blocks):
        start = block.start if index else 0
        end = blocks[index + 1].start if index + 1 < len(blocks) else len(document.text)
        if end <= start:
            continue
        yield start, end, _cut_before(block, previous, section_starts)
        previous = block


def _cut_before(block: Block, previous: Block | None, section_starts: set[int]) -> Cut:
    if previous is not None and previous.kind is BlockKind.HEADING:
        return Cut.AFTER_HEADING
    if block.kind is BlockKind.HEADING or block.start in section_starts:
        return Cut.SECTION
    return Cut.PARAGRAPH


def split_span(
    text: str, start: int, end: int, max_characters: int, language: str = "en"
) -> Iterator[tuple[int, Cut | None]]:
    """Starts of atoms inside `text[start:end]`, the first with None, later ones with the cut before them."""
    if end - start <= max_characters:
        yield start, None
        return
    spans = [(start + a, start + b) for a, b in sentence_spans(text[start:end], language)]
    yield from _group(text, spans, Cut.SENTENCE, max_characters)


def sentence_spans(text: str, language: str = "en") -> list[tuple[int, int]]:
    """Sentences of a text as offsets that tile it (each takes the white space that follows it).

    Time is linear in the length of the text. In one over 8,000 characters, a quotation of over 4,000, which otherwise
    stays in one piece, may be cut at its own sentences.
    """
    if not text:
        return []
    starts = [0, *_later_starts(text, language)]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _later_starts(text: str, language: str) -> Iterator[int]:
    """Where sentences begin, but for the first one.

    A long text is read in pieces that overlap by half: what begins in the first half has been seen with all that may
    tell where it ends, and the next piece begins with the last sentence there.
    """
    position = 0
    while len(text) - position > _LONGEST_PIECE:
        piece = text[position : position + _LONGEST_PIECE]
        starts = _starts_in(piece, language)
        sure = [start for start in starts if start <= len(piece) // 2] or starts[:1]
        yield from (position + start for start in sure)
        position += sure[-1] if sure else _resting_place(piece)
    yield from (position + start for start in _starts_in(text[position:], language))


def _starts_in(piece: str, language: str) -> list[int]:
    """Where sentences begin in a piece, but for the one that it begins with."""
    return sorted({bound["start_index"] for bound in get_sentence_boundaries(language, piece)} - {0})


def _resting_place(piece: str) -> int:
    """Where to go on in a piece without sentences: a place in its first half, not inside a word where there is one."""
    half = len(piece) // 2
    return max((match.end() for match in _RESTING_PLACE.finditer(piece, 0, half)), default=half)


def _group(text: str, spans: list[tuple[int, int]], cut: Cut, max_characters: int) -> Iterator[tuple[int, Cut | None]]:
    """Join neighbouring spans up to the limit; a span over the limit is cut at the next finer kind of place."""
    open_start: int | None = None
    first = True
    for start, end in spans:
        if open_start is not None and end - open_start <= max_characters:
            continue
        open_start = start
        pieces = _finer(text, start, end, cut, max_characters)
        for offset, inner in pieces:
            yield offset, (None if first else cut) if inner is None else inner
            first = False
            open_start = offset


def _finer(text: str, start: int, end: int, cut: Cut, max_characters: int) -> Iterator[tuple[int, Cut | None]]:
    if end - start <= max_characters:
        yield start, None
    elif cut is Cut.SENTENCE:
        yield from _group(text, _spans_at(_CLAUSE_END, text, start, end), Cut.CLAUSE, max_characters)
    elif cut is Cut.CLAUSE:
        yield from _group(text, _spans_at(_WORD_END, text, start, end), Cut.WORD, max_characters)
    else:
        yield start, None
        for offset in range(start + max_characters, end, max_characters):
            yield offset, Cut.INSIDE_WORD


def _spans_at(pattern: re.Pattern[str], text: str, start: int, end: int) -> list[tuple[int, int]]:
    ends = [match.end() for match in pattern.finditer(text, start, end) if match.end() < end]
    return list(zip([start, *ends], [*ends, end], strict=True))
