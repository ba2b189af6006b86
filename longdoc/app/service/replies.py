"""Values as replies: dataclasses written as JSON once, without being checked on their way out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter
from starlette.responses import Response

from longdoc.json_value import JsonValue

_SEPARATORS: Final = tuple((sign.encode(), json.dumps(sign).strip('"').encode()) for sign in "\x85\u2028\u2029")
"""Signs that JSON has as they are within texts, and how it has them escaped."""


def json_bytes(value: object) -> bytes:
    """A dataclass as JSON. Text that UTF-8 does not know (lone surrogates) is escaped."""
    adapter = _adapter(type(value))
    try:
        return adapter.dump_json(value)
    except ValueError:
        return json.dumps(adapter.dump_python(value), default=str).encode("ascii")


def json_object(value: object) -> JsonValue:
    """The same as the object that is written."""
    return json.loads(json_bytes(value))


def reply(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """The reply that tells a dataclass."""
    return Response(json_bytes(value), status_code=status, headers=headers, media_type="application/json")


def event(name: str, value: object) -> bytes:
    """A server-sent event that tells a dataclass."""
    return event_bytes(name, json_bytes(value))


def event_bytes(name: str, data: bytes) -> bytes:
    """A server-sent event of some JSON. What some clients take to end a line (as `str.splitlines` does) is escaped."""
    for separator, escaped in _SEPARATORS:
        data = data.replace(separator, escaped)
    return b"event: " + name.encode("ascii") + b"\ndata: " + data + b"\n\n"


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
