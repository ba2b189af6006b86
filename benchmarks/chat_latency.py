"""What a conversation adds before the engine is asked: writing down, recalling, deciding, counting."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from benchmarks.table import BenchmarkTable
from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.chat import ChatOptions, ChatSession, open_chat
from longdoc.app.embedder_choice import choose_embedder
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.memory.policies import PolicyName
from longdoc.storage.memory_types import NamespaceName, NewMemory

_EARLIER = int(os.environ.get("LDA_BENCH_EARLIER", "2000"))
_TURNS = 60
_WINDOW = 2048
_ANSWER = "The answer of a model, which here costs nothing, so that only what longdoc itself does is seen."
_TARGET_MS = 50.0
_PLACES = ("Bergen", "Lisbon", "Cork", "Riga", "Ghent", "Malmö", "Turin", "Graz", "Nantes", "Split")


class _Watch:
    """Answers at once, and notes when the answer to a turn was asked for."""

    def __init__(self) -> None:
        self.asked = 0.0

    def answer(self, request: CompletionRequest) -> str:
        """Notes the time."""
        if request.origin is not None and request.origin.name.startswith("chat/"):
            self.asked = time.perf_counter()
        return _ANSWER


def run() -> BenchmarkTable:
    """Talk with each policy, with a pause after each turn as a person makes it."""
    rows: list[list[str]] = []
    passed = True
    for policy in (PolicyName.AUTO, PolicyName.RETRIEVE, PolicyName.FULL):
        for embedder in ("minilm-l6", "hashed"):
            with tempfile.TemporaryDirectory() as folder:
                seconds = asyncio.run(_measured(Path(folder), policy, embedder))
            middle, late = statistics.median(seconds) * 1000, statistics.quantiles(seconds, n=20)[-1] * 1000
            passed = passed and middle < _TARGET_MS
            by = "words" if embedder == "hashed" else "words and meaning"
            rows.append([str(policy), by, f"{middle:.1f} ms", f"{late:.1f} ms", f"{_TARGET_MS:.0f} ms"])
    how = (
        f"From the message to the call of the engine, over {_TURNS} turns after {_EARLIER:,} earlier ones; window "
        f"{_WINDOW:,}. The engine answers at once and counts nothing: what is seen is longdoc's own time, with the "
        "embedding of the message (MiniLM on the CPU) and every write to the record. Target: the median."
    )
    columns = ["policy", "recall by", "median", "95th percentile", "target"]
    return BenchmarkTable("Before the first token of an answer", how, columns, rows, passed)


async def _measured(folder: Path, policy: PolicyName, embedder: str) -> list[float]:
    watch = _Watch()
    async with (
        _workspace(folder, embedder, watch) as workspace,
        open_chat(workspace, NamespaceName("user"), ChatOptions(policy=policy)) as chat,
    ):
        await _fill(workspace, chat)
        seconds: list[float] = []
        for turn in range(_TURNS):
            started = time.perf_counter()
            await chat.send(f"Where did I say my boat number {turn * 31 % _EARLIER} is, in {_PLACES[turn % 10]}?")
            seconds.append(watch.asked - started)
            await chat.settle()
    return seconds


async def _fill(workspace: Workspace, chat: ChatSession) -> None:
    told = [
        NewMemory(f"Day {day}: my boat number {day} lies in {_PLACES[day * 7 % 10]} now.", response=_ANSWER)
        for day in range(_EARLIER)
    ]
    await workspace.records.memories.append_all(chat.namespace.id, told)
    chat.catch_up()
    await chat.settle()


@asynccontextmanager
async def _workspace(folder: Path, embedder: str, watch: _Watch) -> AsyncGenerator[Workspace, None]:
    settings = load_settings({"engine": "scripted", "database": str(folder / "record.db"), "embedding_model": embedder})
    engine = ScriptedEngine(watch.answer, context_window=_WINDOW)
    choose = partial(choose_embedder, settings, notify=_ignore, progress=_ignore)
    async with open_records(settings) as records:
        late = LateEmbedder(choose, notify=_ignore)
        try:
            yield Workspace(records, wrap_engine(engine, settings, Budget()), late)
        finally:
            await late.aclose()


def _ignore(*told: object) -> None:
    del told
