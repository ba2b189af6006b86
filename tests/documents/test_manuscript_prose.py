"""Prose: Markdown to a tree and back, and marks of notes that never change it."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longdoc.documents.writers.characters import clean_text
from longdoc.documents.writers.markdown_prose import markdown_blocks
from longdoc.documents.writers.note_marks import prose_with_marks
from longdoc.documents.writers.prose import Blocks, Inlines, Link, NoteMark, Styled, inlines_of, marks_in, plain_text
from tests.documents.manuscripts import Piece, pieces

hostile = st.text("ab1 *_`~[]()<>#-+|\\\n.&!:={}\t;", max_size=60)


def prose(text: str) -> Blocks:
    return prose_with_marks(clean_text(text), ())


def words(blocks: Blocks) -> list[list[str]]:
    return [text for content in inlines_of(blocks) if (text := plain_text(content).split())]


@given(piece=pieces)
def test_prose_as_markdown_is_the_same_prose(piece: Piece) -> None:
    blocks = prose(piece.markdown)
    assert prose(markdown_blocks(blocks, level=0)) == blocks


@given(text=hostile)
@example("*a*_b_")
@example("- a\n\n* b\n\n+ c")
@example("1. a\n\n   3. b")
@example("- a\n  -\n")
@example("a&#10;&#10;# b")
@example("&#32;&#32;&#32;&#32;a")
@example("*&#32;a&#32;*")
@example("[a&#93;](https://b.org)")
@example("# a #\n\n## \\#\\#")
@example("a\\\n---")
@example("> a\n\n> b\n\n```\n> c\n```\n")
@example("`` ` `` and ` `` `")
@example("| a \\| b | c |\n|---|:-:|\n| `d\\|e` |")
def test_any_text_keeps_its_words_as_markdown(text: str) -> None:
    blocks = prose(text)
    assert words(prose(markdown_blocks(blocks, level=0))) == words(blocks)


@given(text=hostile, offsets=st.lists(st.integers(0, 60), max_size=4).map(sorted))
@example("`code span`", [3])
@example("[link](https://a.org/b) after", [15])
@example("> - quoted", [1])
@example("```\nfenced\n```", [6])
@example("a\n===\nb", [4])
@example("&amp;", [3])
@example("a \\* b", [3])
@example("- - a", [2])
def test_marks_change_no_words_and_none_is_lost(text: str, offsets: list[int]) -> None:
    marked = prose_with_marks(clean_text(text), [(offset, number) for number, offset in enumerate(offsets, 1)])
    assert words(marked) == words(prose(text))
    assert [n for content in inlines_of(marked) for n in marks_in(content)] == list(range(1, len(offsets) + 1))


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("One.@ Two.", "One."),
        ("One. @Two.", "One."),
        ("@One.", "One."),
        ("One\n\n@Two", "One"),
        ("**One.**@ Two.", "One."),
        ("**One.*@* Two.", "One."),
        ("- One@\n- Two", "One"),
        ("- One\n- @Two", "One"),
        ("> One\n> two@ three", "One two"),
        ("| One | Two@ |\n|---|---|\n| a | b |", "Two"),
        ("| One | Two |\n|---|---|\n| a | b@ |", "b"),
        ("One `co@de` end", "One code"),
        ("A [li@nk](https://a.org) end", "A link"),
        ("A [**li@nk**](https://a.org) end", "A link"),
        ("One\n\n```\ncode@\n```", "One"),
        ("# One@\n\nTwo", "One"),
    ],
)
def test_a_mark_stands_after_the_word_before_it(text: str, before: str) -> None:
    blocks = prose_with_marks(text.replace("@", ""), [(text.index("@"), 1)])
    content = next(content for content in inlines_of(blocks) if list(marks_in(content)))
    assert _before_mark(content) == before


def _before_mark(content: Inlines) -> str:
    done = ""
    for part in content:
        if isinstance(part, NoteMark):
            return done
        if isinstance(part, Styled | Link) and list(marks_in(part.content)):
            return done + _before_mark(part.content)
        done += plain_text((part,))
    return done
