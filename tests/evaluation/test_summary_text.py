"""What of a file is taken for the summary."""

import pytest

from longdoc.documents.readers import read_bytes
from longdoc.errors import EmptyDocumentError
from longdoc.evaluation.punkt_sentences import punkt_spans
from longdoc.evaluation.summary_text import summary_from_document, summary_from_text

WRITTEN = b"""# The Lamp

Ada found *the lamp*.[^1] She hid it [^2], for good.

It was found again[^unknown]. That was all.

> Not covered: segment 3

[^1]: Chapter 1, characters 0-20.
[^2]: Chapter 2, characters 30-40.
"""


def test_of_what_longdoc_writes_only_the_prose_is_left() -> None:
    summary = summary_from_document(read_bytes(WRITTEN, name="lamp.md"))
    assert summary.text == "Ada found the lamp. She hid it, for good.\n\nIt was found again. That was all."
    assert summary.source == "lamp.md"


def test_a_quotation_is_part_of_a_summary() -> None:
    summary = summary_from_document(read_bytes(b"He said:\n\n> I will stay.\n", name="a.md"))
    assert summary.text == "He said:\n\nI will stay."


def test_plain_text_is_taken_whole() -> None:
    text = "THE LAMP\n\nAda found the lamp. She hid it.\n"
    assert summary_from_document(read_bytes(text.encode(), name="a.txt")).text == text.strip()


def test_the_same_text_is_the_same_document_wherever_it_comes_from() -> None:
    from_file = summary_from_document(read_bytes(b"It began.\n\nIt ended.", name="a.txt"))
    assert summary_from_text("It began.\n\n\nIt ended.\n", title="b", source="run").id == from_file.id


def test_a_file_with_nothing_but_headings_is_empty() -> None:
    with pytest.raises(EmptyDocumentError):
        summary_from_document(read_bytes(b"# The Lamp\n", name="a.md"))


def test_abbreviations_end_no_sentence_and_paragraphs_do() -> None:
    text = "Dr. Obi came. She stayed (twice).  She left at 5 p.m. on Friday.\n\nIt rained."
    spans = punkt_spans(text)
    assert [text[start:end] for start, end in spans] == [
        "Dr. Obi came.",
        "She stayed (twice).",
        "She left at 5 p.m. on Friday.",
        "It rained.",
    ]
