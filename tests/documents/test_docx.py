"""DOCX: headings, numbers, tables, notes and changes come out as a reader sees them on the page."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.docx.reader import read_docx
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_bytes
from longdoc.errors import (
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    MalformedDocumentError,
    UnsupportedDocumentError,
)
from tests.documents.office_files import docx, paragraph, zip_of
from tests.documents.pandoc_native import read_native

SHARED = Path("../shared/data/office/docx")
HEADINGS = "".join(
    f'<w:style w:type="paragraph" w:styleId="H{n}"><w:name w:val="heading {n}"/></w:style>' for n in (1, 2, 3)
)
LABEL = re.compile(r"(?:\(?(?:\d+\.)*(?:\d+|[a-z]|[ivx]+)[.)]|\d+(?:\.\d+)*|[•◦▪]) (?=\S)")


def read(data: bytes) -> Document:
    return read_docx(data, name="test.docx", limits=Limits())


def texts(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks]


def list_item(text: str, *, level: int = 0, list_id: int = 1) -> str:
    numbering = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>'
    return paragraph(text, properties=numbering)


def level(index: int, number_format: str, text: str, start: int = 1) -> str:
    return (
        f'<w:lvl w:ilvl="{index}"><w:start w:val="{start}"/><w:numFmt w:val="{number_format}"/>'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def numbering(*levels: str, extra: str = "") -> str:
    return (
        f'<w:abstractNum w:abstractNumId="0">{"".join(levels)}</w:abstractNum>'
        f'<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>{extra}'
    )


def test_headings_nest_sections() -> None:
    body = (
        paragraph("One", style="H1") + paragraph("Part", style="H2") + paragraph("Text") + paragraph("Two", style="H1")
    )
    document = read(docx(body, styles=HEADINGS))
    assert [section.path for section in document.walk_sections()] == [("One",), ("One", "Part"), ("Two",)]
    assert [block.level for block in document.blocks] == [1, 2, 0, 1]


def test_a_style_based_on_a_heading_is_a_heading() -> None:
    mine = '<w:style w:type="paragraph" w:styleId="Mine"><w:name w:val="My"/><w:basedOn w:val="H2"/></w:style>'
    styles = HEADINGS + mine
    assert read(docx(paragraph("A", style="Mine"), styles=styles)).blocks[0].level == 2


def test_an_outline_level_makes_a_heading() -> None:
    document = read(docx(paragraph("A", properties='<w:outlineLvl w:val="2"/>')))
    assert document.blocks[0].kind is BlockKind.HEADING
    assert document.blocks[0].level == 3


def test_headings_inside_tables_make_no_sections() -> None:
    table = f"<w:tbl><w:tr><w:tc>{paragraph('A', style='H1')}</w:tc></w:tr></w:tbl>"
    assert read(docx(table, styles=HEADINGS)).sections == ()


def test_numbers_are_printed_with_their_levels() -> None:
    body = list_item("a") + list_item("b", level=1) + list_item("c", level=1) + list_item("d") + list_item("e", level=1)
    parts = numbering(level(0, "decimal", "%1."), level(1, "lowerLetter", "%1.%2)"))
    assert texts(read(docx(body, numbering=parts))) == ["1. a", "1.a) b", "1.b) c", "2. d", "2.a) e"]


def test_a_list_with_a_start_override_begins_anew() -> None:
    override = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="1"/></w:lvlOverride>'
    extra = f'<w:num w:numId="2"><w:abstractNumId w:val="0"/>{override}</w:num>'
    body = list_item("a") + list_item("b") + list_item("c", list_id=2) + list_item("d", list_id=2)
    parts = numbering(level(0, "upperRoman", "%1)"), extra=extra)
    assert texts(read(docx(body, numbering=parts))) == ["I) a", "II) b", "I) c", "II) d"]


def test_bullets_of_symbol_fonts_become_plain_ones() -> None:
    document = read(docx(list_item("a"), numbering=numbering(level(0, "bullet", "\uf0b7"))))
    assert texts(document) == ["• a"]
    assert document.blocks[0].kind is BlockKind.LIST_ITEM


def test_tracked_changes_are_accepted() -> None:
    body = (
        "<w:p><w:r><w:t>a </w:t></w:r><w:del><w:r><w:delText>b </w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>c </w:t></w:r></w:ins><w:moveFrom><w:r><w:t>d </w:t></w:r></w:moveFrom>"
        "<w:moveTo><w:r><w:t>e</w:t></w:r></w:moveTo></w:p>"
    )
    assert texts(read(docx(body))) == ["a c e"]


def test_a_deleted_paragraph_end_joins_paragraphs() -> None:
    first = '<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t xml:space="preserve">one </w:t></w:r></w:p>'
    assert texts(read(docx(first + paragraph("two")))) == ["one two"]


def test_notes_are_kept_apart_with_anchors() -> None:
    body = '<w:p><w:r><w:t>Word</w:t></w:r><w:r><w:footnoteReference w:id="2"/></w:r><w:r><w:t> more.</w:t></w:r></w:p>'
    notes = f'<w:footnote w:id="2">{paragraph("The note.")}</w:footnote>'
    document = read(docx(body, footnotes=notes))
    (note,) = document.notes
    assert document.text.startswith("Word more.")
    assert (note.label, note.anchor, document.text[note.start : note.end]) == ("1", 4, "The note.")
    assert document.sections[-1].role is SectionRole.NOTES


def test_tables_have_a_line_per_row_and_merged_cells_once() -> None:
    def cell(text: str, properties: str = "") -> str:
        return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"

    rows = (
        cell("wide", '<w:gridSpan w:val="2"/>') + cell("tall", '<w:vMerge w:val="restart"/>'),
        cell("a") + cell("b") + cell("", "<w:vMerge/>"),
    )
    document = read(docx("<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"))
    assert document.blocks[0].kind is BlockKind.TABLE
    assert document.text.split("\n") == ["wide\t\ttall", "a\tb"]


def test_text_boxes_are_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('Box')}</w:txbxContent>"
    body = (
        "<w:p><w:r><w:t>Text</w:t></w:r><w:r><mc:AlternateContent><mc:Choice><w:drawing><wps:txbx>"
        f"{box}</wps:txbx></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict>"
        "</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    assert texts(read(docx(body))) == ["Text", "Box"]


def test_fields_show_only_their_results() -> None:
    body = (
        '<w:p><w:r><w:t xml:space="preserve">See </w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r>'
        "<w:r><w:instrText>REF x</w:instrText></w:r><w:r><w:t>hidden</w:t></w:r>"
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>page 4</w:t></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r>'
        '<w:fldSimple w:instr="PAGE"><w:r><w:t>.</w:t></w:r></w:fldSimple></w:p>'
    )
    assert texts(read(docx(body))) == ["See page 4."]


def test_wrappers_are_looked_through() -> None:
    body = (
        f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('one')}</w:sdtContent></w:sdt>"
        f"<w:customXml>{paragraph('two')}</w:customXml>"
        "<w:p><w:smartTag><w:r><w:t>thr</w:t></w:r></w:smartTag>"
        '<w:hyperlink r:id="x"><w:r><w:t>ee</w:t></w:r></w:hyperlink></w:p>'
    )
    assert texts(read(docx(body))) == ["one", "two", "three"]


def test_breaks_symbols_and_formulas_become_characters() -> None:
    body = (
        '<w:p><w:r><w:t>a</w:t><w:br/><w:t>b</w:t><w:tab/><w:sym w:font="Symbol" w:char="F061"/></w:r>'
        "<m:oMath><m:sSup><m:e><m:r><m:t>x</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup></m:oMath></w:p>"
    )
    assert texts(read(docx(body))) == ["a\nb αx^2"]


def test_comments_are_counted_and_left_out() -> None:
    document = read(docx(paragraph("Text"), comments=f"<w:comment w:id='1'>{paragraph('No')}</w:comment>"))
    assert document.text == "Text"
    assert document.warnings == ("1 comments were left out.",)


def test_a_contents_list_is_a_section_of_its_own() -> None:
    styles = HEADINGS + '<w:style w:type="paragraph" w:styleId="T1"><w:name w:val="toc 1"/></w:style>'
    body = (
        paragraph("One 3", style="T1")
        + paragraph("Two 9", style="T1")
        + paragraph("One", style="H1")
        + paragraph("Text")
    )
    sections = read(docx(body, styles=styles)).sections
    assert [(section.title, section.role) for section in sections] == [
        ("Contents", SectionRole.CONTENTS),
        ("One", SectionRole.BODY),
    ]


def test_paragraphs_of_code_are_one_block() -> None:
    styles = '<w:style w:type="paragraph" w:styleId="C"><w:name w:val="Source Code"/></w:style>'
    body = paragraph("if x:", style="C") + paragraph("    y()", style="C") + paragraph("Done.")
    assert texts(read(docx(body, styles=styles))) == ["if x:\n    y()", "Done."]


def test_the_main_part_is_found_by_its_relationship() -> None:
    assert read(docx(paragraph("Found"), main="odd/name2.xml")).text == "Found"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (docx(paragraph("Text"))[:200], MalformedDocumentError),
        (zip_of({"hello.txt": "hello"}), MalformedDocumentError),
        (docx(""), EmptyDocumentError),
        (zip_of({"_rels/.rels": '<R><r Type="x/officeDocument" Target="b.xml"/></R>', "b.xml": "<workbook/>"}),
         UnsupportedDocumentError),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why_on_one_line(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        read(data)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("test.docx: ")


def test_a_file_with_a_password_is_called_encrypted() -> None:
    protected = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(EncryptedDocumentError):
        read_bytes(protected, name="test.docx")


def test_an_entity_bomb_is_refused() -> None:
    entities = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE d [<!ENTITY a0 "ha">{entities}]><document><body><p><r><t>&a9;</t></r></p></body></document>'
    relations = '<R><r Type="x/officeDocument" Target="d.xml"/></R>'
    with pytest.raises(DocumentTooLargeError):
        read(zip_of({"_rels/.rels": relations, "d.xml": bomb}))


GOLD_DIFFERS = {
    "comments": "the gold keeps comments, we leave them out",
    "definition_list": "the gold does not part a term from the definition before it",
    "inline_images": "the gold has the descriptions of pictures",
    "metadata": "the gold takes the title page as metadata",
    "table_captions_with_field": "the gold moves a caption before its table",
    "table_with_list_cell": "we print numbers and bullets in cells",
    "zotero_citations_plus": "the gold has the citations' data",
}


OTHER_TREATMENT_OF_CHANGES = ("_reject", "_all")
GOLDS = sorted(
    path.stem
    for path in SHARED.glob("*.native")
    if path.stem not in GOLD_DIFFERS and not path.stem.endswith(OTHER_TREATMENT_OF_CHANGES)
)


def words(document: Document, kinds: Sequence[BlockKind]) -> list[str]:
    found: list[str] = []
    for block in document.blocks:
        if block.kind in kinds:
            text = document.text[block.start : block.end]
            numbered = block.kind in {BlockKind.LIST_ITEM, BlockKind.HEADING}
            found.extend((LABEL.sub("", text, count=1) if numbered and LABEL.match(text) else text).split())
    return found


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is absent")
@pytest.mark.parametrize("gold", GOLDS)
def test_words_agree_with_the_gold_parse(gold: str) -> None:
    stem = re.sub(r"_(accept|reject|all|plus|minus)$", "", gold)
    document = read((SHARED / f"{stem}.docx").read_bytes())
    expected = read_native((SHARED / f"{gold}.native").read_text())
    assert words(document, [kind for kind in BlockKind if kind is not BlockKind.NOTE]) == expected.words
    assert words(document, [BlockKind.NOTE]) == expected.note_words
