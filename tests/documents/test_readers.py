"""The entry point: content decides what a file is, and what cannot be read is said in one line."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from longdoc.documents.limits import Limits
from longdoc.documents.readers import read_bytes, read_document
from longdoc.errors import (
    DocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    MalformedDocumentError,
    UnsupportedDocumentError,
)
from tests.documents.book_files import CONTAINER, assert_well_formed, epub, page, zip_of

EPUB = epub({"a.xhtml": page("<p>some text</p>")})


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (EPUB, "book.txt", "epub"),
        (zip_of({"META-INF/container.xml": CONTAINER, "OPS/a.xhtml": page("<p>text</p>")}), "book.zip", "epub"),
        (b"<!DOCTYPE html><html><body><p>text</p></body></html>", "page.txt", "html"),
        (b"\xef\xbb\xbf  <!-- c --> <HTML><body>text", "page", "html"),
        (b"<p>one</p><p>two</p>", "page", "html"),
        (b"plain text", "book.epub", "text"),
        (b"<3 is a heart, and this is text", "x", "text"),
        (b"# Title\n\n- a\n- b\n\n## Other\n\nSome **bold** text with a [link](x).", "notes.txt", "markdown"),
        (b"just text", "notes.md", "markdown"),
        (b"# one comment\n# another comment\nkey = value\n", "x.conf", "text"),
        ("UTF-16 text".encode("utf-16"), "x", "text"),
        (b"BMW is a car. RIFF is no word. ID3 neither.", "x", "text"),
    ],
)
def test_content_decides_the_kind(data: bytes, name: str, kind: str) -> None:
    assert read_bytes(data, name=name).format == kind


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", EmptyDocumentError, "empty"),
        (b" \n\n ", EmptyDocumentError, "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", UnsupportedDocumentError, "PNG"),
        (gzip.compress(b"text", mtime=0), UnsupportedDocumentError, "unpack"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), UnsupportedDocumentError, "program"),
        (bytes(range(256)) * 40, UnsupportedDocumentError, "no text"),
        (b"{\\rtf1 text}", UnsupportedDocumentError, "RTF"),
        (bytes(60) + b"BOOKMOBI" + bytes(20), UnsupportedDocumentError, "Kindle"),
        (zip_of({"a.txt": "text"}), UnsupportedDocumentError, "zip"),
        (EPUB[: len(EPUB) // 2], MalformedDocumentError, "truncated"),
        (b"\xd0\xcf\x11\xe0" + bytes(40) + "EncryptedPackage".encode("utf-16-le"), EncryptedDocumentError, "password"),
        (b"x" * 2000, DocumentTooLargeError, "larger"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_line(data: bytes, error: type[DocumentError], words: str) -> None:
    limits = Limits(file_bytes=1500) if error is DocumentTooLargeError else Limits()
    with pytest.raises(error, match=words) as raised:
        read_bytes(data, name="file.epub", limits=limits)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("file.epub: ")


def test_a_file_is_read_by_path(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("some text", encoding="utf-8")
    assert (read_document(path).text, read_document(str(path)).source) == ("some text", "a.txt")


def test_missing_files_folders_and_pipes_are_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, words in ((tmp_path / "none", "no such file"), (tmp_path, "folder"), (tmp_path / "pipe", "pipe")):
        with pytest.raises(DocumentError, match=words):
            read_document(path)


def test_paths_no_file_can_have_are_refused() -> None:
    with pytest.raises(DocumentError):
        read_document("a\x00b")


def test_large_files_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as stream:
        stream.truncate(10_000)
    with pytest.raises(DocumentTooLargeError):
        read_document(path, limits=Limits(file_bytes=5_000))


@given(st.binary(max_size=300))
def test_any_bytes_read_or_say_why_not(data: bytes) -> None:
    try:
        document = read_bytes(data, name="x")
    except DocumentError as error:
        message = str(error)
    else:
        message = ""
        assert_well_formed(document)
    assert "\n" not in message


@given(st.integers(0, len(EPUB) - 1), st.integers(0, 255))
@example(935, 0)
def test_a_damaged_book_reads_or_says_why_not(place: int, value: int) -> None:
    data = EPUB[:place] + bytes([value]) + EPUB[place + 1 :]
    try:
        assert_well_formed(read_bytes(data, name="x"))
    except DocumentError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message
