"""Which long texts a call was made from, so that what nobody uses any more is found without reading all calls."""

from __future__ import annotations

import re

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REFERENCE = re.compile(r'\{\s*"text"\s*:\s*"([0-9a-f]{64})"\s*\}')
"""What stands for a long text. No text that quotes it is taken for it: in a string of JSON its quotes are escaped."""
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
    inputs = sa.cast(_calls.c.inputs, sa.Text).label("inputs")
    while True:
        page = sa.select(_calls.c.id, inputs).where(_calls.c.id > last).order_by(_calls.c.id).limit(_PAGE)
        rows = connection.execute(page).all()
        if not rows:
            return
        last = rows[-1].id
        found = [
            {"call_id": row.id, "sha256": sha256} for row in rows for sha256 in set(_REFERENCE.findall(row.inputs))
        ]
        if found:
            connection.execute(sa.insert(_call_texts), found)
