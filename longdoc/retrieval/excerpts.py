"""Excerpts: the stretches of documents that a question is answered from."""

from __future__ import annotations

from dataclasses import dataclass

from longdoc.documents.document import Document


@dataclass(frozen=True, slots=True)
class Excerpt:
    """`document.text[start:end]`, cited by its `number` (from 1, in the order shown); `tokens` of its text."""

    number: int
    document: Document
    start: int
    end: int
    tokens: int

    @property
    def text(self) -> str:
        """The stretch itself."""
        return self.document.text[self.start : self.end]
