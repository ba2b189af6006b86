"""Contents lists of an EPUB: the navigation document of EPUB 3, the NCX of EPUB 2.

Owns reading them as flat lists of entries with depths; where entries point to is `epub/outline.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from longdoc.documents.archive import Archive, fragment_of, member_path
from longdoc.documents.epub.package import Package, Reference
from longdoc.documents.limits import Limits
from longdoc.documents.markup.xml import Element, attribute, local_name, parse_xhtml, parse_xml
from longdoc.documents.normal import normal_line
from longdoc.errors import MalformedDocumentError

_LISTS = frozenset({"ol", "ul"})


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A line of a contents list; `href` is its link as written, empty for one that only groups others.

    `path` is the stored name of the page meant, None where there is none.
    """

    title: str
    depth: int
    path: str | None
    fragment: str
    href: str


@dataclass(frozen=True, slots=True)
class Navigation:
    """The contents list of a book, and its landmarks."""

    entries: tuple[NavEntry, ...] = ()
    landmarks: tuple[Reference, ...] = ()


def read_navigation(archive: Archive, package: Package, *, source: str, limits: Limits) -> Navigation:
    """What the navigation document says, or the NCX where that has no contents; empty without either."""
    landmarks: tuple[Reference, ...] = ()
    if package.nav is not None:
        root = _parsed_nav(archive, package.nav, source, limits)
        if root is not None:
            landmarks = tuple(_landmarks(archive, root, package.nav))
            entries = tuple(_nav_entries(archive, root, package.nav))
            if entries:
                return Navigation(entries, landmarks)
    if package.ncx is not None:
        return Navigation(tuple(_ncx_entries(archive, package.ncx, source, limits)), landmarks)
    return Navigation((), landmarks)


def _parsed_nav(archive: Archive, path: str, source: str, limits: Limits) -> Element | None:
    try:
        return parse_xhtml(archive.read(path), source=source, limits=limits)
    except MalformedDocumentError:
        return None


def _nav_of_type(root: Element, wanted: str) -> Element | None:
    navs = list(root.iter("{*}nav"))
    return next((nav for nav in navs if wanted in attribute(nav, "type").split()), None)


def _nav_entries(archive: Archive, root: Element, base: str) -> Iterator[NavEntry]:
    nav = _nav_of_type(root, "toc")
    if nav is None:
        return
    for item in nav.iter("{*}li"):
        label = next((e for e in item.iter("{*}a", "{*}span") if _owner(e) is item), None)
        if label is None:
            continue
        depth = sum(local_name(outer) in _LISTS for outer in item.iterancestors()) - 1
        yield _entry(archive, base, _title(label), depth, attribute(label, "href"))


def _owner(label: Element) -> Element | None:
    """The list item that a label stands in."""
    return next(label.iterancestors("{*}li"), None)


def _landmarks(archive: Archive, root: Element, base: str) -> Iterator[Reference]:
    nav = _nav_of_type(root, "landmarks")
    for link in nav.iter("{*}a") if nav is not None else ():
        entry = _entry(archive, base, "", 0, attribute(link, "href"))
        if entry.path is not None:
            yield Reference(attribute(link, "type"), entry.path, entry.fragment)


def _ncx_entries(archive: Archive, path: str, source: str, limits: Limits) -> Iterator[NavEntry]:
    try:
        root = parse_xml(archive.read(path), source=source, limits=limits)
    except MalformedDocumentError:
        return
    for point in root.iter("{*}navPoint"):
        depth = sum(1 for _ in point.iterancestors("{*}navPoint"))
        label = next(point.iterchildren("{*}navLabel"), None)
        content = next(point.iterchildren("{*}content"), None)
        href = "" if content is None else attribute(content, "src")
        yield _entry(archive, path, "" if label is None else _title(label), depth, href)


def _entry(archive: Archive, base: str, title: str, depth: int, href: str) -> NavEntry:
    name = member_path(base, href) if href else None
    return NavEntry(title, depth, archive.find(name) if name else None, fragment_of(href), href)


def _title(label: Element) -> str:
    text = normal_line(str(label.xpath("string()")))
    return text or next((image.get("alt", "") for image in label.iter("{*}img")), "")
