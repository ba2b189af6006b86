"""What goes wrong on an OpenAI-compatible wire, translated to `longdoc.errors`: the one place that knows.

Servers word the same refusal in many ways; the patterns here were collected from vLLM, SGLang, llama.cpp, Ollama,
LM Studio, text-generation-inference and the OpenAI API. Sending and reading is left to `openai_transport`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from longdoc.engines.openai_wire import ErrorDetail, ErrorReply
from longdoc.errors import (
    ConfigError,
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
_CONTEXT_CODES = {"context_length_exceeded", "exceed_context_size_error"}
_QUOTA_CODES = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_CONTEXT_WORDS = re.compile(
    r"maximum context length"
    r"|context (?:size|length|window)[^.]{0,40}(?:exceed|too (?:small|long|large)|only)"
    r"|(?:exceed|longer than|larger than|too long for)[^.]{0,60}(?:context|model length|maximum number of tokens)"
    r"|maximum (?:model|input) length"
    r"|prompt is too long"
    r"|when (?:context )?the overflows"
    r"|max_new_tokens`? must be <=",
    re.IGNORECASE,
)
_NUMBER = r"([\d,]*\d)"
_WINDOW_NUMBERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:maximum |available )?context (?:length|size|window)(?: is| of)?(?: only)? ?\(?{_NUMBER}",
        rf"(?:maximum model length of|model length of|tokens allowed \(|must be <=) ?{_NUMBER}",
        rf"> {_NUMBER} maximum",
    )
)
_PROMPT_NUMBERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_NUMBER} in the (?:messages|prompt)",
        rf"{_NUMBER} (?:input tokens|tokens from the input|`inputs` tokens)",
        rf"request has {_NUMBER}",
        rf"(?:resulted in|request|prompt is too long:|the first|the input) \(?{_NUMBER} tokens",
        rf"(?:prompt|input)[^.\d]{{0,30}}\((?:length )?{_NUMBER}(?: tokens)?\)",
    )
)


@dataclass(frozen=True, slots=True)
class Reply:
    """A refusal as it came over the wire; `secret` is what must never show in a message."""

    status: int
    body: str
    headers: Mapping[str, str]
    model: str = ""
    secret: str | None = None


def translate_transport(error: httpx.HTTPError | httpx.InvalidURL, *, url: str) -> LdaError:
    """The error for a request that got no whole answer. Our own mistakes about the address are `ConfigError`."""
    kind = type(error).__name__
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ConfigError(f"{url!r} is no address of a server; it looks like http://host:port/v1")
    if isinstance(error, httpx.TimeoutException):
        return EngineTimeoutError(f"{url} did not answer in time ({kind})")
    if isinstance(error, httpx.ConnectError):
        return EngineUnavailableError(f"cannot reach {url}; is the server running?")
    return EngineUnavailableError(f"the connection to {url} broke ({kind})")


def translate_refusal(reply: Reply, *, now: datetime | None = None) -> EngineError:
    """The error for an answer with a status other than success."""
    code, told = _read_body(reply)
    told = told.replace(reply.secret, "***") if reply.secret else told
    return (
        _account_error(reply, code, told)
        or _context_error(reply, code, told)
        or _passing_error(reply, told, now or datetime.now(UTC))
        or _lasting_error(reply, told)
    )


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header: seconds or an HTTP date; None where absent or unreadable."""
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds())


def _read_body(reply: Reply) -> tuple[str, str]:
    """The error's code (or type) and its message, whatever shape the body has."""
    detail = _detail(reply)
    kind, message = (detail.kind, detail.message) if detail else ("", reply.body)
    return kind, _shorten(message) or "no reason given"


def _detail(reply: Reply) -> ErrorDetail | None:
    try:
        return ErrorReply.model_validate_json(reply.body).flatten()
    except ValidationError:
        return None


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS] + "…"


def _account_error(reply: Reply, code: str, told: str) -> EngineError | None:
    if code in _QUOTA_CODES or reply.status == 402:
        return EngineAuthError(f"the account behind the API key has no quota left: {told}")
    if reply.status in {401, 403}:
        return EngineAuthError(f"the engine refuses the API key (HTTP {reply.status}); check it, or the rights it has")
    return None


def _context_error(reply: Reply, code: str, told: str) -> EngineError | None:
    if not _is_context(reply.status, code, told):
        return None
    prompt, window = _first_number(_PROMPT_NUMBERS, told), _first_number(_WINDOW_NUMBERS, told)
    detail = _detail(reply)
    return ContextTooLongError(
        f"the prompt and its answer do not fit the window: {told}",
        prompt_tokens=(detail and detail.n_prompt_tokens) or prompt,
        context_window=(detail and detail.n_ctx) or window,
    )


def _is_context(status: int, code: str, told: str) -> bool:
    if code in _CONTEXT_CODES:
        return True
    if status == 413:
        return code != "rate_limit_exceeded"
    return status in {400, 422, 500} and _CONTEXT_WORDS.search(told) is not None


def _passing_error(reply: Reply, told: str, now: datetime) -> EngineError | None:
    if reply.status in {429, 503, 529}:
        wait = retry_after(reply.headers.get("retry-after"), now=now)
        return RateLimitedError(f"the engine asks for fewer requests (HTTP {reply.status}): {told}", retry_after=wait)
    if reply.status in {408, 504}:
        return EngineTimeoutError(f"the engine ran out of time (HTTP {reply.status}): {told}")
    if reply.status >= 500 or reply.status in {409, 425}:
        return EngineUnavailableError(f"the engine failed (HTTP {reply.status}): {told}")
    return None


def _lasting_error(reply: Reply, told: str) -> EngineError:
    if reply.status == 404:
        return ModelNotFoundError(f"the engine does not know model {reply.model!r} or this address: {told}")
    return RequestRefusedError(f"the engine rejects the request (HTTP {reply.status}): {told}")


def _first_number(patterns: tuple[re.Pattern[str], ...], text: str) -> int | None:
    found = next((match for pattern in patterns if (match := pattern.search(text))), None)
    return int(found.group(1).replace(",", "")) if found else None
