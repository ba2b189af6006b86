"""Erasing calls with all that they hold, for owners that go with everything that was made for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, select

from longdoc.storage.schema import call_texts, calls, documents, node_calls, nodes, run_calls, runs, texts

_MOST_ROWS = 500


def delete_runs(connection: Connection, own: Select[Any]) -> None:
    """Delete the runs that a query finds the ids of, with the calls that were made for no other run."""
    made = select(run_calls.c.call_id).where(run_calls.c.run_id.in_(own))
    delete_calls(connection, calls.c.id.in_(made), own=own)
    connection.execute(delete(runs).where(runs.c.id.in_(own)))


def delete_calls(connection: Connection, meant: ColumnElement[bool], *, own: Select[Any]) -> None:
    """Delete calls that no run outside of those of an owner made, took or has a node from."""
    elsewhere = exists().where(run_calls.c.call_id == calls.c.id, run_calls.c.run_id.not_in(own))
    in_node = exists().where(
        node_calls.c.call_id == calls.c.id, node_calls.c.node_id == nodes.c.id, nodes.c.run_id.not_in(own)
    )
    doomed = connection.execute(select(calls.c.id).where(meant, ~elsewhere, ~in_node)).scalars().all()
    unused: set[str] = set()
    for start in range(0, len(doomed), _MOST_ROWS):
        some = doomed[start : start + _MOST_ROWS]
        unused.update(connection.execute(select(call_texts.c.sha256).where(call_texts.c.call_id.in_(some))).scalars())
        connection.execute(delete(calls).where(calls.c.id.in_(some)))
    delete_unused_texts(connection, sorted(unused))


def delete_unused_texts(connection: Connection, sha256s: Sequence[str]) -> None:
    """Delete those of these texts that no document is and no call was made from."""
    document = exists().where(documents.c.text_sha256 == texts.c.sha256)
    call = exists().where(call_texts.c.sha256 == texts.c.sha256)
    for start in range(0, len(sha256s), _MOST_ROWS):
        some = texts.c.sha256.in_(sha256s[start : start + _MOST_ROWS])
        connection.execute(delete(texts).where(some, ~document, ~call))
