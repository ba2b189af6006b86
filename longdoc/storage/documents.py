"""Stored documents: texts once, everything else beside them, and segmentations for each tokenizer.

Owns saving and finding; how a document becomes a row and back is `document_rows.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256

from sqlalchemy import Connection, Text, cast, func, select

from longdoc.documents.document import Document
from longdoc.documents.segments import Segment
from longdoc.errors import NotFoundError
from longdoc.storage.clock import Clock, utc_now
from longdoc.storage.database import Database
from longdoc.storage.document_rows import from_row, pack_segments, to_row, unpack_segments
from longdoc.storage.inserts import insert_missing, insert_or_update
from longdoc.storage.lookup import resolve_id
from longdoc.storage.schema import documents, segmentations, texts
from longdoc.storage.texts import decoded, store_text


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


_SUMMARY = select(*(documents.c[field.name] for field in fields(StoredDocument)))

_AT_ONCE = 500
"""How many ids one statement names."""


class Documents:
    """The stored documents; with `keep`, those that are stored already stay as they are."""

    def __init__(self, database: Database, *, now: Clock = utc_now, keep: bool = False) -> None:
        self._database = database
        self._now = now
        self._keep = keep

    def keeping(self) -> Documents:
        """The same documents, of which none is changed by saving it again: for those who share them."""
        return Documents(self._database, now=self._now, keep=True)

    async def save(self, document: Document) -> None:
        """Store a document; one with the same id gets title, notes and source anew, unless such are kept."""
        if self._keep and await self.lengths([document.id]):
            return
        row = await asyncio.to_thread(to_row, document)
        row["added_at"] = self._now()

        def work(connection: Connection) -> None:
            store_text(connection, row["text_sha256"], document.text)
            if self._keep:
                insert_missing(connection, documents, [row])
            else:
                insert_or_update(connection, documents, row, keep=frozenset({"added_at"}))

        await self._database.write(work)

    async def load(self, document_id: str) -> Document:
        """A document as it was saved last. Raises `NotFoundError`."""
        statement = select(documents, texts.c.body).join(texts).where(documents.c.id == document_id)

        def work(connection: Connection) -> Document | None:
            row = connection.execute(statement).mappings().first()
            return None if row is None else from_row(row)

        found = await self._database.read(work)
        if found is None:
            raise NotFoundError(f"there is no document {document_id!r}")
        return found

    async def load_text(self, document_id: str) -> str:
        """The text of a document alone, which takes far less memory than all of it. Raises `NotFoundError`."""
        statement = select(texts.c.body).join(documents).where(documents.c.id == document_id)

        def work(connection: Connection) -> str | None:
            body = connection.execute(statement).scalar()
            return None if body is None else decoded(body)

        found = await self._database.read(work)
        if found is None:
            raise NotFoundError(f"there is no document {document_id!r}")
        return found

    async def find(self, prefix: str) -> StoredDocument:
        """The document whose id begins so. Raises `NotFoundError` for none or several."""

        def work(connection: Connection) -> StoredDocument:
            document_id = resolve_id(connection, documents, prefix, thing="document")
            row = connection.execute(_SUMMARY.where(documents.c.id == document_id)).one()
            return StoredDocument(*row)

        return await self._database.read(work)

    async def list(self, count: int, *, start: int = 0) -> tuple[tuple[StoredDocument, ...], int]:
        """So many documents from a place on, the last added first; and how many there are in all."""
        newest = documents.c.added_at.desc(), documents.c.id
        statement = _SUMMARY.order_by(*newest).offset(start).limit(count)
        counted = select(func.count()).select_from(documents)

        def work(connection: Connection) -> tuple[tuple[StoredDocument, ...], int]:
            found = tuple(StoredDocument(*row) for row in connection.execute(statement))
            return found, connection.execute(counted).scalar_one()

        return await self._database.read(work)

    async def lengths(self, document_ids: Sequence[str]) -> Mapping[str, int]:
        """How many characters documents have, by id; those that are not stored are left out."""

        def work(connection: Connection) -> dict[str, int]:
            found = (
                connection.execute(select(documents.c.id, documents.c.characters).where(documents.c.id.in_(some)))
                for some in _batches(document_ids)
            )
            return {row.id: row.characters for rows in found for row in rows}

        return await self._database.read(work)

    async def segmentation_digests(self, document_ids: Sequence[str], key: str) -> Mapping[str, bytes]:
        """By document, what is equal for equal segments stored under a key; those that have none are left out."""
        payload = cast(segmentations.c.payload, Text).label("payload")
        statement = select(segmentations.c.document_id, payload).where(segmentations.c.key == key)

        def work(connection: Connection) -> dict[str, bytes]:
            found = (
                connection.execute(statement.where(segmentations.c.document_id.in_(some)))
                for some in _batches(document_ids)
            )
            return {row.document_id: sha256(row.payload.encode()).digest() for rows in found for row in rows}

        return await self._database.read(work)

    async def segmentation(self, document_id: str, key: str) -> tuple[Segment, ...] | None:
        """The segments stored for a document under a key (tokenizer and parameters), None where there are none."""
        statement = select(segmentations.c.payload).where(
            segmentations.c.document_id == document_id, segmentations.c.key == key
        )

        def work(connection: Connection) -> tuple[Segment, ...] | None:
            payload = connection.execute(statement).scalar()
            return None if payload is None else unpack_segments(payload)

        return await self._database.read(work)

    async def save_segmentation(self, document_id: str, key: str, segments: Sequence[Segment]) -> None:
        """Store segments of a stored document under a key; what was there is replaced.

        Raises `StorageError` where the document is not stored.
        """
        payload = await asyncio.to_thread(pack_segments, segments)
        row = {"document_id": document_id, "key": key, "payload": payload, "created_at": self._now()}
        await self._database.write(lambda connection: insert_or_update(connection, segmentations, row))


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
