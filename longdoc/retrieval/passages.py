"""The passage of a segment that a question is most likely about: what a model need read to tell whether it helps.

A segment is many times longer than what answers most questions, so that a small model sees little of it; its best part
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


async def best_passages(rows: IndexRows, asked: AskedBy, hits: Sequence[Hit]) -> list[Hit]:
    """Each hit with its best passage in the place of its segment: the part that is most like the question by words, and
    by meaning as far as there is an embedder."""
    texts = {one: await rows.text(one) for one in {hit.document_id for hit in hits}}
    return [await _best(rows, asked, hit, texts[hit.document_id]) for hit in hits]


async def _best(rows: IndexRows, asked: AskedBy, hit: Hit, text: str) -> Hit:
    layout = await rows.layout(hit.document_id)
    first, last = _parts_of(layout, hit.segment)
    if last - first <= 1:
        return hit
    parts = layout.parts[first:last]
    scores = _by_words(asked.question, (text[part.start : part.end] for part in parts))
    if asked.vector is not None and asked.embedder is not None:
        near = await rows.vectors(hit.document_id, asked.embedder, range(first, last)) @ asked.vector
        scores = [word + meaning for word, meaning in zip(scores, near.tolist(), strict=True)]
    best = parts[max(range(len(parts)), key=scores.__getitem__)]
    return replace(hit, segment=replace(hit.segment, start=best.start, end=best.end, tokens=best.tokens))


def _parts_of(layout: Layout, window: Segment) -> tuple[int, int]:
    """The numbers of the first part in a window, and of the first behind it."""
    first = bisect_left(layout.parts, window.start, key=lambda part: part.start)
    return first, bisect_right(layout.parts, window.end, lo=first, key=lambda part: part.end)


def _by_words(question: str, texts: Iterable[str]) -> list[float]:
    """Which share of the question's words each text has."""
    wanted = set(question_terms(question).terms)
    return [len(wanted.intersection(index_terms(text))) / max(1, len(wanted)) for text in texts]
