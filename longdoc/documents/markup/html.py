"""The reader of single HTML pages.

Owns what of a page is furniture (menus, footers), what is its contents list, and its metadata; text is
`markup/xhtml.py`, notes are `notes.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Document, Metadata, SectionRole
from longdoc.documents.encoding import declared_encoding, decode
from longdoc.documents.limits import Limits
from longdoc.documents.markup.notes import NotePlan, note_label
from longdoc.documents.markup.xhtml import PageNotes, PageText, write_page
from longdoc.documents.markup.xml import Element, local_name, parse_html
from longdoc.documents.normal import normal_line
from longdoc.documents.outline import OutlineEntry
from longdoc.documents.roles import role_of_title
from longdoc.errors import EmptyDocumentError

_CONTENTS_TITLE = "Contents"
_FURNITURE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary"})
_PAGE_FRAME = frozenset({"header", "footer", "aside"})
_WORK = frozenset({"main", "article", "section", "blockquote", "figure"})
_CONTENTS_NAME = re.compile(r"\b(toc|contents|table-of-contents)\b", re.IGNORECASE)
_CONTENTS_ELEMENTS = frozenset({"nav", "div", "ul", "ol", "table", "section", "aside"})
_PERMALINK = re.compile(r"[¶§#🔗\s]+")
_FEWEST_LINKS = 4
_LINKED_SHARE = 0.7
_MAIN_SHARE = 0.6
_FURNITURE_SHARE = 0.5


def read_html(data: bytes, *, name: str, limits: Limits) -> Document:
    """Read an HTML page from its bytes; `name` is for messages. Raises kinds of `DocumentError`."""
    del limits
    root = parse_html(decode(data, declared=declared_encoding(data)), source=name)
    builder = DocumentBuilder("html", name)
    builder.metadata = _metadata(root)
    body = next(root.iter("body"), root)
    contents = _contents(body)
    page = _write(body, builder, contents)
    if not builder.has_text:
        raise EmptyDocumentError("is a page without text", source=name)
    builder.set_outline(list(_outline(page, contents, builder)))
    return builder.build()


def _write(body: Element, builder: DocumentBuilder, contents: set[Element]) -> PageText:
    plan = NotePlan(lambda page, reference: page if reference.startswith("#") else None)
    plan.see_calls(body, "")
    plan.see_notes(body, "")
    found = plan.of_page(body, "")
    furniture = _furniture(body, {*contents, *found.notes})
    notes = PageNotes(found.calls, found.notes, {*found.dropped, *furniture})
    page = write_page(body, builder, href="", notes=notes, watch=contents)
    calls = {call.target: call for call in reversed(page.calls)}
    for key, text in page.notes.items():
        call = calls.get(key)
        anchor = None if call is None else call.offset
        builder.add_note(note_label(call, text), text, anchor=anchor, href=key)
    return page


def _metadata(root: Element) -> Metadata:
    named = {
        (meta.get("name") or meta.get("property") or "").lower(): normal_line(meta.get("content", ""))
        for meta in root.iter("meta")
    }
    title = next(root.iter("title"), None)
    creators = [normal_line(meta.get("content", "")) for meta in root.iter("meta") if _is_author(meta)]
    return Metadata(
        title=(_text(title) if title is not None else "") or named.get("og:title", ""),
        creators=tuple(creator for creator in dict.fromkeys(creators) if creator),
        language=root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or "",
    )


def _is_author(meta: Element) -> bool:
    return (meta.get("name") or "").lower() in {"author", "dc.creator", "dcterms.creator"}


def _text(element: Element) -> str:
    return normal_line(str(element.xpath("string()")))


def _contents(body: Element) -> set[Element]:
    """The outermost elements that are contents lists of the page itself."""
    found: set[Element] = set()
    for element in body.iter("*"):
        if not any(outer in found for outer in element.iterancestors()) and _is_contents(element):
            found.add(element)
    return found


def _is_contents(element: Element) -> bool:
    """Whether an element is a menu, or is called contents, and nearly all of it links into the page."""
    name = local_name(element)
    called = f"{element.get('id', '')} {element.get('class', '')} {element.get('role', '')}"
    is_menu = name == "nav" or "navigation" in called or _CONTENTS_NAME.search(called) is not None
    if name not in _CONTENTS_ELEMENTS or not is_menu:
        return False
    links = [link for link in element.iter("a") if len(link.get("href", "")) > 1]
    inside = [link for link in links if link.get("href", "").startswith("#")]
    linked = sum(len(_text(link)) for link in inside)
    return len(inside) >= _FEWEST_LINKS and linked >= len(_text(element)) * _LINKED_SHARE


def _furniture(body: Element, kept: set[Element]) -> set[Element]:
    """What is on the page for the sake of the site; nothing where that would be most of the text."""
    permalinks = {link for link in body.iter("a") if _PERMALINK.fullmatch(_text(link))}
    frame = {element for element in body.iter("*") if _is_frame(element)}
    main = _main(body)
    if main is not None:
        frame |= set(_outside(main, body))
    outermost = [e for e in frame if not any(outer in frame for outer in e.iterancestors())]
    dropped = sum(len(_text(element)) for element in outermost if element not in kept)
    keeps_most = main is not None or dropped <= len(_text(body)) * _FURNITURE_SHARE
    holding = {outer for element in kept for outer in element.iterancestors()}
    return permalinks | ((frame - kept - holding) if keeps_most else set())


def _is_frame(element: Element) -> bool:
    name = local_name(element)
    if name == "nav" or element.get("role") in _FURNITURE_ROLES:
        return True
    return name in _PAGE_FRAME and not any(local_name(o) in _WORK for o in element.iterancestors())


def _main(body: Element) -> Element | None:
    """The element that the page marks as its main matter, if it holds most of the text."""
    marked = [e for e in body.iter("*") if local_name(e) in {"main", "article"} or e.get("role") == "main"]
    largest = max(marked, key=lambda element: len(_text(element)), default=None)
    if largest is None or len(_text(largest)) < len(_text(body)) * _MAIN_SHARE:
        return None
    return largest


def _outside(main: Element, body: Element) -> Iterator[Element]:
    """Elements beside the main one, up to the body."""
    element = main
    while element is not body:
        parent = element.getparent()
        if parent is None:
            return
        yield from (child for child in parent if child is not element and local_name(child))
        element = parent


def _outline(page: PageText, contents: set[Element], builder: DocumentBuilder) -> Iterator[OutlineEntry]:
    """Headings as nested entries, and an entry for each contents list."""
    places = sorted(page.places[element] for element in contents if element in page.places)
    headings = [h for h in page.headings if not any(start <= h.offset < end for start, end in places)]
    for heading in headings:
        while places and places[0][0] <= heading.offset:
            start, end = places.pop(0)
            yield OutlineEntry(_CONTENTS_TITLE, heading.level - 1, start, SectionRole.CONTENTS)
            if end < heading.offset:
                yield OutlineEntry(builder.metadata.title or "Text", heading.level - 1, end)
        role = role_of_title(heading.title) or SectionRole.BODY
        href = f"#{heading.anchor}" if heading.anchor else "#"
        yield OutlineEntry(heading.title, heading.level - 1, heading.offset, role, href)
    for start, end in places:
        yield OutlineEntry(_CONTENTS_TITLE, 0, start, SectionRole.CONTENTS)
        if end < builder.position:
            yield OutlineEntry(builder.metadata.title or "Text", 0, end)
