"""What vLLM has beyond the contract: agreement between ways to it, prefix cache, priorities, batched counts, death."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

import pytest

from longdoc.config import VllmSettings
from longdoc.engines.embedded import EmbeddedEngine
from longdoc.engines.engine import CompletionRequest, Engine, FinishReason, Message
from longdoc.engines.next_token import next_token, score
from longdoc.engines.openai import OpenAIEngine
from longdoc.engines.retry import RetryingEngine
from longdoc.engines.vllm import VllmEngine
from longdoc.errors import ConfigError, EngineLostError, ModelNotFoundError
from tests.models import require_model
from tests.vllm.server import VllmServer

WINDOW = 1024
SETTINGS = VllmSettings(enforce_eager=True)
QUESTIONS = ("Is water wet? Answer with yes or no.", "Name a colour.", "What do bees make?", "Say: green.")
Work: TypeAlias = Callable[[dict[str, Engine]], Coroutine[Any, Any, None]]


def request(text: str, **changes: Any) -> CompletionRequest:
    return replace(CompletionRequest((Message("system", "You help."), Message("user", text)), 16), **changes)


@pytest.fixture(scope="module")
def engines(weights: Path, vllm_server: VllmServer) -> Iterator[Callable[[Work], None]]:
    """The same weights in three engines, and one loop that runs work with them."""
    with asyncio.Runner() as runner:
        three: dict[str, Engine] = {
            "in process": runner.run(VllmEngine.open(str(weights), settings=SETTINGS, context_window=WINDOW)),
            "served": runner.run(OpenAIEngine.connect(vllm_server.base_url)),
            "llama.cpp": RetryingEngine(
                EmbeddedEngine(require_model(), identity="smollm2", context_window=WINDOW, slots=1)
            ),
        }
        yield lambda work: runner.run(work(three))
        for engine in three.values():
            runner.run(engine.aclose())


def test_engines_of_the_same_weights_agree_on_probabilities(engines: Callable[[Work], None]) -> None:
    """llama.cpp computes with 4-bit weights and 8-bit inputs, vLLM with the same weights written out in bfloat16."""

    async def work(three: dict[str, Engine]) -> None:
        for question in QUESTIONS:
            told = {name: await next_token(engine, request(question)) for name, engine in three.items()}
            in_process, served, other = (dict(told[name].top) for name in ("in process", "served", "llama.cpp"))
            likeliest = told["in process"].top[0][0]
            assert served[likeliest] == pytest.approx(in_process[likeliest], abs=0.1)
            assert other[likeliest] == pytest.approx(in_process[likeliest], abs=0.4)
            shared = in_process.keys() & other.keys()
            assert len(shared) >= 10, "of 20 alternatives"

    engines(work)


def test_llama_scores_a_given_text_as_vllm_does(engines: Callable[[Work], None]) -> None:
    async def work(three: dict[str, Engine]) -> None:
        for question in QUESTIONS:
            for given in ("Yes, honey.", 'Zürich, the "red vault" (no. 7)'):
                ours = await score(three["in process"], request(question), given)
                theirs = await score(three["llama.cpp"], request(question), given)
                assert len(ours) == len(theirs)
                assert fmean(t.logprob for t in theirs) == pytest.approx(fmean(t.logprob for t in ours), abs=0.4)

    engines(work)


def test_both_ways_to_vllm_score_alike(engines: Callable[[Work], None]) -> None:
    async def work(three: dict[str, Engine]) -> None:
        for question in QUESTIONS:
            ours = await score(three["in process"], request(question), "Yes, honey.")
            theirs = await score(three["served"], request(question), "Yes, honey.")
            assert [token.token for token in ours] == [token.token for token in theirs]
            for one, other in zip(ours, theirs, strict=True):
                assert one.logprob == pytest.approx(other.logprob, abs=0.15)

    engines(work)


def test_the_bound_of_few_alternatives_holds_against_the_whole_vocabulary(engines: Callable[[Work], None]) -> None:
    async def work(three: dict[str, Engine]) -> None:
        for question in QUESTIONS:
            whole = await next_token(three["in process"], request(question))
            bound = await next_token(three["served"], request(question))
            assert whole.exact
            assert not bound.exact
            assert bound.entropy <= whole.entropy + 0.05

    engines(work)


def test_an_answer_that_goes_round_in_circles_is_stopped(engines: Callable[[Work], None]) -> None:
    async def work(three: dict[str, Engine]) -> None:
        looping = request("Write a long story about a great old sailor.", max_tokens=900, temperature=0.0)
        answer = await three["in process"].complete(looping)
        assert answer.finish_reason is FinishReason.LOOP
        assert 80 < answer.usage.completion_tokens < 900

    engines(work)


def test_a_second_question_over_the_same_text_reads_almost_nothing_again(engines: Callable[[Work], None]) -> None:
    text = "Tom keeps forty bees on a hill, and his sister sells what they make in the town below. " * 45

    async def work(three: dict[str, Engine]) -> None:
        for name in ("in process", "served"):
            first = await three[name].complete(request(f"{name}: {text}\nWho keeps bees?"))
            second = await three[name].complete(request(f"{name}: {text}\nWhere is the hill?"))
            assert first.usage.prompt_tokens > 900
            read_again = second.usage.prompt_tokens - second.usage.cached_tokens
            assert read_again <= 0.1 * second.usage.prompt_tokens, name

    engines(work)


def test_counting_many_texts_takes_few_requests_and_counts_as_one_by_one(engines: Callable[[Work], None]) -> None:
    texts = ["one", " two three", "\n\nfour", "", "fünf sechs", "a <|im_end|> b", "…", "  ", "seven. ", "“eight”"] * 30

    async def work(three: dict[str, Engine]) -> None:
        together = await three["served"].count_tokens(texts)
        assert together == [count for text in texts for count in await three["served"].count_tokens([text])]
        plain = [text for text in texts if "<|" not in text]
        assert await three["in process"].count_tokens(plain) == await three["served"].count_tokens(plain)

    engines(work)


def test_interactive_requests_are_answered_before_those_that_wait(engines: Callable[[Work], None]) -> None:
    async def work(three: dict[str, Engine]) -> None:
        for name in ("in process", "served"):
            ended: list[str] = []

            async def ask(kind: str, number: int, engine: Engine, ended: list[str]) -> None:
                prompt = f"Write about the number {number}."
                await engine.complete(request(prompt, interactive=kind == "interactive", max_tokens=12))
                ended.append(kind)

            calls = [asyncio.create_task(ask("batch", number, three[name], ended)) for number in range(240)]
            await asyncio.sleep(0.5)
            await ask("interactive", -1, three[name], ended)
            assert ended.count("batch") < 200, f"{name}: it went past some that had waited for longer"
            await asyncio.gather(*calls)

    engines(work)


@pytest.mark.parametrize(
    ("model", "settings", "window", "error", "says"),
    [
        ("/nowhere/at/all", SETTINGS, None, ModelNotFoundError, "/nowhere/at/all"),
        (None, VllmSettings(arguments={"warp_speed": 9}), None, ConfigError, "warp_speed"),
        (None, VllmSettings(dtype="float7"), None, ConfigError, "float7"),
        (None, VllmSettings(quantization="magic"), None, ConfigError, "magic"),
        (None, SETTINGS, 9_000_000, ConfigError, "context_window"),
    ],
)
def test_what_vllm_cannot_run_is_one_clear_line(
    weights: Path, model: str | None, settings: VllmSettings, window: int | None, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        asyncio.run(VllmEngine.open(model or str(weights), settings=settings, context_window=window))
    assert "\n" not in str(caught.value)


def test_too_little_memory_is_told_as_such(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "900")  # GiB: on a CUDA device the share of its memory is set instead
    settings = VllmSettings(enforce_eager=True, gpu_memory_utilization=0.001)

    async def start() -> None:
        engine = await VllmEngine.open(str(weights), settings=settings, context_window=WINDOW)
        try:
            await engine.complete(request("Hello."))
        finally:
            await engine.aclose()

    with pytest.raises(ConfigError, match="not enough memory") as caught:
        asyncio.run(start())
    assert "\n" not in str(caught.value)


def test_a_death_fails_what_is_under_way_and_all_that_comes(weights: Path) -> None:
    async def work() -> None:
        engine = await VllmEngine.open(str(weights), settings=SETTINGS, context_window=WINDOW)
        try:
            before = children("EngineCore")
            await engine.complete(request("Hello."))
            (core,) = children("EngineCore") - before
            under_way = [asyncio.create_task(engine.complete(request("Count.", max_tokens=900))) for _ in range(4)]
            await asyncio.sleep(0.5)
            os.kill(core, signal.SIGKILL)
            outcomes = await asyncio.gather(*under_way, return_exceptions=True)
            assert all(isinstance(outcome, EngineLostError) for outcome in outcomes)
            with pytest.raises(EngineLostError):
                await engine.complete(request("Hello again."))
        finally:
            await engine.aclose()

    asyncio.run(work())


def children(name: str) -> set[int]:
    """Processes of this name below this one."""
    found = subprocess.run(["ps", "-eo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in found.splitlines()[1:]]
    return {int(pid) for pid, parent, command in rows if int(parent) == os.getpid() and name in command}
