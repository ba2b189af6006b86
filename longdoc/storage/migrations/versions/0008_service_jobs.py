"""The service's jobs, and its replies to requests that may be sent again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "service_jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("profile_id", _BIG_ID),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text()),
        sa.Column("planned", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.JSON(none_as_null=True)),
        sa.Column("error", sa.Text()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        _of("service_jobs", "tenant_id", "tenants"),
        _of("service_jobs", "profile_id", "profiles"),
        sa.PrimaryKeyConstraint("id", name="pk_service_jobs"),
    )
    op.create_index("ix_service_jobs_tenant_id", "service_jobs", ["tenant_id"])
    op.create_index("ix_service_jobs_profile_id", "service_jobs", ["profile_id"])
    op.create_index("ix_service_jobs_status", "service_jobs", ["status"])
    op.create_table(
        "service_replies",
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        _of("service_replies", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_service_replies"),
    )
    op.create_index("ix_service_replies_created_at", "service_replies", ["created_at"])


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")
