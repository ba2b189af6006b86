"""ODT: headings, numbers, tables, notes and changes come out as a reader sees them on the page."""

import re
from pathlib import Path

import pytest

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.odt.reader import read_odt
from longdoc.errors import (
    DocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    MalformedDocumentError,
    UnsupportedDocumentError,
)
from tests.documents.office_files import odt, zip_of
from tests.documents.pandoc_native import GoldText, read_native
from tests.documents.test_docx import words

SHARED = Path("../shared/data/office/odt")
DECIMAL = '<text:list-level-style-number text:level="1" style:num-suffix="." style:num-format="1"/>'
LETTERS = '<text:list-level-style-number text:level="2" style:num-suffix=")" style:num-format="a"/>'
NUMBERED = f'<text:list-style style:name="L">{DECIMAL}{LETTERS}</text:list-style>'


def read(data: bytes) -> Document:
    return read_odt(data, name="test.odt", limits=Limits())


def texts(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks]


def item(text: str, inner: str = "") -> str:
    return f"<text:list-item><text:p>{text}</text:p>{inner}</text:list-item>"


def test_headings_nest_sections() -> None:
    body = (
        '<text:h text:outline-level="1">One</text:h><text:h text:outline-level="2">Part</text:h>'
        '<text:p>Text</text:p><text:h text:outline-level="1">Two</text:h>'
    )
    document = read(odt(body))
    assert [section.path for section in document.walk_sections()] == [("One",), ("One", "Part"), ("Two",)]


def test_items_have_their_printed_numbers() -> None:
    inner = f"<text:list>{item('b')}{item('c')}</text:list>"
    body = f'<text:list text:style-name="L">{item("a", inner)}{item("d")}</text:list>'
    document = read(odt(body, styles=NUMBERED))
    assert texts(document) == ["1. a", "a) b", "b) c", "2. d"]
    assert {block.kind for block in document.blocks} == {BlockKind.LIST_ITEM}


def test_a_list_may_go_on_counting() -> None:
    body = (
        f'<text:list text:style-name="L">{item("a")}</text:list><text:p>Between</text:p>'
        f'<text:list text:style-name="L" text:continue-numbering="true">{item("b")}</text:list>'
        f'<text:list text:style-name="L">{item("c")}</text:list>'
    )
    assert texts(read(odt(body, styles=NUMBERED))) == ["1. a", "Between", "2. b", "1. c"]


def test_tracked_deletions_are_gone() -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion>"
        '</text:changed-region></text:tracked-changes><text:p>Kept<text:change text:change-id="x"/> text</text:p>'
    )
    assert read(odt(body)).text == "Kept text"


def test_notes_are_kept_apart_with_anchors() -> None:
    body = (
        '<text:p>Word<text:note text:note-class="footnote"><text:note-citation>7</text:note-citation>'
        "<text:note-body><text:p>The note.</text:p></text:note-body></text:note> more.</text:p>"
    )
    document = read(odt(body))
    (note,) = document.notes
    assert document.text.startswith("Word more.")
    assert (note.label, note.anchor, document.text[note.start : note.end]) == ("7", 4, "The note.")


def test_tables_have_a_line_per_row_and_spanned_cells_once() -> None:
    body = (
        '<table:table><table:table-header-rows><table:table-row><table:table-cell table:number-columns-spanned="2">'
        "<text:p>wide</text:p></table:table-cell><table:covered-table-cell/></table:table-row></table:table-header-rows>"
        "<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell><text:p>b</text:p>"
        "</table:table-cell></table:table-row></table:table>"
    )
    document = read(odt(body))
    assert document.blocks[0].kind is BlockKind.TABLE
    assert document.text.split("\n") == ["wide", "a\tb"]


def test_repeated_cells_are_bounded() -> None:
    body = (
        '<table:table><table:table-row table:number-rows-repeated="1000000"><table:table-cell '
        'table:number-columns-repeated="1000000"><text:p>bomb</text:p></table:table-cell></table:table-row></table:table>'
    )
    assert len(read(odt(body)).text) < 5000


