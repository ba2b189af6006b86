"""What every engine does, whatever answers behind it."""

import asyncio
import json
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import pytest

from longdoc.engines.embedded import EmbeddedEngine
from longdoc.engines.engine import Completion, CompletionRequest, Engine, FinishReason, Message
from longdoc.engines.langchain import LangChainEngine
from longdoc.engines.next_token import next_token, score
from longdoc.engines.openai import OpenAIEngine
from longdoc.engines.retry import RetryingEngine
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ContextTooLongError
from tests.models import require_model
from tests.servers.openai_server import MODEL, OpenAIServer

WINDOW = 1024
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
FORCED = (*[Message("user", "Say: green."), Message("assistant", "green")] * 24, Message("user", "Say: green."))
STORY = "Tom is forty years old. He keeps bees on a hill. His sister sells the honey in the town below."
ASKED = f"<text>\n{STORY}\n</text>\nTell this again in at most 30 words."

Test: TypeAlias = Callable[[Engine], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Subject:
    """A kind of engine under test, and a loop that runs a test against it."""

    run: Callable[[Test], None]


def request(text: str = ASKED, **changes: Any) -> CompletionRequest:
    return replace(CompletionRequest(messages=(Message("user", text),), max_tokens=40), **changes)


@asynccontextmanager
async def closing(engine: Engine) -> AsyncGenerator[Engine, None]:
    try:
        yield engine
    finally:
        await engine.aclose()


@pytest.fixture(scope="module")
def embedded() -> Iterator[Subject]:
    """The real model, loaded once; one loop for all its tests. Its server may close a connection on busy cores."""
    engine = RetryingEngine(EmbeddedEngine(require_model(), identity="smollm2", context_window=WINDOW, slots=4))
    with asyncio.Runner() as runner:
        yield Subject(lambda test: runner.run(test(engine)))
        runner.run(engine.aclose())


def scripted() -> Subject:
    async def run(test: Test) -> None:
        async with closing(ScriptedEngine(context_window=WINDOW, delay=0.02)) as engine:
            await test(engine)

    return Subject(lambda test: asyncio.run(run(test)))


def served(flavour: Any) -> Subject:
    async def run(test: Test, server: OpenAIServer) -> None:
        async with closing(await OpenAIEngine.connect(server.base_url)) as engine:
            await test(engine)

    def serve(test: Test) -> None:
        with OpenAIServer(flavour=flavour, context_window=WINDOW, delay=0.02) as server:
            asyncio.run(run(test, server))

    return Subject(serve)


def by_langchain() -> Subject:
    def serve(test: Test) -> None:
        with OpenAIServer(context_window=WINDOW, delay=0.02) as server:
            asyncio.run(run(test, server))

    async def run(test: Test, server: OpenAIServer) -> None:
        name = f"openai:{MODEL}"
        engine = LangChainEngine.open(name, base_url=server.base_url, api_key="key", context_window=WINDOW)
        async with closing(engine):
            await test(engine)

    return Subject(serve)


@pytest.fixture(params=["scripted", "vllm", "llama.cpp", "langchain", "embedded"])
def subject(request: pytest.FixtureRequest) -> Subject:
    match request.param:
        case "scripted":
            return scripted()
        case "langchain":
            return by_langchain()
        case "embedded":
            return request.getfixturevalue("embedded")
        case flavour:
            return served(flavour)


def test_it_answers(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        completion = await engine.complete(request())
        assert completion.text.strip()
        assert completion.model
        assert completion.seconds > 0
        assert not completion.recorded

    subject.run(test)


def test_an_answer_ends_at_its_token_limit(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        completion = await engine.complete(request(max_tokens=1))
        assert completion.finish_reason is FinishReason.LENGTH
        assert completion.usage.completion_tokens == 1

    subject.run(test)


def test_an_answer_ends_before_a_stop_text(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        whole = (await engine.complete(request())).text
        stop = whole.split()[2]
        stopped = await engine.complete(request(stop=(stop,)))
        assert stop not in stopped.text
        assert whole.startswith(stopped.text)
        assert stopped.finish_reason is FinishReason.STOP

    subject.run(test)


def test_an_answer_with_a_schema_fits_it(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        assert engine.info.json_schema
        answer = json.loads((await engine.complete(request(json_schema=SCHEMA, max_tokens=80))).text)
        assert isinstance(answer["name"], str)
        assert isinstance(answer["age"], int)
        assert answer.keys() == {"name", "age"}

    subject.run(test)


def test_the_window_is_told_truly(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.exact_tokens:  # LangChain has no tokenizers of its providers
            return
        assert engine.info.context_window == WINDOW
        (per_line,) = await engine.count_tokens(["one two three four\n"])
        lines = (WINDOW - 300) // per_line
        fitting = await engine.complete(request("one two three four\n" * lines, max_tokens=4))
        assert fitting.usage.prompt_tokens > WINDOW / 2

    subject.run(test)


def test_a_prompt_beyond_the_window_is_an_error_with_numbers(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        with pytest.raises(ContextTooLongError) as caught:
            await engine.complete(request("word " * WINDOW * 2))
        assert caught.value.context_window == WINDOW
        assert (caught.value.prompt_tokens or 0) > WINDOW

    subject.run(test)


def test_probabilities_of_alternatives_sum_to_one_at_most(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.logprobs:
            return
        wanted = min(20, engine.info.logprobs)
        completion = await engine.complete(request(logprobs=wanted, max_tokens=4))
        assert completion.logprobs
        assert "".join(token.token for token in completion.logprobs) == completion.text
        for token in completion.logprobs:
            assert len(token.top) == wanted
            assert 0 < sum(math.exp(logprob) for _, logprob in token.top) <= 1 + 1e-4

    subject.run(test)


def test_a_forced_choice_has_hardly_any_entropy(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.logprobs:
            return
        if engine.info.model == MODEL:  # the test server makes its probabilities up
            return
        forced = await next_token(engine, request(messages=FORCED))
        free = await next_token(engine, request("Tell me a story about bees."))
        assert forced.top[0][0].strip() == "green"
        assert forced.entropy < 0.25
        assert free.entropy > 4 * forced.entropy
        assert forced.exact == engine.info.entropy

    subject.run(test)


def test_the_score_of_a_text_is_that_of_its_tokens_one_after_the_other(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.scores or engine.info.model == MODEL:
            return
        scored = await score(engine, request(messages=FORCED), "green leaves")
        assert "".join(token.token for token in scored) == "green leaves"
        assert all(token.logprob <= 0.0 for token in scored)
        first = await next_token(engine, request(messages=FORCED))
        assert scored[0].logprob == pytest.approx(first.top[0][1], abs=0.02)
        unlikely = await score(engine, request(messages=FORCED), "walrus")
        assert sum(token.logprob for token in unlikely) < scored[0].logprob - 3

    subject.run(test)


def test_a_text_that_does_not_fit_the_window_has_no_score(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.scores or engine.info.model == MODEL:
            return
        filling = "honey " * (engine.info.context_window - 100)
        with pytest.raises(ContextTooLongError):
            await score(engine, request(filling), "green leaves " * 60)
        with pytest.raises(ContextTooLongError):
            await score(engine, request(filling * 2), "green")
        assert await score(engine, request(filling), "green")
        assert await score(engine, request(filling * 2), "") == ()

    subject.run(test)


def test_a_cancelled_call_frees_its_place(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        slots = engine.info.slots or 4
        calls = [asyncio.create_task(engine.complete(request(max_tokens=800))) for _ in range(slots)]
        await asyncio.sleep(0.2)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        async with asyncio.timeout(60):
            assert (await engine.complete(request(max_tokens=3))).text

    subject.run(test)


def test_many_calls_at_once_all_answer(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        calls = (engine.complete(request(f"Say the number {number}.", max_tokens=3)) for number in range(64))
        completions: list[Completion] = await asyncio.gather(*calls)
        assert all(completion.text for completion in completions)

    subject.run(test)


def test_usage_counts_prompt_and_answer(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.exact_tokens:  # LangChain has no tokenizers of its providers
            return
        completion = await engine.complete(request())
        prompt, answer = await engine.count_tokens([ASKED, completion.text])
        assert prompt <= completion.usage.prompt_tokens <= prompt + 60  # a template adds its own
        assert answer <= completion.usage.completion_tokens <= answer + 1  # an end token may be counted

    subject.run(test)


def test_streamed_pieces_join_to_the_answer(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        pieces: list[str] = []
        streamed = await engine.complete(request(), on_text=pieces.append)
        whole = await engine.complete(request())
        assert len(pieces) > 1
        assert "".join(pieces) == streamed.text == whole.text
        assert streamed.usage.completion_tokens == whole.usage.completion_tokens

    subject.run(test)


def test_tokens_are_counted_text_by_text(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if not engine.info.exact_tokens:
            return
        one, none, two = await engine.count_tokens(["word", "", "word word"])
        assert (one, none, two) == (1, 0, 2)

    subject.run(test)


def test_closing_twice_does_no_harm(subject: Subject) -> None:
    async def test(engine: Engine) -> None:
        if engine.info.engine in {"embedded", "vllm"}:  # shared by all tests here; their own tests close them
            return
        await engine.aclose()
        await engine.aclose()

    subject.run(test)
