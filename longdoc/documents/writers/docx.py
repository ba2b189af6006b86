"""A manuscript as DOCX: real headings, a contents field with its lines in it, real footnotes.

Owns what stands in the document and in what order; blocks are `docx_blocks.py`, lines `docx_lines.py`, the other parts
of the package `docx_package.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from longdoc.documents.manuscript import Manuscript
from longdoc.documents.writers.docx_blocks import BlockWriter
from longdoc.documents.writers.docx_lines import LineWriter
from longdoc.documents.writers.docx_package import NAMESPACES, docx_bytes
from longdoc.documents.writers.languages import Direction
from longdoc.documents.writers.prose import Text
from longdoc.documents.writers.typesetting import TypesetManuscript, typeset

_DEEPEST_IN_CONTENTS = 3
_FIELD = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'
_CONTENTS = (
    f'<w:r><w:instrText xml:space="preserve"> TOC \\o "1-{_DEEPEST_IN_CONTENTS}" \\h \\z \\u </w:instrText></w:r>'
)
_PAGE = (
    '<w:footerReference w:type="default" r:id="footer"/><w:pgSz w:w="11906" w:h="16838"/>'
    '<w:pgMar w:top="1418" w:right="1418" w:bottom="1418" w:left="1418" w:header="709" w:footer="709" w:gutter="0"/>'
)


def manuscript_docx(manuscript: Manuscript) -> bytes:
    """The manuscript as a Word document; the same manuscript gives the same bytes."""
    work = typeset(manuscript)
    lines = LineWriter(work.direction)
    blocks = BlockWriter(lines)
    body = "".join(_body(work, lines, blocks))
    document = f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"
    notes = "".join(_note(note.number, lines.footnote(note.content)) for note in work.notes)
    return docx_bytes(work, document=document, notes=notes, starts=blocks.list_starts, addresses=lines.addresses)


def _body(work: TypesetManuscript, lines: LineWriter, blocks: BlockWriter) -> Iterator[str]:
    yield lines.paragraph((Text(work.title),), style="Title")
    for text in (work.author, work.date.isoformat() if work.date else ""):
        if text:
            yield lines.paragraph((Text(text),), style="Subtitle")
    yield from _contents(work, lines)
    for number, section in enumerate(work.sections, 1):
        if section.title:
            yield lines.paragraph((Text(section.title),), style=f"Heading{section.level}", bookmark=number)
        yield blocks.blocks(section.blocks, level=section.level)
    if work.bibliography:
        number = len(work.sections) + 1
        yield lines.paragraph((Text(work.labels.bibliography),), style="Heading1", bookmark=number)
        yield from (lines.paragraph((Text(entry),), style="Bibliography") for entry in work.bibliography)
    yield f"<w:sectPr>{_PAGE}{'<w:bidi/>' if work.direction is Direction.RTL else ''}</w:sectPr>"


def _contents(work: TypesetManuscript, lines: LineWriter) -> Iterator[str]:
    """A contents field; it shows lines without page numbers until the reader has it updated."""
    entries = [
        (number, section.level, section.title)
        for number, section in enumerate(work.sections, 1)
        if section.title and section.level <= _DEEPEST_IN_CONTENTS
    ]
    if work.bibliography:
        entries.append((len(work.sections) + 1, 1, work.labels.bibliography))
    if not entries:
        return
    yield lines.paragraph((Text(work.labels.contents),), style="TOCHeading")
    begin = _FIELD.format("begin") + _CONTENTS + _FIELD.format("separate")
    for index, (number, level, title) in enumerate(entries):
        end = _FIELD.format("end") if index == len(entries) - 1 else ""
        yield lines.contents_line(title, level, number, before="" if index else begin, after=end)


def _note(number: int, paragraph: str) -> str:
    return f'<w:footnote w:id="{number}">{paragraph}</w:footnote>'
