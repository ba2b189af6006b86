"""What counts as a chapter, whatever the outline calls it; and cutting segments where chapters begin."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.chapters import Chapter, chapters_of, split_at_chapters
from longdoc.documents.document import Document, Metadata, Section, SectionRole
from longdoc.documents.segments import Segment
from longdoc.errors import ConfigError

LONG = 100_000


def section(title: str, start: int, end: int, *children: Section, role: SectionRole = SectionRole.BODY) -> Section:
    return Section(title, start, end, role, children=children)


def found(*sections: Section) -> list[tuple[str, int, int]]:
    document = Document("d", "x" * sections[-1].end, "text", sections=sections)
    return [(chapter.title, chapter.start, chapter.end) for chapter in chapters_of(document)]


def test_sections_in_a_row_are_chapters_and_tile_the_text() -> None:
    document = Document("d", "x" * 500, "text", sections=(section("A", 100, 200), section("B", 220, 300)))
    assert chapters_of(document) == [Chapter("A", 0, 220), Chapter("B", 220, 500)]


def test_sections_inside_a_chapter_belong_to_it() -> None:
    assert found(section("A", 0, 200, section("i", 0, 90), section("ii", 90, 200)), section("B", 200, 300)) == [
        ("A", 0, 200),
        ("B", 200, 300),
    ]


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_title_around_everything_is_no_chapter(depth: int) -> None:
    sections = (section("A", 10, 200), section("B", 200, 400))
    for level in range(depth):
        sections = (section(f"Title {level}", 0, 400, *sections),)
    assert found(*sections) == [("A", 0, 200), ("B", 200, 400)]


def test_parts_hold_chapters_and_chapters_know_their_part() -> None:
    parts = [
        section(
            f"Part {part}",
            part * LONG,
            (part + 1) * LONG,
            section("A", part * LONG + 500, part * LONG + 40_000),
            section("B", part * LONG + 40_000, (part + 1) * LONG),
        )
        for part in (0, 1)
    ]
    assert found(*parts) == [
        ("Part 0 / A", 0, 40_000),
        ("Part 0 / B", 40_000, LONG),
        ("Part 1 / A", LONG, LONG + 40_000),
        ("Part 1 / B", LONG + 40_000, 2 * LONG),
    ], "what stands in a part before its first chapter belongs to that"
    assert found(section("The Book", 0, 2 * LONG, *parts)) == found(*parts)


def test_a_long_chapter_without_sections_is_one_chapter() -> None:
    assert found(section("A", 0, LONG), section("B", LONG, LONG + 9)) == [("A", 0, LONG), ("B", LONG, LONG + 9)]


def test_a_part_with_a_single_chapter_is_a_chapter() -> None:
    assert [
        title for title, _, _ in found(section("Part", 0, LONG, section("A", 9, LONG)), section("B", LONG, LONG + 9))
    ] == [
        "Part",
        "B",
    ]


def test_what_is_not_the_work_is_no_chapter() -> None:
    sections = (
        section("Cover", 0, 10, role=SectionRole.COVER),
        section("A", 10, 200),
        section("B", 200, 300),
        section("Licence", 300, 400, role=SectionRole.LICENCE),
    )
    assert [title for title, _, _ in found(*sections)] == ["A", "B"]


@pytest.mark.parametrize("sections", [(), (section("Licence", 0, 90, role=SectionRole.LICENCE),)])
def test_a_document_without_chapters_is_refused_by_name(sections: tuple[Section, ...]) -> None:
    document = Document("d", "x" * 100, "text", Metadata(title="Events"), sections=sections)
    with pytest.raises(ConfigError, match=r"Events has no chapters.*without --by"):
        chapters_of(document)


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=12),
    st.lists(st.integers(1, 300), min_size=1, max_size=12),
)
def test_pieces_of_segments_are_those_of_the_text_with_no_token_lost(sizes: list[int], lengths: list[int]) -> None:
    total = sum(sizes)
    bounds = [0, *sorted({length % total for length in lengths} - {0}), total]
    chapters = [Chapter(str(start), start, end) for start, end in pairwise(bounds)]
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    segments = [
        Segment(i, end - size, end, size // 4 + 1, SectionRole.BODY, None)
        for i, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]
    pieces = split_at_chapters(segments, chapters)
    flat = [piece for row in pieces for piece in row]
    assert [(piece.start, piece.end) for piece in flat] == list(pairwise(sorted({*bounds, *ends})))
    assert sum(piece.tokens for piece in flat) >= sum(segment.tokens for segment in segments)
    assert all(
        chapter.start <= piece.start < piece.end <= chapter.end
        for row, chapter in zip(pieces, chapters, strict=True)
        for piece in row
    )


def test_a_section_that_is_a_heading_alone_begins_the_chapter_after_it() -> None:
    text = "PART ONE\n\n" + "a" * 100 + "PART TWO\n\n" + "b" * 100
    sections = tuple(
        Section(title, start, end)
        for title, start, end in (("PART ONE", 0, 10), ("I", 10, 110), ("PART TWO", 110, 120), ("II", 120, 220))
    )
    chapters = chapters_of(Document("d", text, "text", sections=sections))
    assert [(chapter.title, chapter.start, chapter.end) for chapter in chapters] == [("I", 0, 110), ("II", 110, 220)]
