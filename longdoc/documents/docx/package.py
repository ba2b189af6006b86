"""Parts of a DOCX package, found through its relationships and never by a fixed path.

Owns the wrapping (OPC); what parts hold is for `docx.py` and its siblings.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from longdoc.documents.archive import Archive, member_path
from longdoc.documents.document import Metadata
from longdoc.documents.limits import Limits
from longdoc.documents.markup.xml import Element, attribute, local_name, parse_xml
from longdoc.errors import MalformedDocumentError, UnsupportedDocumentError

_ROOT = ""
_MAIN = "officedocument"
_CORE = "core-properties"
_DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class _Relationship:
    kind: str
    target: str


class DocxPackage:
    """The parts of one file. Raises kinds of `DocumentError` where it is broken or no text document."""

    def __init__(self, data: bytes, *, source: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self._archive = Archive(data, source=source, limits=limits)
        self._main = self._main_part()
        self._related = self._relationships(self._main)

    def document(self) -> Element:
        """The main document. Raises `UnsupportedDocumentError` where it is another kind of office file."""
        root = self._parse(self._main)
        if local_name(root) != _DOCUMENT:
            raise UnsupportedDocumentError("is an office file but not a text document", source=self._source)
        return root

    def part(self, kind: str) -> Element | None:
        """The part that the main document relates to as "styles", "numbering", "footnotes" …, if there is one."""
        target = next((r.target for r in self._related if r.kind == kind), None)
        return None if target is None or self._archive.find(target) is None else self._parse(target)

    def metadata(self) -> Metadata:
        """What the core properties say."""
        target = next((r.target for r in self._relationships(_ROOT) if r.kind == _CORE), None)
        if target is None or self._archive.find(target) is None:
            return Metadata()
        found = {local_name(child): (child.text or "").strip() for child in self._parse(target)}
        keywords = found.get("keywords", "").replace(";", ",").split(",")
        subjects = [found.get("subject", ""), *keywords]
        return Metadata(
            title=found.get("title", ""),
            creators=tuple(part.strip() for part in found.get("creator", "").split(";") if part.strip()),
            language=found.get("language", ""),
            identifier=found.get("identifier", ""),
            subjects=tuple(subject.strip() for subject in subjects if subject.strip()),
        )

    def _main_part(self) -> str:
        for relationship in self._relationships(_ROOT):
            if relationship.kind == _MAIN and self._archive.find(relationship.target) is not None:
                return relationship.target
        raise MalformedDocumentError("is an archive without a main document part", source=self._source)

    def _relationships(self, part: str) -> list[_Relationship]:
        folder, name = posixpath.split(part)
        member = self._archive.find(posixpath.join(folder, "_rels", f"{name}.rels"))
        if member is None:
            return []
        found: list[_Relationship] = []
        for element in self._parse(member):
            target = member_path(part, attribute(element, "Target"))
            if target and attribute(element, "TargetMode").lower() != "external":
                found.append(_Relationship(attribute(element, "Type").rpartition("/")[2].lower(), target))
        return found

    def _parse(self, member: str) -> Element:
        return parse_xml(self._archive.read(member), source=self._source, limits=self._limits)
