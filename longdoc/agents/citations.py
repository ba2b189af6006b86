"""Citations: the words of a source that a claim rests on, and only such as stand there.

Owns the values and the checking of what a model says it quotes; who asks for quotes is another module's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from longdoc.documents.places import Place, place_of
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.quotes import QuoteFinder, QuoteMatch

_LEFT_OUT = " … "


@dataclass(frozen=True, slots=True)
class Citation:
    """Words of a document, verified: from `start` to `end` of its text stands `quote`, the source's own words.

    Where the model left words out, `quote` has "…" for them. `score` is 1.0 for what the model quoted word for word,
    less where little words differ or words are left out; `excerpt` is the number of the excerpt that holds it.
    """

    document_id: str
    title: str
    start: int
    end: int
    quote: str
    score: float
    excerpt: int
    place: Place


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that an answer says, and what it rests on; without citations it is without support."""

    text: str
    citations: tuple[Citation, ...] = ()

    @property
    def supported(self) -> bool:
        """Whether a citation of it was verified."""
        return bool(self.citations)


@dataclass(frozen=True, slots=True)
class Said:
    """A quote as a model gave it: the number of the excerpt that it names (from 1, in the order shown), its words."""

    excerpt: int
    words: str


class CitationChecker:
    """Finds what a model quotes in the excerpts that it was shown."""

    def __init__(self, excerpts: Sequence[Excerpt]) -> None:
        self._sources = [_Source(excerpt) for excerpt in excerpts]

    def check(self, said: Sequence[Said]) -> tuple[tuple[Citation, ...], int]:
        """The citations that are verified, each once, and how many quotes stand nowhere."""
        found = [self.find(quote) for quote in said]
        kept = dict.fromkeys(citation for citation in found if citation is not None)
        return tuple(kept), sum(citation is None for citation in found)

    def find(self, said: Said) -> Citation | None:
        """The citation that a quote is: from the excerpt it names, else from the first other one that holds it."""
        named = range(said.excerpt - 1, said.excerpt)
        for number in (*named, *range(len(self._sources))):
            source = self._sources[number] if 0 <= number < len(self._sources) else None
            match = None if source is None else source.finder.find(said.words)
            if source is not None and match is not None:
                return citation_of(source.excerpt, match)
        return None


class _Source:
    """An excerpt that is taken apart when it is first looked into."""

    def __init__(self, excerpt: Excerpt) -> None:
        self.excerpt = excerpt

    @cached_property
    def finder(self) -> QuoteFinder:
        return QuoteFinder(self.excerpt.text)


def citation_of(excerpt: Excerpt, match: QuoteMatch) -> Citation:
    """The citation of what was found in the text of an excerpt."""
    document = excerpt.document
    start, end = excerpt.start + match.start, excerpt.start + match.end
    return Citation(
        document_id=document.id,
        title=document.title,
        start=start,
        end=end,
        quote=_LEFT_OUT.join(excerpt.text[first:last] for first, last in match.pieces),
        score=match.score,
        excerpt=excerpt.number,
        place=place_of(document, start, end),
    )


def whole_citation(excerpt: Excerpt, start: int, end: int, *, score: float) -> Citation:
    """The citation of `document.text[start:end]`, which the excerpt holds."""
    span = (start - excerpt.start, end - excerpt.start)
    return citation_of(excerpt, QuoteMatch(*span, exact=True, score=score, pieces=(span,)))
