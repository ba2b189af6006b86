"""The passages of segments that a question is most likely about: what a model need read to tell whether they help.

A segment is many times longer than what answers most questions, so that a small model sees little of it; a part of it
costs a tenth and tells more (docs/benchmarks.md).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from longdoc.documents.segments import Segment
from longdoc.documents.windows import PART_TOKENS
from longdoc.retrieval.hits import Hit
from longdoc.retrieval.index_rows import IndexRows, Layout
from longdoc.retrieval.terms import index_terms, question_terms

if TYPE_CHECKING:
    from longdoc.engines.embedder import Embedder
    from longdoc.retrieval.vector_index import Vectors

PASSAGE_TOKENS: Final = PART_TOKENS
"""How long a passage is, about: one part. Its neighbours would say what its pronouns stand for, and hide it."""


@dataclass(frozen=True, slots=True)
class AskedBy:
    """A question, with its vector and the embedder that made it where there is one."""

    question: str
    vector: Vectors | None = None
    embedder: Embedder | None = None


async def best_passages(rows: IndexRows, asked: AskedBy, hits: Sequence[Hit], *, count: int) -> list[list[Hit]]:
    """For each hit its best passages in the place of its segment, in order: the `count` parts of all segments that are
    most like the question, by words and by meaning as far as there is an embedder. Some have several, some none."""
    texts = {one: await rows.text(one) for one in {hit.document_id for hit in hits}}
    scored: list[tuple[float, int, Segment]] = []
    for place, hit in enumerate(hits):
        scored += [(score, place, part) for score, part in await _scored(rows, asked, hit, texts[hit.document_id])]
    best = sorted(scored, key=lambda one: (-one[0], one[1], one[2].start))[:count]
    found: list[list[Hit]] = [[] for _ in hits]
    for _, place, part in sorted(best, key=lambda one: (one[1], one[2].start)):
        whole = hits[place]
        passage = replace(whole.segment, start=part.start, end=part.end, tokens=part.tokens)
        found[place].append(replace(whole, segment=passage))
    return found


async def _scored(rows: IndexRows, asked: AskedBy, hit: Hit, text: str) -> list[tuple[float, Segment]]:
    """The parts of a segment, and how much each is like the question."""
    layout = await rows.layout(hit.document_id)
    first, last = _parts_of(layout, hit.segment)
    if first >= last:
        return [(0.0, hit.segment)]
    parts = layout.parts[first:last]
    scores = _by_words(asked.question, (text[part.start : part.end] for part in parts))
    if asked.vector is not None and asked.embedder is not None:
        near = await rows.vectors(hit.document_id, asked.embedder, range(first, last)) @ asked.vector
        scores = [word + meaning for word, meaning in zip(scores, near.tolist(), strict=True)]
    return list(zip(scores, parts, strict=True))


def _parts_of(layout: Layout, window: Segment) -> tuple[int, int]:
    """The numbers of the first part in a window, and of the first behind it."""
    first = bisect_left(layout.parts, window.start, key=lambda part: part.start)
    return first, bisect_right(layout.parts, window.end, lo=first, key=lambda part: part.end)


def _by_words(question: str, texts: Iterable[str]) -> list[float]:
    """Which share of the question's words each text has."""
    wanted = set(question_terms(question).terms)
    return [len(wanted.intersection(index_terms(text))) / max(1, len(wanted)) for text in texts]
