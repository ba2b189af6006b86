"""EPUB files made for the tests, and what must hold for every document."""

import io
import zipfile
from collections.abc import Mapping, Sequence

from longdoc.documents.document import Document, Section

CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
    '<rootfiles><rootfile full-path="OPS/package.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)
METADATA = (
    '<dc:identifier id="uid">urn:test:1</dc:identifier><dc:title>The Lamp</dc:title>'
    "<dc:creator>Ada Example</dc:creator><dc:creator>Ben Example</dc:creator><dc:language>en</dc:language>"
)


def zip_of(members: Mapping[str, str | bytes]) -> bytes:
    """A zip that is the same every time it is made."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def page(body: str, *, body_type: str = "", title: str = "") -> str:
    attribute = f' epub:type="{body_type}"' if body_type else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html>'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops">'
        f"<head><title>{title}</title></head><body{attribute}>{body}</body></html>"
    )


def nav(entries: str) -> str:
    return page(f'<nav epub:type="toc"><h2>Contents</h2><ol>{entries}</ol></nav>')


def ncx(points: str) -> str:
    return f'<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1"><navMap>{points}</navMap></ncx>'


def package(
    manifest: Sequence[str], spine: Sequence[str], *, metadata: str = METADATA, extra: str = "", toc: str = ""
) -> str:
    items = "".join(manifest)
    references = "".join(f'<itemref idref="{name}"/>' for name in spine)
    attribute = f' toc="{toc}"' if toc else ""
    return (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="uid">'
        f'<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">{metadata}</metadata>'
        f"<manifest>{items}</manifest><spine{attribute}>{references}</spine>{extra}</package>"
    )


def epub(
    pages: Mapping[str, str],
    *,
    contents: str | None = None,
    spine: Sequence[str] | None = None,
    extra: str = "",
    members: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """An EPUB of pages by file name; `contents` are the list items of its navigation document."""
    manifest = [
        f'<item id="{name}" href="{name}" media-type="application/xhtml+xml"/>' for name in pages if name != "nav.xhtml"
    ]
    files: dict[str, str | bytes] = {"mimetype": "application/epub+zip", "META-INF/container.xml": CONTAINER}
    if contents is not None:
        manifest.append('<item id="nav.xhtml" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>')
        files["OPS/nav.xhtml"] = nav(contents)
    files["OPS/package.opf"] = package(manifest, list(pages) if spine is None else spine, extra=extra)
    files.update({f"OPS/{name}": content for name, content in pages.items()})
    files.update(members or {})
    return zip_of(files)


def titles(document: Document) -> list[tuple[int, str]]:
    """Depth and title of every section."""
    return [(len(section.path), section.title) for section in document.walk_sections()]


def blocks(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks]


def section_text(document: Document, title: str) -> str:
    section = next(section for section in document.walk_sections() if section.title == title)
    return document.text[section.start : section.end].strip()


def assert_well_formed(document: Document) -> None:
    """Offsets lie in the text, in order, without overlap; sections nest; notes are called from running text."""
    position = 0
    for block in document.blocks:
        assert position <= block.start < block.end <= len(document.text)
        assert not document.text[position : block.start].strip()
        assert document.text[block.start : block.end] == document.text[block.start : block.end].strip()
        position = block.end
    assert not document.text[position:].strip()
    _assert_nested(document.sections, 0, len(document.text), ())
    running_end = document.notes[0].start if document.notes else len(document.text)
    for note in document.notes:
        assert running_end <= note.start < note.end <= len(document.text)
        assert note.anchor is None or 0 <= note.anchor <= running_end


def _assert_nested(sections: Sequence[Section], start: int, end: int, path: tuple[str, ...]) -> None:
    position = start
    for section in sections:
        assert position <= section.start <= section.end <= end
        assert section.path == (*path, section.title)
        _assert_nested(section.children, section.start, section.end, section.path)
        position = section.end
