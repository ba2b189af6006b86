"""DOCX: parts that Word can read, real headings, footnotes, lists and tables."""

import io
import zipfile

import pytest
from lxml import etree

from longdoc.documents.document import BlockKind
from longdoc.documents.manuscript import Manuscript, ManuscriptSection
from longdoc.documents.writers.docx import manuscript_docx
from tests.documents.manuscripts import of_text, read_back, rich_manuscript

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"


def parts(manuscript: Manuscript) -> dict[str, etree._Element]:
    with zipfile.ZipFile(io.BytesIO(manuscript_docx(manuscript))) as archive:
        return {name: etree.fromstring(archive.read(name)) for name in archive.namelist()}


@pytest.mark.parametrize(
    "manuscript",
    [
        rich_manuscript(),
        of_text("\x00 ]]> <w:p> & \ufffe", author="<&>", identifier="\x07<"),
        Manuscript(
            "ספר", (ManuscriptSection("פרק", 9, "- a\n" + "".join("  " * n + "- x\n" for n in range(12))),), "he"
        ),
    ],
)
def test_all_names_in_the_package_are_known(manuscript: Manuscript) -> None:
    found = parts(manuscript)
    document = found["word/document.xml"]
    styles = {style.get(f"{_W}styleId") for style in found["word/styles.xml"].iter(f"{_W}style")}
    used = {e.get(f"{_W}val") for e in document.iter(f"{_W}pStyle", f"{_W}rStyle", f"{_W}tblStyle")}
    assert used <= styles
    lists = {number.get(f"{_W}numId") for number in found["word/numbering.xml"].iter(f"{_W}num")}
    assert {number.get(f"{_W}val") for number in document.iter(f"{_W}numId")} <= lists
    relations = {relation.get("Id") for relation in found["word/_rels/document.xml.rels"]}
    assert {e.get(f"{_R}id") for e in document.iter("*") if e.get(f"{_R}id")} <= relations
    notes = {note.get(f"{_W}id") for note in found["word/footnotes.xml"]}
    assert {call.get(f"{_W}id") for call in document.iter(f"{_W}footnoteReference")} <= notes
    bookmarks = {mark.get(f"{_W}name") for mark in document.iter(f"{_W}bookmarkStart")}
    assert {link.get(f"{_W}anchor") for link in document.iter(f"{_W}hyperlink")} - {None} <= bookmarks
    names = {f"/{name}" for name in found}
    assert {e.get("PartName") for e in found["[Content_Types].xml"] if e.get("PartName")} <= names


def test_blocks_are_of_their_kinds() -> None:
    document = read_back(rich_manuscript(), "docx")
    kinds = {document.text[block.start : block.end]: block.kind for block in document.blocks}
    assert kinds["What the sea wants, the sea will have."] is BlockKind.QUOTE
    assert kinds["def light(lamp):\n    return lamp < 3 & True"] is BlockKind.CODE
    assert kinds["night\twind\theight\nfirst\twest\t3 m\nsecond\tnorth\t11 m"] is BlockKind.TABLE
    assert kinds["2. a wick"] is BlockKind.LIST_ITEM


def test_numbered_lists_begin_anew() -> None:
    document = read_back(of_text("1. a\n2. b\n   1. c\n   2. d\n3. e\n\ntext\n\n1. f\n\ntext\n\n7. g\n8. h"), "docx")
    labels = [document.text[block.start : block.end] for block in document.blocks if block.kind is BlockKind.LIST_ITEM]
    assert labels == ["1. a", "2. b", "1. c", "2. d", "3. e", "1. f", "7. g", "8. h"]


def test_words_of_the_other_direction_are_marked_so() -> None:
    document = parts(of_text("English עברית כאן text"))["word/document.xml"]
    marked = [run.findtext(f"{_W}t") for run in document.iter(f"{_W}r") if run.find(f"{_W}rPr/{_W}rtl") is not None]
    assert marked == ["עברית כאן"]
    assert document.find(f".//{_W}bidi") is None
    hebrew = parts(of_text("עברית", language="he"))["word/document.xml"]
    assert hebrew.find(f".//{_W}sectPr/{_W}bidi") is not None
