"""The JSON of an OpenAI-compatible server: bodies we send, models of what comes back, and their reading.

Pure: no connection is touched here. Unknown fields are ignored (`reasoning_content` among them); what is missing or
of the wrong shape raises pydantic's `ValidationError`, which `openai_transport` turns into an engine error.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from longdoc.engines.engine import CompletionRequest, TokenLogprob, Usage
from longdoc.json_value import JsonValue


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())


class ErrorDetail(_Wire):
    """What a server says about a refusal; the numbers are llama.cpp's."""

    message: str = ""
    type: str | None = None
    code: str | int | None = None
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None

    @property
    def kind(self) -> str:
        """The code where it is a word, else the type."""
        return self.code if isinstance(self.code, str) and not self.code.isdigit() else self.type or ""


class ErrorReply(_Wire):
    """The several shapes of error bodies: `{"error": …}`, `{"message": …}`, `{"detail": …}`."""

    error: ErrorDetail | str | None = None
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    detail: str | None = None

    def flatten(self) -> ErrorDetail:
        """One shape for all."""
        if isinstance(self.error, ErrorDetail):
            return self.error
        return ErrorDetail(message=self.error or self.message or self.detail or "", type=self.type, code=self.code)


class _Alternative(_Wire):
    token: str
    logprob: float


class _Token(_Alternative):
    top_logprobs: tuple[_Alternative, ...] = ()

    def read(self) -> TokenLogprob:
        return TokenLogprob(
            self.token, self.logprob, tuple((other.token, other.logprob) for other in self.top_logprobs)
        )


class _Logprobs(_Wire):
    content: tuple[_Token, ...] | None = None


class _PromptDetails(_Wire):
    cached_tokens: int | None = None


class UsagePart(_Wire):
    """Tokens as the server counted them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _PromptDetails | None = None

    def read(self) -> Usage:
        """As the value our side uses."""
        details = self.prompt_tokens_details
        return Usage(self.prompt_tokens, self.completion_tokens, (details and details.cached_tokens) or 0)


class _Text(_Wire):
    content: str | None = None
    refusal: str | None = None


class _Choice(_Wire):
    finish_reason: str | None = None
    logprobs: _Logprobs | None = None

    def read_logprobs(self) -> tuple[TokenLogprob, ...]:
        """The tokens with their probabilities, none where not told."""
        return tuple(token.read() for token in (self.logprobs and self.logprobs.content) or ())


class WholeChoice(_Choice):
    """The answer, whole."""

    message: _Text


class PieceChoice(_Choice):
    """A piece of the answer."""

    delta: _Text = _Text()


class ChatReply(_Wire):
    """The body of a whole answer."""

    choices: tuple[WholeChoice, ...] = Field(min_length=1)
    usage: UsagePart | None = None
    model: str | None = None


class TimingsPart(_Wire):
    """What llama.cpp has read and written so far."""

    prompt_n: int = 0
    cache_n: int = 0
    predicted_n: int = 0

    def read(self) -> Usage:
        """As the value our side uses."""
        return Usage(self.prompt_n + self.cache_n, self.predicted_n, self.cache_n)


class ChatPiece(_Wire):
    """One event of a streamed answer; the last ones carry usage, or an error. `timings` are a server's own."""

    choices: tuple[PieceChoice, ...] = ()
    usage: UsagePart | None = None
    timings: Any = None
    model: str | None = None
    error: ErrorDetail | str | None = None


def request_body(request: CompletionRequest, *, model: str, limit_field: str = "max_tokens") -> dict[str, JsonValue]:
    """The body of `/v1/chat/completions`; `limit_field` is the server's name for the answer's limit."""
    body: dict[str, JsonValue] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in request.messages],
        limit_field: request.max_tokens,
        "temperature": request.temperature,
    }
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.frequency_penalty is not None:
        body["frequency_penalty"] = request.frequency_penalty
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    if request.json_schema is not None:
        schema: dict[str, JsonValue] = {"name": "answer", "schema": dict(request.json_schema), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    if request.logprobs:
        body["logprobs"] = True
        body["top_logprobs"] = request.logprobs
    return body
