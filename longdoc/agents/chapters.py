"""The chapters of a document: the stretches a reader would call so, whatever the outline calls them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

_MOST_CHARACTERS = 72_000
"""About 12,000 words: a section with sections of its own that is longer is a part or a volume, not a chapter."""


_HEADING_CHARACTERS = 20
"""How much besides its title a section may have and still be a heading alone."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """`document.text[start:end]`; chapters tile the text from the first to the last."""

    title: str
    start: int
    end: int


def chapters_of(document: Document) -> list[Chapter]:
    """The chapters, in order: sections of the body, those that hold chapters being opened.

    Raises `ConfigError` where the document has no sections to go by.
    """
    found = list(_chapters(document.sections, shown=()))
    if not found:
        raise ConfigError(
            f"{document.title} has no chapters or headings to go by; summarize it as a whole (without --by)"
        )
    starts = [0, *(start for _, start in found[1:]), len(document.text)]
    chapters = [Chapter(title, start, end) for (title, _), (start, end) in zip(found, pairwise(starts), strict=True)]
    return _without_bare_headings(document.text, chapters)


def _without_bare_headings(text: str, chapters: Sequence[Chapter]) -> list[Chapter]:
    """The chapters, where one that is a heading alone (a part in a flat outline, say) begins the one after it."""
    kept: list[Chapter] = []
    heading: Chapter | None = None
    for chapter in chapters:
        whole = chapter if heading is None else replace(chapter, start=heading.start)
        bare = len(text[whole.start : whole.end].strip()) <= len(whole.title) + _HEADING_CHARACTERS
        heading = whole if bare and chapter is not chapters[-1] else None
        if heading is None:
            kept.append(whole)
    return kept


def split_at_chapters(segments: Sequence[Segment], chapters: Sequence[Chapter]) -> list[list[Segment]]:
    """The segments of each chapter; one that reaches over chapters is cut where they begin.

    Tokens of the pieces are shared out by length.
    """
    pieces: list[list[Segment]] = []
    for chapter in chapters:
        inside = [s for s in segments if s.start < chapter.end and s.end > chapter.start]
        pieces.append([_piece(s, max(s.start, chapter.start), min(s.end, chapter.end)) for s in inside])
    return pieces


def _piece(segment: Segment, start: int, end: int) -> Segment:
    tokens = -(-segment.tokens * (end - start) // (segment.end - segment.start))
    return replace(segment, start=start, end=end, tokens=tokens)


def _chapters(sections: Sequence[Section], *, shown: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    """Title and start of each chapter; text of a part before its first chapter goes to that chapter."""
    body = [section for section in sections if section.role is SectionRole.BODY]
    for section in body:
        inner = _inner(section)
        alone = len(body) == 1 and len(inner) > 1
        if alone or (len(inner) > 1 and section.end - section.start > _MOST_CHARACTERS):
            titles = shown if alone else (*shown, section.title)
            first, *others = _chapters(inner, shown=titles)
            yield first[0], section.start
            yield from others
        else:
            yield " / ".join(filter(None, (*shown, section.title))), section.start


def _inner(section: Section) -> Sequence[Section]:
    """The body sections of a section, where that is a single one those inside it: a title page around all, say."""
    inner = [child for child in section.children if child.role is SectionRole.BODY]
    deeper = _inner(inner[0]) if len(inner) == 1 else ()
    return deeper if len(deeper) > 1 else inner
