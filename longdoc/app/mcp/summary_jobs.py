"""Summaries under way: begun by one call of a tool and followed by others, for as long as the server runs.

A summary that the server ends under is gone on with when it is started again: what was read is in the record.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from longdoc.agents.events import Event, NodeDone, Planned
from longdoc.app.bootstrap import Workspace
from longdoc.app.event_lines import line_of
from longdoc.app.mcp.replies import MOST_SOURCES
from longdoc.app.results import cited_text
from longdoc.app.summaries import SummaryOptions, summarize
from longdoc.documents.document import Document
from longdoc.errors import ConfigError, LdaError, NotFoundError
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.documents import StoredDocument

_MOST_KEPT = 50
_MOST_OPEN = 20
"""Summaries that have not ended."""
_AT_ONCE = 2
"""Summaries whose documents are in memory."""
_ID_LENGTH = 16


@dataclass(slots=True)
class SummaryJob:
    """A summary that was started: how far it is, and what came of it: a `text` with marks and sources, once it is done.
    `failure` says why there is none."""

    id: str
    title: str
    planned: int = 0
    done: int = 0
    line: str = "waiting for its turn"
    text: str | None = None
    run_id: str = ""
    failure: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, event: Event) -> None:
        """Note what the work tells."""
        self.line = line_of(event) or self.line
        if isinstance(event, Planned):
            self.planned = event.nodes
        elif isinstance(event, NodeDone):
            self.done += 1


class SummaryJobs:
    """The summaries of this server. `workspace` opens the engine, `load` gives the document of an id."""

    def __init__(
        self, workspace: Callable[[], Awaitable[Workspace]], load: Callable[[str], Awaitable[Document]]
    ) -> None:
        self._workspace = workspace
        self._load = load
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._jobs: dict[str, SummaryJob] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start(self, document: StoredDocument, options: SummaryOptions) -> SummaryJob:
        """Start a summary; the same one again is the one that is under way, or done. One that failed is tried again.

        Raises `ConfigError` where too many are under way.
        """
        asked = to_canonical_json([document.id, options.parameters(options.method)])
        id_ = f"summary-{hashlib.sha256(asked.encode()).hexdigest()[:_ID_LENGTH]}"
        job = self._jobs.get(id_)
        if job is None or job.failure:
            if len(self._tasks) >= _MOST_OPEN:
                raise ConfigError(f"{_MOST_OPEN} summaries are under way; start this one when one of them has ended")
            self._forget()
            job = self._jobs[id_] = SummaryJob(id_, document.title)
            self._tasks[id_] = asyncio.create_task(self._do(job, document.id, options))
        return job

    def get(self, id_: str) -> SummaryJob:
        """A summary that was started here. Raises `NotFoundError`."""
        job = self._jobs.get(id_)
        if job is None:
            raise NotFoundError(f"there is no summary {id_!r} under way; start it again: it goes on where it was")
        return job

    async def aclose(self) -> None:
        """Stop what is under way. Idempotent."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, job: SummaryJob, document_id: str, options: SummaryOptions) -> None:
        try:
            async with self._turns:
                job.line = "waiting for the engine"
                workspace = await self._workspace()
                document = await self._load(document_id)
                result = await summarize(workspace, document, options, fresh=False, emit=job.take)
                job.text, job.run_id = cited_text(result, most=MOST_SOURCES), result.run_id
        except LdaError as error:
            job.failure = str(error)
        except asyncio.CancelledError:
            job.failure = "it was stopped; start it again: it goes on where it was"
            raise
        except Exception as error:
            job.failure = f"something went wrong ({type(error).__name__})"
            raise
        finally:
            job.ended.set()
            self._tasks.pop(job.id, None)

    def _forget(self) -> None:
        """Make room: of too many that have ended, the oldest goes."""
        ended = [id_ for id_, job in self._jobs.items() if job.ended.is_set()]
        for id_ in ended[: max(0, len(self._jobs) + 1 - _MOST_KEPT)]:
            del self._jobs[id_]
