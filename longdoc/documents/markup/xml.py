"""Safe parsing of XML and HTML: no network, no external entities, no expansion bombs, bounded depth.

Owns turning bytes into an element tree; what elements mean is for the readers.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from html.entities import html5
from typing import TypeAlias

from lxml import etree

from longdoc.documents.encoding import declared_encoding, decode
from longdoc.documents.limits import Limits
from longdoc.errors import DocumentTooLargeError, MalformedDocumentError

Element: TypeAlias = etree._Element  # pyright: ignore[reportPrivateUsage] # lxml has no public name for it

_QUOTED = r""""[^"]*"|'[^']*'"""
_DOCTYPE = re.compile(
    rf"<!DOCTYPE(?:[^\[>\"']|{_QUOTED})*+(?P<subset>\[(?:<!--.*?-->|{_QUOTED}|[^\]\"'])*+\])?+\s*>",
    re.IGNORECASE | re.DOTALL,
)
_PROLOGUE = 1 << 20
_ENTITY = re.compile(r"""<!ENTITY\s+([^\s%"']+)\s+(?:"([^"]*)"|'([^']*)')\s*>""")
_REFERENCE = re.compile(r"&([A-Za-z_][\w.-]*);")
_DECLARATION = re.compile(r"^\s*<\?xml\b.*?\?>\s*", re.DOTALL)
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_GROWTH = 1 << 20
_EXCESSIVE_DEPTH = "Excessive depth"


def parse_xml(data: bytes, *, source: str, limits: Limits) -> Element:
    """The root of an XML document; a broken one is mended as far as the parser can.

    HTML's named entities become their characters. Raises `MalformedDocumentError` where there is no element,
    `DocumentTooLargeError` for entity bombs and excessive depth.
    """
    prepared = _prepared(decode(data, declared=declared_encoding(data)), source)
    root = _parsed(prepared, source, recover=False)
    if root is None:
        root = _parsed(prepared, source, recover=True)
    if root is None:
        raise MalformedDocumentError("has a part that is not XML", source=source)
    return _bounded(root, source, limits)


def parse_xhtml(data: bytes, *, source: str, limits: Limits) -> Element:
    """The root of an XHTML document; one that is not well formed is read as browsers read HTML."""
    prepared = _prepared(decode(data, declared=declared_encoding(data)), source)
    root = _parsed(prepared, source, recover=False)
    return parse_html(prepared.decode(), source=source) if root is None else _bounded(root, source, limits)


def parse_html(text: str, *, source: str) -> Element:
    """The root of an HTML page of any quality, element names in lower case without namespaces."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_pis=True, remove_comments=True)
    prepared = _NOT_XML.sub("", _DECLARATION.sub("", text))
    try:
        root = etree.fromstring(prepared.encode(), parser)
    except etree.XMLSyntaxError as error:
        raise MalformedDocumentError("has a page without any markup", source=source) from error
    if root is None:  # pyright: ignore[reportUnnecessaryComparison] # an empty page gives None all the same
        raise MalformedDocumentError("has a page without any markup", source=source)
    return root


def local_name(element: Element) -> str:
    """The name without namespace, in lower case; empty for comments and processing instructions."""
    tag = element.tag
    return _without_namespace(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=4096)
def _without_namespace(tag: str) -> str:
    return tag.rpartition("}")[2].lower()


def attribute(element: Element, name: str) -> str:
    """The value of an attribute by its local name, in any namespace or prefix; empty where it is not set."""
    value = element.get(name)
    if value is not None:
        return value
    ends = ("}" + name, ":" + name)
    return next((str(v) for k, v in element.attrib.items() if str(k).endswith(ends)), "")


def structural_types(element: Element) -> list[str]:
    """What an element says it is for: words of its `epub:type` and its `role`."""
    types = next((str(v) for k, v in element.attrib.items() if str(k).endswith(("}type", ":type"))), "")
    return [*types.split(), *element.get("role", "").split()]


def _parsed(prepared: bytes, source: str, *, recover: bool) -> Element | None:
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=recover,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_pis=True,
        remove_comments=True,
    )
    try:
        return etree.fromstring(prepared, parser)
    except etree.XMLSyntaxError as error:
        if _EXCESSIVE_DEPTH in str(error):
            raise DocumentTooLargeError("nests its markup too deeply", source=source) from error
        return None


def _bounded(root: Element, source: str, limits: Limits) -> Element:
    """The same tree. Raises `DocumentTooLargeError` where elements nest deeper than the limit."""
    if root.xpath("boolean(/*" + "/*" * limits.xml_depth + ")"):
        raise DocumentTooLargeError("nests its markup too deeply", source=source)
    return root


def _prepared(text: str, source: str) -> bytes:
    """UTF-8 without declaration and document type, every named entity replaced by what it stands for."""
    text = _DECLARATION.sub("", _NOT_XML.sub("", text), count=1)
    match = _DOCTYPE.search(text, 0, _PROLOGUE)
    if match is None:
        return _expanded(text, {}, source).encode()
    declared = _declared_entities(match["subset"] or "", source)
    return _expanded(text[: match.start()] + text[match.end() :], declared, source).encode()


def _declared_entities(subset: str, source: str) -> dict[str, str]:
    """Entities of the internal subset with a text of their own; external ones are not there at all."""
    found = {match[1]: match[2] if match[2] is not None else match[3] for match in _ENTITY.finditer(subset)}
    for value in found.values():
        if any(name in found for name in _REFERENCE.findall(value)):
            raise DocumentTooLargeError("declares entities within entities, as bombs do", source=source)
    return found


def _expanded(text: str, declared: dict[str, str], source: str) -> str:
    allowed = len(text) + _GROWTH
    grown = 0

    def expand(match: re.Match[str]) -> str:
        nonlocal grown
        name = match[1]
        if name in _XML_ENTITIES:
            return match[0]
        value = declared.get(name) or _html_character(name)
        grown += len(value) if value else 0
        if grown > allowed:
            raise DocumentTooLargeError("expands its entities without end", source=source)
        return match[0] if value is None else value

    return _REFERENCE.sub(expand, text)


def _html_character(name: str) -> str | None:
    character = html5.get(name + ";")
    return None if character is None else escape(character, quote=False)
