"""What each uploaded file says of itself, beside its document, which others may have uploaded too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of files that are there already it is not known."""
    op.add_column("service_files", sa.Column("metadata", sa.JSON()))
