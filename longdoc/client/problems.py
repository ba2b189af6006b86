"""Problems that the service tells, as errors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

from longdoc.errors import ChangedMeanwhileError, ConfigError, LdaError, NotFoundError, ServiceError

_UNUSABLE = frozenset({400, 413, 422})


def error_of(status: int, data: bytes, headers: Mapping[str, str]) -> LdaError:
    """The error that a reply tells."""
    try:
        told = json.loads(data)
    except ValueError:
        told = None
    fields = cast("dict[str, object]", told) if isinstance(told, dict) else {}
    detail = str(fields.get("detail") or f"the service replied {status}")
    if status == 404:
        return NotFoundError(detail)
    if status == 409:
        return ChangedMeanwhileError(detail)
    if status in _UNUSABLE:
        return ConfigError(detail)
    kind = str(fields.get("type", "")).rpartition(":")[2] or "unknown"
    return ServiceError(detail, status=status, kind=kind, retry_after=_seconds(headers.get("retry-after")))


def problem_of(data: bytes) -> LdaError:
    """The error that an event tells."""
    try:
        status = int(json.loads(data)["status"])
    except (ValueError, KeyError, TypeError):
        return unreadable(200)
    return error_of(status, data, {})


def unreadable(status: int) -> ServiceError:
    """The error for a reply that is none of the service's: of another program, or of another version."""
    detail = "what came cannot be read as a reply of the service; check its address and its version"
    return ServiceError(detail, status=status, kind="unreadable")


def unreachable(address: str, error: Exception) -> ServiceError:
    """The error for a service that does not reply."""
    detail = f"the service at {address} does not reply ({type(error).__name__})"
    return ServiceError(detail, status=0, kind="unreachable", retry_after=1.0)


def _seconds(value: str | None) -> float | None:
    return float(value) if value is not None and value.isdecimal() else None
