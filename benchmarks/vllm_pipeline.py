"""Our pipeline against vLLM's own offline batch, on the same prompts, the same weights and the same settings.

Runs where vLLM is installed: `make bench-vllm`.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.embedded_slots import segment_requests
from benchmarks.table import BenchmarkTable
from longdoc.app.bootstrap import wrap_engine
from longdoc.config import VllmSettings, load_settings
from longdoc.engines.budget import Budget
from longdoc.engines.engine import CompletionRequest, Message
from longdoc.engines.vllm import VllmEngine
from longdoc.storage.database import Database
from longdoc.storage.ledger import Ledger, LedgerEngine
from tests.vllm.weights import require_weights

_SEGMENTS = 64
_ANSWER_TOKENS = 64
_WINDOW = 2048
_ROUNDS = 2
_MOST_RATIO = 1.1


def run() -> BenchmarkTable:
    """Each way in a process of its own, in turn; the best round of each counts."""
    require_weights()
    measured: dict[str, list[tuple[float, int, int]]] = {name: [] for name in _WAYS}
    for _ in range(_ROUNDS):
        for name, rounds in measured.items():
            rounds.append(_in_process(name))
    best = {name: min(rounds) for name, rounds in measured.items()}
    ratio = best["longdoc"][0] / best["LLM.chat"][0]
    rows = [[name, str(read), str(written), f"{seconds:.1f}"] for name, (seconds, read, written) in best.items()]
    rows.append(["ours / theirs", "", "", f"{ratio:.2f}"])
    how = (
        f"{_SEGMENTS} summaries of at most {_ANSWER_TOKENS} tokens, of segments of the example book, greedy, "
        "SmolLM2-135M, the start not counted; ours through ledger (on disk), budget, limiter and retry. "
        f"The best of {_ROUNDS} rounds in turn. Target: at most {_MOST_RATIO} times their time."
    )
    columns = ("way", "tokens read", "tokens written", "seconds")
    return BenchmarkTable("Real vLLM: our pipeline and its own batch", how, columns, rows, ratio <= _MOST_RATIO)


def _in_process(way: str) -> tuple[float, int, int]:
    """Seconds, tokens read and tokens written of one way, measured in a new process."""
    environment = os.environ | {"VLLM_CPU_KVCACHE_SPACE": "4", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "benchmarks.vllm_pipeline", way]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    seconds, read, written = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), int(read), int(written)


async def _open() -> VllmEngine:
    settings = VllmSettings(enforce_eager=True)
    return await VllmEngine.open(str(require_weights()), settings=settings, context_window=_WINDOW)


async def _requests() -> list[CompletionRequest]:
    engine = await _open()
    try:
        requests = await segment_requests(engine, count=_SEGMENTS, answer_tokens=_ANSWER_TOKENS)
    finally:
        await engine.aclose()
    if len(requests) != _SEGMENTS:
        raise ValueError(f"the example book gave {len(requests)} segments instead of {_SEGMENTS}")
    return requests


def _ours() -> tuple[float, int, int]:
    return asyncio.run(_through_pipeline())


async def _through_pipeline() -> tuple[float, int, int]:
    requests = await _requests()
    adapter = await _open()
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(Path(folder) / "record.db")
        engine = LedgerEngine(wrap_engine(adapter, load_settings(), Budget(max_calls=_SEGMENTS)), Ledger(database))
        try:
            await adapter.complete(_WARM_UP)
            started = time.perf_counter()
            answers = await asyncio.gather(*(engine.complete(request) for request in requests))
            seconds = time.perf_counter() - started
        finally:
            await adapter.aclose()
            await database.aclose()
    read = sum(answer.usage.prompt_tokens for answer in answers)
    return seconds, read, sum(answer.usage.completion_tokens for answer in answers)


def _offline() -> tuple[float, int, int]:
    from vllm import LLM, SamplingParams

    requests = asyncio.run(_requests())  # before: vLLM's batch does not run beside an event loop
    model = LLM(
        model=str(require_weights()),
        max_model_len=_WINDOW,
        enforce_eager=True,
        enable_prefix_caching=True,
        disable_log_stats=True,
    )
    model.chat([_messages(_WARM_UP)], SamplingParams(max_tokens=1), use_tqdm=False)
    params = SamplingParams(max_tokens=_ANSWER_TOKENS, temperature=0.0)
    started = time.perf_counter()
    outputs = model.chat([_messages(request) for request in requests], params, use_tqdm=False)
    seconds = time.perf_counter() - started
    model.llm_engine.engine_core.shutdown()  # it does not end by itself with the process
    read = sum(len(output.prompt_token_ids or ()) for output in outputs)
    return seconds, read, sum(len(output.outputs[0].token_ids) for output in outputs)


def _messages(request: CompletionRequest) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in request.messages]


_WARM_UP = CompletionRequest((Message("user", "Say that you are ready."),), max_tokens=1)
_WAYS: dict[str, Callable[[], tuple[float, int, int]]] = {"LLM.chat": _offline, "longdoc": _ours}


if __name__ == "__main__":
    print(json.dumps(_WAYS[sys.argv[1]]()))
