"""Windows overlap, keep the limit and end with sentences; their parts tile them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.atoms import sentence_spans
from longdoc.documents.document import Document, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.documents.tokens import EstimatedTokens
from longdoc.documents.windows import split_windows, window_document
from longdoc.errors import ConfigError
from tests.documents.test_segments import TEXT, WORDY, chapters, document_of

COUNTER = EstimatedTokens()
TEXTS = st.one_of(TEXT, WORDY.map(" ".join), st.text("漢字かな。\n อไทย", max_size=2000))
LIMITS = st.integers(16, 200).flatmap(lambda limit: st.tuples(st.just(limit), st.integers(0, limit // 4)))


def windows_of(document: Document, limit: int = 512, overlap: int = 64) -> tuple[Segment, ...]:
    return asyncio.run(window_document(document, COUNTER, limit=limit, overlap=overlap))


def parts_of(document: Document, windows: Sequence[Segment], limit: int = 512, most: int = 200) -> tuple[Segment, ...]:
    return asyncio.run(split_windows(document, windows, COUNTER, limit=limit, most=most))


def tokens(text: str) -> int:
    return asyncio.run(COUNTER.count_tokens([text]))[0]


@st.composite
def sectioned(draw: st.DrawFn) -> Document:
    """A document with sections of any roles at any offsets, one inside another."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    roles = st.sampled_from(SectionRole)
    inner = [Section("", start, end, draw(roles)) for start, end in pairwise(cuts)]
    outer = [Section("", s.start, s.end, draw(roles), children=(s,)) if draw(st.booleans()) else s for s in inner]
    return Document("d", text, "text", sections=tuple(outer))


@given(TEXTS, LIMITS)
def test_windows_cover_the_text_within_the_limit_and_overlap(text: str, sizes: tuple[int, int]) -> None:
    limit, overlap = sizes
    windows = windows_of(Document("d", text, "text"), limit, overlap)
    assert all(tokens(text[w.start : w.end]) <= w.tokens <= limit for w in windows)
    if not text.strip():
        assert windows == ()
        return
    assert (windows[0].start, windows[-1].end) == (0, len(text))
    for before, after in pairwise(windows):
        assert before.start < after.start <= before.end < after.end


@given(TEXTS, LIMITS, st.data())
def test_a_stretch_no_longer_than_the_overlap_is_whole_in_a_window(
    text: str, sizes: tuple[int, int], data: st.DataObject
) -> None:
    limit, overlap = sizes
    if not text.strip():
        return
    start = data.draw(st.integers(0, len(text)))
    end = start
    while end < len(text) and tokens(text[start : end + 1]) <= overlap:
        end += 1
    windows = windows_of(Document("d", text, "text"), limit, overlap)
    assert any(window.start <= start and end <= window.end for window in windows)


@given(sectioned(), LIMITS)
def test_no_window_has_text_of_two_roles_and_all_of_the_body_is_there(
    document: Document, sizes: tuple[int, int]
) -> None:
    windows = windows_of(document, *sizes)
    roles = [SectionRole.BODY] * len(document.text)
    for section in document.sections:
        for inner in section.children:
            roles[inner.start : inner.end] = [inner.role] * (inner.end - inner.start)
        if section.role is not SectionRole.BODY or not section.children:
            roles[section.start : section.end] = [section.role] * (section.end - section.start)
    assert all(set(roles[w.start : w.end]) == {w.role} for w in windows)
    covered = {place for window in windows for place in range(window.start, window.end)}
    missing = {roles[i] for i in range(len(roles)) if i not in covered and not document.text[i].isspace()}
    assert missing <= {SectionRole.CONTENTS, SectionRole.COVER, SectionRole.LICENCE}


@given(sectioned(), LIMITS)
def test_equal_documents_have_equal_windows_and_parts(document: Document, sizes: tuple[int, int]) -> None:
    windows = windows_of(document, *sizes)
    assert windows_of(replace(document), *sizes) == windows
    assert parts_of(document, windows, sizes[0]) == parts_of(replace(document), windows, sizes[0])


@given(sectioned(), LIMITS, st.integers(8, 100))
def test_parts_tile_what_the_windows_cover(document: Document, sizes: tuple[int, int], most: int) -> None:
    windows = windows_of(document, *sizes)
    parts = parts_of(document, windows, sizes[0], most)
    in_parts = [place for part in parts for place in range(part.start, part.end)]
    assert in_parts == sorted({place for window in windows for place in range(window.start, window.end)})
    for part in parts:
        owner = max((w for w in windows if w.start <= part.start), key=lambda w: w.start)
        assert part.end <= owner.end


def test_windows_and_parts_of_prose_end_with_sentences() -> None:
    text = " ".join(f"On day {day} the old keeper lit lamp number {day % 7} and wrote it down." for day in range(2000))
    document = document_of([text])
    ends = {end for _, end in sentence_spans(text)}
    windows = windows_of(document)
    assert all(window.end in ends and window.tokens > 512 - 32 for window in windows[:-1])
    parts = parts_of(document, windows)
    assert all(part.end in ends and 128 <= part.tokens <= 200 for part in parts[:-3])


def test_a_text_without_sentence_marks_is_cut_between_words() -> None:
    document = document_of(["word " * 5000])
    assert all(document.text[w.start : w.end].startswith("word") for w in windows_of(document))


def test_chinese_text_is_cut_at_its_sentences() -> None:
    text = "他在海边的灯塔里住了三十年。" * 400
    windows = windows_of(document_of([text]))
    assert all(text[window.end - 1] == "。" for window in windows)
    assert all(window.tokens <= 512 for window in windows)


def test_contents_and_licence_are_left_out_unless_nothing_else_is_there() -> None:
    roles = [SectionRole.CONTENTS, SectionRole.BODY, SectionRole.LICENCE]
    document = chapters(document_of(["A list.", "The story.", "All rights."]), [1, 1, 1], roles)
    assert [(w.role, w.section) for w in windows_of(document)] == [(SectionRole.BODY, 1)]
    only = chapters(document_of(["A list.", "All rights."]), [1, 1], [roles[0], roles[2]])
    assert [w.role for w in windows_of(only)] == [SectionRole.CONTENTS, SectionRole.LICENCE]


def test_the_section_of_a_window_is_that_of_its_middle() -> None:
    document = chapters(document_of(["Some words stand here. " * 100] * 2), [1, 1])
    windows = windows_of(document)
    starts = [section.start for section in document.sections]
    assert [w.section for w in windows] == [int((w.start + w.end) // 2 >= starts[1]) for w in windows]


def test_an_empty_document_has_no_windows() -> None:
    assert windows_of(Document("d", "", "text")) == ()
    assert parts_of(Document("d", "", "text"), ()) == ()


@pytest.mark.parametrize(("limit", "overlap"), [(15, 0), (512, 129), (512, -1)])
def test_sizes_that_cannot_work_are_refused(limit: int, overlap: int) -> None:
    with pytest.raises(ConfigError, match="cannot overlap"):
        windows_of(document_of(["text"]), limit, overlap)
