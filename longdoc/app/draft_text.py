"""A draft as one text with the sources it rests on, as all results are."""

from __future__ import annotations

from collections.abc import Mapping

from longdoc.app.draft_export import section_parts, stored_notes, title_of
from longdoc.app.results import Source, source_of_json
from longdoc.storage.draft_types import Draft, SectionText


def text_and_sources(draft: Draft, texts: Mapping[int, SectionText]) -> tuple[str, tuple[Source, ...]]:
    """What is written, in Markdown under its headings, and its citations; `texts` by section, those not there left
    out. A text of one section has no headings."""
    written = [one for one in draft.plan.sections if one.id in texts]
    titled = len(draft.plan.sections) > 1
    pieces = [f"# {title_of(draft)}"] if titled and written else []
    sources: list[Source] = []
    path: tuple[str, ...] = ()
    for planned in written:
        if titled:
            pieces += [f"{'#' * (part.level + 1)} {part.title}" for part in section_parts(path, planned.path)]
            path = planned.path
            pieces.append(f"{'#' * (len(path) + 2)} {planned.heading}")
        start = sum(len(piece) + 2 for piece in pieces)
        text = texts[planned.id]
        pieces.append(text.text)
        for note in stored_notes(text):
            at = note.get("at")
            source = source_of_json(
                {
                    **note,
                    "document": note.get("document_id"),
                    "at": start + at if isinstance(at, int) and at <= len(text.text) else None,
                }
            )
            sources += [] if source is None else [source]
    return "\n\n".join(pieces), tuple(sources)
