"""Collections and what was put into them as tables and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longdoc.cli.output import Failure, envelope
from longdoc.cli.render import table
from longdoc.errors import LdaError
from longdoc.json_value import JsonValue
from longdoc.storage.collections import CollectionSummary
from longdoc.storage.documents import StoredDocument

_ID_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Added:
    """A source whose document is in the collection; `new`: it was not there before."""

    source: str
    document: StoredDocument
    new: bool


def print_added(added: Sequence[Added]) -> None:
    """A table of what was put into a collection."""
    rows = [(*_row(one.document), "added" if one.new else "there already", one.source) for one in added]
    table(("document", "title", "words", "what", "source"), rows)


def ingested_json(
    collection: str,
    added: Sequence[Added],
    failures: Sequence[Failure],
    *,
    rankings: Sequence[str],
    embedding_error: LdaError | None = None,
) -> str:
    """The envelope of what was put into a collection, of what it can be searched by, and why not by meaning."""
    complete = not failures and embedding_error is None
    status = "done" if complete else "gaps" if added else "failed"
    documents: list[JsonValue] = [
        {**_document_json(one.document), "source": one.source, "added": one.new} for one in added
    ]
    failed: list[JsonValue] = [{"source": failure.source, "error": failure.message} for failure in failures]
    return envelope(
        "ingest",
        status,
        collection=collection,
        rankings=list(rankings),
        embedding_error=None if embedding_error is None else str(embedding_error),
        documents=documents,
        failures=failed,
    )


def print_collections(rows: Sequence[CollectionSummary]) -> None:
    """A table of collections."""
    table(
        ("collection", "documents", "words", "made"),
        [(row.name, f"{row.documents:,}", f"{row.words:,}", f"{row.created_at:%Y-%m-%d %H:%M}") for row in rows],
    )


def collections_json(rows: Sequence[CollectionSummary]) -> str:
    """The envelope of collections."""
    listed: list[JsonValue] = [
        {"name": row.name, "documents": row.documents, "words": row.words, "created_at": row.created_at.isoformat()}
        for row in rows
    ]
    return envelope("collections list", "done", collections=listed)


def print_documents(documents: Sequence[StoredDocument]) -> None:
    """A table of documents."""
    table(
        ("document", "title", "words", "format", "source"),
        [(*_row(document), document.format, document.source) for document in documents],
    )


def collection_json(name: str, documents: Sequence[StoredDocument]) -> str:
    """The envelope of a collection."""
    rows: list[JsonValue] = [_document_json(document) for document in documents]
    return envelope("collections show", "done", collection=name, documents=rows)


def removed_json(collection: str, document: str | None) -> str:
    """The envelope of what was removed: a document, or all of the collection."""
    return envelope("collections remove", "done", collection=collection, document=document)


def _row(document: StoredDocument) -> tuple[str, str, str]:
    return document.id[:_ID_LENGTH], document.title, f"{document.words:,}"


def _document_json(document: StoredDocument) -> dict[str, JsonValue]:
    return {
        "id": document.id,
        "title": document.title,
        "format": document.format,
        "source": document.source,
        "words": document.words,
        "characters": document.characters,
    }
