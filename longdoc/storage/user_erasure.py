"""Erasing the runs that were made for a user, with what they made that is kept beside them: drafts and texts.

A run of the orchestrator that holds text of a user names its drafts so that they are found by it (`own_draft_name`),
and its nodes the documents that it made. Runs of anything else make none.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, Select, delete, select

from longdoc.storage.call_erasure import delete_runs
from longdoc.storage.document_erasure import delete_unused_document
from longdoc.storage.draft_types import memories_of_draft
from longdoc.storage.memory_rows import delete_namespace, is_named
from longdoc.storage.schema import drafts, namespaces, nodes, runs

_OWN: Final = "own/"


def own_draft_name(run_id: str, rest: str) -> str:
    """The name of a draft that goes with the user whom a run was made for."""
    return f"{_OWN}{run_id}-{rest}"


def delete_made_runs(connection: Connection, own: Select[Any]) -> list[int]:
    """Delete the runs that a query finds the ids of, with their calls, drafts and documents, but for what others use.

    Returns the namespaces that went with the drafts: what is derived from them lies in files.
    """
    doing = select(runs.c.id).where(runs.c.id.in_(own), runs.c.kind == "do")
    run_ids = list(connection.execute(doing).scalars())
    made = select(nodes.c.document_id).where(nodes.c.run_id.in_(doing), nodes.c.document_id.is_not(None)).distinct()
    documents = list(connection.execute(made).scalars()) if run_ids else []
    delete_runs(connection, own)
    gone = _delete_drafts(connection, run_ids) if run_ids else []
    for document_id in documents:
        delete_unused_document(connection, document_id)
    return gone


def _delete_drafts(connection: Connection, run_ids: list[str]) -> list[int]:
    named = select(drafts.c.id, drafts.c.name).where(drafts.c.name.startswith(_OWN, autoescape=True))
    prefixes = tuple(own_draft_name(run_id, "") for run_id in run_ids)
    gone: list[int] = []
    for row in connection.execute(named).all():
        if row.name.startswith(prefixes):
            memories = select(namespaces.c.id).where(is_named(memories_of_draft(row.name, row.id)))
            for namespace in connection.execute(memories).scalars().all():
                delete_namespace(connection, namespace)
                gone.append(namespace)
            connection.execute(delete(drafts).where(drafts.c.id == row.id))
    return gone
