"""longdoc as tests of integrations open it: scripted, on a record of its own, with a book that has sections."""

from __future__ import annotations

from pathlib import Path

from longdoc import LongDoc
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes

HAY = "It rained on the harbour that morning, and the boats stayed in. Nobody spoke of the letter any more. "
NEEDLE = "The keeper of Skerry Head hid the key under the seventh stair."
QUESTION = "Where did the keeper of Skerry Head hide the key?"


def opened(folder: Path) -> LongDoc:
    return LongDoc(engine="scripted", embedding_model="hashed", database=str(folder / "record.db"))


def book(title: str = "Skerry Head", *, days: int = 60) -> Document:
    """A book in four chapters; no two of its paragraphs are the same."""
    paragraphs = [f"Day {day} in {title}. {HAY}" for day in range(days)]
    paragraphs[int(days * 0.7)] += NEEDLE
    chapters = [
        f"# Chapter {n + 1}\n\n" + "\n\n".join(paragraphs[n * days // 4 : (n + 1) * days // 4]) for n in range(4)
    ]
    return read_bytes("\n\n".join(chapters).encode(), name=f"{title}.md")
