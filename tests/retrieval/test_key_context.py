"""The key context: in order, without repeats, never over the budget."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.document import Document, SectionRole
from longdoc.documents.segments import Segment
from longdoc.retrieval.hits import Hit
from longdoc.retrieval.key_context import KeyContext, build_key_context

_WORDS = "one two three four. five six seven eight nine. ten eleven twelve thirteen. " * 40


class _Letters:
    """A token for every four characters begun."""

    identity = "letters"

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [-(-len(text) // 4) for text in texts]


def _document(name: str = "a", text: str = _WORDS) -> Document:
    return Document(id=name, text=text, format="txt", source=name)


def _hit(start: int, end: int, *, document: str = "a", score: float = 1.0) -> Hit:
    return Hit(document, Segment(0, start, end, -(-(end - start) // 4), SectionRole.BODY, None), score)


def _build(
    hits: Sequence[Hit], *documents: Document, budget: int, fence: int = 0, most: int | None = None
) -> KeyContext:
    shown = {document.id: document for document in documents}
    return asyncio.run(build_key_context(hits, shown, budget=budget, counter=_Letters(), fence=fence, most=most))


_SPANS = st.tuples(st.integers(0, 2000), st.integers(1, 400)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(_SPANS, max_size=20), st.integers(1, 600), st.integers(0, 10))
def test_is_a_part_of_the_source_in_order_and_within_the_budget(
    spans: list[tuple[int, int]], budget: int, fence: int
) -> None:
    document = _document()
    context = _build([_hit(start, end) for start, end in spans], document, budget=budget, fence=fence)
    assert context.tokens <= budget
    assert [excerpt.number for excerpt in context.excerpts] == list(range(1, len(context.excerpts) + 1))
    position = 0
    for excerpt in context.excerpts:
        assert position <= excerpt.start < excerpt.end
        assert excerpt.text == document.text[excerpt.start : excerpt.end]
        position = excerpt.end


def test_takes_what_two_segments_share_once() -> None:
    context = _build([_hit(0, 100), _hit(80, 180)], _document(), budget=1000)
    assert [(e.start, e.end, e.tokens) for e in context.excerpts] == [(0, 180, 45)]


def test_skips_what_does_not_fit_and_goes_on() -> None:
    context = _build([_hit(0, 100), _hit(200, 800), _hit(1000, 1060)], _document(), budget=50)
    assert [(e.start, e.end) for e in context.excerpts] == [(0, 100), (1000, 1060)]
    assert len(context.used) == 2


def test_shows_documents_in_their_order() -> None:
    hits = [_hit(0, 40, document="b"), _hit(400, 440), _hit(0, 40)]
    context = _build(hits, _document("a"), _document("b"), budget=1000)
    assert [(e.document.id, e.start) for e in context.excerpts] == [("a", 0), ("a", 400), ("b", 0)]


def test_cuts_a_first_segment_that_is_too_long_at_a_sentence() -> None:
    context = _build([_hit(0, 2000)], _document(), budget=30)
    (excerpt,) = context.excerpts
    assert excerpt.text.rstrip().endswith(".")
    assert 0 < excerpt.tokens <= 30


def test_cuts_a_single_sentence_that_is_too_long() -> None:
    context = _build([_hit(0, 2000)], _document(text="word " * 500), budget=10)
    assert 0 < context.tokens <= 10


def test_takes_no_more_than_was_asked_for() -> None:
    context = _build([_hit(0, 40), _hit(100, 140), _hit(200, 240)], _document(), budget=1000, most=2)
    assert len(context.excerpts) == 2
