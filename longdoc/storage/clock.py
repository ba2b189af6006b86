"""The clock of the record."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
_YEAR = re.compile(r"\d{4}", re.ASCII)


def utc_now() -> datetime:
    """This moment, with its time zone."""
    return datetime.now(UTC)


def read_moment(text: str) -> datetime:
    """The moment that a date says, in UTC where it names no zone: ISO 8601, or a year.

    Raises `ValueError`, and `OverflowError` for one that is out of range.
    """
    said = text.strip()
    found = datetime.fromisoformat(f"{said}-01-01" if _YEAR.fullmatch(said) else said)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
