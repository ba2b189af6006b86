"""What an engine is: the protocol and the values that cross it.

Adapters and wrappers (ledger, budget, limiter, retry) all are engines; they compose by holding another one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias

from longdoc.json_value import JsonValue

TextSink: TypeAlias = Callable[[str], None]


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    LOOP = "loop"
    """It wrote the same again and again, and was stopped."""
    CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class PromptOrigin:
    """Which template made the messages, and from what: kept by the ledger, never part of a call's identity.

    `inputs` are the template's variables as JSON, in which text that stands elsewhere is a reference.
    """

    name: str
    version: int
    inputs: Mapping[str, JsonValue] = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """One model call.

    `max_tokens` bounds the answer; `temperature` 0 is greedy; `frequency_penalty` (-2 to 2) is taken off a token's
    logit for each time it was written; `json_schema` constrains the answer to that JSON schema; `logprobs` asks for
    that many alternatives per token, `entropy` for the entropy of the first token over the whole vocabulary (where
    `EngineInfo.entropy`; told for answers of one token only). With `continuation` nothing is written: the answer is
    that text, with the log-probability of each of its tokens (where `EngineInfo.scores`). `origin` and
    `interactive` (served before batch work where the engine can) do not change the answer and are not part of the
    call's identity.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    temperature: float = 0.0
    top_p: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    json_schema: Mapping[str, JsonValue] | None = None
    logprobs: int | None = None
    entropy: bool = False
    continuation: str | None = None
    origin: PromptOrigin | None = None
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call; `cached_tokens` of the prompt came from the engine's prefix cache."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Tokens read and written."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token, its natural-log probability, and the likeliest alternatives at its place.

    `entropy` is that of the whole vocabulary at its place, in nats; None where it was not asked for or not to be had.
    """

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()
    entropy: float | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer to a request.

    `call_id` is its row in the ledger (None without one); `recorded` tells that the ledger answered and nothing
    was spent; `retries` counts failed attempts before this answer; `seconds` is the wall time of the call.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    model: str
    seconds: float = 0.0
    logprobs: tuple[TokenLogprob, ...] = ()
    call_id: int | None = None
    recorded: bool = False
    retries: int = 0

    @property
    def cut(self) -> bool:
        """Whether the model did not come to the end of its answer."""
        return self.finish_reason in {FinishReason.LENGTH, FinishReason.LOOP}


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is and can do: data, probed where possible, never assumed.

    `identity` names the weights for the ledger (equal identity, equal answers); `context_window` and
    `max_output` are in tokens; `logprobs` is the largest number of alternatives per token (0: none); `entropy` tells
    whether it knows that of the whole vocabulary, `scores` whether it tells the probability of a given text; `slots`
    is how many requests it runs at once, None where unknown; prices are per million tokens in US dollars.
    """

    engine: str
    model: str
    identity: str
    context_window: int
    max_output: int | None = None
    slots: int | None = None
    logprobs: int = 0
    entropy: bool = False
    scores: bool = False
    json_schema: bool = False
    exact_tokens: bool = False
    toy: bool = False
    prompt_price: float = 0.0
    completion_price: float = 0.0

    def cost(self, usage: Usage) -> float:
        """The price of this usage in US dollars."""
        return (usage.prompt_tokens * self.prompt_price + usage.completion_tokens * self.completion_price) / 1_000_000


class Engine(Protocol):
    """Something that completes prompts. Safe for concurrent calls on one event loop."""

    @property
    def info(self) -> EngineInfo:
        """What this engine is and can do; known without a call."""
        ...

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """Answer a request; with `on_text`, pieces of the answer are passed to it as they arrive.

        Raises `EngineError` and its kinds, `BudgetExceededError`.
        """
        ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text with the model's own tokenizer, without special tokens.

        Only where `info.exact_tokens`; raises `ConfigError` elsewhere.
        """
        ...

    async def aclose(self) -> None:
        """Free what the engine holds (connections, model, threads). Idempotent."""
        ...
