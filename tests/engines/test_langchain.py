"""Chat models of LangChain as engines: a real provider against a local server, and models that are made up."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from longdoc.app.engine_choice import choose_engine
from longdoc.config import Settings
from longdoc.engines.engine import CompletionRequest, FinishReason, Message, Usage
from longdoc.engines.langchain import LangChainEngine
from longdoc.engines.langchain_models import with_schema
from longdoc.engines.langchain_tools import ToolCallingEngine, message_of, tool_request
from longdoc.errors import (
    ConfigError,
    ContextTooLongError,
    EngineAuthError,
    EngineTimeoutError,
    EngineUnavailableError,
    LdaError,
    ModelNotFoundError,
    RateLimitedError,
    RequestRefusedError,
)
from tests.servers.openai_server import MODEL, Fault, OpenAIServer, at_requests

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


def request(text: str = "Tom keeps bees. He sells honey.", **changes: Any) -> CompletionRequest:
    given = {"messages": (Message("system", "Be short."), Message("user", text)), "max_tokens": 40, **changes}
    return CompletionRequest(**given)


class Scripted(BaseChatModel):
    """A provider that answers from a function; with the fields that providers have."""

    answer: Callable[["Scripted", list[BaseMessage]], AIMessage]
    num_predict: int | None = None
    temperature: float | None = None
    random_seed: int | None = None

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer(self, messages))])


def raising(error: Exception) -> Scripted:
    def answer(model: Scripted, messages: list[BaseMessage]) -> AIMessage:
        raise error

    return Scripted(answer=answer)


def engine_of(model: BaseChatModel, **given: Any) -> LangChainEngine:
    return LangChainEngine(model, name="fake:model", **{"context_window": 4096, **given})


def served(server: OpenAIServer, test: Callable[[LangChainEngine], Awaitable[None]], **given: Any) -> None:
    async def run() -> None:
        engine = LangChainEngine.open(
            f"openai:{given.pop('model', MODEL)}",
            base_url=server.base_url,
            api_key=given.pop("api_key", "key"),
            context_window=1024,
            **given,
        )
        try:
            await test(engine)
        finally:
            await engine.aclose()

    asyncio.run(run())


def test_settings_of_a_request_reach_the_provider() -> None:
    async def test(engine: LangChainEngine) -> None:
        await engine.complete(request(seed=3, top_p=0.5, frequency_penalty=0.25, temperature=0.5, stop=("honey",)))

    with OpenAIServer() as server:
        served(server, test)
    body = server.log[0].body
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert (body["max_completion_tokens"], body["seed"], body["top_p"]) == (40, 3, 0.5)
    assert (body["frequency_penalty"], body["temperature"], body["stop"]) == (0.25, 0.5, ["honey"])


def test_settings_go_by_the_names_that_a_provider_has() -> None:
    seen: list[Scripted] = []

    def answer(model: Scripted, messages: list[BaseMessage]) -> AIMessage:
        seen.append(model)
        return AIMessage("yes")

    model = Scripted(answer=answer)
    asyncio.run(engine_of(model).complete(request(seed=7, temperature=0.5)))
    assert (seen[0].num_predict, seen[0].random_seed, seen[0].temperature) == (40, 7, 0.5)
    assert model.num_predict is None


@pytest.mark.parametrize("max_tokens", [1, 40])
def test_a_schema_is_the_providers_own(max_tokens: int) -> None:
    async def test(engine: LangChainEngine) -> None:
        assert engine.info.json_schema
        pieces: list[str] = []
        completion = await engine.complete(request(json_schema=SCHEMA, max_tokens=max_tokens), on_text=pieces.append)
        whole = max_tokens > 1
        assert completion.text == ('{"name": ""}' if whole else "{")
        assert completion.finish_reason is (FinishReason.STOP if whole else FinishReason.LENGTH)
        assert completion.usage.completion_tokens == (8 if whole else 1)
        assert pieces == [completion.text]

    with OpenAIServer() as server:
        served(server, test)
    schema = server.log[0].body["response_format"]["json_schema"]
    assert schema["schema"] == SCHEMA
    assert schema["strict"]


def test_streamed_pieces_join_to_the_answer_and_tell_what_it_took() -> None:
    async def test(engine: LangChainEngine) -> None:
        pieces: list[str] = []
        streamed = await engine.complete(request(), on_text=pieces.append)
        whole = await engine.complete(request())
        assert len(pieces) > 3
        assert "".join(pieces) == streamed.text == whole.text
        assert streamed.usage == whole.usage
        assert streamed.usage.completion_tokens
        assert streamed.model == whole.model == MODEL
        assert streamed.finish_reason is whole.finish_reason is FinishReason.STOP

    with OpenAIServer() as server:
        served(server, test)


@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RATE_LIMIT_WITH_WAIT, RateLimitedError),
        (Fault.UNAVAILABLE_503, RateLimitedError),
        (Fault.ERROR_500, EngineUnavailableError),
        (Fault.GARBAGE, EngineUnavailableError),
        (Fault.WRONG_SHAPE, EngineUnavailableError),
        (Fault.HALF, EngineUnavailableError),
        (Fault.CLOSED, EngineUnavailableError),
        (Fault.HANG, EngineTimeoutError),
    ],
)
def test_what_goes_wrong_is_told_in_our_words_after_one_try(fault: Fault, kind: type[LdaError], listens: bool) -> None:
    async def test(engine: LangChainEngine) -> None:
        with pytest.raises(kind) as caught:
            await engine.complete(request(), on_text=(lambda text: None) if listens else None)
        if fault is Fault.RATE_LIMIT_WITH_WAIT:
            assert caught.value.retry_after == 1.0  # type: ignore[attr-defined]
        assert isinstance(caught.value.__cause__, Exception)

    with OpenAIServer(faults=at_requests({0: fault})) as server:
        served(server, test, timeout=0.3 if fault is Fault.HANG else 60.0)
    assert len(server.log) == 1


def test_a_prompt_beyond_the_window_is_an_error_with_numbers() -> None:
    async def test(engine: LangChainEngine) -> None:
        with pytest.raises(ContextTooLongError) as caught:
            await engine.complete(request("word " * 3000))
        assert caught.value.context_window == 1024
        assert caught.value.prompt_tokens == 3003

    with OpenAIServer(context_window=1024) as server:
        served(server, test)


def test_a_wrong_key_and_an_unknown_model_are_told_apart() -> None:
    def refused(kind: type[LdaError]) -> Callable[[LangChainEngine], Awaitable[None]]:
        async def test(engine: LangChainEngine) -> None:
            with pytest.raises(kind) as caught:
                await engine.complete(request())
            assert "secret-of-mine" not in str(caught.value)

        return test

    with OpenAIServer(api_key="right") as server:
        served(server, refused(EngineAuthError), api_key="secret-of-mine")
        served(server, refused(ModelNotFoundError), api_key="right", model="other")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    async def test(engine: LangChainEngine) -> None:
        with pytest.raises(EngineUnavailableError):
            await engine.complete(request())

    with OpenAIServer() as server:
        pass
    served(server, test)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ModelRateLimitError("slow down"), RateLimitedError),
        (ModelTimeoutError("late"), EngineTimeoutError),
        (ModelConnectionError("gone"), EngineUnavailableError),
        (ModelAuthenticationError("no"), EngineAuthError),
        (ContextOverflowError("too long"), ContextTooLongError),
        (ModelError("else"), RequestRefusedError),
        (ValueError("some setting is wrong"), RequestRefusedError),
        (RuntimeError("Event loop is closed"), EngineUnavailableError),
    ],
)
def test_errors_of_any_provider_have_a_place_in_our_tree(error: Exception, kind: type[LdaError]) -> None:
    with pytest.raises(kind, match="fake:model"):
        asyncio.run(engine_of(raising(error)).complete(request()))


def test_a_setting_that_a_model_refuses_is_left_out_from_then_on() -> None:
    tries: list[float | None] = []

    def answer(model: Scripted, messages: list[BaseMessage]) -> AIMessage:
        tries.append(model.temperature)
        if model.temperature is not None:
            raise ValueError("Unsupported value: 'temperature' does not support 0 with this model.")
        return AIMessage("yes")

    engine = engine_of(Scripted(answer=answer))
    assert asyncio.run(engine.complete(request())).text == "yes"
    asyncio.run(engine.complete(request()))
    assert tries == [0.0, None, None]


def test_an_agents_model_that_refuses_a_setting_is_asked_without_it() -> None:
    tries: list[float | None] = []

    class Calling(Scripted):
        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self.bind()

    def answer(model: Scripted, messages: list[BaseMessage]) -> AIMessage:
        tries.append(model.temperature)
        if model.temperature is not None:
            raise ValueError("Unsupported value: 'temperature' does not support 0 with this model.")
        return AIMessage("yes")

    async def main() -> None:
        engine = ToolCallingEngine(engine_of(Calling(answer=answer)))
        asking = tool_request([HumanMessage("Who?")], [{"type": "function"}], max_tokens=10)
        both = await asyncio.gather(engine.complete(asking), engine.complete(asking))
        assert [str(message_of(one).text) for one in both] == ["yes", "yes"]

    asyncio.run(main())
    assert tries == [0.0, 0.0, None, None]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"stop_reason": "end_turn"}, FinishReason.STOP),
        ({"stop_reason": "max_tokens"}, FinishReason.LENGTH),
        ({"finish_reason": "MAX_TOKENS"}, FinishReason.LENGTH),
        ({"finish_reason": "SAFETY"}, FinishReason.CONTENT_FILTER),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, FinishReason.LENGTH),
        ({}, FinishReason.STOP),
    ],
)
def test_why_a_model_stopped_is_read_whatever_a_provider_calls_it(metadata: Any, reason: FinishReason) -> None:
    usage = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11, "input_token_details": {"cache_read": 4}}
    said = AIMessage("yes", response_metadata=metadata, usage_metadata=usage)
    completion = asyncio.run(engine_of(Scripted(answer=lambda model, messages: said)).complete(request()))
    assert completion.finish_reason is reason
    assert completion.usage == Usage(9, 2, 4)


def test_an_answer_broken_off_by_the_provider_is_no_answer() -> None:
    said = AIMessage("ye", response_metadata={"finish_reason": "insufficient_system_resource"})
    with pytest.raises(EngineUnavailableError):
        asyncio.run(engine_of(Scripted(answer=lambda model, messages: said)).complete(request()))


def test_any_fake_model_answers_and_streams() -> None:
    engine = engine_of(GenericFakeChatModel(messages=iter([AIMessage("one two"), AIMessage("three four")])))
    pieces: list[str] = []
    assert asyncio.run(engine.complete(request())).text == "one two"
    assert asyncio.run(engine.complete(request(), on_text=pieces.append)).text == "three four" == "".join(pieces)
    assert len(pieces) > 1


def test_a_model_without_tools_and_schemas_says_so() -> None:
    engine = engine_of(GenericFakeChatModel(messages=iter([])))
    assert not engine.info.json_schema
    with pytest.raises(ConfigError, match="JSON schema"):
        asyncio.run(engine.complete(request(json_schema=SCHEMA)))
    with pytest.raises(ConfigError, match="likely"):
        asyncio.run(engine.complete(request(continuation="green")))
    with pytest.raises(ConfigError, match="tokenizer"):
        asyncio.run(engine.count_tokens(["word"]))


def test_a_schema_by_a_tool_call_gives_its_arguments() -> None:
    class Calling(Scripted):
        def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
            return self.bind()

    call = {"name": "answer", "args": {"name": "Zoë"}, "id": "1"}
    model = Calling(answer=lambda model, messages: AIMessage("", tool_calls=[call]))
    assert with_schema(model, SCHEMA) is not None
    assert asyncio.run(engine_of(model).complete(request(json_schema=SCHEMA))).text == '{"name": "Zoë"}'


def test_a_window_is_that_of_the_profile_unless_a_smaller_one_is_set() -> None:
    profiled = Scripted(
        answer=lambda model, messages: AIMessage(""), profile={"max_input_tokens": 9000, "max_output_tokens": 70}
    )
    assert engine_of(profiled, context_window=None).info.context_window == 9000
    assert engine_of(profiled, context_window=800).info.context_window == 800
    assert engine_of(profiled, context_window=None).info.max_output == 70
    with pytest.raises(ConfigError, match="LDA_CONTEXT_WINDOW"):
        engine_of(Scripted(answer=lambda model, messages: AIMessage("")), context_window=None)


async def _chosen(**settings: Any) -> AsyncIterator[str]:
    chosen = await choose_engine(Settings(engine="langchain", **settings), notify=print, progress=lambda *told: None)
    yield chosen.reason
    await chosen.engine.aclose()


def choose(**settings: Any) -> str:
    async def run() -> str:
        return "".join([reason async for reason in _chosen(**settings)])

    return asyncio.run(run())


def test_it_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert choose(model="openai:gpt-4o", api_key="key") == "openai:gpt-4o, asked by way of LangChain"
    with pytest.raises(ConfigError, match="provider:name"):
        choose()
    with pytest.raises(ConfigError, match="pip install langchain-mistralai"):
        choose(model="mistralai:large")
    with pytest.raises(ConfigError, match="provider:model"):
        choose(model="nobody:nothing")
    with pytest.raises(EngineAuthError, match="key"):
        choose(model="openai:gpt-4o")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-oss:20b", ":gpt-4o", "openai:", "ollama:qwen3:8b"])
def test_prompts_go_to_the_address_that_is_set_or_nowhere(model: str) -> None:
    with pytest.raises(ConfigError, match=r"names no provider|an address .* is for models named as openai:model"):
        choose(model=model, base_url="http://gpu.example:8000/v1", api_key="key")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-oss:20b"])
def test_a_provider_is_never_guessed_from_a_name(model: str) -> None:
    with pytest.raises(ConfigError, match="provider:model"):
        choose(model=model, api_key="key")
