"""Parts of an ODT: its content, styles, metadata and embedded formulas.

Owns the wrapping (members, encryption); what elements mean is for `odt.py` and its siblings.
"""

from __future__ import annotations

from longdoc.documents.archive import Archive, member_path
from longdoc.documents.document import Metadata
from longdoc.documents.limits import Limits
from longdoc.documents.markup.formulas import formula_text
from longdoc.documents.markup.xml import Element, attribute, local_name, parse_xml
from longdoc.errors import EncryptedDocumentError, MalformedDocumentError, UnsupportedDocumentError

_CONTENT = "content.xml"
_MANIFEST = "META-INF/manifest.xml"


class OdtPackage:
    """The parts of one file. Raises kinds of `DocumentError` where it is broken, protected or no text document."""

    def __init__(self, data: bytes, *, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._archive = Archive(data, source=source, limits=limits)
        if self._archive.find(_CONTENT) is None:
            raise MalformedDocumentError("is an archive without a content part", source=source)
        self._refuse_encrypted()
        self.content = self._parse(_CONTENT)
        """The root of the content part, with the styles that it defines for itself."""

    def text(self) -> Element:
        """The element that holds the text. Raises `UnsupportedDocumentError` for sheets, slides and drawings."""
        body = next((child for child in self.content if local_name(child) == "body"), None)
        for child in () if body is None else body:
            if local_name(child) == "text":
                return child
        raise UnsupportedDocumentError("is an office file but not a text document", source=self._source)

    def styles(self) -> Element | None:
        """The root of the common styles."""
        return self._optional("styles.xml")

    def metadata(self) -> Metadata:
        """What the metadata part says."""
        root = self._optional("meta.xml")
        if root is None:
            return Metadata()
        found: dict[str, list[str]] = {}
        for element in root.iterdescendants():
            text = (element.text or "").strip()
            if text:
                found.setdefault(local_name(element), []).append(text)
        people = found.get("initial-creator") or found.get("creator") or []
        return Metadata(
            title=" ".join(found.get("title", [])),
            creators=tuple(dict.fromkeys(people)),
            language=next(iter(found.get("language", [])), ""),
            identifier=next(iter(found.get("identifier", [])), ""),
            subjects=tuple(dict.fromkeys([*found.get("subject", []), *found.get("keyword", [])])),
        )

    def formula(self, reference: str) -> str:
        """The text of an embedded formula, empty where the object is none."""
        folder = member_path(_CONTENT, reference)
        member = self._archive.find(f"{folder}/{_CONTENT}") if folder else None
        if member is None:
            return ""
        root = self._parse(member)
        return formula_text(root) if local_name(root) == "math" else ""

    def _refuse_encrypted(self) -> None:
        manifest = self._optional(_MANIFEST)
        for element in () if manifest is None else manifest.iterdescendants():
            if local_name(element) == "encryption-data":
                raise EncryptedDocumentError("is protected by a password; save a copy without one", source=self._source)

    def _optional(self, member: str) -> Element | None:
        return None if self._archive.find(member) is None else self._parse(member)

    def _parse(self, member: str) -> Element:
        return parse_xml(self._archive.read(member), source=self._source, limits=self._limits)


def reference_of(element: Element) -> str:
    """The part that an object refers to."""
    return attribute(element, "href")
