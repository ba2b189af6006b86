"""The builder normalises text, measures offsets and nests sections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, SectionRole
from longdoc.documents.outline import OutlineEntry, sections_from_outline
from longdoc.errors import EmptyDocumentError
from tests.documents.book_files import assert_well_formed, blocks, titles


def test_white_space_collapses_but_line_breaks_stay() -> None:
    builder = DocumentBuilder("text", "x")
    builder.add_block("  one \t two\u00a0three \n\n four ")
    assert blocks(builder.build()) == ["one two three\nfour"]


def test_invisible_characters_go_and_composed_ones_are_composed() -> None:
    builder = DocumentBuilder("text", "x")
    builder.add_block("\ufeffcafe\u0301 hy\u00adphen\x00 क्\u200dष")
    assert blocks(builder.build()) == ["café hyphen क्\u200dष"]


def test_lone_surrogates_do_not_break_a_document() -> None:
    builder = DocumentBuilder("text", "x")
    builder.add_block("a\ud800b")
    assert builder.build().text == "a\ufffdb"


def test_code_keeps_its_indentation_and_blank_lines() -> None:
    builder = DocumentBuilder("text", "x")
    builder.add_block("\n    def f():\n\n        return 1\n", BlockKind.CODE)
    assert builder.build().text == "def f():\n\n    return 1"


def test_tables_keep_tabs_between_cells() -> None:
    builder = DocumentBuilder("text", "x")
    builder.add_block("a  b\tc\n\t d", BlockKind.TABLE)
    assert builder.build().text == "a b\tc\n\td"


def test_empty_blocks_are_not_added() -> None:
    builder = DocumentBuilder("text", "x")
    assert builder.add_block(" \n\u00ad ") is None
    assert builder.add_block("a") == 0
    assert builder.position == len("a\n\n")


def test_a_document_without_text_is_refused() -> None:
    with pytest.raises(EmptyDocumentError):
        DocumentBuilder("text", "x").build()


def test_open_sections_nest_and_have_paths() -> None:
    builder = DocumentBuilder("text", "x")
    builder.open_section("Part")
    builder.open_section("Chapter")
    builder.add_block("text")
    builder.close_section()
    builder.close_section()
    builder.add_block("after")
    document = builder.build()
    part = document.sections[0]
    assert part.children[0].path == ("Part", "Chapter")
    assert document.text[part.start : part.end].strip() == "text"


def test_notes_follow_the_running_text_in_a_section_of_their_own() -> None:
    builder = DocumentBuilder("text", "x")
    builder.add_block("called here")
    builder.add_note("1", "the\nnote", anchor=6)
    document = builder.build()
    note = document.notes[0]
    assert document.text[note.start : note.end] == "the\nnote"
    assert document.text[: note.anchor] == "called"
    assert document.sections[-1].role is SectionRole.NOTES
    assert document.blocks[-1].kind is BlockKind.NOTE
    assert_well_formed(document)


def test_equal_text_and_outline_have_equal_ids() -> None:
    def built(title: str, source: str) -> str:
        builder = DocumentBuilder("text", source)
        builder.open_section(title)
        builder.add_block("text")
        return builder.build().id

    assert built("A", "one.txt") == built("A", "two.txt")
    assert built("A", "one.txt") != built("B", "one.txt")


def test_entries_out_of_reading_order_take_no_text_from_others() -> None:
    entries = [
        OutlineEntry("One", 0, 0),
        OutlineEntry("Plate", 0, 90),
        OutlineEntry("Group", 0, None),
        OutlineEntry("Two", 1, 10),
        OutlineEntry("Three", 0, 20),
    ]
    found = [(s.title, s.start, s.end) for top in sections_from_outline(entries, 100) for s in top.walk()]
    assert found == [("One", 0, 10), ("Plate", 10, 10), ("Group", 10, 20), ("Two", 10, 20), ("Three", 20, 100)]


OUTLINE = st.lists(
    st.tuples(st.integers(0, 40), st.one_of(st.none(), st.integers(-5, 600))).map(
        lambda pair: OutlineEntry(f"{pair[0]}", *pair)
    )
)


@given(OUTLINE, st.lists(st.text(max_size=12), min_size=1), st.lists(st.integers(0, 500), max_size=4))
def test_offsets_always_hold(entries: list[OutlineEntry], texts: list[str], anchors: list[int]) -> None:
    builder = DocumentBuilder("text", "x")
    for text in [*texts, "end"]:
        builder.add_block(text)
    builder.set_outline(entries)
    for anchor in anchors:
        builder.add_note("*", "note", anchor=anchor)
    document = builder.build()
    assert_well_formed(document)
    assert len(titles(document)) == len(entries) + bool(anchors)
