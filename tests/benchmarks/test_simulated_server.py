import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest

from benchmarks.simulated_gpu.api import MODEL, Api, ApiSettings
from benchmarks.simulated_gpu.faults import Fault, FaultPlan, Refusals
from benchmarks.simulated_gpu.http_server import serve
from benchmarks.simulated_gpu.pacing import PacedGpu
from benchmarks.simulated_gpu.process import server_process
from benchmarks.simulated_gpu.settings import GpuSettings
from benchmarks.simulated_gpu.texts import AnswerRule, count_tokens
from longdoc.agents.sentences import ends_in_sentence
from longdoc.engines.engine import CompletionRequest, FinishReason, Message
from longdoc.engines.openai import OpenAIEngine
from longdoc.errors import ContextTooLongError, EngineTimeoutError, EngineUnavailableError, RateLimitedError

GPU = GpuSettings(sequences=4)
REQUEST = CompletionRequest((Message("system", "Be brief. " * 40), Message("user", "What happened?")), max_tokens=100)


@asynccontextmanager
async def server(settings: ApiSettings, *, time_scale: float = 50.0) -> AsyncGenerator[str, None]:
    """The server in the loop of the test."""
    listening = await serve(Api(PacedGpu(GPU, time_scale=time_scale), settings).handle, port=0)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()


def with_engine(
    work: Callable[[OpenAIEngine], Awaitable[None]],
    settings: ApiSettings | None = None,
    *,
    time_scale: float = 50.0,
    timeout: float = 10.0,
) -> None:
    async def run() -> None:
        async with server(settings or ApiSettings(), time_scale=time_scale) as root_url:
            engine = await OpenAIEngine.connect(root_url, timeout=timeout)
            try:
                await work(engine)
            finally:
                await engine.aclose()

    asyncio.run(run())


def test_it_is_known_as_vllm() -> None:
    async def work(engine: OpenAIEngine) -> None:
        assert engine.info.model == MODEL
        assert engine.info.context_window == 4321
        assert engine.info.exact_tokens
        assert await engine.count_tokens(["four", "seven c"]) == [1, 2]

    with_engine(work, ApiSettings(window=4321))


def test_it_answers_with_ended_sentences_and_counts_their_tokens() -> None:
    async def work(engine: OpenAIEngine) -> None:
        first = await engine.complete(REQUEST)
        again = await engine.complete(REQUEST)
        assert first.finish_reason is FinishReason.STOP
        assert ends_in_sentence(first.text)
        assert 60 <= first.usage.completion_tokens <= 100
        assert first.usage.completion_tokens == count_tokens(first.text)
        assert first.usage.cached_tokens == 0
        assert again.text == first.text
        assert again.usage.cached_tokens == first.usage.prompt_tokens // 16 * 16

    with_engine(work)


def test_a_streamed_answer_is_the_same_and_comes_in_pieces() -> None:
    async def work(engine: OpenAIEngine) -> None:
        pieces: list[str] = []
        whole = await engine.complete(REQUEST)
        streamed = await engine.complete(REQUEST, on_text=pieces.append)
        assert "".join(pieces) == streamed.text == whole.text
        assert len(pieces) > 2
        assert streamed.usage.completion_tokens == whole.usage.completion_tokens

    with_engine(work, time_scale=3.0)


def test_answers_run_into_their_limit_where_asked_for() -> None:
    async def work(engine: OpenAIEngine) -> None:
        answer = await engine.complete(REQUEST)
        assert (answer.finish_reason, answer.usage.completion_tokens) == (FinishReason.LENGTH, 100)

    with_engine(work, ApiSettings(answers=AnswerRule(1.5, 2.0)))


def test_what_does_not_fit_the_window_is_refused() -> None:
    async def work(engine: OpenAIEngine) -> None:
        with pytest.raises(ContextTooLongError) as caught:
            await engine.complete(REQUEST)
        assert caught.value.context_window == 150

    with_engine(work, ApiSettings(window=150))


def test_more_requests_than_places_wait() -> None:
    async def work(engine: OpenAIEngine) -> None:
        requests = [replace(REQUEST, max_tokens=20 + number) for number in range(30)]
        answers = await asyncio.gather(*(engine.complete(request) for request in requests))
        assert len(answers) == 30

    with_engine(work)


def test_more_requests_than_allowed_are_refused() -> None:
    async def work(engine: OpenAIEngine) -> None:
        outcomes = await asyncio.gather(*(engine.complete(REQUEST) for _ in range(5)), return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimitedError)]
        assert [error.retry_after for error in refused] == [2.5, 2.5]

    with_engine(work, ApiSettings(refusals=Refusals(above=3, retry_after=2.5)), time_scale=3.0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.ERROR, EngineUnavailableError),
        (Fault.CLOSED, EngineUnavailableError),
        (Fault.GARBAGE, EngineUnavailableError),
        (Fault.HANG, EngineTimeoutError),
    ],
)
def test_it_misbehaves_as_told(fault: Fault, error: type[Exception]) -> None:
    async def work(engine: OpenAIEngine) -> None:
        with pytest.raises(error):
            await engine.complete(REQUEST)

    with_engine(work, ApiSettings(faults=FaultPlan((fault,), rate=1.0)), timeout=0.3)


def test_faults_are_as_many_as_told_and_the_same_for_the_same_seed() -> None:
    plan = FaultPlan((Fault.ERROR, Fault.CLOSED), rate=0.2, seed=3)
    drawn = [plan.draw(number) for number in range(1000)]
    assert drawn == [plan.draw(number) for number in range(1000)]
    assert 150 < sum(fault is not None for fault in drawn) < 250


def test_a_request_whose_caller_left_makes_room() -> None:
    async def work(engine: OpenAIEngine) -> None:
        long = replace(REQUEST, max_tokens=4000)
        calls = [asyncio.create_task(engine.complete(long)) for _ in range(8)]
        await asyncio.sleep(0.1)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        async with asyncio.timeout(3):
            await engine.complete(REQUEST)

    with_engine(work, time_scale=2.0)


def test_what_is_not_simulated_is_refused() -> None:
    async def run() -> list[int]:
        async with server(ApiSettings()) as root_url, httpx.AsyncClient(base_url=root_url, trust_env=False) as client:
            body = {"model": MODEL, "messages": [{"role": "user", "content": "hello"}]}
            replies = [
                await client.post("/v1/chat/completions", json=body | {"response_format": {"type": "json_object"}}),
                await client.post("/v1/chat/completions", json=body | {"model": "another"}),
                await client.post("/v1/chat/completions", content=b"no JSON"),
                await client.get("/health"),
                await client.get("/nowhere"),
            ]
            return [reply.status_code for reply in replies]

    assert asyncio.run(run()) == [400, 404, 400, 200, 404]


def test_it_runs_in_a_process_of_its_own_and_tells_what_it_did() -> None:
    with server_process("--record", "--time-scale", "50", "--window", "2000") as base_url:

        async def run() -> str:
            engine = await OpenAIEngine.connect(base_url)
            try:
                return (await engine.complete(REQUEST)).text
            finally:
                await engine.aclose()

        answer = asyncio.run(run())
        (row,) = httpx.get(base_url.replace("/v1", "/record"), trust_env=False).json()
    assert row["answer"] == answer
    assert row["finished"] > row["started"] >= row["submitted"]
