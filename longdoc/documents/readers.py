"""The entry point: from a path or bytes to a `Document`, whatever the kind of file.

Owns deciding the kind, by content and not by name, and what is said of files that are of no readable kind.
The readers are one module each.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path

from longdoc.documents.archive import Archive
from longdoc.documents.document import Document
from longdoc.documents.encoding import decode
from longdoc.documents.epub.reader import read_epub
from longdoc.documents.limits import Limits
from longdoc.documents.markdown import read_markdown
from longdoc.documents.markup.html import read_html
from longdoc.documents.plain.reader import read_text
from longdoc.errors import (
    DocumentError,
    DocumentTooLargeError,
    EmptyDocumentError,
    EncryptedDocumentError,
    UnsupportedDocumentError,
)

_KNOWN = "EPUB, PDF, DOCX, ODT, HTML, Markdown or text"
_PDF = b"%PDF-"
_PDF_WITHIN = 1024
_SNIFFED = 64 * 1024
_NOTHING = b"\x00 \t\r\n\xef\xbb\xbf"
_OLE = b"\xd0\xcf\x11\xe0"
_FOREIGN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\x00": "a TIFF image",
    b"MM\x00*": "a TIFF image",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"BZh": "a bzip2 archive; unpack it first",
    b"\xfd7zXZ": "an xz archive; unpack it first",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it first",
    b"Rar!": "a RAR archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "a zstd archive; unpack it first",
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\xca\xfe\xba\xbe": "a program",
    b"ID3": "a sound file",
    b"OggS": "a sound file",
    b"RIFF": "a sound, film or image file",
    b"\x00\x00\x00\x18ftyp": "a film",
    b"\x00\x00\x00\x20ftyp": "a film",
    b"SQLite format 3": "a database",
    _OLE: "an old Office file; save it as DOCX first",
    b"ITOLITLS": "a Microsoft Reader book, which only its own program opens",
    b"ITSF": "a compiled HTML help file; unpack it first",
}
_FOREIGN_TEXT = {
    b"{\\rtf": "a rich text (RTF) file; save it as DOCX first",
    b"%!PS": "a PostScript file; make it a PDF first",
}
_ENCRYPTED_STREAM = "EncryptedPackage".encode("utf-16-le")
_LOWEST_TEXT_BYTE = 9
_MOBI_AT = 60
_MOBI = (b"BOOKMOBI", b"TEXtREAd")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*(?:<!doctype\s+html|<html\b|<head\b|<body\b)",
    re.IGNORECASE | re.DOTALL,
)
_HTML_LIKE = re.compile(r"\s*<(?:h[1-6]|p|div|title|table|article|section|meta|center|pre)\b", re.IGNORECASE)
_MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd", ".qmd", ".rmd"})
_ATX_HEADING = re.compile(r"^#{1,6} +\S", re.MULTILINE)
_MARKDOWN_SIGN = re.compile(r"^(?:[-*+] +\S|> +\S|```|\|.+\|$)|\]\([^)\s]+\)|\*\*\S[^*\n]*\*\*", re.MULTILINE)
_SHEBANG = "#!"
_JUNK_SHARE = 0.02
_CONTROLS = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\v\f\r\x1a\x1b")

_Reader = Callable[..., Document]


class _Kind(Enum):
    EPUB = auto()
    DOCX = auto()
    ODT = auto()
    PDF = auto()
    HTML = auto()
    MARKDOWN = auto()
    TEXT = auto()


def read_document(path: Path | str, *, limits: Limits | None = None) -> Document:
    """Read a document from a file. Raises kinds of `DocumentError`, each a line that says what to do."""
    path = Path(path)
    limits = limits or Limits()
    return read_bytes(_file_bytes(path, limits), name=path.name, limits=limits)


def read_bytes(data: bytes, *, name: str, limits: Limits | None = None) -> Document:
    """Read a document from its bytes; `name` is its file name, for messages and for telling Markdown."""
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        raise DocumentTooLargeError(f"is larger than {limits.file_bytes} bytes; split it first", source=name)
    if not data[:_SNIFFED].strip(_NOTHING) and not data.strip(_NOTHING):
        raise EmptyDocumentError("is empty", source=name)
    return _reader_of(_kind(data, name, limits))(data, name=name, limits=limits)


def read_pasted(text: str, *, name: str, limits: Limits | None = None) -> Document:
    """Read a text that stands in a message: as Markdown where it plainly is that, else as it is, whatever it begins
    with; `name` is for messages. Raises kinds of `DocumentError`."""
    limits = limits or Limits()
    data = text.encode("utf-8", "replace")
    if len(data) > limits.file_bytes:
        raise DocumentTooLargeError(f"is larger than {limits.file_bytes} bytes; split it first", source=name)
    if not text.strip():
        raise EmptyDocumentError("is empty", source=name)
    kind = _Kind.MARKDOWN if _is_plainly_markdown(text[:_SNIFFED]) else _Kind.TEXT
    return _reader_of(kind)(data, name=name, limits=limits)


def _file_bytes(path: Path, limits: Limits) -> bytes:
    name = path.name or str(path)
    try:
        status = path.stat()
    except FileNotFoundError as error:
        raise DocumentError("there is no such file; check the path", source=str(path)) from error
    except OSError as error:
        raise DocumentError(f"cannot be reached ({error.strerror})", source=str(path)) from error
    except ValueError as error:
        raise DocumentError("is no path that a file can have", source=name) from error
    if stat.S_ISDIR(status.st_mode):
        raise UnsupportedDocumentError("is a folder; name the files in it", source=str(path))
    if not stat.S_ISREG(status.st_mode):
        raise UnsupportedDocumentError("is a device or pipe; use - to read standard input", source=str(path))
    if status.st_size > limits.file_bytes:
        raise DocumentTooLargeError(f"is larger than {limits.file_bytes} bytes; split it first", source=name)
    try:
        return path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror}); check its permissions", source=str(path)) from error


def _reader_of(kind: _Kind) -> _Reader:
    """The reader of a kind; those with heavy imports are imported when they are first needed."""
    if kind is _Kind.PDF:
        from longdoc.documents.pdf.reader import read_pdf

        return read_pdf
    if kind is _Kind.DOCX:
        from longdoc.documents.docx.reader import read_docx

        return read_docx
    if kind is _Kind.ODT:
        from longdoc.documents.odt.reader import read_odt

        return read_odt
    readers: dict[_Kind, _Reader] = {
        _Kind.EPUB: read_epub,
        _Kind.HTML: read_html,
        _Kind.MARKDOWN: read_markdown,
        _Kind.TEXT: read_text,
    }
    return readers[kind]


def _kind(data: bytes, name: str, limits: Limits) -> _Kind:
    if data.startswith(_ZIP):
        return _kind_of_archive(data, name, limits)
    if data[:_PDF_WITHIN].lstrip().startswith(_PDF) or (_PDF in data[:_PDF_WITHIN] and b"endobj" in data):
        return _Kind.PDF
    if data.startswith(_OLE) and _ENCRYPTED_STREAM in data:
        raise EncryptedDocumentError("is protected by a password; save it without one first", source=name)
    foreign = _foreign(data)
    if foreign is not None:
        raise UnsupportedDocumentError(f"is {foreign}; {_KNOWN} can be read", source=name)
    return _kind_of_text(decode(data[:_SNIFFED]), name)


def _foreign(data: bytes) -> str | None:
    """What a file is that no reader is for, by its first bytes; None where they do not tell."""
    if data[_MOBI_AT : _MOBI_AT + 8] in _MOBI:
        return "a Kindle (MOBI) book; convert it to EPUB first"
    binary = min(data[:512]) < _LOWEST_TEXT_BYTE
    known = _FOREIGN if binary else _FOREIGN_TEXT
    return next((what for start, what in known.items() if data.startswith(start)), None)


def _kind_of_archive(data: bytes, name: str, limits: Limits) -> _Kind:
    archive = Archive(data, source=name, limits=limits)
    names = [member.lower() for member in archive.names]
    mimetype = archive.read("mimetype").strip() if archive.find("mimetype") else b""
    if mimetype.startswith(b"application/vnd.oasis.opendocument"):
        return _Kind.ODT
    if mimetype == b"application/epub+zip" or "meta-inf/container.xml" in names:
        return _Kind.EPUB
    if any(member.startswith("word/") for member in names) or "[content_types].xml" in names:
        return _Kind.DOCX
    if "content.xml" in names:
        return _Kind.ODT
    if any(member.endswith(".opf") for member in names):
        return _Kind.EPUB
    raise UnsupportedDocumentError(
        f"is a zip archive but no book; unpack it and name the files in it ({_KNOWN})", source=name
    )


def _kind_of_text(sample: str, name: str) -> _Kind:
    junk = sum(character in _CONTROLS or character == "\ufffd" for character in sample)
    if junk > len(sample) * _JUNK_SHARE:
        raise UnsupportedDocumentError(f"is no text of any kind; {_KNOWN} can be read", source=name)
    suffix = Path(name).suffix.lower()
    if suffix in _MARKDOWN_SUFFIXES:
        return _Kind.MARKDOWN
    if _HTML.match(sample) or (_HTML_LIKE.match(sample) and "</" in sample):
        return _Kind.HTML
    return _Kind.MARKDOWN if _is_plainly_markdown(sample) else _Kind.TEXT


def _is_plainly_markdown(sample: str) -> bool:
    """Whether a text has headings of Markdown and other signs of it besides."""
    if sample.startswith(_SHEBANG):
        return False
    headings = len(_ATX_HEADING.findall(sample))
    return headings >= 2 and len(_MARKDOWN_SIGN.findall(sample)) >= headings // 2 + 1
