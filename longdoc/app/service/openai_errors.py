"""Errors in the shape that clients of OpenAI's API read, for the routes that speak it.

Owns which routes these are, and how a problem is told there; what went wrong is `problems`' business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from longdoc.errors import ServiceError

_PATHS: Final = ("/v1/models", "/v1/files", "/v1/chat/completions")
_CODES: Final[Mapping[str, str]] = {"key": "invalid_api_key", "rate": "rate_limit_exceeded", "invalid": "invalid_value"}
_SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class OpenAIErrorView:
    """What went wrong: a sentence, its family (`type`), its name (`code`), and the field that is meant."""

    message: str
    type: str
    param: str | None
    code: str | None


@dataclass(frozen=True, slots=True)
class OpenAIErrorReply:
    """Why a request was not done."""

    error: OpenAIErrorView


def speaks_openai(path: str) -> bool:
    """Whether clients of that path read errors in OpenAI's shape."""
    return any(path == one or path.startswith(f"{one}/") for one in _PATHS)


def status_of(error: ServiceError) -> int:
    """The status that an error has there: what cannot be used is 400, which the clients call a bad request."""
    return HTTPStatus.BAD_REQUEST if error.status == HTTPStatus.UNPROCESSABLE_ENTITY else error.status


def openai_error(error: ServiceError) -> OpenAIErrorReply:
    """An error in OpenAI's shape."""
    code = _CODES.get(error.kind, error.kind.replace("-", "_"))
    return OpenAIErrorReply(OpenAIErrorView(str(error), _family(error.status), None, code))


def _family(status: int) -> str:
    named = {
        HTTPStatus.UNAUTHORIZED: "authentication_error",
        HTTPStatus.FORBIDDEN: "permission_error",
        HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
    }
    return named.get(HTTPStatus(status), "server_error" if status >= _SERVER_ERROR else "invalid_request_error")


OPENAI_ERRORS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": OpenAIErrorReply, "description": description}
    for status, description in {
        400: "The request cannot be used.",
        401: "No key, or one that is not valid.",
        403: "The key lacks the scope.",
        404: "There is no such thing of this tenant.",
        413: "The request is too large.",
        429: "Too many requests of this key.",
        502: "The engine cannot do it.",
        503: "The record or the engine cannot be used at this moment.",
    }.items()
}
"""What any of these routes may reply."""
