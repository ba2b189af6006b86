"""Footnotes and endnotes in marked-up pages: which links call notes, and which elements are the notes.

Owns finding them, by what the markup says and, where it says nothing, by how notes look. Taking them out of
the running text is `markup/xhtml.py`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from longdoc.documents.archive import fragment_of
from longdoc.documents.markup.elements import HEADING_LEVELS
from longdoc.documents.markup.xhtml import NoteCall, PageNotes, is_mark
from longdoc.documents.markup.xml import Element, attribute, local_name, structural_types

Resolve: TypeAlias = Callable[[str, str], str | None]
"""From a page's name and a reference in it to the name of the page meant, None for addresses elsewhere."""

_CALL_TYPES = frozenset({"noteref", "annoref", "doc-noteref"})
_CALL_ELEMENTS = frozenset({"noteref", "annoref"})
_NOTE_TYPES = frozenset({"footnote", "endnote", "rearnote", "annotation", "doc-footnote", "doc-endnote"})
_BACKLINK_TYPES = frozenset({"backlink", "referrer", "doc-backlink"})
_BACKLINK_TEXT = re.compile(r"[↩↵⏎↑⇑^←«\ufe0e\ufe0f\s]+")
_CONTAINERS = frozenset({"p", "li", "aside", "div", "dd", "section", "tr", "note", "annotation", "blockquote"})
_OUTSIDE = frozenset({"body", "html", "h1", "h2", "h3", "h4", "h5", "h6", "table", "dt", "dl", "ol", "ul"})
_CALL_CLASS = re.compile(r"noteref|footnote|fnref|fnanchor|endnote", re.IGNORECASE)
_NOTE_CLASS = re.compile(r"footnote|endnote|rearnote|\bnote\b|\bfn\b", re.IGNORECASE)
_LONGEST_UNMARKED_NOTE = 8_000
_AROUND_LINK = 3
_BRACKETS = "[](){}. "
_SIGNS = (b"noteref", b"annoref", b"<sup", b"ootnote", b"ndnote", b"fnanchor", b"rearnote")


def note_label(call: NoteCall | None, text: str) -> str:
    """The label of a note: the mark that calls it, else the mark its text begins with."""
    words = [call.label] if call is not None else text.split(maxsplit=1)
    return words[0].strip(_BRACKETS) if words and (call is not None or is_mark(words[0])) else ""


def may_hold_notes(data: bytes) -> bool:
    """Whether a page is worth looking through: cheap, with false alarms but no misses."""
    return any(sign in data for sign in _SIGNS)


@dataclass(slots=True)
class NotePlan:
    """The notes of a whole book, by keys "page#id": found before its pages are read.

    Pages are given to `see_calls` in reading order, then those of `pages_with_notes` to `see_notes`; then
    `of_page` tells the writer of a page what to do.
    """

    resolve: Resolve
    _wanted: dict[str, None] = field(default_factory=dict[str, None])
    _origins: set[str] = field(default_factory=set[str])
    _names: dict[str, str] = field(default_factory=dict[str, str])
    _typed_pages: set[str] = field(default_factory=set[str])

    def see_calls(self, root: Element, page: str) -> None:
        """Learn the calls of a page."""
        for link, target in self._links(root, page):
            if _is_call(link) and target not in self._origins:
                self._wanted[target] = None
                self._origins.update(_key(page, anchor) for anchor in _ids_around(link))
        if any(_types(element) & _NOTE_TYPES for element in root.iter("*")):
            self._typed_pages.add(page)

    def pages_with_notes(self) -> set[str]:
        """Names of the pages that hold notes, as far as is known."""
        return {key.partition("#")[0] for key in self._wanted} | self._typed_pages

    def see_notes(self, root: Element, page: str) -> None:
        """Learn which of the elements that are called on this page are notes."""
        for keys in self._notes(root, page).values():
            self._names.update(dict.fromkeys(keys, keys[0]))

    def of_page(self, root: Element, page: str) -> PageNotes:
        """What the writer of this page has to know."""
        calls: dict[Element, str] = {}
        dropped: set[Element] = set()
        for link, target in self._links(root, page):
            if _is_backlink(link):
                dropped.add(link)
            elif target in self._names and _is_call(link):
                calls[link] = self._names[target]
        return PageNotes(calls, {e: keys[0] for e, keys in self._notes(root, page).items()}, dropped)

    def _links(self, root: Element, page: str) -> Iterator[tuple[Element, str]]:
        for link in root.iter("{*}a", "{*}noteref", "{*}annoref"):
            reference = attribute(link, "href") or attribute(link, "idref")
            target = self.resolve(page, reference) if "#" in reference else None
            if target is not None:
                yield link, _key(target, fragment_of(reference))

    def _notes(self, root: Element, page: str) -> dict[Element, list[str]]:
        """Elements of this page that are notes, outermost ones only, each with the keys that mean it."""
        targets = self._targets(root, page)
        found: dict[Element, list[str]] = {}
        looks_so: dict[Element, bool] = {}
        for element, key in targets.items():
            note = _container(element, targets)
            if note is not None and note not in looks_so:
                looks_so[note] = self._looks_like_note(note, page)
            if note is not None and looks_so[note]:
                found.setdefault(note, []).append(key)
        for outer, inner in [(_outer(note, found), note) for note in found]:
            if outer is not None:
                found[outer].extend(found.pop(inner))
        return found

    def _targets(self, root: Element, page: str) -> dict[Element, str]:
        """Elements that are called or typed as notes, in document order."""
        targets: dict[Element, str] = {}
        taken: set[str] = set()
        for number, element in enumerate(root.iter("*")):
            key = _key(page, attribute(element, "id") or attribute(element, "name"))
            if key in self._wanted or _types(element) & _NOTE_TYPES:
                named = key not in taken and not key.endswith("#")
                targets[element] = key if named else f"{key}!{number}"
                taken.add(key)
        return targets

    def _looks_like_note(self, element: Element, page: str) -> bool:
        """Whether an element says that it is a note, or at least is short, has no headings and calls no notes."""
        if _types(element) & _NOTE_TYPES:
            return True
        if len(_text(element)) > _LONGEST_UNMARKED_NOTE:
            return False
        if any(local_name(inner) in HEADING_LEVELS for inner in element.iter("*")):
            return False
        return not any(_is_call(link) and target in self._wanted for link, target in self._links(element, page))


