"""What all results have in common: a text, what it rests on, what it took; as rows of a table, and in notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from longdoc.agents.citations import Citation
from longdoc.app.runs import RunUsage
from longdoc.documents.places import Place
from longdoc.json_value import JsonValue

_MOST_SHOWN = 20
"""Sources that a notebook shows."""


@dataclass(frozen=True, slots=True)
class Source:
    """Words of a document that a text rests on: `quote` are those from `start` to `end` of its text, in characters.

    `at` is the end of what rests on them in the text of the result, where a mark for it stands; None: all of it does.
    """

    document_id: str
    title: str
    start: int
    end: int
    quote: str
    place: Place = field(default_factory=Place)
    at: int | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "document": self.document_id,
            "title": self.title,
            "start": self.start,
            "end": self.end,
            "quote": self.quote,
            "place": str(self.place),
            "at": self.at,
        }


class Result(Protocol):
    """What every capability gives."""

    @property
    def text(self) -> str:
        """The answer, summary, draft …, as Markdown."""
        ...

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the text rests on, in its order."""
        ...

    @property
    def run_id(self) -> str:
        """The run it came from: `lda runs show` tells all of it."""
        ...

    @property
    def usage(self) -> RunUsage:
        """What it took this time."""
        ...


class Shown:
    """Gives a `Result` its rows and its looks in a notebook."""

    __slots__ = ()

    def row(self: Result) -> dict[str, JsonValue]:
        """A row of a table, with the same columns for all results: `pandas.DataFrame([r.row() for r in results])`."""
        return row_of(self)

    def source_rows(self: Result) -> list[dict[str, JsonValue]]:
        """A row for each source, with the run they belong to."""
        return source_rows_of(self)

    def _repr_html_(self: Result) -> str:
        """What a notebook shows: the text, and its sources folded under it."""
        return html_of(self)


def row_of(result: Result) -> dict[str, JsonValue]:
    """See `Shown.row`."""
    return {
        "run_id": result.run_id,
        "text": result.text,
        "sources": len(result.sources),
        "calls": result.usage.calls,
        "recorded_calls": result.usage.recorded,
        "prompt_tokens": result.usage.tokens.prompt_tokens,
        "completion_tokens": result.usage.tokens.completion_tokens,
        "cost": result.usage.cost,
        "seconds": result.usage.seconds,
    }


def source_rows_of(result: Result) -> list[dict[str, JsonValue]]:
    """See `Shown.source_rows`."""
    return [{"run_id": result.run_id, "number": n, **one.to_json()} for n, one in enumerate(result.sources, 1)]


def html_of(result: Result) -> str:
    """A result as a piece of a page; all that is in it is escaped."""
    usage = f"{result.usage.calls} calls, {result.usage.recorded} from the record"
    return _page(result.text, result.sources, usage)


def sources_of(citations: Iterable[Citation], *, at: int | None = None) -> tuple[Source, ...]:
    """Verified citations as sources."""
    return tuple(Source(one.document_id, one.title, one.start, one.end, one.quote, one.place, at) for one in citations)


def found_in(text: str, pieces: Iterable[tuple[str, Iterable[Citation]]]) -> tuple[Source, ...]:
    """The sources of pieces of a text (claims with their citations), each with where its piece ends in the text."""
    found: list[Source] = []
    position = 0
    for piece, citations in pieces:
        start = text.find(piece, position) if piece else -1
        position = position if start < 0 else start + len(piece)
        found += sources_of(citations, at=None if start < 0 else position)
    return tuple(found)


def cited_text(result: Result, *, most: int | None = None) -> str:
    """The text with a mark ("[1]") behind what rests on a source, and the sources listed under it, `most` of them.

    The same words of a document have one number.
    """
    if not result.sources:
        return result.text
    numbers: dict[tuple[str, int, int], int] = {}
    marks: dict[int, dict[int, None]] = {}
    lines: list[str] = []
    for one in result.sources:
        place = (one.document_id, one.start, one.end)
        if place not in numbers:
            numbers[place] = len(numbers) + 1
            where = ", ".join(filter(None, (one.title, str(one.place))))
            lines.append(f"[{numbers[place]}] {where}: “{' '.join(one.quote.split())}”")
        marks.setdefault(len(result.text) if one.at is None else one.at, {})[numbers[place]] = None
    pieces: list[str] = []
    position = 0
    for at in sorted(marks):
        pieces += [result.text[position:at].rstrip(), " ", *(f"[{number}]" for number in marks[at])]
        position = at
    left_out = [f"and {len(lines) - most} more"] if most is not None and len(lines) > most else []
    return "\n\n".join(["".join([*pieces, result.text[position:]]), "\n".join([*lines[:most], *left_out])])


def source_of_json(value: Mapping[str, JsonValue]) -> Source | None:
    """The source that `Source.to_json` told of; None for anything else. Its place is told in one word."""
    document, title, start, end, quote = (value.get(name) for name in ("document", "title", "start", "end", "quote"))
    if not (isinstance(document, str) and isinstance(start, int) and isinstance(end, int) and isinstance(quote, str)):
        return None
    at, place = value.get("at"), value.get("place")
    shown = Place((place,)) if isinstance(place, str) and place else Place()
    return Source(document, str(title or ""), start, end, quote, shown, at if isinstance(at, int) else None)


def _page(text: str, sources: tuple[Source, ...], usage: str) -> str:
    paragraphs = "".join(f"<p>{html.escape(one)}</p>" for one in text.split("\n\n"))
    rows = "".join(
        f"<li>{html.escape(one.title)}, {html.escape(str(one.place))}: <q>{html.escape(one.quote)}</q></li>"
        for one in sources[:_MOST_SHOWN]
    )
    more = f"<li>and {len(sources) - _MOST_SHOWN} more</li>" if len(sources) > _MOST_SHOWN else ""
    listed = f"<details><summary>{len(sources)} sources</summary><ol>{rows}{more}</ol></details>" if sources else ""
    return f'<div class="longdoc">{paragraphs}{listed}<small>{html.escape(usage)}</small></div>'
