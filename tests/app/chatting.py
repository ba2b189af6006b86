"""Conversations for tests: a workspace on a scripted engine, and what it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from longdoc.app.bootstrap import Workspace, open_records, wrap_engine
from longdoc.app.embedder_choice import EmbedderChoice
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import Settings
from longdoc.engines.budget import Budget
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.engine import Completion, CompletionRequest, Engine
from longdoc.engines.scripted import ScriptedEngine
from longdoc.storage.memory_types import NamespaceName

ALICE = NamespaceName("alice", "default", "main")


def prompt(request: CompletionRequest) -> str:
    """What the user's message of a request says."""
    return request.messages[-1].content


def kind(request: CompletionRequest) -> str:
    """Which template made a request."""
    return "" if request.origin is None else request.origin.name


def said(text: str) -> Callable[[CompletionRequest], str]:
    """Always the same answer; summaries, gates and judgements in the shape that is asked for."""

    def answer(request: CompletionRequest) -> str:
        shapes = {
            "memory/summary": '{"user": "Something.", "assistant": "An answer."}',
            "memory/gate": '{"needed": true, "reason": "it may"}',
            "memory/judge": '{"useful": true, "summary_is_enough": true}',
        }
        return shapes.get(kind(request), text)

    return answer


def scripted(
    answers: Callable[[CompletionRequest], str | Completion] | str = "Noted.", *, window: int = 2048
) -> ScriptedEngine:
    """An engine with a window."""
    return ScriptedEngine(said(answers) if isinstance(answers, str) else answers, context_window=window)


def with_workspace(path: Path, engine: Engine, work: Callable[[Workspace], Awaitable[None]]) -> None:
    """Run `work` on a record in a folder."""

    async def main() -> None:
        settings = Settings(engine="scripted", database=str(path / "record.db"))
        async with open_records(settings) as records:
            embedder = LateEmbedder(_hashed, notify=lambda _: None)
            await work(Workspace(records, wrap_engine(engine, settings, Budget()), embedder))

    asyncio.run(main())


async def _hashed() -> EmbedderChoice:
    return EmbedderChoice(HashedEmbedder(), "hashed")
