"""Profiles: tenants with their keys, users, items, and summaries of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, each after those that it points to."""
    op.create_table(
        "tenants",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tenants_name", "tenants", ["name"], unique=True)
    _create_keys()
    op.create_table(
        "profiles",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        _of("profiles", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name="pk_profiles"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_profiles_tenant_id_user", "profiles", ["tenant_id", "user"], unique=True)
    _create_items()
    _create_derived()


def _create_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", _BIG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("per_minute", sa.Integer()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
        _of("api_keys", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_tenant_id", "api_keys", ["tenant_id"])
    op.create_index("ix_api_keys_sha256", "api_keys", ["sha256"], unique=True)


def _create_items() -> None:
    op.create_table(
        "profile_items",
        sa.Column("profile_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("output", sa.Text()),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        _of("profile_items", "profile_id", "profiles"),
        sa.PrimaryKeyConstraint("profile_id", "number", name="pk_profile_items"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_profile_items_profile_id_task_key", "profile_items", ["profile_id", "task", "key"], unique=True)


def _create_derived() -> None:
    op.create_table(
        "profile_summaries",
        sa.Column("profile_id", _BIG_ID, nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("counted", sa.JSON(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("edited", sa.Boolean(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("made_at", _MOMENT, nullable=False),
        _of("profile_summaries", "profile_id", "profiles"),
        sa.PrimaryKeyConstraint("profile_id", "task", name="pk_profile_summaries"),
    )
    op.create_table(
        "profile_vectors",
        sa.Column("profile_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id", "number"],
            ["profile_items.profile_id", "profile_items.number"],
            name="fk_profile_vectors_profile_id_number",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("profile_id", "number", "embedder", name="pk_profile_vectors"),
    )
    op.create_table(
        "profile_runs",
        sa.Column("profile_id", _BIG_ID, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        _of("profile_runs", "profile_id", "profiles"),
        _of("profile_runs", "run_id", "runs"),
        sa.PrimaryKeyConstraint("profile_id", "run_id", name="pk_profile_runs"),
    )
    op.create_index("ix_profile_runs_run_id", "profile_runs", ["run_id"])


def _of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}", ondelete="CASCADE")
