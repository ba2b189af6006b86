"""The only module that speaks to pdfium: bytes of a PDF to plain values.

Owns opening, errors, bookmarks, form fields and metadata; glyphs are `pdf/glyphs.py`, lines `pdf/lines.py`. Pages
are closed as soon as they are read, images are never decoded.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# pypdfium2 ships no types; nothing untyped leaves this module.

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Lock

import pypdfium2
from pypdfium2 import raw

from longdoc.documents.pdf.glyphs import read_runs
from longdoc.documents.pdf.lines import Line, page_lines
from longdoc.errors import DocumentTooLargeError, EncryptedDocumentError, MalformedDocumentError

_PDFIUM = Lock()
"""pdfium is not safe for threads, not even with documents apart."""

MAX_PAGES = 50_000
_MAX_CHARACTERS = 200_000_000
_MAX_BOOKMARKS = 20_000
_MAX_WIDGETS = 2_000
_VIEWS_WITH_TOP = {raw.PDFDEST_VIEW_XYZ: 1, raw.PDFDEST_VIEW_FITH: 0, raw.PDFDEST_VIEW_FITBH: 0}
"""Where among a destination's numbers its height stands."""
_INFORMATION = ("Title", "Author", "Subject", "Keywords")
_DEEPEST_BOOKMARK = 24
_TEXT_FIELDS = (raw.FPDF_FORMFIELD_TEXTFIELD, raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX)


@dataclass(frozen=True, slots=True)
class PageText:
    """A page, `number` counted from 1, with its lines in reading order.

    `fields` are names and values of form fields; `readable` is False where the page is broken.
    """

    number: int
    lines: tuple[Line, ...]
    fields: tuple[tuple[str, str], ...] = ()
    readable: bool = True


@dataclass(frozen=True, slots=True)
class Bookmark:
    """An entry of the outline: `page` is counted from 1, `top` is in points above the page's lower edge."""

    title: str
    depth: int
    page: int | None
    top: float | None


@dataclass(frozen=True, slots=True)
class PdfSource:
    """All that is read from a file; `information` holds Title, Author, Subject and Keywords, empty where not given."""

    pages: tuple[PageText, ...]
    bookmarks: tuple[Bookmark, ...]
    information: dict[str, str]
    language: str = ""


def read_pdf_source(data: bytes, *, name: str) -> PdfSource:
    """Everything of interest in a PDF. Raises kinds of `DocumentError`."""
    with _PDFIUM:
        pdf = _open(data, name)
        try:
            return _read(pdf, name)
        finally:
            pdf.close()


def _open(data: bytes, name: str) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY):
            raise EncryptedDocumentError("needs a password; save a copy without one", source=name) from error
        raise MalformedDocumentError("is a broken or truncated PDF; get a fresh copy", source=name) from error


def _read(pdf: pypdfium2.PdfDocument, name: str) -> PdfSource:
    if len(pdf) > MAX_PAGES:
        raise DocumentTooLargeError(f"has more than {MAX_PAGES} pages", source=name)
    if pdf.get_formtype() != raw.FORMTYPE_NONE:
        pdf.init_forms()
    pages = tuple(_pages(pdf, name))
    information = {key: _information(pdf, key) for key in _INFORMATION}
    language = _wide_text(lambda buffer, size: raw.FPDFCatalog_GetLanguage(pdf, buffer, size))
    return PdfSource(pages, tuple(_bookmarks(pdf)), information, language)


def _pages(pdf: pypdfium2.PdfDocument, name: str) -> Iterator[PageText]:
    characters = 0
    for index in range(len(pdf)):
        page = _read_page(pdf, index)
        characters += sum(len(line.text) for line in page.lines)
        if characters > _MAX_CHARACTERS:
            raise DocumentTooLargeError(f"has more than {_MAX_CHARACTERS} characters", source=name)
        yield page


