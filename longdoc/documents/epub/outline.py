"""The outline of an EPUB: contents entries and headings brought to offsets and roles.

Owns which evidence decides (contents list before headings; types before landmarks before titles before file
names) and the sections of pages that no entry names.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from pathlib import PurePosixPath

from longdoc.documents.document import SectionRole
from longdoc.documents.epub.nav import NavEntry
from longdoc.documents.epub.package import Reference
from longdoc.documents.markup.xhtml import Heading
from longdoc.documents.outline import OutlineEntry
from longdoc.documents.roles import role_of_file_name, role_of_title, role_of_types

_GOES_ON = frozenset({SectionRole.BACK, SectionRole.NOTES, SectionRole.LICENCE})
"""Roles of matter that often runs over several pages of which only the first is in the contents."""
_ROLE_NAMES = {
    SectionRole.COVER: "Cover",
    SectionRole.TITLE_PAGE: "Title page",
    SectionRole.CONTENTS: "Contents",
    SectionRole.FRONT: "Front matter",
    SectionRole.NOTES: "Notes",
    SectionRole.BACK: "Back matter",
    SectionRole.LICENCE: "Licence",
    SectionRole.BODY: "Text",
}


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where a page lies in the text and what it says about itself.

    `anchors` are offsets of ids, `types` structural types of ids, `own_types` those of the page as a whole.
    """

    path: str
    start: int
    end: int
    title: str
    own_types: frozenset[str]
    anchors: Mapping[str, int]
    types: Mapping[str, str]
    headings: Sequence[Heading]


def outline_of(
    pages: Sequence[PagePlace], entries: Sequence[NavEntry], references: Sequence[Reference]
) -> list[OutlineEntry]:
    """The outline of a book from its contents list, or from its headings where there is none.

    Entries that come from a link or a heading have a `href`. Pages of a role of their own that no entry names
    get entries without one.
    """
    roles = _Roles({page.path: page for page in pages}, references)
    outline = [roles.entry(entry) for entry in entries] or list(_from_headings(pages, roles))
    return list(_with_unnamed_pages(_body_where_body_is_held(outline), pages, roles))


class _Roles:
    """Answers what a place in the book is for."""

    def __init__(self, pages: Mapping[str, PagePlace], references: Sequence[Reference]) -> None:
        self._pages = pages
        self._references = {(r.path, r.fragment): role_of_types(r.type.split()) for r in reversed(references)}

    def entry(self, entry: NavEntry) -> OutlineEntry:
        """A contents entry with offset and role."""
        page = self._pages.get(entry.path) if entry.path is not None else None
        offset = None if page is None else _offset_in(page, entry.fragment)
        title = entry.title or self._title_at(page, offset) or "…"
        href = entry.href if entry.path is None else _join(entry.path, entry.fragment)
        return OutlineEntry(title, entry.depth, offset, self._role(entry, page, offset), href or None)

    def of_page(self, page: PagePlace) -> SectionRole | None:
        """The role of a whole page, None where nothing tells."""
        return (
            role_of_types(page.own_types)
            or self._references.get((page.path, ""))
            or role_of_title(page.headings[0].title if page.headings else page.title)
            or role_of_file_name(PurePosixPath(page.path).stem)
        )

    def _role(self, entry: NavEntry, page: PagePlace | None, offset: int | None) -> SectionRole:
        if page is None:
            return role_of_title(entry.title) or SectionRole.BODY
        own = role_of_types(page.types.get(entry.fragment, "").split())
        marked = own or self._references.get((page.path, entry.fragment))
        if marked is not None:
            return marked
        whole = role_of_types(page.own_types)
        if offset == page.start and whole is not None:
            return whole
        named = role_of_title(entry.title)
        at_start = self.of_page(page) if offset == page.start else None
        return named or at_start or SectionRole.BODY

    def _title_at(self, page: PagePlace | None, offset: int | None) -> str:
        if page is None:
            return ""
        at = (heading.title for heading in page.headings if heading.offset == offset)
        return next(at, page.title)


def _join(path: str, fragment: str) -> str:
    return f"{path}#{fragment}" if fragment else path


def _offset_in(page: PagePlace, fragment: str) -> int:
    """Where a fragment lies; the start of the page where it is not there."""
    if fragment in page.anchors:
        return page.anchors[fragment]
    wanted = unicodedata.normalize("NFC", fragment).casefold()
    alike = (o for a, o in page.anchors.items() if unicodedata.normalize("NFC", a).casefold() == wanted)
    return next(alike, page.start)


def _from_headings(pages: Sequence[PagePlace], roles: _Roles) -> Iterator[OutlineEntry]:
    for page in pages:
        whole = roles.of_page(page) or SectionRole.BODY
        for heading in page.headings:
            role = role_of_title(heading.title) or whole
            href = _join(page.path, heading.anchor)
            yield OutlineEntry(heading.title, heading.level - 1, heading.offset, role, href)


def _body_where_body_is_held(outline: Sequence[OutlineEntry]) -> list[OutlineEntry]:
    """Entries that hold chapters are body, even if the page they point to is a title page, say."""
    return [
        replace(entry, role=SectionRole.BODY) if _holds_body(outline, index) else entry
        for index, entry in enumerate(outline)
    ]


def _holds_body(outline: Sequence[OutlineEntry], index: int) -> bool:
    entry = outline[index]
    if entry.role is SectionRole.BODY or entry.role in _GOES_ON:
        return False
    below = takewhile(lambda other: other.depth > entry.depth, islice(outline, index + 1, None))
    return any(other.role is SectionRole.BODY for other in below)


def _with_unnamed_pages(
    outline: Sequence[OutlineEntry], pages: Sequence[PagePlace], roles: _Roles
) -> Iterator[OutlineEntry]:
    """The outline with entries for pages that none points into and whose role is not what precedes."""
    starts = sorted({entry.offset for entry in outline if entry.offset is not None})
    added = list(_unnamed(outline, pages, roles, starts))
    for entry in outline:
        while added and entry.offset is not None and (added[0].offset or 0) <= entry.offset:
            yield replace(added.pop(0), depth=entry.depth)
        yield entry
    yield from added


def _unnamed(
    outline: Sequence[OutlineEntry], pages: Sequence[PagePlace], roles: _Roles, starts: Sequence[int]
) -> Iterator[OutlineEntry]:
    role_at = {entry.offset: entry.role for entry in outline}
    before = SectionRole.BODY
    for page in pages:
        last = bisect_right(starts, page.end - 1)
        if last and starts[last - 1] >= page.start:
            before = role_at[starts[last - 1]]
            continue
        role = roles.of_page(page)
        follows = role is None and (before is SectionRole.BODY or before in _GOES_ON)
        if page.end == page.start or follows or role is before:
            continue
        before = role or SectionRole.BODY
        title = (page.headings[0].title if page.headings else page.title) or _ROLE_NAMES[before]
        yield OutlineEntry(title, 0, page.start, before)
