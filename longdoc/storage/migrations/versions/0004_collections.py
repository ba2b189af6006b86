"""Collections of documents, embeddings of their parts, and what questions were answered from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, those that others point to first."""
    _create_collections()
    _create_embeddings()
    _create_selections()


def _create_collections() -> None:
    op.create_table(
        "collections",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_collections"),
    )
    op.create_table(
        "collection_documents",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("removed", sa.Integer()),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["collection"], ["collections.name"], name="fk_collection_documents_collection", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name="fk_collection_documents_document_id"),
        sa.PrimaryKeyConstraint("collection", "number", name="pk_collection_documents"),
    )
    op.create_index("ix_collection_documents_document_id", "collection_documents", ["document_id"])


def _create_embeddings() -> None:
    op.create_table(
        "embeddings",
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("embedder", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("vectors", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"], ["documents.id"], name="fk_embeddings_document_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("document_id", "embedder", "layout", "batch", name="pk_embeddings"),
    )


def _create_selections() -> None:
    op.create_table(
        "selections",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name="fk_selections_run_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", name="pk_selections"),
    )
