"""What the elements of XHTML, HTML, DTBook and SVG are for in running text.

Owns names only: which make blocks and of what kind, which are left out. Walking them is `markup/xhtml.py`.
"""

from __future__ import annotations

import re

from longdoc.documents.document import BlockKind
from longdoc.documents.markup.xml import Element, local_name, structural_types


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


_SKIPPED = _names(
    """
    head script style template audio video iframe noscript rt rp rtc button select textarea input pagenum
    annotation-xml title desc metadata defs
    """
)
BLOCKS = _names(
    """
    address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption
    figure footer form h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main menu nav ol p pre search section
    summary table tbody td tfoot th thead tr ul svg text
    book frontmatter bodymatter rearmatter level level1 level2 level3 level4 level5 level6 hd levelhd
    bridgehead doctitle docauthor covertitle author byline dateline epigraph line linegroup poem list sidebar
    prodnote note imggroup
    """
)
"""Elements that begin and end a block; those of DTBook are in the last three lines."""
KINDS = {
    "li": BlockKind.LIST_ITEM,
    "dt": BlockKind.LIST_ITEM,
    "dd": BlockKind.LIST_ITEM,
    "blockquote": BlockKind.QUOTE,
    "pre": BlockKind.CODE,
    "caption": BlockKind.CAPTION,
    "figcaption": BlockKind.CAPTION,
}
HEADING_LEVELS = {f"h{level}": level for level in range(1, 7)} | {
    "doctitle": 1,
    "hd": 2,
    "levelhd": 2,
    "bridgehead": 3,
}
_PAGE_BREAKS = frozenset({"pagebreak", "doc-pagebreak"})
_READABLE_SPACES = ("http://www.w3.org/1999/xhtml", "http://www.w3.org/1998/Math/MathML")
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def is_left_out(element: Element, name: str) -> bool:
    """Whether this element and all in it is no running text."""
    if name in _SKIPPED or element.get("hidden") is not None:
        return True
    style = element.get("style")
    if style is not None and _INVISIBLE.search(style):
        return True
    if name in {"case", "default", "annotation"}:
        return _is_unused_alternative(element, name)
    return not _PAGE_BREAKS.isdisjoint(structural_types(element))


def _is_unused_alternative(element: Element, name: str) -> bool:
    """Whether this is a branch of `epub:switch` not taken, or a formula's source beside the formula."""
    parent = element.getparent()
    around = "" if parent is None else local_name(parent)
    if name == "annotation":
        return around == "semantics"
    if parent is None or around != "switch":
        return False
    return element is not _taken_alternative(parent)


def _taken_alternative(switch: Element) -> Element | None:
    cases = [child for child in switch if local_name(child) == "case"]
    readable = (case for case in cases if case.get("required-namespace") in _READABLE_SPACES)
    defaults = (child for child in switch if local_name(child) == "default")
    return next(readable, next(defaults, None))
