"""What can be asked of the Python face: a method for each capability, each of which gives a `Work`.

What capabilities do is not here: these methods read the documents, and call them.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from longdoc.agents.events import Emit
from longdoc.agents.profile_tasks import ProfileTask, find_task
from longdoc.app.api_inputs import Input, Inputs, open_input, open_inputs, open_shelf
from longdoc.app.api_keywords import AskKeywords, DoKeywords, DraftKeywords, PersonalKeywords, SummaryKeywords
from longdoc.app.api_work import Work
from longdoc.app.ask import AskResult, ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.check import CheckResult, check_claims
from longdoc.app.draft_editing import draft_name
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.app.finding import AskOptions
from longdoc.app.personalize import Personalized, PersonalRequest, personalize
from longdoc.app.summaries import SummaryOptions, SummaryResult, summarize
from longdoc.engines.engine import TextSink
from longdoc.errors import ConfigError
from longdoc.storage.profile_types import LOCAL_TENANT

if TYPE_CHECKING:
    from longdoc.app.orchestrator import DoRequest, DoResult, WorkPlan

T = TypeVar("T")


class Capabilities(ABC):
    """The capabilities of `AsyncLongDoc`, which says what they have in common."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Future[Any]] = set()

    @property
    @abstractmethod
    def workspace(self) -> Workspace:
        """Record, engine and embedder, for what has no method here. Raises `ConfigError` where it is not open."""

    @property
    @abstractmethod
    def profile_tasks(self) -> Mapping[str, ProfileTask]:
        """What can be done for users, by name."""

    def _work(self, begin: Callable[[Emit], Coroutine[Any, Any, T]], emit: Emit | None) -> Work[T]:
        return Work(begin, emit=emit, under_way=self._under_way)

    def summarize(
        self, document: Input, *, fresh: bool = False, emit: Emit | None = None, **options: Unpack[SummaryKeywords]
    ) -> Work[SummaryResult]:
        """The summary of a document. Takes the fields of `SummaryOptions` by name (`words`, `method`, `focus`, …).

        ```python
        summary = await lda.summarize("book.epub", words=100)
        print(summary.text)
        for source in summary.sources:
            print(source.place, source.quote)
        ```
        """
        asked = SummaryOptions(**options)

        async def begin(emit: Emit) -> SummaryResult:
            workspace = self.workspace
            return await summarize(workspace, await open_input(document), asked, fresh=fresh, emit=emit)

        return self._work(begin, emit)

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
    ) -> Work[AskResult]:
        """The answer to a question about documents, or a collection, with verified citations; `on_text` gets it in
        pieces, as it is written. Takes the fields of `AskOptions` by name (`strategy`, `context_tokens`, …).

        ```python
        answer = await lda.ask("Who keeps the light?", "book.epub")
        print(answer.text)
        print(answer.source_rows())
        ```
        """
        asked = AskOptions(**options)
        require_question(question)

        async def begin(emit: Emit) -> AskResult:
            async with open_shelf(self.workspace, documents, collection) as shelf:
                return await ask(self.workspace, shelf, question, asked, fresh=fresh, emit=emit, on_text=on_text)

        return self._work(begin, emit)

    def check(
        self,
        claims: str | Sequence[str],
        documents: Inputs = (),
        *,
        collection: str | None = None,
        fresh: bool = False,
        emit: Emit | None = None,
        **options: Unpack[AskKeywords],
    ) -> Work[CheckResult]:
        """Whether documents, or a collection, bear out a claim, or each of several. Options are those of `ask`.

        ```python
        checked = await lda.check(["The light went out.", "Nobody came."], "book.epub")
        for one in checked.claims:
            print(one.told)
        ```
        """
        asked, listed = AskOptions(**options), listed_claims(claims)

        async def begin(emit: Emit) -> CheckResult:
            async with open_shelf(self.workspace, documents, collection) as shelf:
                return await check_claims(self.workspace, shelf, listed, asked, fresh=fresh, emit=emit)

        return self._work(begin, emit)

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
    ) -> Work[DraftResult]:
        """A text of any length, from documents where some are given. Takes the fields of `DraftOptions` by name.

        It is kept as the draft `name` (one is made of the instruction); the same again goes on with it.

        ```python
        draft = await lda.write("a 150 word note about lighthouses", "book.epub")
        print(draft.words, draft.text)
        ```
        """
        asked = DraftOptions(**options)

        async def begin(emit: Emit) -> DraftResult:
            workspace, read = self.workspace, await open_inputs(documents)
            called = name or draft_name(instruction, asked.settings(read))
            draft = await new_draft(workspace, called, instruction, asked, read)
            return await write_draft(workspace, draft, plan_only=plan_only, fresh=fresh, emit=emit, on_text=on_text)

        return self._work(begin, emit)

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
    ) -> Work[Personalized]:
        """What a task makes of a text for a user. Takes the fields of `PersonalRequest` by name (`take`, `ranked`, …).

        ```python
        from longdoc import NewItem

        ann = await lda.user("ann")
        await ann.put([NewItem("title", "1", "How we moved the office", "Fix: the office")])
        await ann.refresh()
        print((await lda.personalize("ann", "How we hired", task="title")).text)
        ```
        """

        async def begin(emit: Emit) -> Personalized:
            request = PersonalRequest(find_task(self.profile_tasks, task), text, **options)
            owner = await self.workspace.records.profiles.tenant(tenant)
            return await personalize(self.workspace, owner, user, request, emit=emit, on_text=on_text)

        return self._work(begin, emit)

    def do(
        self,
        instruction: str,
        documents: Inputs = (),
        *,
        fresh: bool = False,
        emit: Emit | None = None,
        on_text: TextSink | None = None,
        **options: Unpack[DoKeywords],
    ) -> Work[DoResult]:
        """Whatever an instruction asks for, by the capabilities it takes; the result tells which, and why. Takes the
        fields of `DoRequest` by name (`collection`, `user`, `session`, `capability`, …).

        ```python
        done = await lda.do("Summarize this in 100 words", "book.epub")
        print(done.text)
        for step in done.steps:
            print(step.route.capability, step.route.reason)
        ```
        """

        async def begin(emit: Emit) -> DoResult:
            from longdoc.app import orchestrator

            request = await _request(instruction, documents, options)
            return await orchestrator.do(self.workspace, request, fresh=fresh, emit=emit, on_text=on_text)

        return self._work(begin, emit)

    def plan(
        self, instruction: str, documents: Inputs = (), *, emit: Emit | None = None, **options: Unpack[DoKeywords]
    ) -> Work[WorkPlan]:
        """What `do` would do, step by step, to be looked at before `carry_out` does it.

        ```python
        plan = await lda.plan("Summarize this in 100 words", "book.epub")
        print([step.route.reason for step in plan.steps])
        done = await lda.carry_out(plan)
        ```
        """

        async def begin(emit: Emit) -> WorkPlan:
            from longdoc.app import orchestrator

            request = await _request(instruction, documents, options)
            return await orchestrator.plan_work(self.workspace, request, emit=emit)

        return self._work(begin, emit)

    def carry_out(
        self, plan: WorkPlan, *, fresh: bool = False, emit: Emit | None = None, on_text: TextSink | None = None
    ) -> Work[DoResult]:
        """Do what was planned."""

        async def begin(emit: Emit) -> DoResult:
            from longdoc.app import orchestrator

            return await orchestrator.carry_out(self.workspace, plan, fresh=fresh, emit=emit, on_text=on_text)

        return self._work(begin, emit)


async def _request(instruction: str, documents: Inputs, options: DoKeywords) -> DoRequest:
    from longdoc.app.orchestrator import Capability, DoRequest

    named = options.get("capability")
    if named is not None:
        try:
            options["capability"] = Capability(named)  # in a notebook it is a word
        except ValueError as error:
            raise ConfigError(f"there is no capability {named!r}; choose one of: {', '.join(Capability)}") from error
    return DoRequest(instruction, tuple(await open_inputs(documents)), **options)


def listed_claims(claims: str | Sequence[str]) -> list[str]:
    """One claim, or several, as a list. Raises `ConfigError` for none and for empty ones."""
    listed = [claim.strip() for claim in ([claims] if isinstance(claims, str) else claims)]
    if not listed or not all(listed):
        raise ConfigError("say what you claim: one sentence, or a list of them")
    return listed


def require_question(question: str) -> None:
    """Raises `ConfigError` for an empty question."""
    if not question.strip():
        raise ConfigError("the question is empty; say what you want to know")
