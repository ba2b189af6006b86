"""Markdown: structure without markup."""

from longdoc.documents.document import BlockKind, Document, SectionRole
from longdoc.documents.limits import Limits
from longdoc.documents.markdown import read_markdown
from tests.documents.book_files import assert_well_formed, blocks, titles


def read(text: str) -> Document:
    document = read_markdown(text.encode(), name="test.md", limits=Limits())
    assert_well_formed(document)
    return document


def test_headings_nest_sections() -> None:
    document = read("# A\n\ntext\n\n## B\n\ntext\n\nC\n=\n\ntext")
    assert titles(document) == [(1, "A"), (2, "B"), (1, "C")]


def test_markup_is_taken_off() -> None:
    text = "Some *soft*, **loud** and `coded` words, a [link](http://example.org) ![picture](a.png) &amp; more.  \nNext"
    assert blocks(read(text)) == ["Some soft, loud and coded words, a link & more.\nNext"]


def test_block_kinds_are_told_apart() -> None:
    text = "# H {#id}\n\nP\n\n- L\n\n> Q\n\n```\nC\n  D\n```\n\n| a | b |\n|---|---|\n| c | d |\n\n<p>html</p>\n"
    document = read(text)
    assert [(b.kind, document.text[b.start : b.end]) for b in document.blocks] == [
        (BlockKind.HEADING, "H"),
        (BlockKind.PARAGRAPH, "P"),
        (BlockKind.LIST_ITEM, "L"),
        (BlockKind.QUOTE, "Q"),
        (BlockKind.CODE, "C\n  D"),
        (BlockKind.TABLE, "a\tb\nc\td"),
        (BlockKind.PARAGRAPH, "html"),
    ]


def test_front_matter_is_metadata() -> None:
    text = '---\ntitle: "The Lamp"\nauthor:\n  - Ada\n  - Ben\nlang: en\ntags: [sea, "oil"]\n---\n\ntext'
    metadata = read(text).metadata
    assert (metadata.title, metadata.creators, metadata.language) == ("The Lamp", ("Ada", "Ben"), "en")
    assert metadata.subjects == ("sea", "oil")


def test_a_rule_at_the_start_is_no_front_matter() -> None:
    assert blocks(read("---\n\ntext\n")) == ["text"]


def test_footnotes_are_notes_called_from_their_place() -> None:
    document = read("Before[^a] after.\n\n[^a]: The *note*.\n\n    More of it.\n\nEnd.")
    assert blocks(document) == ["Before after.", "End.", "The note.\nMore of it."]
    assert (document.notes[0].label, document.notes[0].anchor) == ("a", len("Before"))


def test_roles_come_from_titles() -> None:
    assert [s.role for s in read("# Contents\n\n- a\n\n# One\n\ntext").sections] == [
        SectionRole.CONTENTS,
        SectionRole.BODY,
    ]


def test_a_long_text_is_read_in_pieces_with_the_same_result() -> None:
    chapter = "# Chapter\n\n```\n# no heading\n```\n\n" + "Some words of the chapter. " * 4000
    document = read("\n\n".join([chapter] * 60))
    assert len(document.sections) == 60
    assert len(document.text.split()) == 60 * (1 + 3 + 5 * 4000)
