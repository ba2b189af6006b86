"""Drafts as files: Markdown, HTML, DOCX, EPUB and PDF, with contents, citations as notes, and a bibliography."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from longdoc.agents.section_writer import in_signs
from longdoc.app.bootstrap import Records
from longdoc.documents.document import Document
from longdoc.documents.manuscript import Manuscript, ManuscriptSection, Note
from longdoc.errors import ConfigError, NotFoundError
from longdoc.json_value import JsonValue
from longdoc.storage.draft_types import Draft, SectionText


class ExportFormat(StrEnum):
    """What a draft can be written as."""

    MARKDOWN = "md"
    HTML = "html"
    DOCX = "docx"
    EPUB = "epub"
    PDF = "pdf"


FORMATS: Final = ", ".join(ExportFormat)


def export_format(name: str | None, out: Path | None) -> ExportFormat:
    """The format of that name, else that of the file to write, else Markdown. Raises `ConfigError`."""
    wanted = (
        (name or "").casefold() or (out.suffix.lower().lstrip(".") if out is not None else "") or ExportFormat.MARKDOWN
    )
    try:
        return ExportFormat({"markdown": "md", "txt": "md", "htm": "html", "xhtml": "html"}.get(wanted, wanted))
    except ValueError as error:
        raise ConfigError(f"a draft is written as {FORMATS}, not as {wanted!r}") from error


def check_export(form: ExportFormat) -> None:
    """Raise `ConfigError` where what a format needs is not installed."""
    if form is ExportFormat.PDF and find_spec("typst") is None:
        raise ConfigError("PDF needs typst; install it with: pip install 'longdoc[write]', or take another format")


async def manuscript_of(records: Records, draft: Draft) -> Manuscript:
    """What is written of a draft, in the order of its plan. A section that is not written is left out.

    Of its citations only those stand there whose words are found in their source. Raises `ConfigError` where nothing
    is written.
    """
    texts = await records.drafts.texts(draft)
    if not texts:
        raise ConfigError(f"nothing is written of {draft.name!r} yet; go on with: lda write continue {draft.name}")
    documents = await _documents(records, texts.values())
    sections: list[ManuscriptSection] = []
    path: tuple[str, ...] = ()
    for planned in draft.plan.sections:
        text = texts.get(planned.id)
        if text is None:
            continue
        sections += section_parts(path, planned.path)
        path = planned.path
        notes = tuple(verified_notes(text, documents))
        sections.append(ManuscriptSection(planned.heading, len(path) + 1, text.text, notes))
    cited = {note.source for section in sections for _, note in section.notes}
    bibliography = tuple(sorted(cited))
    language = str(draft.settings.get("language") or ("zh" if in_signs(sections[-1].text) else "en"))
    return Manuscript(
        title_of(draft),
        tuple(sections),
        language=language,
        identifier=f"draft-{draft.name}-{draft.revision}",
        bibliography=bibliography,
        date=draft.created_at.date(),
    )


async def export_draft(records: Records, draft: Draft, form: ExportFormat) -> bytes:
    """A draft as a file. Raises `ConfigError` where nothing is written, or a library is missing."""
    manuscript = await manuscript_of(records, draft)
    return await asyncio.to_thread(_writer(form), manuscript)


def verified_notes(text: SectionText, documents: Mapping[str, Document]) -> list[tuple[int, Note]]:
    """The citations of a section whose words stand in their source, with where in the section."""
    notes: list[tuple[int, Note]] = []
    for one in stored_notes(text):
        document = documents.get(str(one.get("document_id")))
        start, end, at = one.get("start"), one.get("end"), one.get("at")
        if document is None or not (isinstance(start, int) and isinstance(end, int) and isinstance(at, int)):
            continue
        if at <= len(text.text) and document.text[start:end] == one.get("quote"):
            notes.append((at, Note(document.text[start:end], document.title, str(one.get("place") or ""))))
    return notes


def stored_notes(text: SectionText) -> list[Mapping[str, JsonValue]]:
    """The citations of a section as they are stored."""
    return [one for one in text.notes if isinstance(one, dict)] if isinstance(text.notes, list) else []


def title_of(draft: Draft) -> str:
    """The title of a draft: its plan's, else the beginning of its instruction."""
    if draft.plan.title:
        return draft.plan.title
    first = " ".join(draft.instruction.split())
    return first if len(first) <= 80 else f"{first[:79].rsplit(' ', 1)[0]}…"


async def _documents(records: Records, texts: Iterable[SectionText]) -> dict[str, Document]:
    """The sources that are cited, those that are still stored."""
    found: dict[str, Document] = {}
    for cited in sorted({str(one.get("document_id")) for text in texts for one in stored_notes(text)}):
        with suppress(NotFoundError):
            found[cited] = await records.documents.load(cited)
    return found


def section_parts(before: Sequence[str], path: Sequence[str]) -> list[ManuscriptSection]:
    """The headings of parts and chapters that begin here."""
    shared = 0
    while shared < min(len(before), len(path)) and before[shared] == path[shared]:
        shared += 1
    return [ManuscriptSection(title, depth + 1, "") for depth, title in enumerate(path) if depth >= shared]


def _writer(form: ExportFormat) -> Callable[[Manuscript], bytes]:
    """The writer of a format, which is imported when it is needed."""
    if form is ExportFormat.MARKDOWN:
        from longdoc.documents.writers.markdown import manuscript_markdown

        return lambda manuscript: manuscript_markdown(manuscript).encode()
    if form is ExportFormat.HTML:
        from longdoc.documents.writers.html import manuscript_html

        return lambda manuscript: manuscript_html(manuscript).encode()
    if form is ExportFormat.DOCX:
        from longdoc.documents.writers.docx import manuscript_docx

        return manuscript_docx
    if form is ExportFormat.EPUB:
        from longdoc.documents.writers.epub import manuscript_epub

        return manuscript_epub
    from longdoc.documents.writers.pdf import manuscript_pdf

    return manuscript_pdf
