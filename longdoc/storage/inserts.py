"""Inserting rows that may be there already, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import Executable

Row: TypeAlias = Mapping[str, object]


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose key is not there yet; the others stay as they are."""
    if rows:
        connection.execute(_ignoring(connection.dialect.name, table), list(rows))


def insert_or_update(connection: Connection, table: Table, row: Row, *, keep: frozenset[str] = frozenset()) -> None:
    """Insert a row, or give the one with its primary key these values, except the columns of `keep`."""
    connection.execute(_updating(connection.dialect.name, table, keep), row)


@cache
def missing_from(dialect: str, table: Table, rows: Select[Any]) -> Executable:
    """A statement that inserts what a query finds (the table's columns, in order) unless its key is there."""
    return _insert(dialect, table).from_select(list(table.c), rows).on_conflict_do_nothing()


@cache
def _ignoring(dialect: str, table: Table) -> Executable:
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def _updating(dialect: str, table: Table, keep: frozenset[str]) -> Executable:
    statement = _insert(dialect, table)
    changed = [column.name for column in table.c if not column.primary_key and column.name not in keep]
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key.columns),
        set_={name: statement.excluded[name] for name in changed},
    )


def _insert(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
