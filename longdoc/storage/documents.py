"""Stored documents: texts once, everything else beside them, and segmentations for each tokenizer.

Owns how documents and segments become rows and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from longdoc.documents.document import Document
from longdoc.documents.segments import Segment
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """What is known of a document without loading its text; sizes in words and characters."""

    id: str
    format: str
    source: str
    title: str
    words: int
    characters: int
    added_at: datetime


class Documents:
    """The stored documents."""

    def __init__(self, database: Database, *, now: Clock = utc_now) -> None:
        self._database = database
        self._now = now

    async def save(self, document: Document) -> None:
        """Store a document; one with the same id gets its outline, notes and source anew."""
        ...

    async def load(self, document_id: str) -> Document:
        """A document as it was saved. Raises `NotFoundError`."""
        ...

    async def find(self, prefix: str) -> StoredDocument:
        """The document whose id begins so. Raises `NotFoundError` for none or several."""
        ...

    async def segmentation(self, document_id: str, key: str) -> tuple[Segment, ...] | None:
        """The segments stored for a document under a key (tokenizer and parameters), None where there are none."""
        ...

    async def save_segmentation(self, document_id: str, key: str, segments: Sequence[Segment]) -> None:
        """Store the segments of a stored document under a key; what was there is replaced."""
        ...
