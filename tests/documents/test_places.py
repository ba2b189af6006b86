"""Where a stretch of a document stands, as a reader would say it."""

import pytest

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Block, Document, Section
from longdoc.documents.places import Place, place_of

BLOCKS = (Block(0, 10, page=1), Block(12, 20, page=2), Block(22, 40, page=3, href="c.xhtml#p3"))
INNER = Section("Chapter 2", 12, 40, path=("Part One", "Chapter 2"), href="c.xhtml")
OUTER = Section("Part One", 5, 45, path=("Part One",), href="part.xhtml", children=(INNER,))
DOCUMENT = Document("d", "x" * 60, "pdf", blocks=BLOCKS, sections=(OUTER,))


@pytest.mark.parametrize(
    ("start", "end", "section", "pages", "href"),
    [
        (0, 4, (), (1, 1), None),
        (6, 8, ("Part One",), (1, 1), "part.xhtml"),
        (12, 18, ("Part One", "Chapter 2"), (2, 2), "c.xhtml"),
        (15, 23, ("Part One", "Chapter 2"), (2, 3), "c.xhtml"),
        (30, 32, ("Part One", "Chapter 2"), (3, 3), "c.xhtml#p3"),
        (50, 60, (), (3, 3), "c.xhtml#p3"),
    ],
)
def test_the_innermost_section_the_pages_and_the_nearest_address(
    start: int, end: int, section: tuple[str, ...], pages: tuple[int, int], href: str | None
) -> None:
    assert place_of(DOCUMENT, start, end) == Place(section, *pages, href)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Place(("Part One", "Chapter 3"), 41, 41), "Chapter 3, page 41"),
        (Place(("Chapter 3",), 41, 42), "Chapter 3, pages 41–42"),
        (Place(("Chapter 3", "")), "Chapter 3"),
        (Place((), 7), "page 7"),
        (Place(), ""),
    ],
)
def test_the_short_form(place: Place, words: str) -> None:
    assert str(place) == words


def test_a_title_that_is_a_paragraph_is_cut() -> None:
    assert len(str(Place(("In which " * 20,)))) == 60


def test_a_text_without_anything_has_an_empty_place() -> None:
    assert place_of(Document("d", "words", "text"), 0, 5) == Place()


def test_a_built_document_knows_its_chapters() -> None:
    builder = DocumentBuilder("text", "t")
    for number in (1, 2):
        builder.open_section(f"Chapter {number}")
        builder.add_block(f"Event {number} happened.", page=number)
        builder.close_section()
    document = builder.build()
    start = document.text.index("Event 2")
    assert str(place_of(document, start, start + 7)) == "Chapter 2, page 2"
