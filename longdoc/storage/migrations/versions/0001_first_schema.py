"""The first schema: texts, documents, the ledger, runs and nodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, those that others point to first."""
    _create_documents()
    _create_calls()
    _create_runs()
    _create_nodes()


def _create_documents() -> None:
    op.create_table(
        "texts",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_texts"),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("outline", sa.JSON(), nullable=False),
        sa.Column("blocks", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.BigInteger(), nullable=False),
        sa.Column("characters", sa.BigInteger(), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["text_sha256"], ["texts.sha256"], name="fk_documents_text_sha256"),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_table(
        "segmentations",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_segmentations_document_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("document_id", "key", name="pk_segmentations"),
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", _BIG_ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("prompt_name", sa.Text()),
        sa.Column("prompt_version", sa.Integer()),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("sampling", sa.JSON(), nullable=False),
        sa.Column("json_schema", sa.JSON()),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("finish_reason", sa.Text(), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost", sa.Float(53), nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("logprobs", sa.JSON()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calls"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calls_key_id", "calls", ["key", "id"])


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("started_at", _MOMENT, nullable=False),
        sa.Column("finished_at", _MOMENT),
        sa.Column("fresh_since", _MOMENT),
        sa.Column("result_node", sa.Text()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
    op.create_table(
        "run_documents",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_documents_run_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name="fk_run_documents_document_id"),
        sa.PrimaryKeyConstraint("run_id", "position", name="pk_run_documents"),
    )
    op.create_index("ix_run_documents_document_id", "run_documents", ["document_id"])
    op.create_table(
        "run_calls",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("call_id", _BIG_ID, nullable=False),
        sa.Column("recorded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_run_calls_run_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_run_calls_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "call_id", name="pk_run_calls"),
    )
    op.create_index("ix_run_calls_call_id", "run_calls", ["call_id"])


def _create_nodes() -> None:
    op.create_table(
        "nodes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text()),
        sa.Column("start", sa.BigInteger()),
        sa.Column("end", sa.BigInteger()),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("word_limit", sa.BigInteger()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_nodes_run_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name="fk_nodes_document_id"),
        sa.PrimaryKeyConstraint("id", name="pk_nodes"),
    )
    op.create_index("ix_nodes_document_id", "nodes", ["document_id"])
    op.create_index("ix_nodes_run_id_number", "nodes", ["run_id", "number"], unique=True)
    op.create_table(
        "node_children",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("child_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_node_children_node_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["child_id"], ["nodes.id"], name="fk_node_children_child_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("node_id", "position", name="pk_node_children"),
    )
    op.create_index("ix_node_children_child_id", "node_children", ["child_id"])
    op.create_table(
        "node_calls",
        sa.Column("node_id", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("call_id", _BIG_ID, nullable=False),
        sa.ForeignKeyConstraint(["node_id"], ["nodes.id"], name="fk_node_calls_node_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_node_calls_call_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("node_id", "attempt", name="pk_node_calls"),
    )
    op.create_index("ix_node_calls_call_id", "node_calls", ["call_id"])
