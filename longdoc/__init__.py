"""longdoc reads, remembers and writes texts far longer than a model's window."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longdoc.app.api import AsyncLongDoc, LongDoc

__all__ = ["AsyncLongDoc", "LongDoc"]


def __getattr__(name: str) -> object:
    """Load the Python face when it is asked for: the command line starts without it."""
    if name in __all__:
        from longdoc.app import api

        return getattr(api, name)
    raise AttributeError(f"module 'longdoc' has no attribute {name!r}")
