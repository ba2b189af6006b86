"""The package of an EPUB: container, metadata, manifest, reading order, guide, encryption.

Owns finding these in broken books too (no container, no spine, no package document at all); contents lists
are `epub/nav.py`, text is `markup/xhtml.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from longdoc.documents.archive import Archive, fragment_of, member_path
from longdoc.documents.document import Metadata
from longdoc.documents.limits import Limits
from longdoc.documents.markup.xml import Element, attribute, local_name, parse_xml
from longdoc.documents.normal import normal_line
from longdoc.errors import EncryptedDocumentError, MalformedDocumentError

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PACKAGE_TYPE = "application/oebps-package+xml"
_NCX_TYPE = "application/x-dtbncx+xml"
_PAGE_TYPES = frozenset(
    {
        "application/xhtml+xml",
        "text/html",
        "application/x-dtbook+xml",
        "text/x-oeb1-document",
        "image/svg+xml",
    }
)
_PAGE_SUFFIXES = frozenset({".xhtml", ".html", ".htm", ".xht"})
_FONT_OBFUSCATIONS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_NUMBERS = re.compile(r"(\d+)")


@dataclass(frozen=True, slots=True)
class Item:
    """A manifest entry; `path` is the stored name of its member, None where the member is missing."""

    path: str | None
    href: str
    media_type: str
    properties: frozenset[str] = frozenset()
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A page or place that the guide or the landmarks give a type."""

    type: str
    path: str
    fragment: str


@dataclass(frozen=True, slots=True)
class Package:
    """What the package document says; `spine` holds pages in reading order, each once."""

    metadata: Metadata
    spine: tuple[str, ...]
    nav: str | None = None
    ncx: str | None = None
    guide: tuple[Reference, ...] = ()
    warnings: tuple[str, ...] = ()


def read_package(archive: Archive, *, source: str, limits: Limits) -> Package:
    """The package of a book, mended where it is broken.

    Raises `MalformedDocumentError` where no page can be found, `EncryptedDocumentError` for DRM.
    """
    warnings: list[str] = []
    path = _package_path(archive, source, limits, warnings)
    if path is None:
        package = _package_from_names(archive, source)
    else:
        root = parse_xml(archive.read(path), source=source, limits=limits)
        package = _PackageDocument(archive, root, path).read()
    _refuse_drm(archive, package, source, limits)
    return replace(package, warnings=(*warnings, *package.warnings))


def _package_path(archive: Archive, source: str, limits: Limits, warnings: list[str]) -> str | None:
    container = archive.find(_CONTAINER)
    if container is not None:
        root = parse_xml(archive.read(container), source=source, limits=limits)
        found = _named_package(archive, root)
        if found is not None:
            return found
    others = sorted((name for name in archive.names if name.lower().endswith(".opf")), key=len)
    if others:
        warnings.append("The container does not name the package document; the one in the archive was used.")
    return others[0] if others else None


def _named_package(archive: Archive, container: Element) -> str | None:
    named = [e for e in container.iter("{*}rootfile") if attribute(e, "full-path").strip()]
    named.sort(key=lambda element: attribute(element, "media-type") != _PACKAGE_TYPE)
    paths = (archive.find(attribute(element, "full-path").strip().lstrip("/")) for element in named)
    return next((path for path in paths if path is not None), None)


def _package_from_names(archive: Archive, source: str) -> Package:
    """A package made up from the pages in the archive, in the natural order of their names."""
    pages = sorted((n for n in archive.names if PurePosixPath(n).suffix.lower() in _PAGE_SUFFIXES), key=_natural)
    if not pages:
        raise MalformedDocumentError("has no package document and no pages; it is not a book", source=source)
    ncx = next((name for name in archive.names if name.lower().endswith(".ncx")), None)
    warning = "There is no package document; the pages were read in the order of their names."
    return Package(Metadata(), tuple(pages), ncx=ncx, warnings=(warning,))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (0, part) for part in _NUMBERS.split(name)]


