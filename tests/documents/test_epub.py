"""EPUB: made ones show one behaviour each; those of the shared data agree with what is known of them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import pytest

from longdoc.documents.document import BlockKind, Document, Section, SectionRole
from longdoc.documents.epub.reader import read_epub
from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_document
from longdoc.errors import (
    DocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    MalformedDocumentError,
)
from tests.documents.book_files import (
    CONTAINER,
    assert_well_formed,
    blocks,
    epub,
    ncx,
    package,
    page,
    section_text,
    titles,
    zip_of,
)

BOOKS = Path(__file__).parents[3] / "shared" / "data" / "books"
MALFORMED = Path(__file__).parents[3] / "shared" / "data" / "malformed-epub" / "epub2"
needs_books = pytest.mark.skipif(not BOOKS.exists(), reason="the shared data folder ../shared/data is not here")
ONE = page("<h1>One</h1><p>First text.</p>")
TWO = page("<h1>Two</h1><p>Second text.</p>")


def read(data: bytes) -> Document:
    document = read_epub(data, name="test.epub", limits=Limits())
    assert_well_formed(document)
    return document


def body(markup: str) -> Document:
    return read(epub({"a.xhtml": page(markup)}))


def role_of(document: Document, title: str) -> SectionRole:
    return next(section.role for section in document.walk_sections() if section.title == title)


def test_metadata_comes_from_the_package() -> None:
    metadata = read(epub({"a.xhtml": ONE})).metadata
    assert (metadata.title, metadata.creators) == ("The Lamp", ("Ada Example", "Ben Example"))
    assert (metadata.language, metadata.identifier) == ("en", "urn:test:1")


def test_the_contents_list_nests_sections_and_fragments_find_their_place() -> None:
    pages = {
        "a.xhtml": page('<h1>Part</h1><section id="é"><h2>Inner</h2><p>inner text</p></section><h2 id="x">Last</h2>'),
        "b.xhtml": TWO,
    }
    contents = (
        '<li><a href="a.xhtml">Part</a><ol><li><a href="a.xhtml#%C3%A9">Inner</a></li>'
        '<li><a href="a.xhtml#x">Last</a></li></ol></li><li><a href="b.xhtml">Two</a></li>'
    )
    document = read(epub(pages, contents=contents, spine=["a.xhtml", "b.xhtml"]))
    assert titles(document) == [(1, "Part"), (2, "Inner"), (2, "Last"), (1, "Two")]
    assert section_text(document, "Inner") == "Inner\n\ninner text"
    assert document.sections[0].href == "OPS/a.xhtml"


def test_the_ncx_is_used_where_there_is_no_navigation_document() -> None:
    point = '<navPoint><navLabel><text>{}</text></navLabel><content src="{}"/>{}</navPoint>'
    inner = point.format("Inner", "b.xhtml", "")
    members = {"OPS/toc.ncx": ncx(point.format("Outer", "a.xhtml", inner))}
    assert titles(read(epub({"a.xhtml": ONE, "b.xhtml": TWO}, members=members))) == [(1, "Outer"), (2, "Inner")]


def test_headings_are_the_outline_where_there_is_no_contents_list() -> None:
    document = read(epub({"a.xhtml": page("<h1>A</h1><p>t</p><h2>B</h2><p>t</p>"), "b.xhtml": TWO}))
    assert titles(document) == [(1, "A"), (2, "B"), (1, "Two")]


def test_an_entry_that_leads_nowhere_keeps_its_title_and_takes_no_text() -> None:
    contents = (
        '<li><a href="a.xhtml">One</a></li><li><a href="gone.xhtml">Gone</a></li><li><a href="b.xhtml">Two</a></li>'
    )
    document = read(epub({"a.xhtml": ONE, "b.xhtml": TWO}, contents=contents, spine=["a.xhtml", "b.xhtml"]))
    assert [title for _, title in titles(document)] == ["One", "Gone", "Two"]
    assert section_text(document, "Gone") == ""


@pytest.mark.parametrize(
    ("body_type", "title", "role"),
    [
        ("frontmatter titlepage", "x", SectionRole.TITLE_PAGE),
        ("backmatter copyright-page", "x", SectionRole.LICENCE),
        ("frontmatter dedication", "x", SectionRole.FRONT),
        ("frontmatter preface", "Preface", SectionRole.BODY),
        ("", "Bibliography", SectionRole.BACK),
        ("", "Содержание", SectionRole.CONTENTS),
        ("", "Chapter 1", SectionRole.BODY),
    ],
)
def test_roles_come_from_types_and_titles(body_type: str, title: str, role: SectionRole) -> None:
    pages = {"a.xhtml": page("<p>some text</p>", body_type=body_type)}
    document = read(epub(pages, contents=f'<li><a href="a.xhtml">{title}</a></li>', spine=["a.xhtml"]))
    assert role_of(document, title) is role


def test_the_guide_gives_roles_to_pages() -> None:
    guide = '<guide><reference type="copyright-page" href="a.xhtml"/></guide>'
    contents = '<li><a href="a.xhtml">Small print</a></li>'
    document = read(epub({"a.xhtml": ONE}, contents=contents, spine=["a.xhtml"], extra=guide))
    assert role_of(document, "Small print") is SectionRole.LICENCE


def test_a_contents_page_in_the_reading_order_is_contents() -> None:
    contents = '<li><a href="a.xhtml">One</a></li>'
    document = read(epub({"a.xhtml": ONE}, contents=contents, spine=["nav.xhtml", "a.xhtml"]))
    assert [(s.title, s.role) for s in document.sections] == [
        ("Contents", SectionRole.CONTENTS),
        ("One", SectionRole.BODY),
    ]


def test_an_entry_that_holds_chapters_is_body_though_it_points_to_a_title_page() -> None:
    pages = {"t.xhtml": page("<h1>The Lamp</h1>", body_type="halftitlepage"), "a.xhtml": ONE}
    contents = '<li><a href="t.xhtml">The Lamp</a><ol><li><a href="a.xhtml">One</a></li></ol></li>'
    document = read(epub(pages, contents=contents, spine=["t.xhtml", "a.xhtml"]))
    assert role_of(document, "The Lamp") is SectionRole.BODY


def test_footnotes_leave_the_running_text_and_know_their_place() -> None:
    document = body(
        '<p>Before<a epub:type="noteref" href="#n1">1</a> after.</p>'
        '<aside id="n1" epub:type="footnote"><p>The note. <a href="#r" epub:type="backlink">↩</a></p></aside>'
        "<p>End.</p>"
    )
    assert blocks(document) == ["Before after.", "End.", "The note."]
    note = document.notes[0]
    assert (note.label, document.text[: note.anchor]) == ("1", "Before")
    assert document.blocks[-1].kind is BlockKind.NOTE


def test_endnotes_on_a_page_of_their_own_are_notes() -> None:
    pages = {
        "a.xhtml": page('<p>Called<a epub:type="noteref" href="notes.xhtml#n1">1</a>.</p>'),
        "notes.xhtml": page(
            '<section epub:type="endnotes"><h2>Notes</h2><ol><li id="n1"><p>One.</p><p>More.</p></li></ol></section>'
        ),
    }
    document = read(epub(pages))
    assert [document.text[n.start : n.end] for n in document.notes] == ["One.\nMore."]


def test_notes_without_types_are_known_by_raised_marks_that_lead_to_them_and_back() -> None:
    document = body(
        '<p>Word<sup><a id="r1" href="#f1">1</a></sup> goes on.</p>'
        '<p id="f1"><a href="#r1"><sup>1</sup></a> The note.</p>'
    )
    assert blocks(document) == ["Word goes on.", "1 The note."]
    assert document.notes[0].anchor == len("Word")


def test_notes_as_project_gutenberg_marks_them_are_known() -> None:
    document = body(
        '<p>Word.<a id="FNanchor_1_1"></a><a class="fnanchor" href="#Footnote_1_1">[1]</a> More.</p><h2>Next</h2>'
        '<div class="footnote"><p><a id="Footnote_1_1"></a><a href="#FNanchor_1_1"><span class="label">[1]</span></a>'
        " The note.</p><p>Its end.</p></div>"
    )
    assert blocks(document) == ["Word. More.", "Next", "[1] The note.\nIts end."]
    assert (document.notes[0].label, document.notes[0].anchor) == ("1", len("Word."))


def test_a_raised_link_to_a_chapter_is_no_note() -> None:
    document = body('<p>See<sup><a href="#c">2</a></sup>.</p><section id="c"><h2>Chapter</h2><p>Text.</p></section>')
    assert document.notes == ()
    assert "See2." in document.text


def test_block_kinds_are_told_apart() -> None:
    document = body(
        "<h2>H</h2><p>P</p><ul><li>L</li></ul><blockquote><p>Q</p></blockquote><pre>C\n  D</pre>"
        "<table><caption>T</caption><tr><th>a</th><td>b</td></tr><tr><th>c</th><td/></tr></table>"
    )
    assert [(b.kind.value, document.text[b.start : b.end]) for b in document.blocks] == [
        ("heading", "H"),
        ("paragraph", "P"),
        ("list_item", "L"),
        ("quote", "Q"),
        ("code", "C\n  D"),
        ("caption", "T"),
        ("table", "a\tb\nc"),
    ]


def test_tables_that_only_lay_out_a_page_are_running_text() -> None:
    assert blocks(body("<table><tr><td><h2>A</h2><p>b</p></td><td><p>c</p></td></tr></table>")) == ["A", "b", "c"]


def test_lines_of_verse_stay_lines() -> None:
    assert blocks(body("<p>one line<br/>\n  another line</p>")) == ["one line\nanother line"]


def test_readings_of_ruby_and_page_numbers_and_hidden_text_are_left_out() -> None:
    markup = (
        '<p><ruby>草<rp>(</rp><rt>くさ</rt><rp>)</rp></ruby>枕<span epub:type="pagebreak">7</span></p>'
        '<p hidden="hidden">x</p><p style="display: none">y</p><script>z</script>'
    )
    assert blocks(body(markup)) == ["草枕"]


def test_of_alternatives_the_readable_one_is_taken() -> None:
    markup = (
        '<switch xmlns="http://www.idpf.org/2007/ops"><case required-namespace="urn:chemistry"><p>H2O</p></case>'
        '<default><p xmlns="http://www.w3.org/1999/xhtml">water</p></default></switch>'
    )
    assert blocks(body(markup)) == ["water"]


def test_formulas_keep_their_symbols_but_not_their_source() -> None:
    markup = (
        '<p>So <math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>x</mi><mo>=</mo><mn>1</mn></mrow>'
        '<annotation encoding="TeX">x=1</annotation></semantics></math>.</p>'
    )
    assert blocks(body(markup)) == ["So x=1."]


@pytest.mark.parametrize("text", ["עברית: abc עברית", "संस्कृतम् धर्मक्षेत्रे", "吾輩は猫である。", "مرحبا"])
def test_every_script_stays_as_it_is(text: str) -> None:
    assert blocks(body(f"<p>{text}</p>")) == [text]


def test_pictures_alone_are_no_text() -> None:
    with pytest.raises(EmptyDocumentError, match="only images"):
        body('<img src="a.png" alt="a picture"/>')


def test_a_page_that_is_not_well_formed_is_read_all_the_same() -> None:
    broken = "<html><body><p>one<br>two &nbsp; <b>three</p><p>four</body></html>"
    assert read(epub({"a.xhtml": broken})).text.split() == ["one", "two", "three", "four"]


def test_repeated_and_missing_pages_of_the_reading_order_do_no_harm() -> None:
    data = epub({"a.xhtml": ONE, "b.xhtml": TWO}, spine=["a.xhtml", "b.xhtml", "a.xhtml", "gone"])
    document = read(data)
    assert document.text.count("First text.") == 1
    assert any("gone" in warning for warning in document.warnings)


def test_without_a_reading_order_the_manifest_is_read() -> None:
    document = read(epub({"a.xhtml": ONE, "b.xhtml": TWO}, spine=[]))
    assert [text for text in blocks(document) if "text" in text] == ["First text.", "Second text."]
    assert document.warnings


def test_fallbacks_lead_to_a_page() -> None:
    manifest = [
        '<item id="a" href="a.xyz" media-type="x/y" fallback="b"/>',
        '<item id="b" href="b.abc" media-type="x/z" fallback="c"/>',
        '<item id="c" href="c.xhtml" media-type="application/xhtml+xml"/>',
    ]
    members = {"OPS/a.xyz": "?", "OPS/b.abc": "?", "OPS/c.xhtml": ONE, "META-INF/container.xml": CONTAINER}
    assert "First text." in read(zip_of({**members, "OPS/package.opf": package(manifest, ["a"])})).text


def test_a_book_without_container_or_package_is_read_from_its_pages() -> None:
    document = read(zip_of({"p10.xhtml": TWO, "p9.xhtml": ONE}))
    assert [title for _, title in titles(document)] == ["One", "Two"]
    assert document.warnings


def test_an_archive_without_pages_is_malformed() -> None:
    with pytest.raises(MalformedDocumentError):
        read(zip_of({"mimetype": "application/epub+zip", "a.png": "x"}))


def _encryption(name: str, algorithm: str) -> dict[str, str | bytes]:
    return {
        "META-INF/encryption.xml": (
            '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"'
            ' xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData>'
            f'<enc:EncryptionMethod Algorithm="{algorithm}"/>'
            f'<enc:CipherData><enc:CipherReference URI="{name}"/></enc:CipherData></enc:EncryptedData></encryption>'
        )
    }


def test_encrypted_pages_are_drm() -> None:
    members = _encryption("OPS/a.xhtml", "http://www.w3.org/2001/04/xmlenc#aes128-cbc")
    with pytest.raises(EncryptedDocumentError, match="DRM"):
        read(epub({"a.xhtml": ONE}, members=members))


@pytest.mark.parametrize("algorithm", ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"])
def test_obfuscated_fonts_are_not(algorithm: str) -> None:
    members = {**_encryption("OPS/font.otf", algorithm), "OPS/font.otf": b"\x01\x02"}
    assert "First text." in read(epub({"a.xhtml": ONE}, members=members)).text


def test_entity_bombs_in_pages_are_refused() -> None:
    bomb = '<!DOCTYPE html [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><html><body><p>&b;</p></body></html>'
    with pytest.raises(DocumentTooLargeError):
        read(epub({"a.xhtml": bomb}))


class Expected(TypedDict):
    """What a plain reader found in a book of the shared data."""

    title: list[str]
    creator: list[str]
    language: list[str]
    toc_entries: int
    words_ws_split: int


def expected() -> dict[str, Expected]:
    path = BOOKS / "epub-expected.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


WITHOUT_TEXT = {"idpf/page-blanche.epub", "idpf/svg-in-spine.epub"}
NOT_TEXT = {"idpf/hefty-water.epub": 20}
"""Words that the plain reader took from a comment (12) and from the alternative not taken (8)."""


@needs_books
@pytest.mark.parametrize("name", sorted(expected().keys() - WITHOUT_TEXT))
def test_books_agree_with_what_is_known_of_them(name: str) -> None:
    known = expected()[name]
    document = read_document(BOOKS / name)
    assert_well_formed(document)
    words = known["words_ws_split"] - NOT_TEXT.get(name, 0)
    assert len(document.text.split()) == pytest.approx(words, rel=0.005)
    assert len(linked(tuple(document.walk_sections()))) == known["toc_entries"]
    assert document.metadata.title == known["title"][0]
    assert list(document.metadata.creators) == known["creator"]
    assert document.metadata.language == known["language"][0]


def linked(sections: Sequence[Section]) -> list[Section]:
    """The sections that come from a link of the contents list."""
    return [section for section in sections if section.href is not None]


@needs_books
@pytest.mark.parametrize("name", sorted(WITHOUT_TEXT))
def test_books_of_pictures_say_so(name: str) -> None:
    with pytest.raises(EmptyDocumentError, match="only images"):
        read_document(BOOKS / name)


@needs_books
def test_body_text_of_a_novel_is_its_chapters() -> None:
    document = read_document(BOOKS / "standardebooks" / "frankenstein.epub")
    chapters = [section for section in document.walk_sections() if section.title.startswith(("Letter", "Chapter"))]
    assert len(chapters) == 28
    assert {section.role for section in chapters} == {SectionRole.BODY}
    assert len(document.notes) == 3
    assert all(note.anchor is not None for note in document.notes)


def malformed() -> list[Path]:
    return sorted(MALFORMED.glob("*.epub"))


@needs_books
@pytest.mark.parametrize("path", malformed(), ids=lambda path: path.stem)
def test_malformed_books_give_their_text_or_one_line(path: Path) -> None:
    try:
        document = read_document(path)
    except DocumentError as error:
        message = str(error)
        document = None
    else:
        message = "read"
    assert "\n" not in message
    if document is None:
        assert "only images" in message
    else:
        assert_well_formed(document)
        assert "Ishmael" in document.text
