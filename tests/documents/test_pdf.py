"""PDF: printed pages come back as running text with sections, without what belongs only to the page."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.pdf.reader import read_pdf
from longdoc.errors import (
    DocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    MalformedDocumentError,
)
from tests.documents.pdf_files import At, Mark, paragraph, pdf

SHARED = Path("../shared/data/pdf")
MANUAL = Path("../shared/data/books/developers-reference")
UNREADABLE = ("005", "007-imagemagick-images/imagemagick-A", "007-imagemagick-images/imagemagick-C",
              "007-imagemagick-images/imagemagick-l")  # fmt: skip
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is absent")

PROSE = [
    "The river had been rising since Tuesday, and by the end of the week the lower fields",
    "were under water; nobody in the village could remember a spring like it, although the",
    "older people said so every year, and the miller measured it twice a day with his own",
    "rod and wrote the numbers on the door.",
]
MORE = [
    "On Sunday the bridge went. It made less noise than one would think, a long groan and",
    "then nothing but water, and the two halves of the parish looked at each other over it",
    "with an interest that they had never shown before.",
]


def read(data: bytes) -> Document:
    return read_pdf(data, name="test.pdf", limits=Limits())


def texts(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks]


def test_lines_are_joined_into_paragraphs() -> None:
    document = read(pdf([[*paragraph(PROSE, y=700), *paragraph(MORE, y=630)]]))
    assert texts(document) == [" ".join(PROSE), " ".join(MORE)]


def test_an_indented_line_begins_a_paragraph() -> None:
    first, *rest = MORE
    indented = [At(first, 90, 652), *paragraph(rest, y=640)]
    assert texts(read(pdf([[*paragraph(PROSE, y=700), *indented]]))) == [" ".join(PROSE), " ".join(MORE)]


def test_a_paragraph_goes_on_over_the_page() -> None:
    document = read(pdf([paragraph(PROSE[:2], y=100), paragraph(PROSE[2:], y=700)]))
    assert texts(document) == [" ".join(PROSE)]
    assert document.blocks[0].page == 1


@pytest.mark.parametrize(
    ("broken", "following", "joined"),
    [
        ("a very long exam-", "ple of it", "a very long example of it"),
        ("it was a well-", "known fact", "it was a well-known fact"),
        ("the so-called Anglo-", "Saxon kings", "the so-called Anglo-Saxon kings"),
        ("both short-", "and long-term", "both short- and long-term"),
    ],
)
def test_hyphens_at_line_ends_go_where_the_word_has_none(broken: str, following: str, joined: str) -> None:
    page = [
        *paragraph([f"{'x ' * 40} {broken}", following], y=700),
        *paragraph(["A well-known thing, and another well-known one."], y=600),
    ]
    assert joined in read(pdf([page])).text


def test_running_heads_and_page_numbers_are_removed() -> None:
    def page(number: int) -> list[At]:
        body = [line.replace("Tuesday", f"day {'abcd'[number]}") for line in PROSE]
        head = At("A Book of Rivers", 250, 800) if number % 2 else At(f"{number} Chapter One", 72, 800)
        return [head, *paragraph(body, y=700), At(f"{number}", 300, 40)]

    document = read(pdf([page(number) for number in (0, 1, 2, 3)]))
    assert "Book of Rivers" not in document.text
    assert "Chapter One" not in document.text
    assert not re.search(r"\d", document.text)


def test_bookmarks_become_nested_sections_at_their_headings() -> None:
    page = [
        At("1 Water", 72, 760, 16),
        *paragraph(PROSE, y=700),
        At("1.1 The Bridge", 72, 640, 12),
        *paragraph(MORE, y=610),
    ]
    marks = [Mark("Water", 1, 780), Mark("The Bridge", 1, 655, depth=1)]
    document = read(pdf([page], marks))
    (water,) = document.sections
    assert water.path == ("Water",)
    assert [child.path for child in water.children] == [("Water", "The Bridge")]
    assert document.text[water.children[0].start :].startswith("1.1 The Bridge\n\nOn Sunday")


def test_bookmarks_with_other_titles_stand_at_their_targets() -> None:
    page = [*paragraph(PROSE, y=760), *paragraph(MORE, y=600)]
    document = read(pdf([page], [Mark("Alpha", 1, 780), Mark("Beta", 1, 612)]))
    assert document.text[document.sections[1].start :].startswith("On Sunday")


def test_larger_letters_make_headings_where_there_are_no_bookmarks() -> None:
    page = [
        At("Water", 72, 760, 16),
        *paragraph(PROSE, y=730),
        At("Bridge", 72, 660, 16),
        *paragraph(MORE, y=630),
    ]
    assert [section.title for section in read(pdf([page])).sections] == ["Water", "Bridge"]


def test_a_printed_contents_list_is_a_section_without_leaders() -> None:
    entries = [At(f"{title} {'. ' * 30}{number}", 72, 720 - 14 * number) for number, title in enumerate("abcde", 1)]
    pages = [[At("Contents", 72, 760, 14), *entries], [At("a", 72, 760, 14), *paragraph(PROSE, y=700)]]
    document = read(pdf(pages, [Mark("a", 2, 780)]))
    contents = document.sections[0]
    assert contents.role is SectionRole.CONTENTS
    assert document.text[contents.start : contents.end].split("\n\n")[:3] == ["Contents", "a 1", "b 2"]


def test_footnotes_are_kept_apart_with_anchors() -> None:
    lines = paragraph(PROSE, y=700)
    call = At("1", 72 + 40, lines[3].y + 4, 6)
    page = [*lines[:3], At("rod and w", 72, lines[3].y), call, At("rote.", 120, lines[3].y)]
    note = [At("1", 72, 103, 5), At("The miller was a careful man.", 78, 100, 8)]
    document = read(pdf([[*page, *note]]))
    assert [(found.label, document.text[found.start : found.end]) for found in document.notes] == [
        ("1", "The miller was a careful man.")
    ]
    assert "1" not in document.text
    anchor = document.notes[0].anchor
    assert anchor is not None
    assert document.text[:anchor].endswith("rod and w")


def test_code_keeps_its_lines_and_indentation() -> None:
    code = [At("def f(x):", 72, 600, font="F2"), At("return x + 1", 72 + 24, 588, font="F2")]
    document = read(pdf([[*paragraph(PROSE, y=700), *code]]))
    assert document.blocks[-1].kind is BlockKind.CODE
    assert texts(document)[-1] == "def f(x):\n    return x + 1"


def test_lines_with_bullets_are_list_items() -> None:
    items = [At(f"\u2022 item {name}", 80, 600 - 14 * index) for index, name in enumerate("abc")]
    document = read(pdf([[*paragraph(PROSE, y=700), *items]]))
    assert [block.kind for block in document.blocks[1:]] == [BlockKind.LIST_ITEM] * 3


def test_values_of_form_fields_are_read() -> None:
    assert "Name: Ada" in read(pdf([[At("A form")]], field=("Name", "Ada"))).text


def test_a_file_with_only_an_owner_password_is_read() -> None:
    assert read(pdf([[At("Readable text")]], user_password="")).text == "Readable text"


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (pdf([[At("Secret")]], user_password="secret"), EncryptedDocumentError, "password"),
        (pdf([[]]), EmptyDocumentError, "OCR"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 20, MalformedDocumentError, "broken"),
        (pdf([[At("Cut")]])[:60], MalformedDocumentError, "broken"),
    ],
)
def test_what_cannot_be_read_says_why_on_one_line(data: bytes, error: type[DocumentError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        read(data)
    assert "\n" not in str(caught.value)


def test_files_over_the_limit_are_refused() -> None:
    with pytest.raises(DocumentTooLargeError):
        read_pdf(pdf([[At("Text")]]), name="test.pdf", limits=Limits(file_bytes=100))


def test_files_can_be_read_in_several_threads() -> None:
    files = [pdf([[At(f"Text {number}")]] * 5) for number in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, files))
    assert [document.text.split("\n")[0] for document in found] == [f"Text {number}" for number in range(8)]


def shared_files() -> Iterator[tuple[str, int]]:
    if SHARED.is_dir():
        for entry in json.loads((SHARED / "files.json").read_text())["data"]:
            yield entry["path"], entry["pages"]


@needs_shared
@pytest.mark.parametrize(("path", "pages"), [entry for entry in shared_files() if not entry[0].startswith(UNREADABLE)])
def test_shared_files_give_text_with_their_pages(path: str, pages: int) -> None:
    document = read((SHARED / path).read_bytes())
    printed = [block for block in document.blocks if block.kind is not BlockKind.NOTE]
    assert all(block.page is not None and 1 <= block.page <= pages for block in printed)


@needs_shared
@pytest.mark.parametrize("path", [path for path, _ in shared_files() if path.startswith(UNREADABLE)])
def test_shared_files_without_text_say_why(path: str) -> None:
    with pytest.raises((EncryptedDocumentError, EmptyDocumentError)) as caught:
        read((SHARED / path).read_bytes())
    assert "\n" not in str(caught.value)


@needs_shared
def test_mistitled_bookmarks_do_not_break_sections() -> None:
    document = read((SHARED / "014-outlines/mistitled_outlines_example.pdf").read_bytes())
    assert {"First", "Second", "Fifth"} <= {section.title for section in document.walk_sections()}


@needs_shared
def test_german_hyphens_and_running_heads_are_gone() -> None:
    document = read((SHARED / "009-pdflatex-geotopo/GeoTopo-komprimiert.pdf").read_bytes())
    assert "unterschiedlichem Mittelpunkt" in document.text
    assert "TOPOLOGISCHE RÄUME" not in document.text
    assert not re.search(r"[a-zäöüß]- ?\n", document.text)
    assert document.sections[0].role is SectionRole.CONTENTS


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W\d_]+", text.casefold()))


@pytest.mark.skipif(not MANUAL.is_dir(), reason="the shared data folder is absent")
def test_the_manual_has_the_words_of_its_plain_text() -> None:
    document = read((MANUAL / "developers-reference.pdf").read_bytes())
    ours = words(document.text)
    plain = words((MANUAL / "developers-reference.txt").read_text())
    difference = (ours - plain).total() + (plain - ours).total()
    assert difference / plain.total() < 0.02
    assert sum(1 for _ in document.walk_sections()) > 225
    assert "Developer’s Reference, Release 12.18" not in document.text
