import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from longdoc.engines.capabilities import Capabilities, probe_capabilities
from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, Message
from longdoc.engines.openai import OpenAIEngine
from longdoc.engines.openai_tokens import split_for_counting
from longdoc.engines.openai_wire import ChatPiece
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import (
    ConfigError,
    EngineAuthError,
    EngineError,
    EngineTimeoutError,
    EngineUnavailableError,
    ModelNotFoundError,
    RateLimitedError,
)
from tests.servers.openai_server import MODEL, Fault, OpenAIServer, at_requests

_T = TypeVar("_T")
REQUEST = CompletionRequest(messages=(Message("user", "Bees dance. They tell the way. We look on."),), max_tokens=50)


def with_engine(server: OpenAIServer, work: Callable[[OpenAIEngine], Awaitable[_T]], **options: Any) -> _T:
    async def run() -> _T:
        engine = await OpenAIEngine.connect(server.base_url, **options)
        try:
            return await work(engine)
        finally:
            await engine.aclose()

    return asyncio.run(run())


def answer(server: OpenAIServer, request: CompletionRequest = REQUEST, **options: Any) -> Completion:
    return with_engine(server, lambda engine: engine.complete(request), **options)


def failure(fault: Fault, *, streamed: bool = False, **options: Any) -> EngineError:
    async def call(engine: OpenAIEngine) -> Completion:
        return await engine.complete(REQUEST, on_text=print if streamed else None)

    with OpenAIServer(faults=lambda _: fault) as server, pytest.raises(EngineError) as caught:
        with_engine(server, call, **options)
    return caught.value


@pytest.mark.parametrize("flavour", ["vllm", "llama.cpp"])
def test_a_server_is_asked_for_its_window_and_tokenizer(flavour: Any) -> None:
    async def info(engine: OpenAIEngine) -> Any:
        return engine.info

    with OpenAIServer(flavour=flavour, context_window=5000, slots=3) as server:
        found = with_engine(server, info)
    assert (found.model, found.context_window, found.exact_tokens, found.json_schema) == (MODEL, 5000, True, True)
    assert found.logprobs == (32_000 if flavour == "llama.cpp" else 20)
    assert found.slots == (3 if flavour == "llama.cpp" else 256), "vLLM queues what is more than it runs at once"


def test_connecting_spends_nothing() -> None:
    async def nothing(_: OpenAIEngine) -> None:
        pass

    with OpenAIServer(flavour="plain") as server:
        with_engine(server, nothing, context_window=4096)
        assert server.log == []


def test_the_address_may_lack_its_version() -> None:
    async def run(address: str) -> str:
        engine = await OpenAIEngine.connect(address)
        try:
            return (await engine.complete(REQUEST)).text
        finally:
            await engine.aclose()

    with OpenAIServer() as server:
        assert asyncio.run(run(server.root_url)) == asyncio.run(run(server.base_url + "/"))


def test_an_unknown_window_must_be_set() -> None:
    with OpenAIServer(flavour="plain") as server, pytest.raises(ConfigError, match="LDA_CONTEXT_WINDOW"):
        answer(server)


def test_a_window_may_be_set_lower_than_the_servers() -> None:
    async def window(engine: OpenAIEngine) -> int:
        return engine.info.context_window

    with OpenAIServer(context_window=4096) as server:
        assert with_engine(server, window, context_window=1000) == 1000
        assert with_engine(server, window, context_window=9000) == 4096


def test_capabilities_of_an_unknown_server_can_be_tried() -> None:
    with OpenAIServer(flavour="plain") as server:
        tried = with_engine(server, probe_capabilities, context_window=4096)
    assert tried == Capabilities(json_schema=True, logprobs=20)


def test_an_engine_that_ignores_schemas_is_found_out() -> None:
    engine = ScriptedEngine(lambda _: "I am ready.")
    assert asyncio.run(probe_capabilities(engine)) == Capabilities(json_schema=False, logprobs=0)


def test_reasoning_is_not_part_of_the_answer() -> None:
    with OpenAIServer() as server:
        assert "thinking" not in answer(server).text


def test_only_a_call_with_a_sink_is_streamed() -> None:
    with OpenAIServer() as server:
        answer(server)
        with_engine(server, lambda engine: engine.complete(REQUEST, on_text=lambda _: None))
    assert [entry.body.get("stream", False) for entry in server.log] == [False, True]
    assert server.log[1].body["stream_options"] == {"include_usage": True}


def test_unicode_line_ends_do_not_break_a_stream() -> None:
    text = "One\u2028two\u0085three.\x1cFour."
    with OpenAIServer(answer=lambda _: text) as server:
        got = with_engine(server, lambda engine: engine.complete(REQUEST, on_text=lambda _: None))
    assert got.text == text


