"""Writing a draft from end to end: its style, its length, its plan, and every section that is open.

Each is stored as it is done, and a section is written from nothing but what is stored: a draft that was stopped at any
moment goes on to the same text, and pays for no call twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence, Set
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime

from longdoc.agents.draft_budget import redistributed
from longdoc.agents.draft_changes import SectionState, holding, open_sections, state_of
from longdoc.agents.draft_context import ContextSizes, DraftContext, fixed_facts, last_words, outline, told_before
from longdoc.agents.earlier_text import EarlierText
from longdoc.agents.events import DraftPlanned, Emit, SectionBegun, SectionWritten, Warned
from longdoc.agents.graph import run_graph
from longdoc.agents.section_synopsis import Synopsis, synopsis_of
from longdoc.agents.section_writer import SectionTask, SectionWriter, WrittenSection
from longdoc.app.bootstrap import Workspace
from longdoc.app.draft_memory import DraftMemory
from longdoc.app.draft_preparation import DraftPreparation
from longdoc.app.draft_settings import STYLE, DraftSettings
from longdoc.app.draft_sources import DraftSources
from longdoc.app.draft_text import text_and_sources
from longdoc.app.results import Shown, Source
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.shelf import shelf_of
from longdoc.engines.engine import TextSink
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.memory.indexes import MemoryIndexes
from longdoc.storage.draft_types import Draft, DraftPlan, PlannedSection, SectionText
from longdoc.storage.nodes import Node
from longdoc.storage.runs import RunRequest, RunStatus


@dataclass(frozen=True, slots=True)
class DraftResult(Shown):
    """A draft after work on it: its texts by section, why sections (by number, from 1) could not be written, and what
    the work took."""

    draft: Draft
    texts: Mapping[int, SectionText]
    run_id: str
    usage: RunUsage
    failures: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def failed(self) -> tuple[int, ...]:
        """The numbers of sections that could not be written."""
        return tuple(sorted(self.failures))

    @property
    def text(self) -> str:
        """What is written, in Markdown under its headings."""
        return text_and_sources(self.draft, self.texts)[0]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The citations in it."""
        return text_and_sources(self.draft, self.texts)[1]

    @property
    def words(self) -> int:
        """How many words are written."""
        return sum(self.texts[one.id].words for one in self.draft.plan.sections if one.id in self.texts)


async def write_draft(
    workspace: Workspace,
    draft: Draft,
    *,
    plan_only: bool = False,
    fresh: bool = False,
    fresh_since: datetime | None = None,
    emit: Emit,
    on_text: TextSink | None = None,
) -> DraftResult:
    """Plan a draft that has no plan, and write what is open of it; only the plan with `plan_only`. With `fresh_since`
    (aware) no call counts that is older.

    A section that cannot be written is told and left open; others go on. Raises what the engine raises, and
    `ConfigError` where another process works on the draft; all that was done until then is kept.
    """
    settings = DraftSettings(draft)
    documents = [await workspace.records.documents.load(one) for one in settings.documents]
    request = RunRequest(
        kind="write",
        title=draft.instruction[:200],
        document_ids=tuple(document.id for document in documents),
        parameters={"draft": draft.name, "id": draft.id, "seed": settings.seed},
        model=workspace.engine.info.identity,
    )
    async with AsyncExitStack() as stack:
        run = await stack.enter_async_context(
            open_run(workspace, request, fresh=fresh, fresh_since=fresh_since, emit=emit)
        )
        shelf = await shelf_of(workspace.records, documents) if documents else None
        if shelf is not None:
            stack.callback(shelf.close)
        indexes = MemoryIndexes(limit_bytes=None)
        stack.push_async_callback(indexes.aclose)
        sources = None if shelf is None else DraftSources(workspace, shelf, emit=run.emit)
        writing = _Writing(workspace, run, draft, sources=sources, indexes=indexes, on_text=on_text)
        await writing.prepare()
        if not plan_only:
            await writing.sections()
        run.status = RunStatus.GAPS if writing.failures else RunStatus.DONE
        return await writing.result()


