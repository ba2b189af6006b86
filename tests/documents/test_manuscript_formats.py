"""What every format must do with a manuscript: give back its words, in order, and its notes in their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.documents.document import SectionRole
from longdoc.documents.manuscript import Manuscript, ManuscriptSection, Note
from tests.documents.book_files import assert_well_formed, blocks
from tests.documents.manuscripts import (
    KEEPER,
    WRITERS,
    Piece,
    body_words,
    of_text,
    pieces,
    read_back,
    rich_manuscript,
    titles,
)

every_format = pytest.mark.parametrize("kind", list(WRITERS))


@every_format
@given(parts=st.lists(st.tuples(titles, st.integers(1, 4), pieces), min_size=1, max_size=4))
def test_words_come_back_in_order(kind: str, parts: list[tuple[tuple[str, ...], int, Piece]]) -> None:
    sections = tuple(ManuscriptSection(" ".join(title), level, piece.markdown) for title, level, piece in parts)
    document = read_back(Manuscript("The Work", sections), kind)
    assert_well_formed(document)
    assert body_words(document, title="The Work") == [
        word for title, _, piece in parts for word in (*title, *piece.words)
    ]


@every_format
@given(piece=pieces, places=st.lists(st.integers(0, 400), min_size=1, max_size=4))
def test_notes_change_no_words_and_none_is_lost(kind: str, piece: Piece, places: list[int]) -> None:
    notes = tuple((place, Note(f"quote {place}", "", "")) for place in places)
    document = read_back(of_text(f"Start\n\n{piece.markdown}", notes=notes), kind)
    assert body_words(document, title="The Work") == ["The", "Section", "Start", *piece.words]
    texts = [document.text[note.start : note.end] for note in document.notes]
    assert [text.split("“")[1] for text in texts] == [f"quote {place}”" for place in sorted(places)]
    anchors = [note.anchor for note in document.notes]
    assert None not in anchors
    assert anchors == sorted(anchors)


@every_format
def test_a_note_stands_after_the_word_it_is_for(kind: str) -> None:
    document = read_back(rich_manuscript(), kind)
    before = [document.text[: note.anchor].rsplit("\n", 1)[-1] for note in document.notes]
    assert [line.split("• ")[-1] for line in before] == [
        "The keeper climbed the long stair and lit the lamp.",
        "and it waits",
        "Oil came from whales.",
    ]
    assert [note.label for note in document.notes] == ["1", "2", "3"]
    text = document.text[document.notes[0].start : document.notes[0].end]
    assert text.removeprefix("1. ") == "“the keeper climbed” — The Lamp, chapter 3, page 12"


@every_format
def test_sections_nest_as_in_the_manuscript(kind: str) -> None:
    document = read_back(rich_manuscript(), kind)
    known = [
        section for section in document.walk_sections() if section.title in {"Part One", "The Lamp", "Oil", "Part Two"}
    ]
    assert [(section.title, section.path[-2:-1]) for section in known if section.title in {"The Lamp", "Oil"}] == [
        ("The Lamp", ("Part One",)),
        ("Oil", ("Part One",)),
    ]
    assert [section.title for section in known] == ["Part One", "The Lamp", "Oil", "Part Two"]


@every_format
def test_metadata_is_kept(kind: str) -> None:
    metadata = read_back(rich_manuscript(), kind).metadata
    assert (metadata.title, metadata.creators, metadata.language) == ("Light & Sea", ("Ada Example",), "en")


@every_format
def test_the_bibliography_is_kept_as_back_matter(kind: str) -> None:
    document = read_back(rich_manuscript(), kind)
    section = next(section for section in document.walk_sections() if section.title == "Bibliography")
    assert section.role is SectionRole.BACK
    assert "A History of Light <2nd ed.>, 1955." in document.text[section.start : section.end]


@every_format
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Before <script>alert(1)</script> after.", "Before <script>alert(1)</script> after."),
        ("<div onclick='x'>\nblock\n</div>", "<div onclick='x'> block </div>"),
        ("CDATA ]]> <![CDATA[ and <!-- c --> <?php ?>", "CDATA ]]> <![CDATA[ and <!-- c --> <?php ?>"),
        ("AT&T &amp; &lt;b&gt; &#x3C;", "AT&T & <b> <"),
        ("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m"),
        ("vertical\x0btab \ufffe\x85 next \ud800.", "vertical tab next \ufffd."),
        ("{\ufdd01} is no mark, [^1] no footnote", "{1} is no mark, [^1] no footnote"),
        ("{{language}} is no field ![alt](http://x/y.png)", "{{language}} is no field alt"),
        ("---\ntitle: no front matter\n---", "title: no front matter"),
        ("``` \nnever closed", "never closed"),
        ("1986\\. A great year", "1986. A great year"),
        ("    indented <code>", "indented <code>"),
    ],
)
def test_hostile_text_is_text(kind: str, text: str, words: str) -> None:
    document = read_back(of_text(f"Start.\n\n{text}"), kind)
    assert body_words(document, title="The Work") == ["The", "Section", "Start.", *words.split()]
    assert not document.notes


@every_format
def test_links_lead_only_to_the_web_and_to_mail(kind: str) -> None:
    text = "[a](javascript:x) [b](file:///x) [c](other.html) [d](#here) [e](https://a.org/?q=1&r=2) [f](mailto:a@b.org)"
    raw = WRITERS[kind](of_text(text))
    assert read_back(of_text(text), kind).text.endswith("c d e f")
    for address in (b'="javascript', b'="file', b'="other', b"[c](", b'="#here'):
        assert address not in raw


@every_format
@pytest.mark.parametrize(
    ("title", "language"),
    [("ספר האור", "he"), ("كتاب النور", "ar"), ("光之书", "zh"), ("灯台の本", "ja"), ('O\'Neil "& Co"', "en")],
)
def test_titles_in_any_script(kind: str, title: str, language: str) -> None:
    manuscript = Manuscript(title, (ManuscriptSection(title, 1, f"{title} text"),), language=language)
    document = read_back(manuscript, kind)
    assert document.metadata.language == language
    assert [section.title for section in document.walk_sections() if section.title == title]
    assert f"{title} text" in blocks(document)


@every_format
@pytest.mark.parametrize(
    "manuscript",
    [
        Manuscript("Nothing", ()),
        Manuscript("", (ManuscriptSection("", 1, ""),)),
        Manuscript("Empty", (ManuscriptSection("One", 1, ""), ManuscriptSection("Two", 3, "  \n\n "))),
        Manuscript(
            "Odd", (ManuscriptSection("Deep first", 7, "text"), ManuscriptSection("", 0, "untitled")), language="??"
        ),
        Manuscript("Only a note", (ManuscriptSection("One", 1, "", ((5, KEEPER),)),)),
    ],
)
def test_little_is_written_too(kind: str, manuscript: Manuscript) -> None:
    document = read_back(manuscript, kind)
    assert all(section.title in document.text for section in manuscript.sections)
    assert len(document.notes) == sum(len(section.notes) for section in manuscript.sections)


@every_format
def test_many_sections(kind: str) -> None:
    sections = tuple(
        ManuscriptSection(f"Title {number}", 1 + number % 3, f"Text {number}.", ((6, Note(f"q{number}", "S", "")),))
        for number in range(500)
    )
    document = read_back(Manuscript("Long", sections, bibliography=("S",)), kind)
    words = [word for number in range(500) for word in ("Title", str(number), "Text", f"{number}.")]
    assert body_words(document, title="Long") == words
    assert len(document.notes) == 500


@every_format
def test_headings_in_the_text_go_below_their_section(kind: str) -> None:
    text = "# High\n\n### Low\n\n> ###### Quoted\n\ntext"
    document = read_back(Manuscript("T", (ManuscriptSection("S", 2, text), ManuscriptSection("Next", 2, "end"))), kind)
    levels = {document.text[block.start : block.end]: block.level for block in document.blocks if block.level}
    assert levels["S"] < levels["High"] < levels["Low"] <= levels["Quoted"]
    assert levels["S"] == levels["Next"]


@every_format
def test_the_same_manuscript_gives_the_same_bytes(kind: str) -> None:
    assert WRITERS[kind](rich_manuscript()) == WRITERS[kind](rich_manuscript())