def test_timings_of_other_servers_are_not_read() -> None:
    assert ChatPiece.model_validate({"timings": {"prompt_n": "many"}, "choices": []}).usage is None


def test_cached_tokens_are_told() -> None:
    with OpenAIServer() as server:
        assert answer(server).usage.cached_tokens == 1


def test_a_content_filter_is_a_reason_to_finish() -> None:
    with OpenAIServer(faults=lambda _: Fault.CONTENT_FILTER) as server:
        assert answer(server).finish_reason is FinishReason.CONTENT_FILTER


def test_an_empty_answer_is_an_answer() -> None:
    with OpenAIServer(faults=lambda _: Fault.EMPTY) as server:
        assert answer(server).text == ""


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.GARBAGE, Fault.WRONG_SHAPE, Fault.HALF, Fault.CLOSED])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_broken_answer_is_an_error_that_may_pass(fault: Fault, streamed: bool) -> None:
    error = failure(fault, streamed=streamed)
    assert type(error) is EngineUnavailableError
    assert error.retryable


def test_refusals_keep_their_wait() -> None:
    error = failure(Fault.RATE_LIMIT_WITH_WAIT)
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 1


@pytest.mark.parametrize("streamed", [False, True])
def test_a_server_that_hangs_is_given_up(streamed: bool) -> None:
    assert isinstance(failure(Fault.HANG, streamed=streamed, timeout=0.3), EngineTimeoutError)


def test_a_slow_drip_is_given_up_as_a_whole() -> None:
    async def call(engine: OpenAIEngine) -> Completion:
        return await engine.complete(REQUEST, on_text=lambda _: None)

    with OpenAIServer(faults=lambda _: Fault.DRIP, delay=0.2) as server, pytest.raises(EngineTimeoutError):
        with_engine(server, call, timeout=0.5)


def test_a_key_is_sent_and_shown_nowhere() -> None:
    async def shown(engine: OpenAIEngine) -> str:
        return repr(engine) + repr(engine.info) + repr(vars(engine))

    with OpenAIServer(api_key="sk-right") as server:
        assert "sk-right" not in with_engine(server, shown, api_key="sk-right")
        with pytest.raises(EngineAuthError) as caught:
            answer(server, api_key="sk-wrong")
    assert "sk-wrong" not in str(caught.value)


@pytest.mark.parametrize("key", ["two words", "line\nend", "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused_without_showing_it(key: str) -> None:
    with OpenAIServer() as server, pytest.raises(ConfigError) as caught:
        answer(server, api_key=key)
    assert key not in str(caught.value)


def test_an_unknown_model_is_told() -> None:
    with OpenAIServer() as server, pytest.raises(ModelNotFoundError):
        answer(server, model="no-such-model", context_window=4096)
    with OpenAIServer(flavour="llama.cpp") as server, pytest.raises(ModelNotFoundError, match=MODEL):
        answer(server, model="no-such-model")


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "ftp://127.0.0.1/v1", "nonsense", "http://[broken"])
def test_an_address_without_server_is_one_clear_line(address: str) -> None:
    with pytest.raises((EngineUnavailableError, ConfigError)) as caught:
        asyncio.run(OpenAIEngine.connect(address))
    assert "\n" not in str(caught.value)


def test_a_cancelled_stream_frees_the_server() -> None:
    async def run(engine: OpenAIEngine) -> None:
        call = asyncio.create_task(engine.complete(REQUEST, on_text=lambda _: None))
        await asyncio.sleep(0.3)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        async with asyncio.timeout(3):
            await engine.complete(REQUEST)

    with OpenAIServer(faults=at_requests({0: Fault.DRIP}), delay=0.1, slots=1) as server:
        with_engine(server, run)


@pytest.mark.parametrize("flavour", ["vllm", "llama.cpp"])
def test_thousands_of_texts_are_counted_in_order(flavour: Any) -> None:
    number = 2000 if flavour == "llama.cpp" else 200
    texts = ["word " * (place % 7) for place in range(number)]
    with OpenAIServer(flavour=flavour) as server:
        counts = with_engine(server, lambda engine: engine.count_tokens(texts))
    assert counts == [place % 7 for place in range(number)]


def test_a_huge_text_is_counted_in_pieces() -> None:
    text = "word " * 100_000
    assert "".join(split_for_counting(text)) == text
    with OpenAIServer(flavour="llama.cpp") as server:
        assert with_engine(server, lambda engine: engine.count_tokens([text])) == [100_000]


def test_512_calls_run_at_once() -> None:
    async def many(engine: OpenAIEngine) -> int:
        answers = await asyncio.gather(*(engine.complete(REQUEST) for _ in range(512)))
        return len(answers)

    with OpenAIServer(delay=1.0, slots=512) as server:
        assert with_engine(server, many) == 512
        assert server.most_busy > 256
