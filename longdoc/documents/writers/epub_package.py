"""The package document of an EPUB: metadata, list of files, reading order.

Owns what the standard asks for around the pages.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from longdoc.documents.writers.languages import Direction
from longdoc.documents.writers.typesetting import TypesetManuscript

STYLE = "book.css"
CONTAINER = """\
<?xml version="1.0" encoding="utf-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="OPS/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_NO_DATE = "1980-01-01"
_ACCESSIBILITY = (
    ("schema:accessMode", "textual"),
    ("schema:accessModeSufficient", "textual"),
    ("schema:accessibilityFeature", "tableOfContents"),
    ("schema:accessibilityFeature", "readingOrder"),
    ("schema:accessibilityFeature", "structuralNavigation"),
    ("schema:accessibilityHazard", "none"),
)


@dataclass(frozen=True, slots=True)
class EpubPage:
    """A page of the book by its file name."""

    name: str
    text: str
    is_nav: bool = False


def package_document(work: TypesetManuscript, pages: Sequence[EpubPage]) -> str:
    """The package document of these pages in reading order."""
    return "\n".join(_lines(work, pages)) + "\n"


def _lines(work: TypesetManuscript, pages: Sequence[EpubPage]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"'
    yield f' xml:lang="{work.language}" dir="{work.direction}">'
    yield '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
    yield from _metadata(work, pages)
    yield "</metadata>"
    yield "<manifest>"
    for number, page in enumerate(pages):
        nav = ' properties="nav"' if page.is_nav else ""
        yield f'<item id="page{number}" href="{page.name}" media-type="application/xhtml+xml"{nav}/>'
    yield f'<item id="style" href="{STYLE}" media-type="text/css"/>'
    yield "</manifest>"
    progression = ' page-progression-direction="rtl"' if work.direction is Direction.RTL else ""
    yield f"<spine{progression}>"
    yield from (f'<itemref idref="page{number}"/>' for number in range(len(pages)))
    yield "</spine>"
    yield "</package>"


def _metadata(work: TypesetManuscript, pages: Sequence[EpubPage]) -> Iterator[str]:
    yield f'<dc:identifier id="id">{escape(work.identifier or _identifier(work, pages), quote=False)}</dc:identifier>'
    yield f"<dc:title>{escape(work.title, quote=False)}</dc:title>"
    yield f"<dc:language>{work.language}</dc:language>"
    if work.author:
        yield f"<dc:creator>{escape(work.author, quote=False)}</dc:creator>"
    if work.date:
        yield f"<dc:date>{work.date.isoformat()}</dc:date>"
    modified = work.date.isoformat() if work.date else _NO_DATE
    yield f'<meta property="dcterms:modified">{modified}T00:00:00Z</meta>'
    yield from (f'<meta property="{name}">{value}</meta>' for name, value in _ACCESSIBILITY)


def _identifier(work: TypesetManuscript, pages: Sequence[EpubPage]) -> str:
    """An identifier that the same content has again."""
    content = "\0".join([work.title, work.author, *(page.text for page in pages)])
    return uuid.uuid5(uuid.NAMESPACE_URL, content).urn
