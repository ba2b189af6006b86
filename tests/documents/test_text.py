"""Plain text: paragraphs, headings, contents lists, encodings."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.plain.reader import read_text
from longdoc.documents.readers import read_document
from tests.documents.book_files import assert_well_formed, blocks, section_text, titles

BOOKS = Path(__file__).parents[3] / "shared" / "data" / "books"
needs_books = pytest.mark.skipif(not BOOKS.exists(), reason="the shared data folder ../shared/data is not here")
FILLER = "It was a long way to the lamp, and nobody had told them how long it would be or what it was for. " * 4


def read(text: str | bytes) -> Document:
    data = text.encode() if isinstance(text, str) else text
    document = read_text(data, name="test.txt", limits=Limits())
    assert_well_formed(document)
    return document


def chapters(*headings: str) -> str:
    return "\n\n".join(f"{heading}\n\n{FILLER}" for heading in headings)


def test_wrapped_lines_are_joined() -> None:
    wrapped = (
        "The keeper of the lamp was an old man who\nhad once been a sailor, and then a well-\nknown cook on the coast."
    )
    assert blocks(read(wrapped)) == [
        "The keeper of the lamp was an old man who had once been a sailor, and then a well-known cook on the coast."
    ]


def test_verse_keeps_its_lines() -> None:
    prose = (
        "The keeper of the lamp was an old man who had once been a sailor, and\nbefore that a cook on the coast.\n\n"
    )
    assert blocks(read(prose + "Tiny light,\n  burn bright,\nall night."))[1] == "Tiny light,\nburn bright,\nall night."


def test_one_verse_a_line_makes_one_block_a_line() -> None:
    lines = [f"Ge1:{n} And there was evening and there was morning, the day number {n}." for n in range(1, 200)]
    assert blocks(read("\n".join(lines))) == lines


def test_paragraphs_that_only_an_indent_marks_are_told_apart() -> None:
    text = (
        "    The first paragraph has a line that is quite long, as lines of wrapped\n"
        "text are, and it ends on a line here that is quite long, too, as lines are\n"
        "    The second one begins with an indent and goes on for more than one of\n"
        "the lines that are usual here."
    )
    assert [block.split()[1] for block in blocks(read(text))] == ["first", "second"]


def test_items_of_a_list_are_blocks() -> None:
    document = read("* one item\n* another item\n  that goes on")
    assert blocks(document) == ["* one item", "* another item that goes on"]
    assert {block.kind for block in document.blocks} == {BlockKind.LIST_ITEM}


def test_chinese_lines_are_joined_without_a_space() -> None:
    assert blocks(
        read("山路を登りながら、こう考えた。智に働けば角が立つ。情に棹させば流される。意地を\n通せば窮屈だ。")
    ) == ["山路を登りながら、こう考えた。智に働けば角が立つ。情に棹させば流される。意地を通せば窮屈だ。"]


@pytest.mark.parametrize(
    "headings",
    [
        ("CHAPTER I", "CHAPTER II", "CHAPTER III"),
        ("Chapter 1. The Lamp.", "Chapter 2. The Oil.", "Chapter 3. The Wick."),
        ("Chapter One: The Lamp", "Chapter Two: The Oil"),
        ("Letter 1", "Letter 2", "Chapter 1"),
        ("I", "II", "III"),
        ("I. THE BURIAL", "II. THE GAME", "III. THE SERMON"),
        ("Kapitel 1", "Kapitel 2"),
        ("Глава первая", "Глава 2")[1:],
        ("第一章 灯", "第二章 油", "第三章"),
        ("1. The Lamp", "1.1 Oil", "1.2 Wick", "2. The Sea", "2.1 Waves"),
        ("Preface", "Chapter 1", "Epilogue"),
    ],
)
def test_chapters_are_found(headings: tuple[str, ...]) -> None:
    assert [title for _, title in titles(read(chapters(*headings)))] == list(headings)


def test_parts_hold_chapters_and_prefaces_hold_none() -> None:
    document = read(
        chapters("PREFACE", "BOOK ONE", "PART I", "CHAPTER 1", "CHAPTER 2", "PART II", "CHAPTER 1", "EPILOGUE")
    )
    assert titles(document) == [
        (1, "PREFACE"),
        (1, "BOOK ONE"),
        (2, "PART I"),
        (3, "CHAPTER 1"),
        (3, "CHAPTER 2"),
        (2, "PART II"),
        (3, "CHAPTER 1"),
        (1, "EPILOGUE"),
    ]


def test_underlined_headings_nest_by_their_style() -> None:
    text = f"The Manual\n==========\n\n{FILLER}\n\n1. Lamps\n--------\n{FILLER}\n\n2. Oil\n------\n\n{FILLER}"
    assert titles(read(text)) == [(1, "The Manual"), (2, "1. Lamps"), (2, "2. Oil")]


def test_a_heading_over_two_lines_is_one() -> None:
    assert [title for _, title in titles(read(chapters("Chapter\nI", "Chapter\nII")))] == ["Chapter I", "Chapter II"]


def test_a_title_in_capitals_below_a_number_belongs_to_it() -> None:
    document = read(chapters("CHAPTER I\n\nTHE LAMP", "CHAPTER II\n\nTHE OIL"))
    assert [title for _, title in titles(document)] == ["CHAPTER I THE LAMP", "CHAPTER II THE OIL"]


@pytest.mark.parametrize("between", ["\n", "\n\n"])
def test_a_contents_list_is_no_row_of_chapters(between: str) -> None:
    headings = [f"CHAPTER {n}" for n in range(1, 7)]
    document = read(f"CONTENTS\n\n{between.join(headings)}\n\n{chapters(*headings)}")
    assert [title for _, title in titles(document)] == ["CONTENTS", *headings]
    assert document.sections[0].role is SectionRole.CONTENTS
    assert section_text(document, "CHAPTER 1").startswith("CHAPTER 1\n\nIt was")


@pytest.mark.parametrize(
    "line",
    [
        "Chapter 5 was the best of the book, he said.",
        "Part of the crew went home.",
        "I",
        "1984",
        "Book your place now.",
        "3.5 litres of oil",
    ],
)
def test_sentences_and_lone_numbers_are_no_chapters(line: str) -> None:
    assert titles(read(f"{FILLER}\n\n{line}\n\n{FILLER}")) == []


def test_page_numbers_are_no_chapters() -> None:
    pages = "\n\n".join(f"{n}\n\n{FILLER} and so on without an end to the" for n in range(1, 9))
    assert titles(read(pages)) == []


def test_the_frame_of_project_gutenberg_is_licence() -> None:
    text = (
        "The Project Gutenberg eBook of The Lamp\n\nTitle: The Lamp\n\nAuthor: Ada Example\n\nLanguage: German\n\n"
        "*** START OF THE PROJECT GUTENBERG EBOOK THE LAMP ***\n\nThe Lamp\n\n"
        f"{chapters('CHAPTER I', 'CHAPTER II')}\n\n*** END OF THE PROJECT GUTENBERG EBOOK THE LAMP ***\n\nSmall print."
    )
    document = read(text)
    assert [(s.title, s.role.value) for s in document.sections] == [
        ("Project Gutenberg header", "licence"),
        ("The Lamp", "body"),
        ("CHAPTER I", "body"),
        ("CHAPTER II", "body"),
        ("Project Gutenberg licence", "licence"),
    ]
    assert (document.metadata.title, document.metadata.creators) == ("The Lamp", ("Ada Example",))
    assert document.metadata.language == "de"


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "Käse “quoted” — 東京"),
        ("utf-16", "Käse 東京"),
        ("utf-16-le", "The lamp and the Käse, all in ordinary letters"),
        ("utf-16-be", "The lamp and the Käse, all in ordinary letters"),
        ("cp1252", "The café’s lamp – it’s “bright” and the keeper’s Käse is on the table of the coast guard, says he"),
        ("cp1251", "Лампа горела всю ночь, и никто не знал, сколько ещё осталось масла в старом маяке у моря. " * 8),
        ("gb18030", "灯塔的看守人是一个老人，他曾经是一名水手，在那之前是海岸上有名的厨师。" * 12),
        ("shift_jis", "山路を登りながら、こう考えた。智に働けば角が立つ。情に棹させば流される。" * 12),
    ],
)
def test_encodings_are_recognised(encoding: str, text: str) -> None:
    assert read(text.encode(encoding)).text == text.strip()


def test_a_few_damaged_bytes_do_not_change_the_encoding() -> None:
    data = ("Käse und Öl für die Lampe. " * 200).encode() + b"\xff" + "Ende ä".encode()
    assert "Käse und Öl" in read(data).text


def test_a_line_without_end_is_read_in_good_time() -> None:
    assert len(read(b"plain " * 200_000 + b"caf\xe9").text) == 6 * 200_000 + 4


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_all_systems_are_read(end: str) -> None:
    assert blocks(read(f"one{end}{end}two{end}")) == ["one", "two"]


@given(
    st.lists(st.sampled_from(["CHAPTER I", "I", "II", "1. A", "1.1 B", "===", "text here", "", "  x", "* y", "第一章"]))
)
def test_any_mixture_of_lines_keeps_offsets_and_letters(lines: list[str]) -> None:
    text = "\n".join([*lines, "end"])
    assert letters(read(text).text) == letters(text)


def letters(text: str) -> str:
    return "".join(text.split()).replace("=", "")


@needs_books
@pytest.mark.parametrize(
    ("text", "epub"),
    [
        ("frankenstein.txt", "standardebooks/frankenstein.epub"),
        ("moby-dick.txt", "idpf/moby-dick.epub"),
        ("war-and-peace.txt", "standardebooks/war-and-peace.epub"),
    ],
)
def test_chapters_of_a_novel_are_those_of_its_epub(text: str, epub: str) -> None:
    found, known = (innermost(read_document(BOOKS / path)) for path in (f"text/{text}", epub))
    assert len(found) == pytest.approx(len(known), rel=0.03)


def innermost(document: Document) -> list[str]:
    """Titles of the body's sections that hold no others."""
    sections = (s for s in document.walk_sections() if s.role is SectionRole.BODY and not s.children)
    return [section.title for section in sections]
