"""The parts of segments that a question is most likely about: what a model need read to tell whether segments help.

A segment is many times longer than what answers most questions, so that a small model sees little of it; a part of it
costs a tenth and tells more (docs/benchmarks.md).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from longdoc.documents.segments import Segment
from longdoc.retrieval.hits import Hit
from longdoc.retrieval.index_rows import IndexRows, Layout
from longdoc.retrieval.terms import index_terms, question_terms

if TYPE_CHECKING:
    from longdoc.engines.embedder import Embedder
    from longdoc.retrieval.vector_index import Vectors


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, with its vector and the embedder that made it where there is one."""

    question: str
    vector: Vectors | None = None
    embedder: Embedder | None = None


async def best_parts(rows: IndexRows, asked: AskedQuestion, hits: Sequence[Hit], *, count: int) -> list[list[Hit]]:
    """For each hit its best parts in the place of its segment, in order: those among the `count` parts of all segments
    that are most like the question, by words and by meaning as far as there is an embedder. Parts with the same text
    are one, of the first hit that has it. Some hits have several, some none."""
    scored: dict[str, tuple[float, int, Segment]] = {}
    for document_id in dict.fromkeys(hit.document_id for hit in hits):
        text = await rows.text(document_id)
        scores = _Scores(rows, asked, document_id, text, await rows.layout(document_id))
        for place, hit in enumerate(hits):
            if hit.document_id == document_id:
                for score, part in await scores.of(hit.segment):
                    scored.setdefault(text[part.start : part.end].strip(), (score, place, part))
    best = sorted(scored.values(), key=lambda one: (-one[0], one[1], one[2].start))[:count]
    found: list[list[Hit]] = [[] for _ in hits]
    for _, place, part in sorted(best, key=lambda one: (one[1], one[2].start)):
        whole = hits[place]
        taken = replace(whole.segment, start=part.start, end=part.end, tokens=part.tokens)
        found[place].append(replace(whole, segment=taken))
    return found


class _Scores:
    """How much parts of a document are like a question. Vectors are loaded by the batch, each once."""

    def __init__(self, rows: IndexRows, asked: AskedQuestion, document_id: str, text: str, layout: Layout) -> None:
        self._rows = rows
        self._asked = asked
        self._document_id = document_id
        self._text = text
        self._layout = layout
        self._batches: dict[int, Vectors] = {}

    async def of(self, segment: Segment) -> list[tuple[float, Segment]]:
        """The parts of a segment with their scores; the segment itself where it has none."""
        first, last = _parts_of(self._layout, segment)
        if first >= last:
            return [(0.0, segment)]
        parts = self._layout.parts[first:last]
        scores = _by_words(self._asked.question, (self._text[part.start : part.end] for part in parts))
        if self._asked.vector is not None and self._asked.embedder is not None:
            vectors = await self._rows.vectors(
                self._document_id, self._asked.embedder, range(first, last), loaded=self._batches
            )
            scores = [word + near for word, near in zip(scores, (vectors @ self._asked.vector).tolist(), strict=True)]
        return list(zip(scores, parts, strict=True))


def _parts_of(layout: Layout, window: Segment) -> tuple[int, int]:
    """The numbers of the first part in a window, and of the first behind it."""
    first = bisect_left(layout.parts, window.start, key=lambda part: part.start)
    return first, bisect_right(layout.parts, window.end, lo=first, key=lambda part: part.end)


def _by_words(question: str, texts: Iterable[str]) -> list[float]:
    """Which share of the question's words each text has."""
    wanted = set(question_terms(question).terms)
    return [len(wanted.intersection(index_terms(text))) / max(1, len(wanted)) for text in texts]
