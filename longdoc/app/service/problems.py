"""Errors as replies: `application/problem+json` (RFC 9457), for whatever goes wrong; OpenAI's shape on its routes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from longdoc.app.service.openai_errors import openai_error, speaks_openai, status_of
from longdoc.errors import (
    BudgetExceededError,
    ChangedMeanwhileError,
    ConfigError,
    ContextTooLongError,
    EngineError,
    LdaError,
    NotFoundError,
    RateLimitedError,
    ServiceError,
    StorageError,
)

MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:longdoc:problem:"
_RETRY_SECONDS = 5.0
_MOST_ERRORS = 20
_LONGEST_PART = 100
_KEPT: Final = ("retry-after", "www-authenticate", "allow", "connection")
_STORAGE = "the record cannot be used at this moment"


def refused(status: int, kind: str, message: str, *, retry_after: float | None = None) -> ServiceError:
    """The error for a request that the service does not do."""
    return ServiceError(message, status=status, kind=kind, retry_after=retry_after)


def service_error(error: LdaError) -> ServiceError:
    """An error as it is told to clients: where things lie, and what engines say, is not for them."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, EngineError | BudgetExceededError):
        return _engine_error(error)
    kind = next((one for one in _TOLD if isinstance(error, one)), ConfigError)
    status, name = _TOLD[kind]
    if kind is StorageError:
        return refused(status, name, _STORAGE, retry_after=_RETRY_SECONDS)
    return refused(status, name, str(error))


_TOLD: Final[Mapping[type[LdaError], tuple[int, str]]] = {
    NotFoundError: (404, "not-found"),
    StorageError: (503, "storage"),
    ChangedMeanwhileError: (409, "conflict"),
    ConfigError: (422, "unusable"),
}
"""Status and kind by error; of several that fit, the first. Whatever else is raised counts as the last."""


def _engine_error(error: EngineError | BudgetExceededError) -> ServiceError:
    if isinstance(error, BudgetExceededError):
        return refused(503, "budget", "the service may not make more calls")
    if isinstance(error, ContextTooLongError):
        return refused(422, "too-long", "the request and its answer do not fit the model's window")
    if error.retryable:
        wait = (error.retry_after if isinstance(error, RateLimitedError) else None) or _RETRY_SECONDS
        return refused(503, "engine-unavailable", "the engine does not answer at this moment", retry_after=wait)
    return refused(502, "engine", f"the engine cannot do it ({type(error).__name__})")


def problem(status: int, kind: str, detail: str, **more: object) -> dict[str, object]:
    """The object that a problem is told as."""
    title = HTTPStatus(status).phrase
    return {"type": _TYPE + kind, "title": title, "status": status, "detail": detail, **more}


def problem_reply(error: ServiceError, headers: Mapping[str, str] | None = None, **more: object) -> Response:
    """The reply that tells an error."""
    return _Told(error, headers or {}, more)


class _Told(Response):
    """An error, told in the shape that belongs to the path that was asked."""

    def __init__(self, error: ServiceError, headers: Mapping[str, str], more: Mapping[str, object]) -> None:
        self._error = error
        told = dict(headers)
        if error.retry_after is not None:
            told["retry-after"] = str(max(1, math.ceil(error.retry_after)))
        if error.status == HTTPStatus.UNAUTHORIZED:
            told["www-authenticate"] = "Bearer"
        # ASCII: what a client sent comes back in some of them, and may be text that UTF-8 does not know.
        body = json.dumps(problem(error.status, error.kind, str(error), **more)).encode("ascii")
        super().__init__(body, status_code=error.status, headers=told, media_type=MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        if not speaks_openai(scope["path"]):
            await super().__call__(scope, receive, send)
            return
        kept = {name: self.headers[name] for name in _KEPT if name in self.headers}
        body = json.dumps(asdict(openai_error(self._error))).encode("ascii")
        reply = Response(body, status_code=status_of(self._error), headers=kept, media_type="application/json")
        await reply(scope, receive, send)


def install_problems(app: FastAPI) -> None:
    """Have an app tell its errors as problems."""
    app.add_exception_handler(LdaError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)


async def _on_error(request: Request, error: Exception) -> Response:
    del request
    return problem_reply(service_error(error) if isinstance(error, LdaError) else internal())


def internal() -> ServiceError:
    """The error that is told where nobody expected one."""
    return refused(500, "internal", "something went wrong; it is in the log under the id of the request")


async def _on_validation(request: Request, error: Exception) -> Response:
    del request
    found: list[Any] = list(error.errors()) if isinstance(error, RequestValidationError) else []
    shown = [
        {"where": [str(part)[:_LONGEST_PART] for part in one["loc"]], "what": str(one["msg"])[: 2 * _LONGEST_PART]}
        for one in found[:_MOST_ERRORS]
    ]
    first = f": {'.'.join(shown[0]['where'])}: {shown[0]['what']}" if shown else ""
    return problem_reply(refused(422, "invalid", f"the request cannot be used{first}"), errors=shown)


async def _on_http(request: Request, error: Exception) -> Response:
    del request
    if not isinstance(error, HTTPException):
        return problem_reply(internal())
    kinds = {404: "not-found", 405: "method", 413: "too-large"}
    told = {404: "there is nothing here", 413: "the request is too large"}
    detail = told.get(error.status_code, str(error.detail))
    return problem_reply(refused(error.status_code, kinds.get(error.status_code, "http"), detail), error.headers)
