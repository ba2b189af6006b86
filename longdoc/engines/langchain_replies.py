"""What chat models of LangChain give back: text, finish reason and tokens, whatever provider is behind them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from longdoc.engines.engine import FinishReason, Message, Usage
from longdoc.errors import EngineUnavailableError

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

_REASONS: Final = ("finish_reason", "stop_reason", "stopReason", "done_reason", "incomplete_details", "status")
_CUT: Final = {
    "length",
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "model_length",
    "model_context_window_exceeded",
    "incomplete",
}
_FILTERED: Final = {"content_filter", "safety", "refusal", "recitation", "blocklist", "prohibited_content", "spii"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read."""

    text: str
    finish: FinishReason
    usage: Usage
    model: str | None = None


def to_messages(messages: tuple[Message, ...]) -> list[BaseMessage]:
    """Our messages as LangChain's."""
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    kinds: dict[str, type[BaseMessage]] = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}
    return [kinds[message.role](content=message.content) for message in messages]


def read_answer(message: AIMessage) -> Answer:
    """What a message says. Raises `EngineUnavailableError` where it was broken off by an error."""
    return Answer(_text(message), _finish(message), _usage(message), _model(message))


def read_cut(error: Exception) -> Answer | None:
    """The answer in an error that OpenAI's client raises for one that ran into its limit; None for other errors."""
    reply: Any = getattr(error, "completion", None)
    if reply is None or not getattr(reply, "choices", None):
        return None
    choice, used = reply.choices[0], reply.usage
    usage = Usage() if used is None else Usage(used.prompt_tokens, used.completion_tokens)
    finish = FinishReason.CONTENT_FILTER if choice.finish_reason == "content_filter" else FinishReason.LENGTH
    return Answer(choice.message.content or "", finish, usage, reply.model)


def _text(message: AIMessage) -> str:
    """The text of a message; the arguments of the tool call where the answer is made in one."""
    if message.text or not message.tool_calls:
        return str(message.text)
    return json.dumps(message.tool_calls[0]["args"], ensure_ascii=False)


def _finish(message: AIMessage) -> FinishReason:
    """Why the model stopped; a provider that does not tell is taken to have come to its end.

    Raises `EngineUnavailableError` where the answer was broken off by an error.
    """
    reason = _told_reason(message.response_metadata)
    if reason in _CUT:
        return FinishReason.LENGTH
    if reason in _FILTERED:
        return FinishReason.CONTENT_FILTER
    if "error" in reason or reason.startswith("insufficient"):
        raise EngineUnavailableError(f"the provider broke off its answer (finish reason {reason!r})")
    return FinishReason.STOP


def _usage(message: AIMessage) -> Usage:
    """The tokens of a call, none where the provider does not tell."""
    told = message.usage_metadata
    if told is None:
        return Usage()
    cached = told.get("input_token_details", {}).get("cache_read", 0)
    return Usage(told["input_tokens"], told["output_tokens"], cached)


def _model(message: AIMessage) -> str | None:
    """What the provider calls the model that answered."""
    name = message.response_metadata.get("model_name") or message.response_metadata.get("model")
    return name if isinstance(name, str) else None


def _told_reason(metadata: Mapping[str, Any]) -> str:
    for name in _REASONS:
        told = metadata.get(name)
        if isinstance(told, Mapping):
            told = told.get("reason")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] of any shape
        if isinstance(told, str) and told:
            return told.lower()
    return ""