class _PackageDocument:
    def __init__(self, archive: Archive, root: Element, path: str) -> None:
        self._archive = archive
        self._root = root
        self._path = path
        self._warnings: list[str] = []
        self._manifest = self._read_manifest()

    def read(self) -> Package:
        spine = tuple(dict.fromkeys(self._spine()))
        return Package(
            metadata=_read_metadata(self._root),
            spine=spine,
            nav=next((i.path for i in self._manifest.values() if _is_nav(i)), None),
            ncx=self._ncx(),
            guide=tuple(self._guide()),
            warnings=tuple(self._warnings),
        )

    def _elements(self, name: str) -> Iterator[Element]:
        return (element for element in self._root.iter("*") if local_name(element) == name)

    def _read_manifest(self) -> dict[str, Item]:
        items: dict[str, Item] = {}
        for element in self._elements("item"):
            href = attribute(element, "href")
            name = member_path(self._path, href)
            item = Item(
                path=self._archive.find(name) if name else None,
                href=href,
                media_type=attribute(element, "media-type").strip().lower(),
                properties=frozenset(attribute(element, "properties").split()),
                fallback=attribute(element, "fallback").strip(),
            )
            items[attribute(element, "id").strip()] = item
        missing = sum(item.path is None for item in items.values())
        if missing:
            self._warnings.append(f"{missing} of the files that the manifest names are missing or elsewhere.")
        return items

    def _spine(self) -> Iterator[str]:
        references = [attribute(element, "idref").strip() for element in self._elements("itemref")]
        if all(self._readable(reference) is None for reference in references):
            self._warnings.append("There is no reading order; the pages were read in the order of the manifest.")
            references = [key for key, item in self._manifest.items() if _is_page(item) and not _is_nav(item)]
        for reference in references:
            page = self._readable(reference)
            if page is None:
                self._warnings.append(f"The item {reference!r} of the reading order has no readable page.")
            else:
                yield page

    def _readable(self, reference: str) -> str | None:
        """The page of a manifest entry, or of the first of its fallbacks that is one."""
        seen: set[str] = set()
        while reference in self._manifest and reference not in seen:
            seen.add(reference)
            item = self._manifest[reference]
            if item.path is not None and _is_page(item):
                return item.path
            reference = item.fallback
        return None

    def _ncx(self) -> str | None:
        named = [attribute(element, "toc").strip() for element in self._elements("spine")]
        by_type = (key for key, item in self._manifest.items() if item.media_type == _NCX_TYPE)
        by_name = (key for key, item in self._manifest.items() if item.href.lower().endswith(".ncx"))
        items = (self._manifest[key] for key in (*by_type, *named, *by_name) if key in self._manifest)
        in_manifest = (item.path for item in items if item.path is not None and not _is_page(item))
        in_archive = (name for name in self._archive.names if name.lower().endswith(".ncx"))
        return next(in_manifest, next(in_archive, None))

    def _guide(self) -> Iterator[Reference]:
        for element in self._elements("reference"):
            href = attribute(element, "href")
            name = member_path(self._path, href)
            page = self._archive.find(name) if name else None
            if page is not None:
                yield Reference(attribute(element, "type").strip().lower(), page, fragment_of(href))


def _is_page(item: Item) -> bool:
    return item.media_type in _PAGE_TYPES or PurePosixPath(item.href).suffix.lower() in _PAGE_SUFFIXES


def _is_nav(item: Item) -> bool:
    return "nav" in item.properties


def _read_metadata(root: Element) -> Metadata:
    values: dict[str, list[str]] = {}
    for element in root.iter("*"):
        text = normal_line(str(element.xpath("string()")))
        if text and local_name(element) in {"title", "creator", "language", "subject", "identifier"}:
            values.setdefault(local_name(element), []).append(text)
    return Metadata(
        title=next(iter(values.get("title", [])), ""),
        creators=tuple(dict.fromkeys(values.get("creator", []))),
        language=next(iter(values.get("language", [])), ""),
        identifier=_identifier(root) or next(iter(values.get("identifier", [])), ""),
        subjects=tuple(dict.fromkeys(values.get("subject", []))),
    )


def _identifier(root: Element) -> str:
    wanted = attribute(root, "unique-identifier").strip()
    for element in root.iter("*"):
        if wanted and local_name(element) == "identifier" and attribute(element, "id").strip() == wanted:
            return normal_line(str(element.xpath("string()")))
    return ""


def _refuse_drm(archive: Archive, package: Package, source: str, limits: Limits) -> None:
    """Raise `EncryptedDocumentError` where pages are encrypted; obfuscated fonts do not matter."""
    path = archive.find(_ENCRYPTION)
    if path is None:
        return
    root = parse_xml(archive.read(path), source=source, limits=limits)
    encrypted = {archive.find(name) for name in _encrypted_names(root)}
    if encrypted & set(package.spine):
        raise EncryptedDocumentError(
            "is protected by DRM and cannot be read; use a copy without protection", source=source
        )


def _encrypted_names(root: Element) -> Iterator[str]:
    for data in root.iter("{*}EncryptedData"):
        methods = {attribute(method, "Algorithm") for method in data.iter("{*}EncryptionMethod")}
        if methods & _FONT_OBFUSCATIONS:
            continue
        for reference in data.iter("{*}CipherReference"):
            name = member_path("", attribute(reference, "URI"))
            if name:
                yield name
