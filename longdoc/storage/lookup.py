"""Finding a row by the beginning of its id, as a user types it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, select, true

from longdoc.errors import NotFoundError

_MOST_SHOWN = 5


def resolve_id(
    connection: Connection, table: Table, prefix: str, *, thing: str, among: ColumnElement[bool] | None = None
) -> str:
    """The only id that begins with `prefix`, or is it; of the rows `among` which it is meant.

    Raises `NotFoundError` for none or several.
    """
    statement = select(table.c.id).where(table.c.id.startswith(prefix, autoescape=True)).order_by(table.c.id)
    statement = statement.where(true() if among is None else among)
    found = list(connection.execute(statement.limit(_MOST_SHOWN + 1)).scalars())
    if len(found) == 1 or prefix in found:
        return prefix if prefix in found else found[0]
    if not found or not prefix:
        raise NotFoundError(f"there is no {thing} {prefix!r}")
    names = ", ".join(found[:_MOST_SHOWN]) + (" …" if len(found) > _MOST_SHOWN else "")
    raise NotFoundError(f"several {thing}s begin with {prefix!r}: {names}")
