"""What comparisons of methods found."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "method_scores",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Text(), nullable=False),
        sa.Column("document_tokens", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.BigInteger()),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("judge", sa.Text()),
        sa.Column("protocol", sa.Text()),
        sa.Column("prompt", sa.Text()),
        sa.Column("toy", sa.Boolean(), nullable=False),
        sa.Column("coherence", sa.Float(53)),
        sa.Column("support_rate", sa.Float(53)),
        sa.Column("length_error", sa.Float(53)),
        sa.Column("repetition", sa.Float(53), nullable=False),
        sa.Column("gaps", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(53), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["documents.id"], name="fk_method_scores_document_id"),
        sa.PrimaryKeyConstraint("key", name="pk_method_scores"),
    )
    op.create_index("ix_method_scores_model", "method_scores", ["model"])
    op.create_index("ix_method_scores_document_id", "method_scores", ["document_id"])
