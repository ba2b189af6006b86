"""The embedded engine with parallel slots against one call at a time, on the same segments of the example book."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from benchmarks.table import BenchmarkTable
from longdoc.app.engine_choice import pulled_model
from longdoc.config import load_settings
from longdoc.documents.readers import read_document
from longdoc.documents.segments import segment_document
from longdoc.engines.catalogue import DEFAULT_CHAT_MODEL, find_entry
from longdoc.engines.embedded import EmbeddedEngine
from longdoc.engines.engine import Completion, CompletionRequest, Engine, Message
from longdoc.prompts.catalogue import Quoted, render

_BOOK = Path("examples/novella.epub")
_SEGMENTS = 16
_SEGMENT_TOKENS = 256
_ANSWER_TOKENS = 128
_LEAST_RATIO = 1.5


def run() -> BenchmarkTable:
    """Summarize the same segments with the default slots and with one."""
    rows: list[list[str]] = []
    speeds: list[float] = []
    for slots in (1, None):
        seconds, answers, used = asyncio.run(_timed(slots))
        written = sum(answer.usage.completion_tokens for answer in answers)
        read = sum(answer.usage.prompt_tokens for answer in answers)
        speeds.append((read + written) / seconds)
        rows.append([str(used), str(len(answers)), str(read), str(written), f"{seconds:.1f}"])
    ratio = speeds[1] / speeds[0]
    rows.append(["speed-up (tokens per second)", "", "", "", f"{ratio:.2f}"])
    how = (
        f"{_SEGMENTS} segments of at most {_SEGMENT_TOKENS} tokens, answers of at most {_ANSWER_TOKENS}, SmolLM2-135M, "
        f"{os.cpu_count()} cores, the load of the model not counted. Target: at least {_LEAST_RATIO} times faster."
    )
    columns = ("slots", "calls", "tokens read", "tokens written", "seconds")
    return BenchmarkTable("Parallel slots of the embedded engine", how, columns, rows, ratio >= _LEAST_RATIO)


async def _timed(slots: int | None) -> tuple[float, list[Completion], int]:
    entry = find_entry(DEFAULT_CHAT_MODEL)
    assert entry is not None
    path = await pulled_model(load_settings(), entry, notify=print, progress=_no_progress)
    engine = EmbeddedEngine(path, identity="benchmark", slots=slots, lookup=False)
    try:
        requests = await segment_requests(engine, count=_SEGMENTS, answer_tokens=_ANSWER_TOKENS)
        started = time.perf_counter()
        answers = await asyncio.gather(*(engine.complete(request) for request in requests))
        return time.perf_counter() - started, list(answers), engine.info.slots or 1
    finally:
        await engine.aclose()


def _no_progress(name: str, done: int, total: int | None) -> None:
    del name, done, total


class _Tokens:
    """The engine as a counter."""

    identity = "engine"

    def __init__(self, engine: Engine) -> None:
        self.count_tokens = engine.count_tokens


async def segment_requests(engine: Engine, *, count: int, answer_tokens: int) -> list[CompletionRequest]:
    """Requests to summarize the first segments of the example book."""
    document = read_document(_BOOK)
    segments = await segment_document(document, _Tokens(engine), limit=_SEGMENT_TOKENS)
    return [_request(document.text[s.start : s.end], answer_tokens) for s in segments[:count]]


def _request(text: str, answer_tokens: int) -> CompletionRequest:
    variables = {
        "segment": Quoted(text, {}),
        "words": 80,
        "exact": False,
        "title": None,
        "place": None,
        "language": None,
        "focus": None,
    }
    prompt = render("summarize/leaf", variables)
    messages = (Message("system", prompt.system), Message("user", prompt.user))
    return CompletionRequest(messages, max_tokens=answer_tokens, temperature=0.0)
