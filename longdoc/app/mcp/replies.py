"""What the tools give: plain values whose shapes clients are told, none of them longer than a model can read.

Where something is cut, a field says from where to go on. The classes have no slots, which the SDK would take for
defaults of their fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from longdoc.app.results import Result, Source, cited_text
from longdoc.storage.documents import StoredDocument

MOST_CHARACTERS: Final = 20_000
"""Characters of text in one reply."""
MOST_SOURCES: Final = 20
MOST_LISTED: Final = 200
"""Entries of one list."""
_LONGEST_QUOTE = 500
_LONGEST_LINE = 300
_MOST_WARNINGS = 20


@dataclass(frozen=True)
class DocumentInfo:
    """A stored document: its id, and its size in words and characters."""

    id: str
    title: str
    format: str
    words: int
    characters: int

    @classmethod
    def of(cls, one: StoredDocument) -> Self:
        """The document as clients see it."""
        return cls(one.id, shown_title(one.title), one.format, one.words, one.characters)


@dataclass(frozen=True)
class DocumentList:
    """Some documents; `next` is the `start` to go on from, null where these are the last of `total`."""

    documents: list[DocumentInfo]
    total: int
    next: int | None


@dataclass(frozen=True)
class CollectionInfo:
    """A collection."""

    name: str
    documents: int
    words: int


@dataclass(frozen=True)
class CollectionList:
    """Some collections; `next` is the `start` to go on from, null where these are the last of `total`."""

    collections: list[CollectionInfo]
    total: int
    next: int | None


@dataclass(frozen=True)
class SectionInfo:
    """A section: `number` counts them in their order, `depth` is 1 for the outermost; `start` and `end` are characters
    of the text, for read_range."""

    number: int
    title: str
    depth: int
    role: str
    start: int
    end: int


@dataclass(frozen=True)
class SectionList:
    """Some sections of a document; `next` is the `start` to go on from, null where these are the last of `total`."""

    document: str
    title: str
    characters: int
    sections: list[SectionInfo]
    total: int
    next: int | None


@dataclass(frozen=True)
class TextRange:
    """Characters `start` to `end` of a document of `characters`; `next` is where the text goes on, null at its end."""

    document: str
    title: str
    place: str
    start: int
    end: int
    characters: int
    text: str
    next: int | None


@dataclass(frozen=True)
class AddedDocument:
    """A document that was read and stored. `warnings` tell what of it could not be read."""

    document: DocumentInfo
    collection: str
    new: bool
    warnings: list[str]


@dataclass(frozen=True)
class SourceInfo:
    """Words of a document that a text rests on; read_range shows what stands around them."""

    number: int
    document: str
    title: str
    place: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Answered:
    """A text with marks and the list of its sources. `cut` says what is left out, "" where nothing is."""

    text: str
    sources: list[SourceInfo]
    run: str
    warnings: list[str]
    cut: str

    @classmethod
    def of(cls, result: Result, warnings: Sequence[str]) -> Self:
        """A result as clients see it."""
        text = cited_text(result, most=MOST_SOURCES)
        sources = sources_of(result.sources)
        left = [f"{len(sources) - MOST_SOURCES} sources"] if len(sources) > MOST_SOURCES else []
        left += [f"{len(text) - MOST_CHARACTERS:,} characters of the text"] if len(text) > MOST_CHARACTERS else []
        left += [f"{len(warnings) - _MOST_WARNINGS} warnings"] if len(warnings) > _MOST_WARNINGS else []
        cut = f"left out: {' and '.join(left)}; 'lda runs show {result.run_id}' has all of it" if left else ""
        return cls(text[:MOST_CHARACTERS], sources[:MOST_SOURCES], result.run_id, shown_warnings(warnings), cut)


@dataclass(frozen=True)
class SummaryState:
    """A summary that was started: `status` is running, done or failed, `message` how far it is or why it failed.

    `text` are its characters from `start` on; `next` is where it goes on, null at its end.
    """

    job: str
    status: str
    message: str
    done: int
    planned: int
    run: str
    title: str
    start: int
    text: str
    next: int | None


@dataclass(frozen=True)
class MemoryInfo:
    """A memory: what was observed, what was answered to it, and when (ISO 8601)."""

    number: int
    text: str
    response: str
    at: str
    score: float | None


@dataclass(frozen=True)
class MemoryList:
    """Memories that were found, the best first. `cut` tells whether texts of them are shortened."""

    memories: list[MemoryInfo]
    cut: bool


def shown_title(title: str) -> str:
    """A title, or what else is one line, as far as it is shown."""
    return title if len(title) <= _LONGEST_LINE else f"{title[: _LONGEST_LINE - 1]}…"


def shown_warnings(warnings: Sequence[str]) -> list[str]:
    """The first warnings, each as far as it is shown."""
    return [shown_title(one) for one in warnings[:_MOST_WARNINGS]]


def sources_of(sources: Sequence[Source]) -> list[SourceInfo]:
    """Sources, each once, numbered as the marks are."""
    found: dict[tuple[str, int, int], SourceInfo] = {}
    for one in sources:
        place = (one.document_id, one.start, one.end)
        number, quote = len(found) + 1, one.quote[:_LONGEST_QUOTE]
        title, where = shown_title(one.title), shown_title(str(one.place))
        found.setdefault(place, SourceInfo(number, one.document_id, title, where, one.start, one.end, quote))
    return list(found.values())
