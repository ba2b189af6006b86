"""How well claims are aligned with what they rest on: the example novella's gold, and counts of what was found.

The gold tells for each sentence of a summary of each chapter which passages it rests on, word for word, and for each
sentence of a summary of the whole which sentences of the chapters.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.document import Document, SectionRole
from longdoc.documents.readers import read_document
from longdoc.documents.segments import Segment, segment_document
from longdoc.documents.tokens import EstimatedTokens
from longdoc.retrieval.alignment import Aligner
from longdoc.retrieval.support import Support

TUNED = range(5)
HELD_OUT = range(5, 11)
"""Chapters by number from 0: the constants of the alignment were fitted with the first, never with the others."""

_EXAMPLES = Path(__file__).parent.parent / "examples"
_SEGMENT_TOKENS = 2048
_LEAST_WORDS = 5

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class GoldChapter:
    """Sentences of a chapter's summary and of the chapter; `rests[claim]` has for each quote the sources it is of."""

    claims: tuple[str, ...]
    sources: tuple[str, ...]
    rests: tuple[tuple[frozenset[int], ...], ...]


@dataclass(frozen=True, slots=True)
class Gold:
    """The chapters, and sentences of the summary of all, each resting on (chapter, claim) as numbers from 0."""

    chapters: tuple[GoldChapter, ...]
    whole: tuple[str, ...]
    whole_rests: tuple[frozenset[tuple[int, int]], ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Counts: claims, and how many of them were supported, by a source of the gold, by such a source first;
    sources chosen, and how many of them are the gold's; quotes of the gold, and how many of them were found.
    """

    claims: int = 0
    supported: int = 0
    right: int = 0
    right_first: int = 0
    chosen: int = 0
    chosen_right: int = 0
    quotes: int = 0
    quotes_found: int = 0

    def __add__(self, other: Found) -> Found:
        return Found(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(Found)))

    @property
    def accuracy(self) -> float:
        """The share of claims that are supported by a source of the gold."""
        return self.right / self.claims

    @property
    def accuracy_first(self) -> float:
        """The share of claims whose best source is of the gold."""
        return self.right_first / self.claims

    @property
    def precision(self) -> float:
        """The share of the sources chosen that are of the gold."""
        return self.chosen_right / max(1, self.chosen)

    @property
    def recall(self) -> float:
        """The share of the gold's quotes that a chosen source is of."""
        return self.quotes_found / self.quotes


async def read_gold() -> Gold:
    """The gold beside the novella's text, cut into segments (one a chapter) and these into sentences."""
    document = await asyncio.to_thread(read_document, _EXAMPLES / "novella.epub")
    gold: dict[str, Any] = json.loads((_EXAMPLES / "novella-summary.json").read_text(encoding="utf-8"))
    segments = await segment_sentences(document)
    chapters = [
        _chapter(document, spans, chapter["sentences"])
        for spans, chapter in zip(segments, gold["chapters"], strict=True)
    ]
    rests = [frozenset((chapter - 1, claim) for chapter, claim in one["rests_on"]) for one in gold["whole"]]
    return Gold(tuple(chapters), tuple(one["text"] for one in gold["whole"]), tuple(rests))


async def segment_sentences(document: Document) -> list[list[Span]]:
    """Where the sentences of each segment of the work itself are."""
    segments = await segment_document(document, EstimatedTokens(), limit=_SEGMENT_TOKENS)
    return [_sentences(document, segment) for segment in segments if segment.role is SectionRole.BODY]


def sentence_of(document: Document, span: Span) -> str:
    """The sentence in a span, on one line."""
    return " ".join(document.text[slice(*span)].split())


def telling(sentences: Iterable[str]) -> list[str]:
    """The sentences that have enough words to say something of a book."""
    return [sentence for sentence in sentences if len(sentence.split()) >= _LEAST_WORDS]


async def align_chapters(aligner: Aligner, chapters: Iterable[GoldChapter]) -> Found:
    """Align the sentences of each chapter's summary with the chapter."""
    found = Found()
    for chapter in chapters:
        supports = await aligner.align(chapter.claims, chapter.sources)
        for support, rests in zip(supports, chapter.rests, strict=True):
            found += _found(support, [source.number for source in support.sources], rests)
    return found


async def align_whole(aligner: Aligner, gold: Gold) -> tuple[Found, Found]:
    """Align the sentences of the whole summary with those of the chapters, and through these with the text."""
    children = [(chapter, claim) for chapter, one in enumerate(gold.chapters) for claim in range(len(one.claims))]
    below = [await aligner.align(chapter.claims, chapter.sources) for chapter in gold.chapters]
    texts = [gold.chapters[chapter].claims[claim] for chapter, claim in children]
    near, through = Found(), Found()
    for support, rests in zip(await aligner.align(gold.whole, texts), gold.whole_rests, strict=True):
        chosen = [children[source.number] for source in support.sources]
        near += _found(support, chosen, [{child} for child in rests])
        sources = [(chapter, source.number) for chapter, claim in chosen for source in below[chapter][claim].sources]
        quotes = [
            {(chapter, number) for number in quote}
            for chapter, claim in rests
            for quote in gold.chapters[chapter].rests[claim]
        ]
        through += _found(support, list(dict.fromkeys(sources)), quotes)
    return near, through


async def rejected(aligner: Aligner, claims: Sequence[str], segments: Iterable[Sequence[str]]) -> float:
    """The share of claims that none of the segments supports when asked alone, over all segments."""
    supports = [support for sources in segments for support in await aligner.align(claims, sources)]
    return sum(not support.supported for support in supports) / len(supports)


def _sentences(document: Document, segment: Segment) -> list[Span]:
    spans = sentence_spans(document.text[segment.start : segment.end])
    return [(segment.start + start, segment.start + end) for start, end in spans]


def _chapter(document: Document, spans: Sequence[Span], sentences: Sequence[dict[str, Any]]) -> GoldChapter:
    def sources_of(quote: str) -> frozenset[int]:
        start = document.text.index(quote)
        return frozenset(n for n, span in enumerate(spans) if span[0] < start + len(quote) and start < span[1])

    rests = tuple(tuple(sources_of(quote) for quote in sentence["quotes"]) for sentence in sentences)
    claims = tuple(str(sentence["text"]) for sentence in sentences)
    return GoldChapter(claims, tuple(sentence_of(document, span) for span in spans), rests)


def _found(support: Support, chosen: Sequence[object], rests: Collection[AbstractSet[object]]) -> Found:
    gold = {source for quote in rests for source in quote}
    right = [source for source in chosen if source in gold]
    return Found(
        claims=1,
        supported=int(support.supported),
        right=int(bool(right)),
        right_first=int(bool(chosen) and chosen[0] in gold),
        chosen=len(chosen),
        chosen_right=len(right),
        quotes=len(rests),
        quotes_found=sum(not quote.isdisjoint(chosen) for quote in rests),
    )
