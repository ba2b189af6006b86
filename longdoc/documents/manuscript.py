"""What is written out: a finished manuscript as values.

Owns the value types only; `writers/` turns them into files.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """A citation, shown as a numbered note.

    `quote` are words of the source, `source` is its title as in the bibliography, `place` says where in it
    ("chapter 3, page 12"); each may be empty.
    """

    quote: str
    source: str
    place: str


@dataclass(frozen=True, slots=True)
class ManuscriptSection:
    """A part, chapter or section with the text up to the next heading.

    `level` 1 is the outermost heading under the title. `text` is Markdown, empty where a heading only groups others;
    headings in it go below the section's own. `notes` have the offset in `text`, in characters, where their mark
    stands.
    """

    title: str
    level: int
    text: str
    notes: tuple[tuple[int, Note], ...] = ()


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A whole work. `language` is a BCP 47 tag; `identifier` is that of the EPUB, made from the content where empty."""

    title: str
    sections: tuple[ManuscriptSection, ...]
    language: str = "en"
    author: str = ""
    identifier: str = ""
    bibliography: tuple[str, ...] = ()
    date: datetime.date | None = None
