"""Segments tile the text, hold the limit, and break where a reader would."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.document import Block, BlockKind, Document, Section, SectionRole
from longdoc.documents.segments import Segment, segment_document
from longdoc.documents.tokens import EstimatedTokens
from longdoc.errors import ConfigError

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=3000)
WORDY = st.lists(
    st.sampled_from(["the", "cat.", "sat;", "on", "a", "mat!", "\n", "東京。", "Mr.", "x" * 90]), max_size=800
)


class WordTokens:
    """One token a word, two a Chinese character: exact and simple."""

    identity = "words"

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) + 2 * sum("一" <= c <= "鿿" for c in text) for text in texts]


def document_of(
    paragraphs: Sequence[str], sections: Sequence[Section] = (), kinds: Sequence[BlockKind] = ()
) -> Document:
    blocks: list[Block] = []
    position = 0
    for index, paragraph in enumerate(paragraphs):
        kind = kinds[index] if kinds else BlockKind.PARAGRAPH
        blocks.append(Block(position, position + len(paragraph), kind))
        position += len(paragraph) + 2
    return Document("d", "\n\n".join(paragraphs), "text", blocks=tuple(blocks), sections=tuple(sections))


def segments_of(document: Document, limit: int) -> tuple[Segment, ...]:
    return asyncio.run(segment_document(document, WordTokens(), limit=limit))


def chapters(document: Document, counts: Sequence[int], roles: Sequence[SectionRole] = ()) -> Document:
    """The same document with sections of so many blocks each."""
    sections: list[Section] = []
    first = 0
    for index, count in enumerate(counts):
        blocks = document.blocks[first : first + count]
        last = first + count
        end = document.blocks[last].start if last < len(document.blocks) else len(document.text)
        role = roles[index] if roles else SectionRole.BODY
        sections.append(Section(f"Chapter {index + 1}", blocks[0].start, end, role))
        first = last
    return replace(document, sections=tuple(sections))


@given(st.one_of(TEXT, WORDY.map(" ".join)), st.integers(16, 200))
def test_segments_join_back_to_the_text(text: str, limit: int) -> None:
    document = Document("d", text, "text")
    segments = asyncio.run(segment_document(document, EstimatedTokens(), limit=limit))
    assert "".join(text[s.start : s.end] for s in segments) == text


@given(WORDY.map(" ".join), st.integers(16, 200))
def test_no_segment_passes_the_limit(text: str, limit: int) -> None:
    assert all(s.tokens <= limit for s in segments_of(Document("d", text, "text"), limit))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(16, 120))
def test_sections_of_any_size_are_tiled(sizes: list[int], limit: int) -> None:
    paragraphs = ["word " * 9 + "end." for _ in range(sum(sizes))]
    document = chapters(document_of(paragraphs), sizes)
    segments = segments_of(document, limit)
    assert "".join(document.text[s.start : s.end] for s in segments) == document.text
    assert [s.index for s in segments] == list(range(len(segments)))


def test_a_text_that_fits_is_one_segment() -> None:
    assert len(segments_of(document_of(["one two.", "three four."]), 100)) == 1


def test_large_chapters_do_not_share_a_segment() -> None:
    document = chapters(document_of(["word " * 40 + "end."] * 4), [2, 2])
    segments = segments_of(document, 100)
    assert [s.section for s in segments] == [0, 1]


def test_small_sections_are_packed_together() -> None:
    document = chapters(document_of(["few words here."] * 6 + ["word " * 90]), [1, 1, 1, 1, 1, 1, 1])
    assert len(segments_of(document, 100)) == 2


def test_a_lone_heading_joins_what_follows() -> None:
    paragraphs = ["PART ONE", "word " * 80, "word " * 80]
    document = document_of(paragraphs)
    starts = [block.start for block in document.blocks]
    inner = (Section("I", starts[1], starts[2]), Section("II", starts[2], len(document.text)))
    document = replace(document, sections=(Section("PART ONE", 0, len(document.text), children=inner),))
    segments = segments_of(document, 100)
    assert [s.section for s in segments] == [1, 2]


def test_body_and_licence_never_share_a_segment() -> None:
    document = chapters(document_of(["a b."] * 4), [2, 2], [SectionRole.BODY, SectionRole.LICENCE])
    assert [s.role for s in segments_of(document, 100)] == [SectionRole.BODY, SectionRole.LICENCE]


def test_long_texts_are_cut_at_paragraphs_first() -> None:
    document = document_of(["Some words stand here. And more of them follow."] * 60)
    starts = {block.start for block in document.blocks}
    assert all(s.start in starts for s in segments_of(document, 50))


def test_long_paragraphs_are_cut_at_sentences() -> None:
    document = document_of(["This sentence has exactly six words. " * 100])
    texts = [document.text[s.start : s.end] for s in segments_of(document, 50)]
    assert all(text.rstrip().endswith("words.") for text in texts)


def test_a_long_sentence_is_cut_between_words() -> None:
    document = document_of(["word " * 500])
    assert all(document.text[s.start : s.end].startswith("word") for s in segments_of(document, 50))


def test_a_heading_stays_with_its_text() -> None:
    kinds = [BlockKind.HEADING, BlockKind.PARAGRAPH] * 10
    document = document_of(["A heading", "word " * 30] * 10, kinds=kinds)
    starts = {block.start for block in document.blocks if block.kind is BlockKind.HEADING}
    assert all(s.start in starts for s in segments_of(document, 70))


def test_segments_of_a_long_text_are_of_even_size() -> None:
    sizes = [s.tokens for s in segments_of(document_of(["five words are here now."] * 220), 500)]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) <= 10


def test_a_tiny_limit_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 16"):
        segments_of(document_of(["a"]), 3)


def test_sentences_of_several_scripts_tile_their_text() -> None:
    text = "Mr. Smith left. “Why?” she asked. 彼は行った。「そう」と言った。 שלום עולם. מה שלומך?"
    spans = sentence_spans(text)
    assert "".join(text[a:b] for a, b in spans) == text
    assert text[spans[0][0] : spans[0][1]].strip() == "Mr. Smith left."