class _Writing:
    """One stretch of work on a draft."""

    def __init__(
        self,
        workspace: Workspace,
        run: OpenRun,
        draft: Draft,
        *,
        sources: DraftSources | None,
        indexes: MemoryIndexes,
        on_text: TextSink | None,
    ) -> None:
        self._workspace = workspace
        self._drafts = workspace.records.drafts
        self._run = run
        self._indexes = indexes
        self._on_text = on_text
        self._sources = sources
        self._writer = SectionWriter(run.engine, emit=run.emit)
        self._sizes = ContextSizes.of(workspace.engine.info.context_window)
        self._memory: DraftMemory | None = None
        self._saving = asyncio.Lock()
        self._earlier = EarlierText()
        self._numbers: dict[int, int] = {}
        self.draft = draft
        self.texts: dict[int, SectionText] = {}
        self.failures: dict[int, str] = {}

    @property
    def _settings(self) -> DraftSettings:
        return DraftSettings(self.draft)

    @property
    def _preparation(self) -> DraftPreparation:
        grounded = self._sources is not None
        return DraftPreparation(self._run.engine, self._settings, grounded=grounded, emit=self._run.emit)

    async def prepare(self) -> None:
        """Style sheet, length and plan, as far as they are not there."""
        if self._settings.like and self._settings.style is None:
            self.draft = await self._drafts.set_up(self.draft, {STYLE: await self._preparation.style_sheet()})
        if not self.draft.plan.sections:
            self.draft = await self._drafts.revise(self.draft, await self._preparation.plan(), "plan")

    async def sections(self) -> None:
        """Write what is open: one after the other, or at once."""
        self.texts = await self._drafts.texts(self.draft)
        for text in await self._drafts.versions(self.draft):
            self._numbers[text.section] = max(text.version, self._numbers.get(text.section, 0))
        waiting = open_sections(self.draft.plan, self.texts)
        plan = self.draft.plan
        closed = {number: one for number, one in enumerate(plan.sections) if number not in waiting}
        words = {number + 1: self.texts[one.id].words for number, one in closed.items() if one.id in self.texts}
        self._run.emit(DraftPlanned(plan, words))
        if self._settings.parallel:

            async def write_one(place: int) -> None:
                await self._section(waiting[place], plan.sections[waiting[place]].words)

            await run_graph([()] * len(waiting), write_one)
            return
        if len(plan.sections) > 1:
            self._memory = await DraftMemory.open(self._workspace, self.draft, self._indexes, emit=self._run.emit)
            await self._tell_of_held(set(waiting))
            await self._memory.remember([self.texts[one.id] for one in plan.sections if one.id in self.texts])
        for one in closed.values():
            if one.id in self.texts:
                self._earlier.add(self.texts[one.id].text)
        for number in waiting:
            await self._section(number, self._budget(number, waiting))

    async def _tell_of_held(self, waiting: Set[int]) -> None:
        """Make notes on texts that have none and that open sections come after: those that a person wrote."""
        for number, section in enumerate(self.draft.plan.sections):
            text = self.texts.get(section.id)
            if text is None or text.summary or number in waiting or number > max(waiting, default=-1):
                continue
            title = f"section {number + 1}, {section.heading!r}"
            told = await synopsis_of(self._run.engine, text.text, title=title, emit=self._run.emit)
            self.texts[section.id] = replace(text, summary=told.summary, facts=told.facts)
            await self._drafts.tell(self.draft, self.texts[section.id])

    async def result(self) -> DraftResult:
        """What there is now."""
        texts = await self._drafts.texts(self.draft)
        return DraftResult(self.draft, texts, self._run.id, self._run.usage, self.failures)

    def _budget(self, number: int, waiting: Sequence[int]) -> int:
        """The words of a section now: what is left of the whole, shared out among those that are still open."""
        sections = self.draft.plan.sections
        still = {one for one in waiting if one >= number}
        written = [
            None if at in still else self.texts[section.id].words if section.id in self.texts else 0
            for at, section in enumerate(sections)
        ]
        return redistributed([section.words for section in sections], written, self.draft.plan.words)[number]

    async def _section(self, number: int, words: int) -> None:
        """Write a section and store it with all that later ones are told of it."""
        section = self.draft.plan.sections[number]
        self._run.emit(SectionBegun(number + 1))
        version = self._numbers.get(section.id, 0) + 1
        task = await self._task(number, words, version)
        try:
            written = await self._writer.write(task, on_text=self._on_text)
        except (ContextTooLongError, InvalidOutputError, RequestRefusedError) as error:
            self.failures[number + 1] = str(error)
            self._run.emit(Warned(f"section {number + 1} is not written: {error}"))
            return
        synopsis = await self._synopsis(task, written)
        notes = None if self._sources is None else await self._sources.notes(written.text, task.context.excerpts)
        text = SectionText(
            section.id,
            version,
            written.text,
            written.words,
            words,
            section.line,
            synopsis.summary,
            synopsis.facts,
            notes,
            reason=written.reason,
        )
        await self._store(number, text, written.calls)

    async def _store(self, number: int, text: SectionText, calls: Sequence[int]) -> None:
        async with self._saving:  # sections that are written at once change the one plan
            plan = holding(self.draft.plan, text.section, text.version)
            section = plan.sections[number]
            node = Node(
                f"{self._run.id}.{section.id}",
                self._run.id,
                section.id,
                0,
                section.heading,
                text.text,
                reason=text.reason,
                word_limit=text.asked,
            )
            await self._workspace.records.nodes.save(node, calls=calls)
            self.draft = await self._drafts.written(self.draft, plan, text)
        self.texts[text.section] = text
        self._numbers[text.section] = text.version
        if not self._settings.parallel:
            self._earlier.add(text.text)
        if self._memory is not None:
            await self._memory.remember([text])
        self._run.emit(SectionWritten(number + 1, text.words))

    async def _task(self, number: int, words: int, version: int) -> SectionTask:
        plan = self.draft.plan
        section = plan.sections[number]
        return SectionTask(
            section,
            number + 1,
            len(plan.sections),
            max(1, words),
            await self._context(number, section, plan, together=self._settings.parallel),
            self._earlier,
            comment=section.comment or None,
            seed=self._settings.seed_of(section.id, version),
        )

    async def _context(self, number: int, section: PlannedSection, plan: DraftPlan, *, together: bool) -> DraftContext:
        context = DraftContext(self._settings.instruction, self._settings.style)
        if self._sources is not None:
            tokens = self._sizes.excerpts
            context = replace(context, excerpts=await self._sources.excerpts(section, self.draft.instruction, tokens))
        if len(plan.sections) == 1:
            return context
        context = replace(context, plan=outline(plan, number, self._sizes.plan))
        if together or self._memory is None or not number:
            return context
        before = [one.id for one in plan.sections[:number] if one.id in self.texts]
        recalled = await self._memory.recalled(section, before, self.texts)
        headings = {one.id: one.heading for one in plan.sections[:number]}
        previous = self.texts.get(plan.sections[number - 1].id)
        toy = self._workspace.engine.info.toy  # which says the last words again instead of going on from them
        return replace(
            context,
            memory=told_before(recalled, headings, self._sizes.memory),
            facts=fixed_facts([self.texts[one] for one in before], section, self._sizes.facts),
            tail=None if previous is None or toy else last_words(previous.text, self._sizes.tail),
        )

    async def _synopsis(self, task: SectionTask, written: WrittenSection) -> Synopsis:
        if self._memory is None or task.last:
            return Synopsis("")
        return await synopsis_of(self._run.engine, written.text, title=task.title, emit=self._run.emit)


def states(draft: Draft, texts: Mapping[int, SectionText]) -> list[SectionState]:
    """Where each section stands."""
    return [state_of(section, texts.get(section.id)) for section in draft.plan.sections]
