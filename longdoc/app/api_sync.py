"""The Python face of longdoc for programs without a loop, and for notebooks: `LongDoc`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Self, Unpack

from longdoc.agents.events import Emit
from longdoc.app.api import AsyncLongDoc
from longdoc.app.api_chat import Chat
from longdoc.app.api_inputs import Input, Inputs
from longdoc.app.api_keywords import (
    AskKeywords,
    ChatKeywords,
    DoKeywords,
    DraftKeywords,
    PersonalKeywords,
    SummaryKeywords,
)
from longdoc.app.api_profiles import User
from longdoc.app.ask import AskResult
from longdoc.app.check import CheckResult
from longdoc.app.draft_writing import DraftResult
from longdoc.app.history import NodeDetails, RunDetails, RunSummary
from longdoc.app.indexing import Ingested
from longdoc.app.loop_thread import LoopThread
from longdoc.app.personalize import Personalized
from longdoc.app.pipelines import DOCUMENTS_AT_ONCE, Mapped
from longdoc.app.summaries import SummaryResult
from longdoc.documents.document import Document
from longdoc.engines.budget import Budget
from longdoc.engines.engine import TextSink
from longdoc.storage.profile_types import LOCAL_TENANT

if TYPE_CHECKING:
    from longdoc.app.orchestrator import DoResult, WorkPlan


class LongDoc:
    """longdoc for programs without a loop, and for notebooks: `AsyncLongDoc` on a loop in a thread of its own.

    ```python
    from longdoc import LongDoc

    with LongDoc() as longdoc:
        print(longdoc.summarize("book.epub", words=100).text)
        chat = longdoc.chat("alice")
        print(chat.send("My cat is called Kiki.").text)
    ```

    Its methods take and raise what those of `AsyncLongDoc` do, and give the result itself; `emit` and `on_text` are
    called in that thread. It works inside a running loop too, which waits meanwhile. Where no `with` is at hand, as in
    the cells of a notebook, `start` opens it and `close` closes it.
    """

    def __init__(
        self, *, budget: Budget | None = None, notify: Callable[[str], None] | None = None, **settings: object
    ) -> None:
        self._inner = AsyncLongDoc(budget=budget, notify=notify, **settings)
        self._loop = LoopThread()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.close()

    def start(self) -> Self:
        """See `AsyncLongDoc.start`. Idempotent.

        ```python
        longdoc = LongDoc(engine="scripted").start()
        answer = longdoc.ask("Who keeps the light?", "book.epub")
        longdoc.close()
        ```
        """
        self._loop.start()
        try:
            self._loop.run(self._inner.start())
        except BaseException:
            self._loop.stop()
            raise
        return self

    def close(self) -> None:
        """See `AsyncLongDoc.aclose`."""
        try:
            self._loop.run(self._inner.aclose())
        finally:
            self._loop.stop()

    @property
    def inner(self) -> AsyncLongDoc:
        """The same for programs that have a loop. It lives on the loop of `thread`: what is asked of it has to run
        there."""
        return self._inner

    @property
    def thread(self) -> LoopThread:
        """The loop that all of it runs on."""
        return self._loop

    def open(self, source: Input | bytes, *, name: str | None = None) -> Document:
        """See `AsyncLongDoc.open`."""
        return self._loop.run(self._inner.open(source, name=name))

    def collect(self, collection: str, documents: Inputs, *, emit: Emit | None = None) -> Ingested:
        """See `AsyncLongDoc.collect`."""
        return self._loop.run(self._inner.collect(collection, documents, emit=emit))

    def summarize(
        self, document: Input, *, fresh: bool = False, emit: Emit | None = None, **options: Unpack[SummaryKeywords]
    ) -> SummaryResult:
        """See `AsyncLongDoc.summarize`."""
        return self._loop.run(self._inner.summarize(document, fresh=fresh, emit=emit, **options).result())

    def ask(
        self,
        question: str,
        documents: Inputs = (),
        *,
        collection: str | None = None,
        fresh: bool = False,
        emit: Emit | None = None,
        on_text: TextSink | None = None,
        **options: Unpack[AskKeywords],
    ) -> AskResult:
        """See `AsyncLongDoc.ask`."""
        work = self._inner.ask(
            question, documents, collection=collection, fresh=fresh, emit=emit, on_text=on_text, **options
        )
        return self._loop.run(work.result())

    def check(
        self,
        claims: str | Sequence[str],
        documents: Inputs = (),
        *,
        collection: str | None = None,
        fresh: bool = False,
        emit: Emit | None = None,
        **options: Unpack[AskKeywords],
    ) -> CheckResult:
        """See `AsyncLongDoc.check`."""
        work = self._inner.check(claims, documents, collection=collection, fresh=fresh, emit=emit, **options)
        return self._loop.run(work.result())

    def write(
        self,
        instruction: str,
        documents: Inputs = (),
        *,
        name: str | None = None,
        plan_only: bool = False,
        fresh: bool = False,
        emit: Emit | None = None,
        on_text: TextSink | None = None,
        **options: Unpack[DraftKeywords],
    ) -> DraftResult:
        """See `AsyncLongDoc.write`."""
        work = self._inner.write(
            instruction, documents, name=name, plan_only=plan_only, fresh=fresh, emit=emit, on_text=on_text, **options
        )
        return self._loop.run(work.result())

    def personalize(
        self,
        user: str,
        text: str,
        *,
        task: str,
        tenant: str = LOCAL_TENANT,
        emit: Emit | None = None,
        on_text: TextSink | None = None,
        **options: Unpack[PersonalKeywords],
    ) -> Personalized:
        """See `AsyncLongDoc.personalize`."""
        work = self._inner.personalize(user, text, task=task, tenant=tenant, emit=emit, on_text=on_text, **options)
        return self._loop.run(work.result())

    def do(
        self,
        instruction: str,
        documents: Inputs = (),
        *,
        fresh: bool = False,
        emit: Emit | None = None,
        on_text: TextSink | None = None,
        **options: Unpack[DoKeywords],
    ) -> DoResult:
        """See `AsyncLongDoc.do`."""
        work = self._inner.do(instruction, documents, fresh=fresh, emit=emit, on_text=on_text, **options)
        return self._loop.run(work.result())

    def plan(
        self, instruction: str, documents: Inputs = (), *, emit: Emit | None = None, **options: Unpack[DoKeywords]
    ) -> WorkPlan:
        """See `AsyncLongDoc.plan`."""
        return self._loop.run(self._inner.plan(instruction, documents, emit=emit, **options).result())

    def carry_out(
        self, plan: WorkPlan, *, fresh: bool = False, emit: Emit | None = None, on_text: TextSink | None = None
    ) -> DoResult:
        """See `AsyncLongDoc.carry_out`."""
        return self._loop.run(self._inner.carry_out(plan, fresh=fresh, emit=emit, on_text=on_text).result())

    def map_summaries(
        self,
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[SummaryKeywords],
    ) -> Iterator[Mapped[SummaryResult]]:
        """See `AsyncLongDoc.map_summaries`.

        ```python
        rows = [one.row() for one in lda.map_summaries(["book.epub", "missing.epub"], words=100)]
        ```
        """
        pipeline = self._inner.map_summaries(documents, at_once=at_once, ordered=ordered, fresh=fresh, **options)
        return self._loop.iterate(pipeline)

    def map_answers(
        self,
        question: str,
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[AskKeywords],
    ) -> Iterator[Mapped[AskResult]]:
        """See `AsyncLongDoc.map_answers`."""
        pipeline = self._inner.map_answers(
            question, documents, at_once=at_once, ordered=ordered, fresh=fresh, **options
        )
        return self._loop.iterate(pipeline)

    def map_checks(
        self,
        claims: str | Sequence[str],
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[AskKeywords],
    ) -> Iterator[Mapped[CheckResult]]:
        """See `AsyncLongDoc.map_checks`."""
        pipeline = self._inner.map_checks(claims, documents, at_once=at_once, ordered=ordered, fresh=fresh, **options)
        return self._loop.iterate(pipeline)

    def map_drafts(
        self,
        instruction: str,
        documents: Iterable[Input],
        *,
        at_once: int = DOCUMENTS_AT_ONCE,
        ordered: bool = False,
        fresh: bool = False,
        **options: Unpack[DraftKeywords],
    ) -> Iterator[Mapped[DraftResult]]:
        """See `AsyncLongDoc.map_drafts`."""
        pipeline = self._inner.map_drafts(
            instruction, documents, at_once=at_once, ordered=ordered, fresh=fresh, **options
        )
        return self._loop.iterate(pipeline)

    def chat(
        self,
        user: str,
        session: str = "main",
        *,
        agent: str = "default",
        documents: Inputs = (),
        **options: Unpack[ChatKeywords],
    ) -> Chat:
        """See `AsyncLongDoc.chat`."""
        chat = self._inner.chat(user, session, agent=agent, documents=documents, **options)
        return Chat(self._loop.run(chat), self._loop)

    def user(self, name: str, *, tenant: str = LOCAL_TENANT) -> User:
        """See `AsyncLongDoc.user`."""
        return User(self._loop.run(self._inner.user(name, tenant=tenant)), self._loop)

    def runs(self) -> list[RunSummary]:
        """See `AsyncLongDoc.runs`."""
        return self._loop.run(self._inner.runs())

    def run(self, run_id: str) -> RunDetails:
        """See `AsyncLongDoc.run`."""
        return self._loop.run(self._inner.run(run_id))

    def node(self, address: str) -> NodeDetails:
        """See `AsyncLongDoc.node`."""
        return self._loop.run(self._inner.node(address))
