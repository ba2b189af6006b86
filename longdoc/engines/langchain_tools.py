"""A chat model that calls tools, as an engine: its prompts and answers are LangChain's messages as JSON.

That is how the steps of an agent go through ledger, budget, limiter and retry like any other call. The first message
of a request tells the tools, the others are one message of the agent each.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, Message, TextSink
from longdoc.engines.langchain import LangChainEngine
from longdoc.engines.langchain_models import for_request
from longdoc.engines.langchain_replies import Answer, read_answer
from longdoc.errors import ConfigError

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

_VARYING: Final = ("id", "usage_metadata", "artifact")
"""What LangChain gives a message, other each time, and what no model reads."""
_ROLES: Final = {"system": "system", "ai": "assistant"}


class ToolCallingEngine:
    """An engine over the chat model of another one. Requests are made by `tool_request`, answers read by `message_of`.

    Raises `ConfigError` where the model takes no tools.
    """

    def __init__(self, engine: LangChainEngine) -> None:
        from langchain_core.language_models import BaseChatModel

        self._engine = engine
        if type(engine.model).bind_tools is BaseChatModel.bind_tools:
            raise ConfigError(f"{engine.info.model} calls no tools; take a model that does")
        self._info = replace(engine.info, identity=f"{engine.info.identity}+tools", json_schema=False)

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`; the answer is a message as JSON, and comes whole."""
        from langchain_core.messages import messages_from_dict

        started = time.perf_counter()
        tools: list[dict[str, Any]] = json.loads(request.messages[0].content)
        messages = messages_from_dict([json.loads(message.content) for message in request.messages[1:]])

        async def ask(without: frozenset[str]) -> tuple[AIMessage, Answer]:
            model: Any = for_request(self._engine.model, request, without=without)
            message = await (model.bind_tools(tools) if tools else model).ainvoke(messages)
            return message, read_answer(message)

        message, answer = await self._engine.asked(ask)
        return Completion(
            json.dumps(_told(message), ensure_ascii=False, default=str),
            answer.finish,
            answer.usage,
            answer.model or self._info.model,
            time.perf_counter() - started,
        )

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._engine.count_tokens(texts)

    async def aclose(self) -> None:
        """See `Engine`."""
        await self._engine.aclose()


def tool_request(
    messages: Sequence[BaseMessage], tools: Sequence[Mapping[str, Any]], *, max_tokens: int
) -> CompletionRequest:
    """The request for the next message of an agent; `tools` are descriptions as OpenAI has them."""
    told = [Message("system", json.dumps(list(tools), ensure_ascii=False, sort_keys=True))]
    for message in messages:
        role: Any = _ROLES.get(message.type, "user")
        told.append(Message(role, json.dumps(_told(message), ensure_ascii=False, sort_keys=True, default=str)))
    return CompletionRequest(tuple(told), max_tokens=max_tokens)


def message_of(completion: Completion) -> AIMessage:
    """The message in an answer."""
    from langchain_core.messages import AIMessage, messages_from_dict

    (message,) = messages_from_dict([json.loads(completion.text)])
    if not isinstance(message, AIMessage):
        raise TypeError("an answer is a message of the model")
    return message


def _told(message: BaseMessage) -> dict[str, Any]:
    """A message as JSON, without what varies."""
    from langchain_core.messages import message_to_dict

    plain = message.model_copy(update={"artifact": None}) if message.type == "tool" else message
    told = message_to_dict(plain)
    told["data"] = {name: value for name, value in told["data"].items() if name not in _VARYING}
    return told
