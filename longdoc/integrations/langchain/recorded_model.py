"""The model of an agent: a chat model of LangChain whose calls go through our engine, and so through the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr
from typing_extensions import override

from longdoc.agents.calls import call
from longdoc.agents.events import Emit
from longdoc.engines.engine import Engine
from longdoc.engines.langchain_tools import message_of, tool_request
from longdoc.errors import ConfigError
from longdoc.prompts.catalogue import render


class RecordedChatModel(BaseChatModel):
    """Asks `engine`, one that `ToolCallingEngine` is behind, `most` times, and tells it before the last time that
    it has to answer. `bounded` tells whether it came to that."""

    engine: Any
    emit: Any
    most: int
    max_tokens: int = 2_000
    _made: int = PrivateAttr(0)

    @classmethod
    def over(cls, engine: Engine, *, emit: Emit, most: int) -> RecordedChatModel:
        """The model over an engine."""
        return cls(engine=engine, emit=emit, most=most)

    @property
    def bounded(self) -> bool:
        """Whether there are no calls left."""
        return self._made >= self.most

    @property
    def _llm_type(self) -> str:
        return "longdoc-recorded"

    @override
    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools])

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise ConfigError("the model of an agent is asked on longdoc's loop only")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        tools: Sequence[dict[str, Any]] = (),
        **kwargs: Any,
    ) -> ChatResult:
        self._made += 1
        asked = list(messages)
        if self.bounded:
            asked = [*asked, HumanMessage(render("agent/last", {}).user)]
        request = tool_request(asked, tools, max_tokens=min(self.max_tokens, self.engine.info.max_output or 2_000))
        completion = await call(self.engine, request, purpose=f"step {self._made} of the agent", emit=self.emit)
        message = message_of(completion)
        if self.bounded:  # some call tools all the same
            message = AIMessage(str(message.text))
        return ChatResult(generations=[ChatGeneration(message=message)])
