"""Where components of other libraries ask longdoc: what is open, and the documents they ask about.

Their libraries call them from threads without a loop and from loops that are not longdoc's; how that comes to the one
loop that longdoc runs on is this module's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from longdoc.app.api import AsyncLongDoc
from longdoc.app.api_capabilities import Capabilities
from longdoc.app.api_inputs import Inputs, open_inputs, open_shelf
from longdoc.app.api_sync import LongDoc
from longdoc.documents.document import Document
from longdoc.documents.places import Place, place_of
from longdoc.engines.engine import TextSink
from longdoc.errors import ConfigError

T = TypeVar("T")

Opened: TypeAlias = LongDoc | AsyncLongDoc | Capabilities
"""longdoc, open: `LongDoc` from anywhere, `AsyncLongDoc` from its own loop only."""

_END: Final = object()
_ON_A_LOOP: Final = "this was opened on a loop: await it there (ainvoke, astream, aretrieve), or open LongDoc"


@dataclass(frozen=True, slots=True)
class Match:
    """What a search found: `document.text[start:end]`; `score` is higher where it fits better."""

    document: Document
    start: int
    end: int
    score: float

    @property
    def text(self) -> str:
        """The words."""
        return self.document.text[self.start : self.end]

    @property
    def place(self) -> Place:
        """Where they stand."""
        return place_of(self.document, self.start, self.end)


@dataclass(frozen=True, slots=True)
class Last(Generic[T]):
    """The result that stands behind the pieces of a stream."""

    result: T


class Desk:
    """longdoc with the documents, read once, or the collection that is asked about. Raises `ConfigError` for both."""

    def __init__(self, lda: Opened, documents: Inputs = (), collection: str | None = None) -> None:
        self._lda = lda
        self._inputs = documents
        self._documents: Sequence[Document] | None = None
        self.collection = collection

    def run(self, work: Callable[[Capabilities], Coroutine[Any, Any, T]]) -> T:
        """Wait for what is asked of longdoc, in a thread without a loop. Raises `ConfigError` for `AsyncLongDoc`."""
        if isinstance(self._lda, LongDoc):
            return self._lda.thread.run(work(self._lda.inner))
        raise ConfigError(_ON_A_LOOP)

    async def arun(self, work: Callable[[Capabilities], Coroutine[Any, Any, T]]) -> T:
        """Wait for what is asked of longdoc, on any loop, or on its own where that is `AsyncLongDoc`'s."""
        if isinstance(self._lda, LongDoc):
            return await self._lda.thread.wait(work(self._lda.inner))
        return await work(self._lda)

    def iterate(self, work: Callable[[Capabilities], AsyncGenerator[T, None]]) -> Iterator[T]:
        """What a stream of longdoc gives, piece by piece, as `run`; who stops listening stops it."""
        if isinstance(self._lda, LongDoc):
            return self._lda.thread.iterate(work(self._lda.inner))
        raise ConfigError(_ON_A_LOOP)

    async def aiterate(self, work: Callable[[Capabilities], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """What a stream of longdoc gives, piece by piece, as `arun`; who stops listening stops it."""
        if not isinstance(self._lda, LongDoc):
            async with aclosing(work(self._lda)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        thread, listener = self._lda.thread, _Listener(work(self._lda.inner))
        try:
            while (piece := await thread.wait(listener.next())) is not _END:
                yield piece  # pyright: ignore[reportReturnType] what is not the end is a piece
        finally:
            await thread.wait(listener.aclose())

    async def documents(self) -> Sequence[Document]:
        """The documents that were given. Raises kinds of `DocumentError`."""
        if self._documents is None:
            self._documents = await open_inputs(self._inputs)
        return self._documents

    async def search(self, lda: Capabilities, question: str, *, k: int) -> list[Match]:
        """The `k` stretches of the documents that fit a question best. Raises as `open_shelf`."""
        workspace = lda.workspace
        async with open_shelf(workspace, await self.documents(), self.collection) as shelf:
            index = await shelf.index(workspace, emit=ignore)
            hits = [hit for hit in await index.search(question, k=k) if hit.document_id in shelf.ids]
            held = await shelf.load({hit.document_id for hit in hits})
        spans = [(held[hit.document_id], hit.segment.start, hit.segment.end, hit.score) for hit in hits]
        return [Match(document, *_tight(document.text, start, end), score) for document, start, end, score in spans]


async def streamed(begin: Callable[[TextSink], Coroutine[Any, Any, T]]) -> AsyncGenerator[str | Last[T], None]:
    """The pieces of a text as they are written, then the result; who stops listening stops the work."""
    pieces: asyncio.Queue[str | object] = asyncio.Queue()
    task = asyncio.ensure_future(begin(pieces.put_nowait))
    task.add_done_callback(lambda _: pieces.put_nowait(_END))
    try:
        while (piece := await pieces.get()) is not _END:
            yield str(piece)
        yield Last(await task)
    finally:
        task.cancel()
        await asyncio.wait([task])


def ignore(*told: object) -> None:
    """Nobody listens."""


class _Listener(Generic[T]):
    """Listens to a stream in one task on longdoc's loop, for somebody on another loop: who stops waiting for a piece
    there stops the wait alone, and the stream can be ended after that."""

    def __init__(self, pieces: AsyncGenerator[T, None]) -> None:
        self._pieces = pieces
        self._heard: asyncio.Queue[T | object] = asyncio.Queue()
        self._wanted = asyncio.Semaphore(0)
        self._task: asyncio.Task[None] | None = None

    async def next(self) -> T | object:
        """The next piece, or `_END`. Raises what the stream raises."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._listen())
            self._task.add_done_callback(lambda _: self._heard.put_nowait(_END))
        self._wanted.release()
        piece = await self._heard.get()
        if piece is _END:
            await self._task
        return piece

    async def aclose(self) -> None:
        """End the stream, and wait until it has ended."""
        if self._task is None:
            await self._pieces.aclose()
        else:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _listen(self) -> None:
        async with aclosing(self._pieces) as pieces:
            await self._wanted.acquire()
            async for piece in pieces:
                self._heard.put_nowait(piece)
                await self._wanted.acquire()


def _tight(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space around it."""
    words = text[start:end]
    return start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip())
