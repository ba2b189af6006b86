"""Which long texts a call was made from, so that what nobody uses any more is found without reading all calls."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from longdoc.json_value import JsonValue

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SHA256 = re.compile("[0-9a-f]{64}")
_PAGE = 2_000
_calls = sa.table("calls", sa.column("id", _BIG_ID), sa.column("inputs", sa.JSON()))
_call_texts = sa.table("call_texts", sa.column("call_id", _BIG_ID), sa.column("sha256", sa.Text()))


def upgrade() -> None:
    """Make the table, fill it from the calls that there are, and let documents be found by their text."""
    op.create_table(
        "call_texts",
        sa.Column("call_id", _BIG_ID, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_call_texts_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "sha256", name="pk_call_texts"),
    )
    _fill(op.get_bind())
    op.create_index("ix_call_texts_sha256", "call_texts", ["sha256"])
    op.create_index("ix_documents_text_sha256", "documents", ["text_sha256"])


def _fill(connection: sa.Connection) -> None:
    last = 0
    while True:
        page = sa.select(_calls).where(_calls.c.id > last).order_by(_calls.c.id).limit(_PAGE)
        rows = connection.execute(page).all()
        if not rows:
            return
        last = rows[-1].id
        found = [{"call_id": row.id, "sha256": one} for row in rows for one in set(_references(row.inputs))]
        if found:
            connection.execute(sa.insert(_call_texts), found)


def _references(inputs: JsonValue) -> Iterator[str]:
    """The hashes of the texts that stand apart: what is `{"text": hash}` and nothing else."""
    if isinstance(inputs, dict):
        text = inputs.get("text")
        if len(inputs) == 1 and isinstance(text, str):
            if _SHA256.fullmatch(text):
                yield text
            return
    parts = inputs.values() if isinstance(inputs, dict) else inputs if isinstance(inputs, list) else ()
    for part in parts:
        yield from _references(part)
