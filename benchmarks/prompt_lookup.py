"""The embedded engine with tokens drafted from the prompt and without, on answers that quote and others."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.embedded_slots import segment_requests
from benchmarks.table import BenchmarkTable
from longdoc.app.engine_choice import pulled_model
from longdoc.config import load_settings
from longdoc.engines.catalogue import DEFAULT_CHAT_MODEL, find_entry
from longdoc.engines.embedded import EmbeddedEngine
from longdoc.engines.engine import Completion, CompletionRequest, Message

_SEGMENTS = 8
_ANSWER_TOKENS = 192
_QUOTE = "Write down, word for word, the sentences of the text that name a person or a place."
_MOST_RATIO = 1.05
"""What drafts may cost at most where they are of no use."""


def run() -> BenchmarkTable:
    """The same requests one after the other, and all at once."""
    measured = {lookup: asyncio.run(_measured(lookup=lookup)) for lookup in (False, True)}
    rows: list[list[str]] = []
    passed = True
    for without, drafted in zip(measured[False], measured[True], strict=True):
        ratio = drafted[1] / without[1]
        rows.append([without[0], f"{without[1] * 1000:.1f}", f"{drafted[1] * 1000:.1f}", f"{ratio:.2f}"])
        passed = passed and ratio <= _MOST_RATIO
    how = (
        f"{_SEGMENTS} segments of the example book, answers of at most {_ANSWER_TOKENS} tokens, SmolLM2-135M, "
        f"{os.cpu_count()} cores; milliseconds for each token written, reading included. Target: drafts never cost "
        f"more than {_MOST_RATIO - 1:.0%}."
    )
    return BenchmarkTable("Tokens drafted from the prompt", how, ("answers", "without", "with", "ratio"), rows, passed)


async def _measured(*, lookup: bool) -> list[tuple[str, float]]:
    entry = find_entry(DEFAULT_CHAT_MODEL)
    assert entry is not None
    path = await pulled_model(load_settings(), entry, notify=print, progress=lambda name, done, total: None)
    engine = EmbeddedEngine(path, identity="benchmark", lookup=lookup)
    try:
        summaries = await segment_requests(engine, count=_SEGMENTS, answer_tokens=_ANSWER_TOKENS)
        quotes = [_quoting(request) for request in summaries]
        return [
            ("summaries, one by one", await _timed(engine, summaries, together=False)),
            ("quotes, one by one", await _timed(engine, quotes, together=False)),
            ("summaries, all at once", await _timed(engine, summaries, together=True)),
            ("quotes, all at once", await _timed(engine, quotes, together=True)),
        ]
    finally:
        await engine.aclose()


def _quoting(request: CompletionRequest) -> CompletionRequest:
    user = request.messages[-1]
    return replace(request, messages=(Message("system", _QUOTE), Message("user", f"{user.content}\n\n{_QUOTE}")))


async def _timed(engine: EmbeddedEngine, requests: Sequence[CompletionRequest], *, together: bool) -> float:
    """Seconds for each token written."""
    started = time.perf_counter()
    answers: list[Completion] = []
    if together:
        answers += await asyncio.gather(*(engine.complete(request) for request in requests))
    else:
        for request in requests:
            answers.append(await engine.complete(request))
    return (time.perf_counter() - started) / sum(answer.usage.completion_tokens for answer in answers)
