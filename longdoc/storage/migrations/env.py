"""How Alembic runs the migrations: on the connection, and inside the transaction, that `migrate.py` hands it."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from longdoc.storage.schema import VERSION_TABLE, metadata


def run(connection: Connection) -> None:
    """Run what is asked for."""
    context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
    context.run_migrations()


run(context.config.attributes["connection"])
