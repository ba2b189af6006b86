"""The EPUB reader: EPUB 2 and 3, OEBPS 1.2, DTBook pages, and what is broken of these.

Owns the order of work; the package is `epub/package.py`, contents are `epub/nav.py` and `epub/outline.py`,
pages are `markup/xhtml.py`, notes are `notes.py`.
"""

from __future__ import annotations

from longdoc.documents.archive import Archive, member_path
from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document
from longdoc.documents.epub.nav import read_navigation
from longdoc.documents.epub.outline import PagePlace, outline_of
from longdoc.documents.epub.package import Package, read_package
from longdoc.documents.limits import Limits
from longdoc.documents.markup.notes import NotePlan, may_hold_notes, note_label
from longdoc.documents.markup.xhtml import NoteCall, PageText, write_page
from longdoc.documents.markup.xml import Element, local_name, parse_xhtml, structural_types
from longdoc.documents.normal import normal_line
from longdoc.errors import EmptyDocumentError, MalformedDocumentError

_WRAPPERS = frozenset({"section", "div", "article", "main", "book"})


def read_epub(data: bytes, *, name: str, limits: Limits) -> Document:
    """Read an EPUB from its bytes; `name` is for messages. Raises kinds of `DocumentError`."""
    archive = Archive(data, source=name, limits=limits)
    package = read_package(archive, source=name, limits=limits)
    return _EpubReader(archive, package, name, limits).read()


class _EpubReader:
    def __init__(self, archive: Archive, package: Package, name: str, limits: Limits) -> None:
        self._archive = archive
        self._package = package
        self._name = name
        self._limits = limits
        self._builder = DocumentBuilder("epub", name)
        self._plan = NotePlan(self._resolve)
        self._notes: dict[str, tuple[str, str]] = {}
        self._calls: dict[str, NoteCall] = {}

    def read(self) -> Document:
        builder = self._builder
        for warning in self._package.warnings:
            builder.warn(warning)
        builder.metadata = self._package.metadata
        self._find_notes()
        pages = [self._place(path) for path in self._package.spine]
        if not builder.has_text:
            raise EmptyDocumentError(
                "has no text, only images or empty pages; nothing can be read from it", source=self._name
            )
        navigation = read_navigation(self._archive, self._package, source=self._name, limits=self._limits)
        references = (*navigation.landmarks, *self._package.guide)
        builder.set_outline(outline_of([p for p in pages if p is not None], navigation.entries, references))
        self._add_notes()
        return builder.build()

    def _resolve(self, page: str, reference: str) -> str | None:
        path = member_path(page, reference)
        return None if path is None else self._archive.find(path)

    def _root(self, path: str, data: bytes) -> Element | None:
        try:
            return parse_xhtml(data, source=self._name, limits=self._limits)
        except MalformedDocumentError:
            self._builder.warn(f"The page {path!r} could not be read.")
            return None

    def _find_notes(self) -> None:
        """Learn all notes of the book before its pages are written; most books have pages without any."""
        for path in self._package.spine:
            data = self._bytes(path)
            root = self._root(path, data) if may_hold_notes(data) else None
            if root is not None:
                self._plan.see_calls(root, path)
        holders = self._plan.pages_with_notes()
        for path in (path for path in self._package.spine if path in holders):
            root = self._root(path, self._bytes(path))
            if root is not None:
                self._plan.see_notes(root, path)

    def _bytes(self, path: str) -> bytes:
        try:
            return self._archive.read(path)
        except MalformedDocumentError:
            self._builder.warn(f"The page {path!r} could not be read.")
            return b""

    def _place(self, path: str) -> PagePlace | None:
        """Write a page and say where it came to lie; None for a page that cannot be read."""
        data = self._bytes(path)
        root = self._root(path, data) if data.strip() else None
        if root is None:
            return None
        page = write_page(root, self._builder, href=path, notes=self._plan.of_page(root, path))
        self._keep_notes(path, page)
        return PagePlace(
            path=path,
            start=page.start,
            end=self._builder.position,
            title=_title(root),
            own_types=frozenset(_own_types(root)),
            anchors=page.anchors,
            types=page.types,
            headings=page.headings,
        )

    def _keep_notes(self, path: str, page: PageText) -> None:
        self._notes.update({key: (text, path) for key, text in page.notes.items()})
        for call in page.calls:
            self._calls.setdefault(call.target, call)

    def _add_notes(self) -> None:
        for key, (text, path) in self._notes.items():
            call = self._calls.get(key)
            anchor = None if call is None else call.offset
            self._builder.add_note(note_label(call, text), text, anchor=anchor, href=path)


def _title(root: Element) -> str:
    title = next(root.iter("{*}title"), None)
    return "" if title is None else normal_line(str(title.xpath("string()")))


def _own_types(root: Element) -> list[str]:
    """Structural types of a page as a whole: of its body and of what wraps all of the body."""
    element = next(root.iter("{*}body"), root)
    types: list[str] = []
    while True:
        types += structural_types(element)
        children = [child for child in element if local_name(child)]
        if len(children) != 1 or local_name(children[0]) not in _WRAPPERS | {"nav"}:
            return types
        element = children[0]
