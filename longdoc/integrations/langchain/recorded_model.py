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
    it has to answer. `bounded` tells whether it came to that, `unfinished` whether the last message is no whole answer:
    it ran into its limit, or called tools when there were no steps left for them."""

    engine: Any
    emit: Any
    most: int
    max_tokens: int = 4_000
    _made: int = PrivateAttr(0)
    _unfinished: bool = PrivateAttr(False)

    @classmethod
    def over(cls, engine: Engine, *, emit: Emit, most: int) -> RecordedChatModel:
        """The model over an engine."""
        return cls(engine=engine, emit=emit, most=most)

    @property
    def bounded(self) -> bool:
        """Whether there are no calls left."""
        return self._made >= self.most

    @property
    def unfinished(self) -> bool:
        """Whether the last message is no whole answer."""
        return self._unfinished

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
        request = tool_request(asked, tools, max_tokens=self._most_tokens())
        completion = await call(self.engine, request, purpose=f"step {self._made} of the agent", emit=self.emit)
        message = message_of(completion)
        self._unfinished = completion.cut
        if self.bounded:  # some call tools all the same
            self._unfinished |= bool(message.tool_calls)
            message = AIMessage(str(message.text))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _most_tokens(self) -> int:
        """Tokens of a message at most: what leaves room for what was read."""
        info = self.engine.info
        return min(self.max_tokens, info.context_window // 4, info.max_output or self.max_tokens)
