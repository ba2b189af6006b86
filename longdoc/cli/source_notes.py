"""Where a sentence of a summary comes from, said in words: footnotes, and the same as values for programs."""

from __future__ import annotations

from collections.abc import Sequence

from longdoc.documents.document import Document
from longdoc.documents.places import place_of
from longdoc.json_value import JsonValue
from longdoc.storage.supports import SentenceSupport

_UNSUPPORTED = "unsupported"
_WORDS_SHOWN = 6


class SourcePlaces:
    """Tells in words where spans of a document stand."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def section(self, offset: int) -> str:
        """The titles of the sections around an offset, outermost first; empty outside any."""
        return " / ".join(filter(None, place_of(self._document, offset, offset + 1).section))

    def page(self, offset: int) -> int | None:
        """The page of an offset, where the source has pages."""
        return place_of(self._document, offset, offset + 1).page

    def note(self, span: tuple[int, int], others: int) -> str:
        """A place as a footnote has it: section, page, characters, and the words it begins and ends with."""
        start, end = span
        page = self.page(start)
        where = [self.section(start), f"page {page}" if page is not None else "", f"characters {start:,}–{end:,}"]
        words = self._document.text[start:end].split()
        shown = words if len(words) <= 2 * _WORDS_SHOWN else [*words[:_WORDS_SHOWN], "…", *words[-_WORDS_SHOWN:]]
        more = f" (and {others} more)" if others else ""
        return f"{', '.join(filter(None, where))}: “{' '.join(shown)}”{more}"

    def json(self, span: tuple[int, int]) -> JsonValue:
        """A place as a value."""
        start, end = span
        return {
            "start": start,
            "end": end,
            "section": self.section(start),
            "page": self.page(start),
            "text": self._document.text[start:end],
        }


class SourceNotes:
    """Collects footnotes while texts are marked with them."""

    def __init__(self, document: Document) -> None:
        self._places = SourcePlaces(document)
        self._numbers: dict[tuple[tuple[int, int], ...], int] = {}
        self._unsupported = False

    def marked(self, text: str, sentences: Sequence[SentenceSupport]) -> str:
        """The text with a mark after each sentence; sentences on the same places share a number."""
        pieces: list[str] = []
        position = 0
        for sentence in sentences:
            pieces += [text[position : sentence.end], f"[^{self._label(sentence)}]"]
            position = sentence.end
        return "".join([*pieces, text[position:]])

    def lines(self) -> list[str]:
        """The footnotes, in order."""
        notes = [f"[^{n}]: {self._places.note(spans[0], len(spans) - 1)}" for spans, n in self._numbers.items()]
        if self._unsupported:
            notes.append(f"[^{_UNSUPPORTED}]: Nothing in the text was found that this sentence rests on.")
        return notes

    def _label(self, sentence: SentenceSupport) -> str:
        if not sentence.supported or not sentence.spans:
            self._unsupported = True
            return _UNSUPPORTED
        return str(self._numbers.setdefault(sentence.spans, len(self._numbers) + 1))


def sentences_json(text: str, sentences: Sequence[SentenceSupport], document: Document) -> list[JsonValue]:
    """The sentences of a text with what each rests on."""
    places = SourcePlaces(document)
    return [
        {
            "text": text[sentence.start : sentence.end],
            "start": sentence.start,
            "end": sentence.end,
            "supported": sentence.supported,
            "score": sentence.score,
            "spans": [places.json(span) for span in sentence.spans],
            "children": [{"node": node, "sentence": number} for node, number in sentence.children],
        }
        for sentence in sentences
    ]
