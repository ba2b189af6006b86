"""How long a key was made for, whatever became of it; and how often the process of a job was lost."""

from __future__ import annotations

import math

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_keys = sa.table(
    "api_keys",
    sa.column("id", sa.Text()),
    sa.column("created_at", _MOMENT),
    sa.column("expires_at", _MOMENT),
    sa.column("lasts", sa.BigInteger()),
)


def upgrade() -> None:
    """Add both columns; a key that ends was made for as long as it lasts."""
    op.add_column("api_keys", sa.Column("lasts", sa.BigInteger()))
    op.add_column("service_jobs", sa.Column("lost", sa.Integer(), nullable=False, server_default="0"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(_keys).where(_keys.c.expires_at.is_not(None))).all():
        seconds = math.ceil((row.expires_at - row.created_at).total_seconds())
        connection.execute(sa.update(_keys).where(_keys.c.id == row.id).values(lasts=seconds))
