"""Settings to live objects: the one place where parts are put together."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from longdoc.app.embedder_choice import HASHED, EmbedderChoice, can_run_models, choose_embedder
from longdoc.app.engine_choice import Notify, Progress, choose_engine
from longdoc.app.late_embedder import LateEmbedder
from longdoc.config import Settings
from longdoc.engines.budget import Budget, BudgetedEngine
from longdoc.engines.engine import Engine
from longdoc.engines.limiter import AdaptiveLimiter, LimitedEngine
from longdoc.engines.retry import RetryingEngine
from longdoc.engines.traced import TracedEmbedder, TracedEngine
from longdoc.storage.api_keys import ApiKeys
from longdoc.storage.collections import Collections
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.drafts import Drafts
from longdoc.storage.embeddings import Embeddings
from longdoc.storage.evaluations import MethodScores
from longdoc.storage.ledger import Ledger, LedgerEngine
from longdoc.storage.memories import Memories
from longdoc.storage.memory_derived import MemoryDecisions, MemoryVectors
from longdoc.storage.nodes import Nodes
from longdoc.storage.profiles import Profiles
from longdoc.storage.runs import Runs
from longdoc.storage.selections import Selections
from longdoc.storage.service_files import ServiceFiles
from longdoc.storage.service_jobs import ServiceJobs
from longdoc.storage.supports import Supports


@dataclass(frozen=True, slots=True)
class Records:
    """What is stored: opened without any engine. `indexes` is the folder of what is derived from it."""

    location: str
    documents: Documents
    ledger: Ledger
    runs: Runs
    nodes: Nodes
    supports: Supports
    scores: MethodScores
    collections: Collections
    embeddings: Embeddings
    selections: Selections
    memories: Memories
    memory_vectors: MemoryVectors
    memory_decisions: MemoryDecisions
    drafts: Drafts
    profiles: Profiles
    api_keys: ApiKeys
    jobs: ServiceJobs
    files: ServiceFiles
    indexes: Path


@dataclass(frozen=True, slots=True)
class Library:
    """What documents are indexed with: the record, and an embedder that is opened at its first use. No engine."""

    records: Records
    embedder: LateEmbedder


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a capability works with: the record, an engine with budget, limiter and retry around it, and an embedder
    that is opened at its first use. `trace_content`: spans hold prompts and answers. `claim` is told of each run before
    its first call, and its calls are bound to it."""

    records: Records
    engine: Engine
    embedder: LateEmbedder
    trace_content: bool = False
    claim: Callable[[str], Awaitable[None]] | None = None

    def recorded_engine(
        self, run_id: str, *, fresh_since: datetime | None, interactive: bool = False, bound: datetime | None = None
    ) -> Engine:
        """The engine behind the ledger, for one run; `interactive` and `bound` are those of `LedgerEngine`."""
        recorded = LedgerEngine(
            self.engine,
            self.records.ledger,
            run_id=run_id,
            fresh_since=fresh_since,
            interactive=interactive,
            bound=bound,
        )
        return TracedEngine(recorded, content=self.trace_content)


@asynccontextmanager
async def open_records(settings: Settings) -> AsyncGenerator[Records, None]:
    """Open the database (made and migrated where needed) for as long as the context lasts.

    Raises `StorageError`.
    """
    database = await Database.open(settings.database_location)
    indexes = settings.indexes_directory(database.location)
    try:
        yield Records(
            database.location,
            Documents(database),
            Ledger(database),
            Runs(database),
            Nodes(database),
            Supports(database),
            MethodScores(database),
            Collections(database),
            Embeddings(database),
            Selections(database),
            Memories(database),
            MemoryVectors(database),
            MemoryDecisions(database),
            Drafts(database),
            Profiles(database, indexes=indexes),
            ApiKeys(database),
            ServiceJobs(database),
            ServiceFiles(database),
            indexes,
        )
    finally:
        await database.aclose()


@asynccontextmanager
async def open_library(settings: Settings, *, notify: Notify, progress: Progress) -> AsyncGenerator[Library, None]:
    """Open record and embedder for as long as the context lasts; the parameters are those of `open_workspace`.

    Raises `StorageError`.
    """
    async with open_records(settings) as records:
        embedder = LateEmbedder(lambda: _embedder(settings, notify, progress), notify=notify)
        try:
            yield Library(records, embedder)
        finally:
            await embedder.aclose()


@asynccontextmanager
async def open_workspace(
    settings: Settings, *, budget: Budget, notify: Notify, progress: Progress
) -> AsyncGenerator[Workspace, None]:
    """Open record and engine for as long as the context lasts.

    `notify` is told in a sentence which engine was chosen; `progress` hears of models being pulled.
    Raises `ConfigError`, `EngineError`, `StorageError`.
    """
    async with open_library(settings, notify=notify, progress=progress) as library:
        choice = await choose_engine(settings, notify=notify, progress=progress)
        notify(f"engine: {choice.reason}")
        engine = wrap_engine(choice.engine, settings, budget)
        try:
            yield Workspace(library.records, engine, library.embedder, settings.trace_content)
        finally:
            await engine.aclose()


async def _embedder(settings: Settings, notify: Notify, progress: Progress) -> EmbedderChoice:
    """The embedder that is set, else the default model, else (in dry runs, or where none can run) hashed words."""
    unset = settings.embedding_model is None and settings.embedding_base_url is None
    if unset and (settings.engine == "scripted" or not can_run_models()):
        settings = settings.model_copy(update={"embedding_model": HASHED})
    choice = await choose_embedder(settings, notify=notify, progress=progress)
    return replace(choice, embedder=TracedEmbedder(choice.embedder))


def wrap_engine(adapter: Engine, settings: Settings, budget: Budget) -> Engine:
    """Budget > limiter > retry > adapter; the ledger is put around that for each run."""
    limiter = AdaptiveLimiter(slots=adapter.info.slots, fixed=settings.concurrency)
    retrying = RetryingEngine(adapter, attempts=settings.attempts, on_backoff=limiter.on_backoff)
    return BudgetedEngine(LimitedEngine(retrying, limiter), budget)
