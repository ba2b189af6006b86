"""Prose with the marks of its notes in place.

Owns where a mark may stand in Markdown, so that it changes neither words nor structure; a mark stands after the
word before it, and where that is not possible at the end of the line, at worst at the end of the section.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from markdown_it import MarkdownIt
from markdown_it.token import Token

from longdoc.documents.writers.prose import Blocks, NoteMark, Paragraph, inlines_of, marks_in, plain_text
from longdoc.documents.writers.prose_parser import mark_text, markdown_parser, parse_prose, spaced_marks

Ranges: TypeAlias = "Sequence[tuple[int, int]]"
_RUNS = "*_~`\\"


def prose_with_marks(text: str, marks: Sequence[tuple[int, int]]) -> Blocks:
    """The prose of clean Markdown with marks, given as offset and number in the order of offsets."""
    parser = markdown_parser()
    bare = parse_prose(text, parser)
    if not marks:
        return bare
    ranges = _line_ranges(text, parser)
    for place in (_after_word, _at_line_end):
        blocks = parse_prose(_marked(text, marks, ranges, place), parser)
        if _words(blocks) == _words(bare) and _numbers(blocks) == [number for _, number in marks]:
            return blocks
    return _with_marks_at_end(bare, [number for _, number in marks])


def _words(blocks: Blocks) -> list[list[str]]:
    return [plain_text(content).split() for content in inlines_of(blocks)]


def _numbers(blocks: Blocks) -> list[int]:
    return [number for content in inlines_of(blocks) for number in marks_in(content)]


def _with_marks_at_end(blocks: Blocks, numbers: Sequence[int]) -> Blocks:
    marks = tuple(NoteMark(number) for number in numbers)
    last = blocks[-1] if blocks else None
    if isinstance(last, Paragraph):
        return (*blocks[:-1], Paragraph((*last.content, *spaced_marks(marks))))
    return (*blocks, Paragraph(spaced_marks(marks)))


def _line_ranges(text: str, parser: MarkdownIt) -> list[tuple[int, int]]:
    """Where the lines of paragraphs, headings and cells lie in the text, without list marks, ">" and the like."""
    starts = [0]
    starts.extend(index + 1 for index, character in enumerate(text) if character == "\n")
    return sorted(_found_lines(text, starts, parser.parse(text)))


def _found_lines(text: str, starts: Sequence[int], tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    taken = 0
    for token in tokens:
        if token.type != "inline" or token.map is None:
            continue
        position = max(taken, starts[token.map[0]])
        for line in token.content.split("\n"):
            start = text.find(line, position)
            if line.strip() and start >= 0:
                taken = position = start + len(line)
                yield start, start + len(line.rstrip())


def _marked(
    text: str, marks: Sequence[tuple[int, int]], ranges: Ranges, place: Callable[[str, int, Ranges], int | None]
) -> str:
    """The text with marks put in; those for which there is no place are left out."""
    pieces: list[str] = []
    done = 0
    for offset, number in marks:
        position = place(text, offset, ranges)
        if position is not None:
            pieces += [text[done:position], mark_text(number)]
            done = max(done, position)
    return "".join([*pieces, text[done:]])


def _after_word(text: str, offset: int, ranges: Ranges) -> int | None:
    """The end of the word before an offset, not between characters that mean something together."""
    position = len(text[: max(offset, 0)].rstrip())
    start, end = _line_before(position, ranges)
    position = min(position, end)
    while start < position < end and text[position - 1] in _RUNS and _belong(text[position - 1 : position + 1]):
        position += 1
    return position if position > start else end or None


def _belong(pair: str) -> bool:
    return pair[0] == "\\" or pair[0] == pair[-1]


def _at_line_end(text: str, offset: int, ranges: Ranges) -> int | None:
    """The end of the line that holds an offset or comes before it."""
    end = _line_before(len(text[: max(offset, 0)].rstrip()), ranges)[1]
    return (end - (text[end - 1] == "\\")) if end else None


def _line_before(position: int, ranges: Ranges) -> tuple[int, int]:
    """The last line that begins before a position, else the first; nothing where there is none."""
    if not ranges:
        return (0, 0)
    return ranges[max(bisect_left(ranges, (position, 0)) - 1, 0)]
