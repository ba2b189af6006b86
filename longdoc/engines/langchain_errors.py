"""What goes wrong in a chat model of LangChain, translated to `longdoc.errors`.

LangChain has kinds of errors of its own, which some providers raise; others pass on those of their client. What came
over HTTP is read by its status, as for any server (`openai_errors`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import httpx

from longdoc.engines.openai_errors import Reply, retry_after, translate_refusal
from longdoc.errors import (
    ContextTooLongError,
    EngineAuthError,
    EngineError,
    EngineTimeoutError,
    EngineUnavailableError,
    LdaError,
    ModelNotFoundError,
    RateLimitedError,
    RequestRefusedError,
)

_SHOWN_CHARACTERS = 300
_CLIENT_ERRORS = {"APIResponseValidationError", "APIConnectionError", "APIError"}
_UNREADABLE = ("Received response with", "No generation chunks", "Event loop is closed")


def translate(error: Exception, *, model: str) -> LdaError:
    """The error for a call that failed. An error of no known kind is a refusal: the same call would fail again."""
    if isinstance(error, LdaError):
        return error
    status = _status(error)
    if status is not None:
        return _by_status(error, status, model)
    return _by_kind(error, model) or RequestRefusedError(f"{model} cannot be asked: {_told(error)}")


def _by_status(error: Exception, status: int, model: str) -> EngineError:
    from langchain_core.exceptions import ContextOverflowError

    found = translate_refusal(Reply(status, _body(error), _headers(error), model))
    if isinstance(error, ContextOverflowError) and not isinstance(found, ContextTooLongError):
        return ContextTooLongError(f"the prompt and its answer do not fit the window of {model}: {_told(error)}")
    return found


def _by_kind(error: Exception, model: str) -> EngineError | None:
    from langchain_core import exceptions as kinds

    told = _told(error)
    if isinstance(error, kinds.ModelRateLimitError):
        return RateLimitedError(f"{model} asks for fewer requests: {told}", retry_after=_wait(error))
    of_kinds: tuple[tuple[tuple[type[Exception], ...], type[EngineError], str], ...] = (
        (
            (kinds.ModelTimeoutError, TimeoutError, httpx.TimeoutException),
            EngineTimeoutError,
            f"{model} did not answer in time",
        ),
        (
            (kinds.ContextOverflowError,),
            ContextTooLongError,
            f"the prompt and its answer do not fit the window of {model}",
        ),
        (
            (kinds.ModelAuthenticationError, kinds.ModelPermissionDeniedError),
            EngineAuthError,
            f"{model} refuses the key of its provider; check it, or the rights it has",
        ),
        ((kinds.ModelNotFoundError,), ModelNotFoundError, f"the provider does not know {model}"),
        (
            (kinds.ModelConnectionError, kinds.ModelAPIError, ConnectionError, httpx.TransportError),
            EngineUnavailableError,
            f"{model} cannot be reached, or failed",
        ),
    )
    for known, translated, sentence in of_kinds:
        if isinstance(error, known):
            return translated(f"{sentence} ({told})")
    if _is_unreadable(error):
        return EngineUnavailableError(f"the provider of {model} sent something unreadable ({told})")
    return None


def _is_unreadable(error: Exception) -> bool:
    """Whether a client complains about a reply, by the names that clients have for that, or about a connection that is
    left from an earlier loop of this process, which the next try replaces."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & _CLIENT_ERRORS or isinstance(error, UnicodeDecodeError | json.JSONDecodeError | httpx.DecodingError):
        return True
    of_kind = isinstance(error, TypeError | ValueError | RuntimeError)
    return of_kind and any(words in str(error) for words in _UNREADABLE)


def _status(error: Exception) -> int | None:
    """The HTTP status that an error tells of."""
    response = getattr(error, "response", None)
    told = (getattr(error, name, None) for name in ("status_code", "http_status", "code"))
    for status in (*told, getattr(response, "status_code", None)):
        if isinstance(status, int) and 400 <= status < 600:
            return status
    return None


def _body(error: Exception) -> str:
    body: object = getattr(error, "body", None)
    if isinstance(body, Mapping):
        return json.dumps(body if "error" in body else {"error": body}, default=str)
    return body if isinstance(body, str) and body else _told(error)


def _headers(error: Exception) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    return {str(key).lower(): str(value) for key, value in dict(headers).items()} if headers else {}


def _wait(error: Exception) -> float | None:
    return retry_after(_headers(error).get("retry-after"), now=datetime.now(UTC))


def _told(error: Exception) -> str:
    line = " ".join(str(error).split()) or type(error).__name__
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"
