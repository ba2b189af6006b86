"""Pipelines: one capability over many documents, a few of them in memory at a time, all behind one engine.

What is done with a document is the caller's; this owns reading it, the window of those under way, and failures.
"""

from __future__ import annotations

import asyncio
import html
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

from longdoc.app.api_inputs import Input, name_of, open_input
from longdoc.app.loop_thread import CLOSED
from longdoc.app.results import Result, Shown, Source, html_of, row_of, source_rows_of
from longdoc.app.runs import RunUsage
from longdoc.documents.document import Document
from longdoc.errors import ConfigError, EngineAuthError, LdaError
from longdoc.json_value import JsonValue

DOCUMENTS_AT_ONCE: Final = 4
"""Documents under way together: enough that the end of one leaves no engine waiting, few enough for memory."""

R = TypeVar("R", bound=Result)


@dataclass(frozen=True, slots=True)
class Mapped(Shown, Generic[R]):
    """What became of one document of a pipeline: a result as any other, or the error that it failed with.

    `number` is its place among the documents (from 0), `source` its path or name. A failed one has no text.
    """

    number: int
    source: str
    made: R | None = None
    error: LdaError | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a result."""
        return self.made is not None

    @property
    def result(self) -> R:
        """The result itself. Raises the error of a document that failed."""
        if self.made is not None:
            return self.made
        raise self.error or LdaError(f"{self.source}: there is no result")

    @property
    def text(self) -> str:
        """See `Result`."""
        return "" if self.made is None else self.made.text

    @property
    def sources(self) -> tuple[Source, ...]:
        """See `Result`."""
        return () if self.made is None else self.made.sources

    @property
    def run_id(self) -> str:
        """See `Result`."""
        return "" if self.made is None else self.made.run_id

    @property
    def usage(self) -> RunUsage:
        """See `Result`."""
        return RunUsage() if self.made is None else self.made.usage

    def row(self) -> dict[str, JsonValue]:
        """The row of its result, with the document and the error (None for none) before it."""
        error = None if self.error is None else str(self.error)
        return {"source": self.source, "error": error, **row_of(self)}

    def source_rows(self) -> list[dict[str, JsonValue]]:
        """The rows of its sources, with the document before them."""
        return [{"source": self.source, **row} for row in source_rows_of(self)]

    def _repr_html_(self) -> str:
        shown = html_of(self) if self.error is None else f"<p>{html.escape(str(self.error))}</p>"
        return f"<h4>{html.escape(self.source)}</h4>{shown}"


def stops_all(error: LdaError) -> bool:
    """Whether an error of one document is one of all: a spent budget, a lost engine, a refused key."""
    return error.resumable or isinstance(error, EngineAuthError)


async def map_documents(
    sources: Iterable[Input],
    work: Callable[[Document], Awaitable[R]],
    *,
    at_once: int = DOCUMENTS_AT_ONCE,
    ordered: bool = False,
    under_way: set[asyncio.Future[Any]] | None = None,
) -> AsyncGenerator[Mapped[R], None]:
    """Do some work with each document, `at_once` of them at a time; what came of each, as it is there, or `ordered`.

    Documents are read when it is their turn, so that `at_once` are in memory, and the one that the caller holds. A
    document that fails is given as such and the rest go on. What stops all of them begins no other, lets those under
    way come to their end, and is raised at last. Who stops listening stops the work. Tasks are noted in `under_way`:
    cancelled there, they end this with `ConfigError`.
    """
    pipeline = _Pipeline(sources, work, at_once, set() if under_way is None else under_way)
    try:
        pipeline.begin()
        while pipeline.running:
            mapped = await pipeline.next(ordered=ordered)
            pipeline.begin()
            if mapped is not None:
                yield mapped
            del mapped  # the caller may have let go of it
    finally:
        await pipeline.stop()
    if pipeline.stopped_by is not None:
        raise pipeline.stopped_by


class _Pipeline(Generic[R]):
    """The documents under way, in their order."""

    def __init__(
        self,
        sources: Iterable[Input],
        work: Callable[[Document], Awaitable[R]],
        at_once: int,
        under_way: set[asyncio.Future[Any]],
    ) -> None:
        self._waiting = iter(enumerate(sources))
        self._work = work
        self._at_once = at_once
        self._under_way = under_way
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.running: list[asyncio.Task[Mapped[R]]] = []
        self.stopped_by: LdaError | None = None

    def begin(self) -> None:
        """Begin with as many documents as may be under way."""
        while self.stopped_by is None and len(self.running) < self._at_once:
            following = next(self._waiting, None)
            if following is None:
                return
            task = asyncio.ensure_future(self._one(*following))
            self.running.append(task)
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def next(self, *, ordered: bool) -> Mapped[R] | None:
        """What came of the document that is done first, or of the first one; None where it stopped all."""
        waited = self.running[:1] if ordered else self.running
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        task = next(one for one in waited if one.done())
        self.running.remove(task)
        if task.cancelled():
            raise ConfigError(CLOSED)
        mapped = task.result()
        return None if mapped.error is not None and stops_all(mapped.error) else mapped

    async def stop(self) -> None:
        """Leave nothing running."""
        for task in self.running:
            task.cancel()
        if self.running:
            await asyncio.wait(self.running)

    async def _one(self, number: int, source: Input) -> Mapped[R]:
        name = name_of(source)
        try:
            document = await open_input(source)
            async with self._turns.setdefault(document.id, asyncio.Lock()):  # the same again is one run
                return Mapped(number, name, await self._work(document))
        except LdaError as error:
            if stops_all(error):
                self.stopped_by = self.stopped_by or error
            return Mapped(number, name, error=error)
