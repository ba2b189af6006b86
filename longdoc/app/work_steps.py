"""The steps of a plan, each done by its capability: documents, and texts of earlier steps, go in, a text comes out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime

from longdoc.agents.events import Emit, Warned
from longdoc.agents.follow_up import MOST_TURNS
from longdoc.agents.graph import run_graph
from longdoc.agents.request_words import claims_of, focus_of, language_of
from longdoc.agents.routing import Capability
from longdoc.app.ask import ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.chat import ChatOptions, open_chat
from longdoc.app.check import check_claims
from longdoc.app.draft_memory import forget_draft
from longdoc.app.draft_settings import DraftOptions, new_draft
from longdoc.app.draft_writing import DraftResult, write_draft
from longdoc.app.finding import AskOptions
from longdoc.app.pipelines import stops_all
from longdoc.app.results import Result, Source
from longdoc.app.runs import RunUsage
from longdoc.app.shelf import Shelf, shelf_of, shelf_of_collection
from longdoc.app.summaries import SummaryOptions, SummaryResult, summarize
from longdoc.app.work_call import CallResult, do_in_one_call, room_for_documents
from longdoc.app.work_person import Person
from longdoc.app.work_plan import DoRequest, WorkPlan, WorkStep
from longdoc.app.work_results import StepResult, added, resting_on
from longdoc.documents.document import Document
from longdoc.documents.readers import read_bytes
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import TextSink
from longdoc.errors import ConfigError, LdaError
from longdoc.json_value import JsonValue
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.memory_types import NamespaceName
from longdoc.storage.user_erasure import own_draft_name

_AT_ONCE = 4
"""Documents summarized together."""
ANONYMOUS = "me"
"""Whose conversations are meant where no user is named, as `lda chat` has it."""


@dataclass(slots=True)
class StepWork:
    """What the steps of a plan have in common. What holds text of the user is done in `claimed`, whose runs go with the
    user, and so is what takes a document of `pasted`. Nothing counts that was recorded before `fresh_since`."""

    workspace: Workspace
    claimed: Workspace
    plan: WorkPlan
    run_id: str
    emit: Emit
    on_text: TextSink | None = None
    fresh_since: datetime | None = None
    pasted: frozenset[str] = frozenset()
    _texts: dict[int, Document] = field(default_factory=dict[int, Document])
    _personal: set[int] = field(default_factory=set[int])

    async def do(self, step: WorkStep, done: Mapping[int, StepResult], person: Person) -> StepResult:
        """Do a step whose earlier steps are `done`. Raises `LdaError`."""
        lacking = [number for number in step.steps if done[number].failure]
        if lacking:
            raise ConfigError(f"it needs what step {lacking[0]} did not give")
        documents = self._documents(step, done)
        taken = not self._personal.isdisjoint(step.steps) or not self.pasted.isdisjoint(step.documents)
        personal = person.context.personal or taken
        if personal:
            self._personal.add(step.number)
        work = _OneStep(self, step, documents, person, personal)
        match step.route.capability:
            case Capability.SUMMARIZE:
                result, gaps = await work.summarized()
            case Capability.ASK:
                result, gaps = await work.asked()
            case Capability.CHECK:
                result, gaps = await work.checked()
            case Capability.WRITE:
                result, gaps = await work.written()
            case Capability.CHAT:
                result, gaps = await work.said()
            case Capability.CALL:
                result, gaps = await work.called(documents)
        sources = tuple(one for source in result.sources for one in self._originals(source, done))
        return StepResult(
            step.number,
            step.instruction,
            step.route,
            result.text,
            sources,
            (result.run_id,) if not isinstance(result, _Made) else result.run_ids,
            result.usage,
            gaps=gaps,
            cut=isinstance(result, CallResult) and result.cut,
            personal=person.told,
            draft=result.draft.name if isinstance(result, DraftResult) and not personal else "",
        )

    def _documents(self, step: WorkStep, done: Mapping[int, StepResult]) -> list[Document]:
        """The inputs of a step, in the order of the request, then those of earlier steps."""
        given = {one.id: one for one in self.plan.request.documents if one.id in step.documents}
        return [*given.values(), *(self._text_of(number, done) for number in step.steps)]

    async def own_text(self, step: WorkStep, done: Mapping[int, StepResult]) -> str | None:
        """The id of the text of a step as a document, stored, where a later step takes it and it goes with the user."""
        taken = any(step.number in other.steps for other in self.plan.steps)
        if step.number not in self._personal or not taken or not done[step.number].text:
            return None
        document = self._text_of(step.number, done)
        await self.workspace.records.documents.save(document)
        return document.id

    def _text_of(self, number: int, done: Mapping[int, StepResult]) -> Document:
        """The text of a step as a document."""
        if number not in self._texts:
            step = done[number]
            title = f"step {number}: {' '.join(step.instruction.split())[:80]}"
            document = read_bytes(step.text.encode(), name=f"step-{number}.md")
            self._texts[number] = replace(document, source=title, metadata=replace(document.metadata, title=title))
        return self._texts[number]

    def _originals(self, source: Source, done: Mapping[int, StepResult]) -> Sequence[Source]:
        """Where a text of an earlier step rests on documents there, those are the sources."""
        number = next((n for n, one in self._texts.items() if one.id == source.document_id), None)
        if number is None:
            return [source]
        quote = self._texts[number].text[source.start : source.end]
        behind = resting_on(done[number], quote, near=source.start)
        return [replace(one, at=source.at) for one in behind] or [source]


@dataclass(frozen=True, slots=True)
class _Made:
    """A result put together from several."""

    text: str
    sources: tuple[Source, ...]
    run_ids: tuple[str, ...]
    usage: RunUsage

    @property
    def run_id(self) -> str:
        """The run of the last."""
        return self.run_ids[-1]


@dataclass(frozen=True, slots=True)
class _OneStep:
    """A step under way; a `personal` one holds text of the user."""

    work: StepWork
    step: WorkStep
    documents: Sequence[Document]
    person: Person
    personal: bool

    @property
    def _workspace(self) -> Workspace:
        return self.work.claimed if self.personal else self.work.workspace

    @property
    def _request(self) -> DoRequest:
        return self.work.plan.request

    async def summarized(self) -> tuple[Result, bool]:
        """A summary of each document."""
        documents = self.documents or await self._collected()
        found: dict[int, SummaryResult] = {}
        failed: dict[int, LdaError] = {}

        async def one(number: int) -> None:
            try:
                found[number] = await self._summary(documents[number])
            except LdaError as error:
                if stops_all(error) or len(documents) == 1:
                    raise
                failed[number] = error

        await run_graph([()] * len(documents), one, at_once=_AT_ONCE)
        if not found:
            raise next(iter(failed.values()))
        if len(documents) == 1:
            return found[0], bool(found[0].summary.gaps)
        made = _under_titles(documents, found, failed)
        return made, bool(failed) or any(one.summary.gaps for one in found.values())

    async def _summary(self, document: Document) -> SummaryResult:
        route, asked = self.step.route, self.step.instruction
        options = SummaryOptions(
            words=None if route.words is None else max(10, route.words),
            by_chapter=route.by_chapter,
            language=language_of(asked),
            focus=self.person.focus(focus_of(asked)),
        )
        try:
            return await self._summarized(document, options)
        except ConfigError as error:
            if not route.by_chapter:
                raise
            self.work.emit(Warned(f"{document.title}: {error}; it is summarized as a whole"))
            return await self._summarized(document, replace(options, by_chapter=False))

    async def _summarized(self, document: Document, options: SummaryOptions) -> SummaryResult:
        since = self.work.fresh_since
        return await summarize(self._workspace, document, options, fresh=False, fresh_since=since, emit=self.work.emit)

    async def asked(self) -> tuple[Result, bool]:
        """The answer to a question."""
        known = self.person.turns
        turns = (*known, *self._request.turns[-(MOST_TURNS - len(known)) :])
        with closing(await self._shelf()) as shelf:
            result = await ask(
                self._workspace,
                shelf,
                self.step.instruction,
                AskOptions(),
                fresh_since=self.work.fresh_since,
                turns=turns,
                emit=self.work.emit,
                on_text=None,
            )
        return result, result.unread > 0

    async def checked(self) -> tuple[Result, bool]:
        """The verdicts on the claims of the instruction."""
        claims = claims_of(self.step.instruction)
        with closing(await self._shelf()) as shelf:
            since = self.work.fresh_since
            result = await check_claims(
                self._workspace, shelf, claims, AskOptions(), fresh_since=since, emit=self.work.emit
            )
        return result, any(one.check is None for one in result.claims)

    async def written(self) -> tuple[Result, bool]:
        """A draft, from the documents where there are any; one for a user stays in the run only."""
        route = self.step.route
        options = DraftOptions(words=route.words, chapters=route.chapters)
        since = self.work.fresh_since
        documents = self.documents or (await self._collected() if self.step.collection else ())
        instruction = self.person.instruction(self._in_context())
        name = await self._draft_name([instruction, options.settings(documents)])
        draft = await new_draft(self._workspace, name, instruction, options, documents)
        result = await write_draft(
            self._workspace, draft, fresh_since=since, emit=self.work.emit, on_text=self.work.on_text
        )
        if self.personal:  # what quotes a user goes with the user, as runs do and drafts do not
            await forget_draft(self._workspace.records, draft)
            await self._workspace.records.drafts.delete(draft)
        if not result.texts:
            raise ConfigError(f"nothing could be written: {'; '.join(result.failures.values())}")
        return result, bool(result.failures)

    async def _draft_name(self, asked: JsonValue) -> str:
        """The name of the step's draft: of what is asked, and from a fresh start on of another, which then stays."""
        digest = hashlib.sha256(to_canonical_json(asked).encode()).hexdigest()[:8]
        rest = f"{self.step.number}-{digest}"
        name = own_draft_name(self.work.run_id, rest) if self.personal else f"do/{self.work.run_id}-{rest}"
        if self.work.fresh_since is not None:
            return f"{name}-{self.work.fresh_since:%Y%m%d%H%M%S%f}"
        newest = await self._workspace.records.drafts.newest(name)
        return name if newest is None else newest.name

    async def said(self) -> tuple[Result, bool]:
        """An answer in a conversation: of a session that remembers, else after the turns that came with it."""
        session = self._request.session
        if session is None:
            return await self.called(self._fitting())
        name = NamespaceName(self._request.user or ANONYMOUS, "default", session)
        async with open_chat(self.work.workspace, name, ChatOptions(), emit=self.work.emit) as chat:
            if self.documents:
                await chat.add(self.documents)
            key = f"do {self.work.run_id} {self.step.number}"
            reply = await chat.send(self.step.instruction, key=key, emit=self.work.emit, on_text=self.work.on_text)
        return reply, False

    def _fitting(self) -> Sequence[Document]:
        """The documents, where they fit one call."""
        room = room_for_documents(self._workspace.engine.info, self._in_context())
        if sum(estimate_tokens(one.text) for one in self.documents) <= room:
            return self.documents
        self.work.emit(
            Warned("the documents do not fit one call, so this is said without them; ask a question of them")
        )
        return ()

    async def called(self, documents: Sequence[Document]) -> tuple[Result, bool]:
        """What one call makes of documents."""
        result = await do_in_one_call(
            self._workspace,
            self._in_context(),
            documents,
            turns=self._request.turns,
            words=self.step.route.words,
            background=self.person.background,
            fresh_since=self.work.fresh_since,
            emit=self.work.emit,
            on_text=self.work.on_text,
        )
        if not result.text:
            raise ConfigError("the model gave an empty answer; ask otherwise, or another model")
        return result, result.cut

    def _in_context(self) -> str:
        """The instruction of the step; beside other steps, with the request that it is a part of."""
        if len(self.work.plan.steps) == 1:
            return self.step.instruction
        whole = self._request.instruction.strip()
        return f"{self.step.instruction}\n\n(This is one part of what was asked: {whole})"

    async def _shelf(self) -> Shelf:
        if self.step.collection and not self.documents and self._request.collection is not None:
            return await shelf_of_collection(self._workspace.records, self._request.collection)
        return await shelf_of(self._workspace.records, self.documents)

    async def _collected(self) -> Sequence[Document]:
        """The documents of the collection. Raises `ConfigError` where there is none."""
        if self._request.collection is None:
            raise ConfigError("there is no document to work on; name one")
        shelf = await shelf_of_collection(self._workspace.records, self._request.collection)
        return await shelf.all()


def _under_titles(
    documents: Sequence[Document], found: Mapping[int, SummaryResult], failed: Mapping[int, LdaError]
) -> _Made:
    """Summaries of several documents as one text, each under its title."""
    pieces: list[str] = []
    sources: list[Source] = []
    usage = RunUsage()
    for number, document in enumerate(documents):
        heading = f"## {document.title}"
        if number in failed:
            pieces += [heading, f"(not summarized: {failed[number]})"]
            continue
        result = found[number]
        start = sum(len(piece) + 2 for piece in pieces) + len(heading) + 2
        pieces += [heading, result.text]
        end = start + len(result.text)
        sources += [replace(one, at=end if one.at is None else start + one.at) for one in result.sources]
        usage = added(usage, result.usage)
    return _Made("\n\n".join(pieces), tuple(sources), tuple(found[number].run_id for number in sorted(found)), usage)
