"""Our own work for a call: everything but the model, with the ledger on disk."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.table import BenchmarkTable
from longdoc.app.bootstrap import wrap_engine
from longdoc.config import load_settings
from longdoc.engines.budget import Budget
from longdoc.engines.engine import CompletionRequest, Engine, Message
from longdoc.engines.scripted import ScriptedEngine
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.database import Database
from longdoc.storage.ledger import Ledger, LedgerEngine

_CALLS = 10_000
_AT_ONCE = 64
_MOST_MILLISECONDS = 2.0
_SEGMENT = "The old house stood at the end of the lane, and nobody had lived in it for years. " * 80


def run() -> BenchmarkTable:
    """Make ten thousand scripted calls, then the same again from the record."""
    with tempfile.TemporaryDirectory() as folder:
        bare = asyncio.run(_bare())
        made = asyncio.run(_recorded(Path(folder)))
        again = asyncio.run(_recorded(Path(folder)))
    rows = [
        ["the scripted engine alone", f"{bare:.3f}"],
        ["prompt, ledger (written), budget, limiter, retry, engine", f"{made:.3f}"],
        ["the same, answered from the ledger", f"{again:.3f}"],
        ["our own share of a new call", f"{made - bare:.3f}"],
    ]
    how = (
        f"Processor milliseconds for each of {_CALLS:,} calls with prompts of {len(_SEGMENT):,} characters, "
        f"{_AT_ONCE} at once, SQLite on disk. Target: our own share under {_MOST_MILLISECONDS} ms."
    )
    return BenchmarkTable("Overhead of a call", how, ("what", "ms"), rows, made - bare < _MOST_MILLISECONDS)


async def _bare() -> float:
    return await _timed(ScriptedEngine(_answer))


async def _recorded(folder: Path) -> float:
    database = await Database.open(folder / "record.db")
    engine = wrap_engine(ScriptedEngine(_answer), load_settings(), Budget(max_calls=_CALLS))
    try:
        return await _timed(LedgerEngine(engine, Ledger(database)))
    finally:
        await database.aclose()


async def _timed(engine: Engine) -> float:
    """Milliseconds of processor time a call."""
    numbers = iter(range(_CALLS))

    async def worker() -> None:
        for number in numbers:
            await engine.complete(request(number))

    started = time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(_AT_ONCE):
            group.create_task(worker())
    return (time.process_time() - started) / _CALLS * 1000


def request(number: int) -> CompletionRequest:
    """A request to summarize a segment, another one for each number."""
    segment = Quoted(f"{number} {_SEGMENT}", {"document": "d", "start": number, "end": number + len(_SEGMENT)})
    variables = {
        "segment": segment,
        "words": 247,
        "exact": False,
        "title": None,
        "place": None,
        "language": None,
        "focus": None,
    }
    prompt = render("summarize/leaf", variables)
    return CompletionRequest((Message("system", prompt.system), Message("user", prompt.user)), max_tokens=380)


def _answer(request: CompletionRequest) -> str:
    return f"The house stood empty for {len(request.messages)} years."
