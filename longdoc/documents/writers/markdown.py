"""A manuscript as Markdown: front matter, headings, prose, bibliography, footnotes.

Owns the file; the prose in it is `markdown_prose.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from longdoc.documents.manuscript import Manuscript
from longdoc.documents.writers.markdown_prose import markdown_blocks, markdown_heading, markdown_inlines
from longdoc.documents.writers.prose import ItemList, Paragraph, Text
from longdoc.documents.writers.typesetting import TypesetManuscript, typeset


def manuscript_markdown(manuscript: Manuscript) -> str:
    """The manuscript as CommonMark with tables, footnotes and front matter."""
    return "\n\n".join(part for part in _parts(typeset(manuscript)) if part) + "\n"


def _parts(work: TypesetManuscript) -> Iterator[str]:
    yield _front_matter(work)
    yield markdown_heading(1, (Text(work.title),))
    for section in work.sections:
        if section.title:
            yield markdown_heading(section.level + 1, (Text(section.title),))
        yield markdown_blocks(section.blocks, level=section.level + 1)
    if work.bibliography:
        yield markdown_heading(2, (Text(work.labels.bibliography),))
        entries = ItemList(tuple((Paragraph((Text(entry),)),) for entry in work.bibliography), None)
        yield markdown_blocks((entries,), level=2)
    for note in work.notes:
        yield f"[^{note.number}]: {markdown_inlines(note.content)}"


def _front_matter(work: TypesetManuscript) -> str:
    fields = {
        "title": work.title,
        "author": work.author,
        "lang": work.language,
        "identifier": work.identifier,
        "date": work.date.isoformat() if work.date else "",
    }
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items() if value]
    return "\n".join(["---", *lines, "---"])
