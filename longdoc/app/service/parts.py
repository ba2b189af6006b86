"""What a service works with while it is open: the record, an engine once somebody needs it, indexes, jobs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from longdoc.agents.events import Event
from longdoc.agents.profile_tasks import ProfileTask, load_tasks
from longdoc.app.bootstrap import Library, Workspace, open_library, wrap_engine
from longdoc.app.engine_choice import choose_engine
from longdoc.app.service.access import Gate
from longdoc.app.service.jobs import JobRunner
from longdoc.app.service.metrics import Metrics
from longdoc.app.service.request_log import log
from longdoc.config import Settings
from longdoc.engines.budget import Budget
from longdoc.engines.engine import Engine
from longdoc.errors import LdaError
from longdoc.memory.indexes import MemoryIndexes
from longdoc.storage.profile_types import LOCAL_TENANT

_MEGABYTE = 1024 * 1024
_READ_AT_ONCE = 2


class LateWorkspace:
    """A workspace whose engine is opened when it is first needed. One that is given is not closed here."""

    def __init__(self, library: Library, settings: Settings, engine: Engine | None) -> None:
        self._library = library
        self._settings = settings
        self._given = engine
        self._opening = asyncio.Lock()
        self._workspace = None if engine is None else self._with(engine)

    @property
    def engine(self) -> str:
        """The model that answers, or that none is open yet."""
        return "not opened" if self._workspace is None else self._workspace.engine.info.model

    @property
    def configured(self) -> bool:
        """Whether the settings name an engine; one that is only looked for is not opened before it is needed."""
        return self._settings.engine != "auto" or bool(self._settings.model or self._settings.base_url)

    async def opened(self) -> Workspace:
        """The workspace. Raises `ConfigError`, `EngineError`; the next time it is tried again."""
        async with self._opening:
            if self._workspace is None:
                choice = await choose_engine(
                    self._settings, notify=lambda line: None, progress=lambda name, done, total: None
                )
                engine = wrap_engine(choice.engine, self._settings, Budget())
                log("engine", model=engine.info.model)
                self._workspace = self._with(engine)
        return self._workspace

    async def aclose(self) -> None:
        """Close the engine where it was opened here."""
        if self._workspace is not None and self._given is None:
            await self._workspace.engine.aclose()

    def _with(self, engine: Engine) -> Workspace:
        library = self._library
        return Workspace(library.records, engine, library.embedder, self._settings.trace_content)


@dataclass(slots=True)
class ServiceParts:
    """What the routes work with. `reading` is held while documents are read; `closing` is set once the service is about
    to end."""

    library: Library
    workspace: LateWorkspace
    tasks: Mapping[str, ProfileTask]
    gate: Gate
    indexes: MemoryIndexes
    runner: JobRunner
    metrics: Metrics
    reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_READ_AT_ONCE))
    closing: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def open_parts(
    settings: Settings, *, keyless: bool, metrics: Metrics, engine: Engine | None = None
) -> AsyncGenerator[ServiceParts, None]:
    """Open a service's parts for as long as the context lasts; with an `engine`, that one answers.

    Raises `ConfigError`, `StorageError`.
    """
    tasks = load_tasks(settings.profile_tasks)
    async with open_library(settings, notify=lambda line: None, progress=lambda name, done, total: None) as opened:
        library = sharing(opened)
        workspace = LateWorkspace(library, settings, engine)
        indexes = MemoryIndexes(limit_bytes=settings.memory_cache * _MEGABYTE)
        local = await library.records.profiles.tenant(LOCAL_TENANT)
        runner = JobRunner(library.records, workspace.opened, tasks, open_jobs=metrics.jobs.set)
        parts = ServiceParts(
            library, workspace, tasks, Gate(library.records.api_keys, local, keyless=keyless), indexes, runner, metrics
        )
        if workspace.configured:
            await _try_opening(workspace)
        runner.start()
        try:
            yield parts
        finally:
            parts.closing.set()
            await runner.aclose()
            await indexes.aclose()
            await workspace.aclose()


def sharing(library: Library) -> Library:
    """A library for clients of several tenants: what one of them stores changes no document of another."""
    records = library.records
    return replace(library, records=replace(records, documents=records.documents.keeping()))


async def _try_opening(workspace: LateWorkspace) -> None:
    """What needs no engine works without one, too."""
    try:
        await workspace.opened()
    except LdaError as error:
        log("engine-missing", error=type(error).__name__)


def quiet(event: Event) -> None:
    """Nobody listens to what happens on the way to a reply."""
    del event
