"""Citations of sentences that quote nothing: each is aligned with the sentence of an excerpt that supports it best.

What is cited are the source's own words, so that a citation always stands in its source.
"""

from __future__ import annotations

from collections.abc import Sequence

from longdoc.agents.citations import Citation, whole_citation
from longdoc.documents.atoms import sentence_spans
from longdoc.retrieval.alignment import Aligner
from longdoc.retrieval.excerpts import Excerpt


async def aligned_citations(
    aligner: Aligner, sentences: Sequence[str], excerpts: Sequence[Excerpt]
) -> list[tuple[Citation, ...]]:
    """For each sentence the sentence of the excerpts that supports it best, if any does. Raises what the embedder
    raises."""
    sources = [(excerpt, span) for excerpt in excerpts for span in _sentences(excerpt)]
    texts = [excerpt.document.text[start:end] for excerpt, (start, end) in sources]
    supports = await aligner.align(sentences, texts)
    return [
        tuple(
            whole_citation(sources[best.number][0], *sources[best.number][1], score=best.score)
            for best in support.sources[:1]
        )
        for support in supports
    ]


def _sentences(excerpt: Excerpt) -> list[tuple[int, int]]:
    """The sentences of an excerpt without white space around them, as offsets in its document."""
    text = excerpt.text
    language = excerpt.document.metadata.language.split("-")[0].lower() or "en"
    spans: list[tuple[int, int]] = []
    for start, end in sentence_spans(text, language):
        bare = text[start:end].strip()
        if bare:
            first = excerpt.start + text.index(bare, start)
            spans.append((first, first + len(bare)))
    return spans
