import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from longdoc.engines.openai_errors import Reply, retry_after, translate_refusal, translate_transport
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

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def subclasses(kind: type[Exception]) -> set[type[Exception]]:
    return {kind}.union(*(subclasses(child) for child in kind.__subclasses__()))


def translated(status: int, body: str, **headers: str) -> EngineError:
    return translate_refusal(Reply(status, body, headers, model="m", secret="sk-very-secret"), now=NOW)


@pytest.mark.parametrize("kind", sorted(subclasses(httpx.TransportError), key=lambda kind: kind.__name__))
def test_every_transport_error_has_a_meaning(kind: type[httpx.TransportError]) -> None:
    error = translate_transport(kind("the foreign text"), url="http://host/v1")
    assert isinstance(error, LdaError)
    assert "the foreign text" not in str(error)
    if issubclass(kind, httpx.TimeoutException):
        assert isinstance(error, EngineTimeoutError)
    elif issubclass(kind, httpx.UnsupportedProtocol):
        assert isinstance(error, ConfigError)
    else:
        assert isinstance(error, EngineUnavailableError)


@pytest.mark.parametrize("kind", sorted(subclasses(httpx.HTTPError), key=lambda kind: kind.__name__))
def test_no_http_error_of_the_library_is_forgotten(kind: type[httpx.HTTPError]) -> None:
    foreign: Any = kind
    request = httpx.Request("GET", "http://host")
    made = (
        foreign("x", request=request, response=httpx.Response(500, request=request))
        if kind is httpx.HTTPStatusError
        else foreign("x")
    )
    assert isinstance(translate_transport(made, url="http://host"), LdaError)


def test_an_address_that_is_none_is_our_own_mistake() -> None:
    assert isinstance(translate_transport(httpx.InvalidURL("x"), url="::"), ConfigError)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, '{"error": {"message": "bad key"}}', EngineAuthError),
        (403, "", EngineAuthError),
        (402, '{"error": {"message": "pay first"}}', EngineAuthError),
        (429, '{"error": {"message": "quota", "code": "insufficient_quota"}}', EngineAuthError),
        (404, '{"error": {"message": "no such model", "code": "model_not_found"}}', ModelNotFoundError),
        (404, '{"detail": "Not Found"}', ModelNotFoundError),
        (400, '{"error": {"message": "temperature must be positive"}}', RequestRefusedError),
        (422, '{"detail": [{"msg": "field required"}]}', RequestRefusedError),
        (408, "", EngineTimeoutError),
        (504, "<html>gateway</html>", EngineTimeoutError),
        (500, '{"error": "boom"}', EngineUnavailableError),
        (502, "", EngineUnavailableError),
        (429, "", RateLimitedError),
        (503, '{"error": {"message": "Loading model", "code": 503}}', RateLimitedError),
        (529, "", RateLimitedError),
        (413, "", ContextTooLongError),
        (413, '{"error": {"message": "too large for your rate", "code": "rate_limit_exceeded"}}', RequestRefusedError),
        (418, "", RequestRefusedError),
    ],
)
def test_a_refusal_has_the_kind_its_status_tells(status: int, body: str, expected: type[EngineError]) -> None:
    assert type(translated(status, body)) is expected


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_is_an_error_of_one_line(status: int) -> None:
    error = translated(status, "two\nlines " * 1000)
    assert isinstance(error, EngineError)
    assert len(str(error)) < 500
    assert "\n" not in str(error)


def body(message: str, **rest: object) -> str:
    return json.dumps({"error": {"message": message, **rest}})


CONTEXT_WORDINGS = [
    (
        body(
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 10001 tokens.",
            code="context_length_exceeded",
        ),
        10001,
        8192,
    ),
    (
        body(
            "This model's maximum context length is 4096 tokens. However, you requested 5096 tokens (4000 in the "
            "messages, 1096 in the completion). Please reduce the length of the messages or completion."
        ),
        4000,
        4096,
    ),
    (
        body(
            "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context length is 4096 "
            "tokens and your request has 3500 input tokens (1000 > 4096 - 3500)."
        ),
        3500,
        4096,
    ),
    (
        body("The decoder prompt (length 5000) is longer than the maximum model length of 4096. Make sure that …"),
        5000,
        4096,
    ),
    (
        body(
            "request (12031 tokens) exceeds the available context size (8192 tokens), try increasing it",
            type="exceed_context_size_error",
            n_prompt_tokens=12031,
            n_ctx=8192,
        ),
        12031,
        8192,
    ),
    (body("the request exceeds the available context size. try increasing the context size"), None, None),
    (body("the input length exceeds the context length", type="api_error"), None, None),
    (
        body(
            "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with "
            "context length of only 4096 tokens, which is not enough."
        ),
        5000,
        4096,
    ),
    (
        body(
            "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total "
            "of 5000 tokens: 4900 tokens from the input messages and 100 tokens for the completion."
        ),
        4900,
        4096,
    ),
    (body("prompt is too long: 200,001 tokens > 200,000 maximum"), 200_001, 200_000),
    (
        body("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        1_200_000,
        1_048_576,
    ),
    (
        body(
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 3000 `inputs` tokens "
            "and 20 `max_new_tokens`"
        ),
        3000,
        2048,
    ),
]


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize(("told", "prompt", "window"), CONTEXT_WORDINGS)
def test_a_prompt_too_long_is_known_in_every_wording(
    status: int, told: str, prompt: int | None, window: int | None
) -> None:
    error = translated(status, told)
    assert isinstance(error, ContextTooLongError)
    assert (error.prompt_tokens, error.context_window) == (prompt, window)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, now=NOW) == seconds


def test_a_rate_limit_keeps_what_it_asks_for() -> None:
    error = translate_refusal(Reply(429, "", {"retry-after": "12"}), now=NOW)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 12


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_an_echoed_key_is_never_shown(status: int) -> None:
    error = translated(status, '{"error": {"message": "Incorrect API key provided: sk-very-secret"}}')
    assert "sk-very-secret" not in str(error)