def test_spaces_tabs_and_breaks_are_kept_as_white_space() -> None:
    body = '<text:p>a<text:s text:c="9999999999"/>b<text:tab/>c<text:line-break/>d</text:p>'
    assert read(odt(body)).text == "a b c\nd"


def test_references_and_links_keep_their_text() -> None:
    body = '<text:p>See <text:bookmark-ref text:ref-name="x">page 4</text:bookmark-ref> <text:a>here</text:a>.</text:p>'
    assert read(odt(body)).text == "See page 4 here."


def test_captions_in_frames_are_read_once() -> None:
    body = "<text:p>Text<draw:frame><draw:text-box><text:p>Figure 1</text:p></draw:text-box></draw:frame></text:p>"
    assert texts(read(odt(body))) == ["Text", "Figure 1"]


def test_a_contents_list_is_a_section_of_its_own() -> None:
    body = (
        "<text:table-of-content><text:index-body><text:index-title><text:p>What is here</text:p></text:index-title>"
        "<text:p>One<text:tab/>3</text:p></text:index-body></text:table-of-content>"
        '<text:h text:outline-level="1">One</text:h>'
    )
    sections = read(odt(body)).sections
    assert [(section.title, section.role) for section in sections] == [
        ("What is here", SectionRole.CONTENTS),
        ("One", SectionRole.BODY),
    ]


def test_metadata_is_read() -> None:
    said = "<dc:title>T</dc:title><meta:initial-creator>A</meta:initial-creator><dc:language>de</dc:language>"
    meta = f"<office:meta>{said}</office:meta>"
    metadata = read(odt("<text:p>x</text:p>", meta=meta)).metadata
    assert (metadata.title, metadata.creators, metadata.language) == ("T", ("A",), "de")


MANIFEST = "<manifest><file-entry full-path='content.xml'><encryption-data/></file-entry></manifest>"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (odt("<text:p>Text</text:p>")[:100], MalformedDocumentError),
        (zip_of({"mimetype": "application/vnd.oasis.opendocument.text"}), MalformedDocumentError),
        (odt(""), EmptyDocumentError),
        (odt("<text:p>x</text:p>", manifest=MANIFEST), EncryptedDocumentError),
        (zip_of({"content.xml": "<document-content><body><spreadsheet/></body></document-content>"}),
         UnsupportedDocumentError),
        (zip_of({"content.xml": '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><d>&b;</d>'}),
         DocumentTooLargeError),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why_on_one_line(data: bytes, error: type[DocumentError]) -> None:
    with pytest.raises(error) as caught:
        read(data)
    assert "\n" not in str(caught.value)


GOLD_DIFFERS = {
    "imageWithCaption": "the gold repeats the caption as the picture's description",
    "referenceToChapter": "the gold drops the field that names the chapter",
    "simpleTableWithCaption": "the gold moves the caption before its table",
    "formula": "the gold writes formulas as LaTeX",
}


def gold_of(path: Path) -> GoldText:
    text = path.read_text()
    if path.suffix == ".native":
        return read_native(text)
    note = re.search(r"\[\^1\]: (.*)", text)
    running = re.sub(r"\[\^1\](: .*)?", "", text).replace("#", "")
    return GoldText(running.split(), note[1].split() if note else [])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is absent")
@pytest.mark.parametrize("stem", sorted({path.stem for path in SHARED.glob("*.odt")} - GOLD_DIFFERS.keys()))
def test_words_agree_with_the_gold_parse(stem: str) -> None:
    document = read((SHARED / f"{stem}.odt").read_bytes())
    native = SHARED / f"{stem}.native"
    expected = gold_of(native if native.exists() else SHARED / f"{stem}.md")
    assert words(document, [kind for kind in BlockKind if kind is not BlockKind.NOTE]) == expected.words
    assert words(document, [BlockKind.NOTE]) == expected.note_words


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is absent")
def test_formulas_are_compact_text() -> None:
    assert read((SHARED / "formula.odt").read_bytes()).text == "E = m ⋅ c^2"
