"""Memory streams: namespaces, their memories with former states, vectors and decisions, and the runs behind them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, those that others point to first."""
    _create_namespaces()
    _create_memories()
    _create_revisions()
    _create_vectors()
    _create_decisions()
    _create_namespace_runs()


def _create_namespaces() -> None:
    op.create_table(
        "namespaces",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("memories", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_namespaces"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_namespaces_user_agent_session", "namespaces", ["user", "agent", "session"], unique=True)


def _create_memories() -> None:
    op.create_table(
        "memories",
        sa.Column("namespace_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text()),
        sa.Column("tokens", sa.BigInteger()),
        sa.Column("summary_tokens", sa.BigInteger()),
        sa.Column("counter", sa.Text()),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.ForeignKeyConstraint(
            ["namespace_id"], ["namespaces.id"], name="fk_memories_namespace_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("namespace_id", "number", name="pk_memories"),
    )
    op.create_index("ix_memories_namespace_id_change", "memories", ["namespace_id", "change"], unique=True)
    op.create_index("ix_memories_namespace_id_key", "memories", ["namespace_id", "key"], unique=True)
    op.create_index("ix_memories_namespace_id_at", "memories", ["namespace_id", "at"])
    op.create_index("ix_memories_expires_at", "memories", ["expires_at"])
    is_open = sa.text("status = 'open'")
    op.create_index("ix_memories_open", "memories", ["namespace_id"], sqlite_where=is_open, postgresql_where=is_open)


def _create_revisions() -> None:
    op.create_table(
        "memory_revisions",
        sa.Column("namespace_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("observation", sa.Text(), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("replaced_at", _MOMENT, nullable=False),
        _of_memory("memory_revisions"),
        sa.PrimaryKeyConstraint("namespace_id", "number", "revision", name="pk_memory_revisions"),
    )


def _create_vectors() -> None:
    op.create_table(
        "memory_vectors",
        sa.Column("namespace_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        _of_memory("memory_vectors"),
        sa.PrimaryKeyConstraint("namespace_id", "number", "embedder", name="pk_memory_vectors"),
    )


def _create_decisions() -> None:
    op.create_table(
        "memory_decisions",
        sa.Column("namespace_id", _BIG_ID, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        _of_memory("memory_decisions"),
        sa.PrimaryKeyConstraint("namespace_id", "number", name="pk_memory_decisions"),
    )


def _create_namespace_runs() -> None:
    op.create_table(
        "namespace_runs",
        sa.Column("namespace_id", _BIG_ID, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("numbers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["namespace_id"], ["namespaces.id"], name="fk_namespace_runs_namespace_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_namespace_runs_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("namespace_id", "run_id", name="pk_namespace_runs"),
    )
    op.create_index("ix_namespace_runs_run_id", "namespace_runs", ["run_id"])


def _of_memory(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["namespace_id", "number"],
        ["memories.namespace_id", "memories.number"],
        name=f"fk_{table}_namespace_id_number",
        ondelete="CASCADE",
    )
