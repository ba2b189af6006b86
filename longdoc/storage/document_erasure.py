"""Erasing documents with their texts, once nothing that is stored needs them any more."""

from __future__ import annotations

from sqlalchemy import Connection, Table, Text, cast, delete, select

from longdoc.storage.call_erasure import delete_unused_texts
from longdoc.storage.schema import (
    collection_documents,
    documents,
    drafts,
    method_scores,
    namespaces,
    nodes,
    run_documents,
    service_files,
)

_POINTING: tuple[Table, ...] = (run_documents, nodes, collection_documents, method_scores, service_files)
"""Tables whose rows name a document."""


def delete_unused_document(connection: Connection, document_id: str) -> None:
    """Delete a document, and its text, unless a run, a collection, a draft, a session or a file needs it."""
    if not _is_needed(connection, document_id):
        text = select(documents.c.text_sha256).where(documents.c.id == document_id)
        texts = list(connection.execute(text).scalars())
        connection.execute(delete(documents).where(documents.c.id == document_id))
        delete_unused_texts(connection, texts)


def _is_needed(connection: Connection, document_id: str) -> bool:
    for table in _POINTING:
        if connection.execute(select(table.c.document_id).where(table.c.document_id == document_id).limit(1)).first():
            return True
    for table in (drafts, namespaces):
        named = cast(table.c.settings, Text).contains(document_id)
        if connection.execute(select(table.c.id).where(named).limit(1)).first():
            return True
    return False
