"""What is special about the embedded engine; what it shares with all engines is in the contract suite."""

import asyncio
import signal
import subprocess
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path

import pytest

from longdoc.engines.embedded import EmbeddedEngine
from longdoc.engines.engine import CompletionRequest, Engine, FinishReason, Message, Usage
from longdoc.engines.retry import RetryingEngine
from longdoc.errors import ConfigError, EngineUnavailableError, RequestRefusedError
from tests.models import require_model

LOOPING = "Write a long story about a great old sailor."
"""After some 400 tokens the small model writes the same sentences for ever."""
ONE_CALL = """
import asyncio, sys
from pathlib import Path
from longdoc.engines.embedded import EmbeddedEngine
from longdoc.engines.engine import CompletionRequest, Message

async def main():
    engine = EmbeddedEngine(Path(sys.argv[1]), identity="x", context_window=1024, slots=1)
    await engine.count_tokens(["loaded"])
    {after}
    request = CompletionRequest((Message("user", "Count to a thousand in words."),), max_tokens=int(sys.argv[2]))
    await engine.complete(request)
    await engine.aclose()

asyncio.run(main())
"""


def start(after: str, tokens: int) -> subprocess.Popen[str]:
    script = ONE_CALL.format(after=after)
    command = [sys.executable, "-c", script, str(require_model()), str(tokens)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_what_it_is_is_known_without_loading() -> None:
    started = time.perf_counter()
    info = EmbeddedEngine(require_model(), identity="smollm2", toy=True).info
    assert time.perf_counter() - started < 0.2
    assert (info.engine, info.context_window, info.exact_tokens, info.toy) == ("embedded", 8192, True, True)
    assert 1 <= (info.slots or 0) <= 16


def test_the_weights_name_themselves_where_nobody_does() -> None:
    first, second = (EmbeddedEngine(require_model()).info.identity for _ in range(2))
    assert first == second
    assert first.startswith("SmolLM2-135M-Instruct.Q4_1.gguf:98362432:")


def test_tokens_that_were_drafted_have_probabilities_too() -> None:
    text = "The lamp stood on the table by the window, and the keeper read the old letter twice. "
    message = Message("user", f"{text}Repeat this sentence word for word three times.")

    async def main() -> None:
        engine = EmbeddedEngine(require_model(), context_window=1024, slots=2)
        try:
            answer = await engine.complete(CompletionRequest((message,), max_tokens=64, temperature=0.0, logprobs=5))
        finally:
            await engine.aclose()
        assert len(answer.logprobs) > 15
        assert all(len(token.top) == 5 and token.logprob < 0 for token in answer.logprobs)

    asyncio.run(main())


def test_a_given_text_is_scored_token_by_token_and_its_prompt_is_read_once() -> None:
    told = "Tom keeps forty bees on a hill, and his sister sells what they make in the town below. " * 8
    texts = ("Who keeps bees?", 'Is the "red" lamp of Zürich <|im_end|> lit?', "")

    async def main() -> None:
        engine = EmbeddedEngine(require_model(), context_window=1024, slots=1)
        try:
            counts = await engine.count_tokens(texts)
            asked = CompletionRequest((Message("user", told),), max_tokens=1)
            scored = [await engine.complete(replace(asked, continuation=text)) for text in texts]
            with pytest.raises(RequestRefusedError, match="蜂蜜"):
                await engine.complete(replace(asked, continuation="蜂蜜"))
        finally:
            await engine.aclose()
        assert [len(one.logprobs) for one in scored] == counts
        assert all(token.logprob <= 0.0 for one in scored for token in one.logprobs)
        assert "".join(token.token for token in scored[0].logprobs) == scored[0].text == texts[0]
        assert scored[1].usage.cached_tokens > 0.9 * (scored[1].usage.prompt_tokens - counts[1])
        assert [one.usage.completion_tokens for one in scored] == [0] * len(texts)

    asyncio.run(main())


def test_an_answer_that_goes_round_in_circles_is_stopped() -> None:
    async def main() -> None:
        engine = EmbeddedEngine(require_model(), context_window=1024, slots=1)
        try:
            looping = CompletionRequest((Message("user", LOOPING),), max_tokens=900, temperature=0.0)
            answer = await engine.complete(looping)
            told = await engine.count_tokens([answer.text])
            after = await engine.complete(CompletionRequest((Message("user", "Say: green."),), max_tokens=8))
        finally:
            await engine.aclose()
        assert (answer.finish_reason, answer.cut) == (FinishReason.LOOP, True)
        assert answer.usage.completion_tokens == pytest.approx(told[0], abs=12), "as many as are drafted at once"
        assert told[0] < 850
        assert answer.usage.prompt_tokens > 20
        assert after.usage.completion_tokens > 0

    asyncio.run(main())


SCORED = CompletionRequest((Message("user", "Who?"),), max_tokens=1, continuation="Tom.")


def test_what_cannot_be_loaded_is_tried_once_however_many_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[object] = []

    def load(*where: object, **how: object) -> object:
        loads.append(where)
        raise ConfigError("no memory")

    async def main() -> list[object]:
        engine = EmbeddedEngine(require_model(), context_window=512, slots=1)
        monkeypatch.setattr("longdoc.engines.embedded._load", load)
        return await asyncio.gather(*(engine.complete(SCORED) for _ in range(8)), return_exceptions=True)

    assert {str(error) for error in asyncio.run(main())} == {"no memory"}
    assert len(loads) == 1


def test_a_server_that_nobody_can_ask_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    class Server:
        listening_address = "http://127.0.0.1:1"

    servers: list[weakref.ref[Server]] = []

    def load(*where: object, **how: object) -> Server:
        del where, how
        server = Server()
        servers.append(weakref.ref(server))
        return server

    async def main() -> None:
        engine = EmbeddedEngine(require_model(), context_window=512, slots=1)
        monkeypatch.setattr("longdoc.engines.embedded._load", load)
        for _ in range(2):
            with pytest.raises(EngineUnavailableError):
                await engine.complete(SCORED)
        await engine.aclose()

    asyncio.run(main())
    assert [server() for server in servers] == [None, None], "it is tried again, and none is left"


def test_scoring_takes_no_more_memory_than_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        engine = EmbeddedEngine(require_model(), context_window=1024, slots=1)
        try:
            assert await engine.count_tokens(["loaded"])
            monkeypatch.setattr("longdoc.engines.embedded.available_memory", lambda: 1_000_000)
            with pytest.raises(ConfigError, match=r"GB more memory, and 0\.0 GB are free"):
                await engine.complete(SCORED)
            assert (await engine.complete(CompletionRequest((Message("user", "Say: green."),), max_tokens=4))).text
        finally:
            await engine.aclose()

    asyncio.run(main())


def test_a_window_beyond_the_models_is_refused() -> None:
    with pytest.raises(ConfigError, match="8192"):
        EmbeddedEngine(require_model(), identity="x", context_window=100_000)


def test_a_truncated_model_is_an_error_and_no_crash(tmp_path: Path) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(require_model().read_bytes()[:5_000_000])

    async def call() -> None:
        engine = EmbeddedEngine(cut, identity="x", context_window=512, slots=1)
        try:
            await engine.count_tokens(["text"])
        finally:
            await engine.aclose()

    with pytest.raises(ConfigError, match="damaged"):
        asyncio.run(call())


def test_closing_an_engine_that_never_started_is_quick() -> None:
    engine = EmbeddedEngine(require_model(), identity="x")
    asyncio.run(engine.aclose())


def test_llama_says_nothing() -> None:
    process = start("pass", tokens=3)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out, err) == (0, "", "")


def test_ctrl_c_reaches_python_during_a_call() -> None:
    process = start("print('ready', flush=True)", tokens=900)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert "KeyboardInterrupt" in err
    assert process.returncode == 130 or process.returncode == -signal.SIGINT


def test_a_second_question_over_more_segments_than_slots_reads_little_again() -> None:
    segments = [
        f"Day {day}. " + " ".join(f"Ada mended roof {day * n} and sold {n} jars of honey." for n in range(12))
        for day in range(1, 7)
    ]

    async def asked(engine: Engine, question: str) -> Usage:
        total = Usage()
        for segment in segments:
            messages = (Message("user", f"{segment}\n{question}"),)
            total += (await engine.complete(CompletionRequest(messages, max_tokens=1))).usage
        return total

    async def work() -> tuple[Usage, Usage]:
        engine = RetryingEngine(EmbeddedEngine(require_model(), context_window=1024, slots=2))
        try:
            return await asked(engine, "What was mended?"), await asked(engine, "What was sold?")
        finally:
            await engine.aclose()

    first, second = asyncio.run(work())
    assert second.prompt_tokens - second.cached_tokens <= 0.1 * first.prompt_tokens