def _read_page(pdf: pypdfium2.PdfDocument, index: int) -> PageText:
    """One page; a page that pdfium cannot load is marked, since the others are worth having."""
    try:
        page = pdf[index]
    except pypdfium2.PdfiumError:
        return PageText(index + 1, (), readable=False)
    try:
        return PageText(index + 1, _lines(page, index + 1), tuple(_form_fields(page)))
    except pypdfium2.PdfiumError:
        return PageText(index + 1, (), readable=False)
    finally:
        page.close()


def _lines(page: pypdfium2.PdfPage, number: int) -> tuple[Line, ...]:
    textpage = page.get_textpage()
    try:
        return tuple(page_lines(read_runs(textpage), number))
    finally:
        textpage.close()


def _form_fields(page: pypdfium2.PdfPage) -> Iterator[tuple[str, str]]:
    """Names and values of the fields on a page that hold text."""
    if page.formenv is None:
        return
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MAX_WIDGETS)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if raw.FPDFAnnot_GetFormFieldType(page.formenv, annotation) in _TEXT_FIELDS:
                yield _field(page.formenv, annotation)
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _field(form: pypdfium2.PdfFormEnv, annotation: ctypes.c_void_p) -> tuple[str, str]:
    def text(function: Callable[..., int]) -> str:
        return _wide_text(lambda buffer, size: function(form, annotation, buffer, size))

    name = text(raw.FPDFAnnot_GetFormFieldAlternateName) or text(raw.FPDFAnnot_GetFormFieldName)
    return name, text(raw.FPDFAnnot_GetFormFieldValue)


def _wide_text(call: Callable[[ctypes.Array[ctypes.c_ushort] | None, int], int]) -> str:
    """A string from a pdfium function that wants to be asked for its size first."""
    size = call(None, 0)
    if size <= 2:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    call(buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")


def _information(pdf: pypdfium2.PdfDocument, key: str) -> str:
    tag = key.encode()
    return _wide_text(lambda buffer, size: raw.FPDF_GetMetaText(pdf, tag, buffer, size)).rstrip("\0")


def _bookmarks(pdf: pypdfium2.PdfDocument) -> list[Bookmark]:
    """The outline in order; what points back into itself, or lies too deep, is left out."""
    found: list[Bookmark] = []
    seen: set[int] = set()
    open_levels = [raw.FPDFBookmark_GetFirstChild(pdf, None)]
    while open_levels and len(found) < _MAX_BOOKMARKS:
        handle = open_levels.pop()
        address = ctypes.addressof(handle.contents) if handle else 0
        if not handle or address in seen:
            continue
        seen.add(address)
        depth = len(open_levels)
        found.append(_bookmark(pdf, handle, depth))
        open_levels.append(raw.FPDFBookmark_GetNextSibling(pdf, handle))
        if depth < _DEEPEST_BOOKMARK:
            open_levels.append(raw.FPDFBookmark_GetFirstChild(pdf, handle))
    return found


def _bookmark(pdf: pypdfium2.PdfDocument, handle: ctypes.c_void_p, depth: int) -> Bookmark:
    title = _wide_text(lambda buffer, size: raw.FPDFBookmark_GetTitle(handle, buffer, size))
    target = raw.FPDFBookmark_GetDest(pdf, handle) or _action_target(pdf, handle)
    if not target:
        return Bookmark(title, depth, None, None)
    destination = pypdfium2.PdfDest(target, pdf)
    page = destination.get_index()
    return Bookmark(title, depth, None if page is None else page + 1, _top(destination))


def _action_target(pdf: pypdfium2.PdfDocument, handle: ctypes.c_void_p) -> ctypes.c_void_p | None:
    """Where a bookmark leads that names a "go to" action in place of a destination."""
    action = raw.FPDFBookmark_GetAction(handle)
    if not action or raw.FPDFAction_GetType(action) != raw.PDFACTION_GOTO:
        return None
    return raw.FPDFAction_GetDest(pdf, action)


def _top(destination: pypdfium2.PdfDest) -> float | None:
    mode, numbers = destination.get_view()
    place = _VIEWS_WITH_TOP.get(mode)
    return None if place is None or place >= len(numbers) else float(numbers[place])
