"""PDF: words in order, pages, footnotes, and what is said where it cannot be made."""

import sys

import pypdfium2
import pytest

from longdoc.documents.manuscript import Manuscript, ManuscriptSection, Note
from longdoc.documents.readers import read_bytes
from longdoc.documents.writers.pdf import manuscript_pdf
from longdoc.errors import ConfigError
from tests.documents.manuscripts import KEEPER, of_text, rich_manuscript

pytest.importorskip("typst", reason="PDF is written with the extra `write`")


def page_texts(manuscript: Manuscript) -> list[str]:
    document = pypdfium2.PdfDocument(manuscript_pdf(manuscript))
    try:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]
    finally:
        document.close()


def test_words_are_there_in_order() -> None:
    text = " ".join(page_texts(rich_manuscript()))
    position = 0
    for words in (
        "Light & Sea",
        "Contents",
        "Part One",
        "The keeper climbed the long stair",
        "and it waits",
        "1. oil 2. a wick • cotton • or wool 3. patience",
        "code & more",
        "night wind height first west 3 m second north 11 m",
        "Below the section",
        "return lamp < 3 & True",
        "Потом пришло электричество, и φῶς.",
        "Part Two",
        "Bibliography",
        "A History of Light <2nd ed.>, 1955.",
    ):
        position = text.index(words, position)


def test_our_reader_finds_sections_and_the_order_of_words() -> None:
    document = read_bytes(manuscript_pdf(rich_manuscript()), name="work.pdf")
    found = [section.title for section in document.walk_sections()]
    assert [title for title in found if title in {"Part One", "The Lamp", "Oil", "Part Two"}] == [
        "Part One",
        "The Lamp",
        "Oil",
        "Part Two",
    ]


def test_notes_stand_on_the_page_that_calls_them() -> None:
    filler = "\n\n".join(["Some words of the text. " * 60] * 12)
    first, second = Note("early words", "Source", ""), Note("late words", "Source", "page 9")
    text = f"Begin here.\n\n{filler}\n\nEnd here."
    pages = page_texts(of_text(text, notes=((11, first), (len(text), second))))
    assert ["Begin here." in page for page in pages] == ["“early words” — Source" in page for page in pages]
    assert ["End here." in page for page in pages] == ["“late words” — Source, page 9" in page for page in pages]


def test_the_same_manuscript_gives_the_same_bytes() -> None:
    assert manuscript_pdf(rich_manuscript()) == manuscript_pdf(rich_manuscript())


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Latin ñßæ"), ("el", "Ελληνικά φῶς"), ("ru", "Русский текст"), ("he", "טקסט בעברית"), ("sv", "Åäö")],
)
def test_scripts_that_its_own_fonts_cover(language: str, text: str) -> None:
    found = " ".join(page_texts(of_text(text, language=language))).split()
    assert all(any(sorted(word) == sorted(other) for other in found) for word in text.split())  # lines may be turned


@pytest.mark.parametrize(
    "manuscript",
    [
        Manuscript("Nothing", ()),
        Manuscript("", (ManuscriptSection("", 1, ""),), language="??"),
        Manuscript("Odd", (ManuscriptSection("Deep first", 7, "# a\n\n### b"), ManuscriptSection("", 0, "untitled"))),
        Manuscript("Only a note", (ManuscriptSection("One", 1, "", ((5, KEEPER),)),)),
        of_text('#import "x" $ \\ @ref <label> `raw` #let x = 1 \x00 ]]> *\n\n- \n\n1. \n\n> \n\n|a|\n|-|\n'),
        of_text("- a\n\n  > b\n  >\n  > 1. c\n  >\n  >    ```\n  >    d\n  >    ```"),
    ],
)
def test_what_is_little_or_odd_is_written_too(manuscript: Manuscript) -> None:
    assert page_texts(manuscript)


def test_many_sections() -> None:
    sections = tuple(ManuscriptSection(f"Title {n}", 1 + n % 3, f"Text {n}.") for n in range(500))
    text = " ".join(page_texts(Manuscript("Long", sections)))
    assert [n for n in range(500) if f"Text {n}." not in text] == []


def test_a_character_that_no_font_has_is_named() -> None:
    with pytest.raises(
        ConfigError, match=r"no font on this system has the characters '.U000f1234'; .*EPUB, DOCX or HTML"
    ):
        manuscript_pdf(of_text("Some \U000f1234 sign"))


def test_without_typst_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(ConfigError, match=r"pip install 'longdoc\[write\]'"):
        manuscript_pdf(rich_manuscript())