def _key(page: str, anchor: str) -> str:
    return unicodedata.normalize("NFC", f"{page}#{anchor}")


def _text(element: Element) -> str:
    return " ".join(str(element.xpath("string()")).split())


def _types(element: Element) -> set[str]:
    return set(structural_types(element))


def _is_backlink(link: Element) -> bool:
    """Whether a link leads from a note to its call and is no part of the note; its number, linked, is."""
    text = _text(link)
    return _BACKLINK_TEXT.fullmatch(text) is not None or (bool(_types(link) & _BACKLINK_TYPES) and not is_mark(text))


def _is_call(link: Element) -> bool:
    """Whether a link calls a note: it says so, or it is a mark set high or classed as one."""
    types = _types(link)
    if types & _CALL_TYPES or local_name(link) in _CALL_ELEMENTS:
        return True
    if types & _BACKLINK_TYPES or not is_mark(_text(link)):
        return False
    classes = f"{link.get('class', '')} {_parent_class(link)}"
    return _CALL_CLASS.search(classes) is not None or _is_superscript(link)


def _parent_class(link: Element) -> str:
    parent = link.getparent()
    return "" if parent is None or local_name(parent) not in {"sup", "span"} else parent.get("class", "")


def _is_superscript(link: Element) -> bool:
    if any(local_name(inner) == "sup" for inner in link.iter("*")):
        return True
    return any(local_name(outer) == "sup" for outer in _nearest(link.iterancestors()))


def _nearest(elements: Iterable[Element]) -> Iterator[Element]:
    return (element for element, _ in zip(elements, range(_AROUND_LINK), strict=False))


def _ids_around(link: Element) -> Iterator[str]:
    """Ids by which a note may lead back to this call: its own, inside it, and of what closely wraps it."""
    for element in (*link.iter("*"), *_nearest(link.iterancestors())):
        if local_name(element) in _CONTAINERS | _OUTSIDE:
            return
        anchor = attribute(element, "id") or attribute(element, "name")
        if anchor:
            yield anchor


def _container(target: Element, targets: Mapping[Element, str]) -> Element | None:
    """The element that holds the whole note a target stands in; None where it cannot be told."""
    if _types(target) & _NOTE_TYPES:
        return target
    note = _nearest_container(target)
    if note is None:
        return None
    for parent in note.iterancestors():
        if not _wraps_only(parent, target, targets):
            break
        note = parent
    return note


def _nearest_container(target: Element) -> Element | None:
    for element in (target, *target.iterancestors()):
        name = local_name(element)
        if name in _CONTAINERS or name in _OUTSIDE:
            return element if name in _CONTAINERS else None
    return None


def _wraps_only(parent: Element, target: Element, targets: Mapping[Element, str]) -> bool:
    """Whether this is the wrapping of one note, so that it belongs to the note."""
    name = local_name(parent)
    looks_so = name in {"li", "aside", "note"} or _NOTE_CLASS.search(parent.get("class", "")) is not None
    if name not in _CONTAINERS or not looks_so:
        return False
    return not any(element in targets and element is not target for element in parent.iter("*"))


def _outer(note: Element, notes: dict[Element, list[str]]) -> Element | None:
    return next((outer for outer in note.iterancestors() if outer in notes), None)
