"""longdoc reads, remembers and writes texts far longer than a model's window."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longdoc.app.api import AsyncLongDoc
    from longdoc.app.api_sync import LongDoc
    from longdoc.app.orchestrator import Capability
    from longdoc.app.pipelines import Mapped
    from longdoc.app.results import Result, Source, cited_text
    from longdoc.documents.document import Document
    from longdoc.engines.budget import Budget
    from longdoc.errors import LdaError
    from longdoc.storage.profile_types import NewItem

__all__ = [
    "AsyncLongDoc",
    "Budget",
    "Capability",
    "Document",
    "LdaError",
    "LongDoc",
    "Mapped",
    "NewItem",
    "Result",
    "Source",
    "cited_text",
]

_MODULES = {
    "AsyncLongDoc": "longdoc.app.api",
    "Budget": "longdoc.engines.budget",
    "Capability": "longdoc.app.orchestrator",
    "Document": "longdoc.documents.document",
    "LdaError": "longdoc.errors",
    "LongDoc": "longdoc.app.api_sync",
    "Mapped": "longdoc.app.pipelines",
    "NewItem": "longdoc.storage.profile_types",
    "Result": "longdoc.app.results",
    "Source": "longdoc.app.results",
    "cited_text": "longdoc.app.results",
}


def __getattr__(name: str) -> object:
    """Load a part of the Python face when it is asked for: the command line starts without it."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'longdoc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
