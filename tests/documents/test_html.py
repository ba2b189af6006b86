"""HTML pages: the text without the site around it."""

from pathlib import Path

import pytest

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.markup.html import read_html
from longdoc.documents.readers import read_document
from longdoc.errors import EmptyDocumentError
from tests.documents.book_files import assert_well_formed, blocks, titles

MANUAL = Path(__file__).parents[3] / "shared" / "data" / "books" / "developers-reference"
FILLER = "<p>" + "Some words about lamps and the sea. " * 8 + "</p>"


def read(body: str, *, head: str = "") -> Document:
    page = f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'
    document = read_html(page.encode(), name="test.html", limits=Limits())
    assert_well_formed(document)
    return document


def test_headings_nest_sections() -> None:
    document = read("<h1>A</h1><p>t</p><h2 id='b'>B</h2><p>t</p><h3>C</h3><p>t</p><h2>D</h2><p>t</p>")
    assert titles(document) == [(1, "A"), (2, "B"), (3, "C"), (2, "D")]


def test_the_head_is_metadata() -> None:
    metadata = read("<p>t</p>", head='<title>The Lamp</title><meta name="author" content="Ada Example">').metadata
    assert (metadata.title, metadata.creators, metadata.language) == ("The Lamp", ("Ada Example",), "en")


def test_menus_footers_and_permalinks_are_left_out() -> None:
    document = read(
        '<nav><a href="/">Home</a></nav><header>Site</header><script>x()</script>'
        f'<h1>A<a class="headerlink" href="#a">¶</a></h1>{FILLER}<div role="navigation">Next</div><footer>2024</footer>'
    )
    assert [text.split()[0] for text in blocks(document)] == ["A", "Some"]


def test_the_main_element_is_preferred_where_it_holds_most() -> None:
    document = read(f"<div>Advertisement</div><main><h1>A</h1>{FILLER}</main><div>More to read</div>")
    assert "Advertisement" not in document.text
    assert "More to read" not in document.text


def test_a_small_main_element_does_not_hide_the_text() -> None:
    assert "lamps" in read(f"<main><p>Short.</p></main><div>{FILLER * 3}</div>").text


def test_headers_and_footers_inside_the_work_stay() -> None:
    document = read(f"<article><header><h1>A</h1></header>{FILLER}<footer>By Ada.</footer></article>")
    assert blocks(document)[0] == "A"
    assert blocks(document)[-1] == "By Ada."


def test_a_contents_list_is_a_section_of_its_own() -> None:
    links = "".join(f'<li><a href="#s{n}">Chapter {n}</a></li>' for n in range(5))
    chapters = "".join(f'<h2 id="s{n}">Chapter {n}</h2>{FILLER}' for n in range(5))
    document = read(f'<h1>A</h1><nav id="toc"><ul>{links}</ul></nav>{chapters}')
    contents = document.sections[0].children[0]
    assert (contents.title, contents.role) == ("Contents", SectionRole.CONTENTS)
    assert document.text[contents.start : contents.end].split() == [
        word for n in range(5) for word in ("Chapter", f"{n}")
    ]
    assert [section.title for section in document.sections[0].children[1:]] == [f"Chapter {n}" for n in range(5)]


def test_footnotes_are_notes() -> None:
    document = read(
        '<p>Word<a href="#f" id="r" role="doc-noteref">1</a>.</p><aside id="f" role="doc-footnote"><p>Note.</p></aside>'
    )
    assert blocks(document) == ["Word.", "Note."]


def test_markup_nested_past_reason_is_read() -> None:
    assert "deep" in read("<font>" * 1500 + "deep").text


def test_a_page_without_text_is_empty() -> None:
    with pytest.raises(EmptyDocumentError):
        read('<img src="a.png"><script>x()</script>')


@pytest.mark.skipif(not MANUAL.exists(), reason="the shared data folder ../shared/data is not here")
def test_three_formats_of_one_manual_agree() -> None:
    counts: dict[str, int] = {}
    for suffix in ("epub", "html", "txt"):
        document = read_document(MANUAL / f"developers-reference.{suffix}")
        prose = (b for b in document.blocks if b.kind not in {BlockKind.TABLE, BlockKind.CODE})
        counts[suffix] = len(document.text.split())
        assert sum(len(document.text[b.start : b.end].split()) for b in prose) > 40_000
        assert "¶" not in document.text
    assert max(counts.values()) <= min(counts.values()) * 1.02
