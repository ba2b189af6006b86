"""Measuring how questions are answered, from end to end: texts made, indexed, selected from and answered by strategies.

Owns the order of the work and what a report must tell; texts and cases, measures and figures are `evaluation`'s. An
evaluation is one run; its calls are recorded, so that one that was stopped goes on, and one repeated makes none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from longdoc.agents.calls import call, request_of
from longdoc.agents.events import Emit, Event, Indexed, NodeDone, Planned, Warned
from longdoc.app.ask import ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.comparison import Watch
from longdoc.app.indexing import open_index
from longdoc.app.question_options import (
    SORT_TOKENS,
    NeedleOptions,
    SortOptions,
    ThreadOptions,
    TrialOptions,
    cases_to_sort,
    counted,
    key_texts,
    needle_texts,
    needle_title,
)
from longdoc.app.question_strategies import CallTally, LineUp, SelectionStrategy, TextSelectors, Variant, line_up
from longdoc.app.runs import OpenRun, open_run
from longdoc.app.shelf import Shelf, shelf_of
from longdoc.documents.document import Document
from longdoc.documents.windows import OVERLAP_TOKENS, WINDOW_TOKENS
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError
from longdoc.evaluation import planted, threads
from longdoc.evaluation.answer_match import AnswerScore, score_anywhere, score_start
from longdoc.evaluation.answer_trial import Answerer, AnswerOutcome, Reply, try_answers, try_sorting
from longdoc.evaluation.filler import filler_of
from longdoc.evaluation.gold import GoldCase, GoldText, Recipe
from longdoc.evaluation.question_report import QuestionReport, answer_figures, order_figures, selection_figures
from longdoc.evaluation.selection_trial import SelectionOutcome, try_selection
from longdoc.evaluation.tsort import INSTRUCTION, SortCase
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.nodes import Node
from longdoc.storage.runs import RunRequest, RunStatus

_ANSWERS_AT_ONCE = 4
_MODEL = "model"


async def evaluate_needles(
    workspace: Workspace, documents: Sequence[Document], options: NeedleOptions, *, fresh: bool = False, watch: Watch
) -> QuestionReport:
    """Plant needles in texts made of some documents, and see which strategies find them, and answer.

    Raises `ConfigError` for what cannot be made or tried, and what a later run may overcome; what else fails for a case
    is in the report.
    """
    filler = filler_of(documents)
    plans = options.plans(filler)
    count, texts = needle_texts(filler, plans, options.trial)
    await _save(workspace, documents)
    request = RunRequest(
        kind="eval needle",
        title=needle_title(filler, options),
        document_ids=[document.id for document in documents],
        parameters={
            "kinds": list(map(str, options.kinds)),
            "each": options.each,
            "depths": options.depths,
            "generator": planted.GENERATOR_VERSION,
            **options.trial.parameters(),
        },
        model=workspace.engine.info.identity,
    )
    asked = _Asked(options.trial, score_anywhere, cases=len(plans) * len(options.trial.lengths), texts=count)
    return await _evaluate(workspace, request, asked, texts, fresh=fresh, watch=watch)


async def evaluate_threads(
    workspace: Workspace, options: ThreadOptions, *, fresh: bool = False, watch: Watch
) -> QuestionReport:
    """Have values looked up, and followed, in texts of random keys and values. Raises as `evaluate_needles`."""
    count, texts = key_texts(options)
    request = RunRequest(
        kind="eval threads",
        title="Key-value threads",
        document_ids=(),
        parameters={
            "kinds": list(map(str, options.kinds)),
            "each": options.each,
            "generator": threads.GENERATOR_VERSION,
            **options.trial.parameters(),
        },
        model=workspace.engine.info.identity,
    )
    asked = _Asked(options.trial, score_start, cases=len(options.tasks()) * len(options.trial.lengths), texts=count)
    return await _evaluate(workspace, request, asked, texts, fresh=fresh, watch=watch)


async def evaluate_tsort(
    workspace: Workspace, documents: Sequence[Document], options: SortOptions, *, fresh: bool = False, watch: Watch
) -> QuestionReport:
    """Have the engine put shuffled stretches of documents in order. Raises as `evaluate_needles`."""
    info = workspace.engine.info
    cases, left_out = cases_to_sort(documents, options, info)
    await _save(workspace, documents)
    names = ", ".join(document.title for document in documents)
    request = RunRequest(
        kind="eval tsort",
        title=f"Stretches of {names} in order",
        document_ids=[document.id for document in documents],
        parameters={"lengths": list(options.lengths), "each": options.each, "seed": options.seed},
        model=info.identity,
    )
    with watch(request.title) as view:
        async with open_run(workspace, request, fresh=fresh, emit=view.emit) as run:
            run.emit(Planned(len(cases), f"{counted(len(cases), 'question')}, a call each"))
            sorter = _Sorter(workspace, run)
            outcomes = await try_sorting(cases, {_MODEL: sorter.sort}, at_once=_at_once(info))
            report = QuestionReport(
                request.title,
                orders=outcomes,
                settings={"model": info.identity, "seed": str(options.seed)},
                remarks=left_out,
            )
            await _close(workspace, run, report)
        view.finish(run.id, run.usage)
    return report


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is tried, how replies are scored, and how much there is of it."""

    trial: TrialOptions
    score: Callable[[str, GoldCase], AnswerScore]
    cases: int
    texts: int


async def _evaluate(
    workspace: Workspace, request: RunRequest, asked: _Asked, texts: Iterator[GoldText], *, fresh: bool, watch: Watch
) -> QuestionReport:
    with watch(request.title) as view:
        async with open_run(workspace, request, fresh=fresh, emit=_each_warning_once(view.emit)) as run:
            run.emit(Planned(asked.texts, f"{counted(asked.cases, 'case')} in {counted(asked.texts, 'text')}"))
            trials = _Trials(workspace, run, asked, fresh=fresh)
            while (text := await asyncio.to_thread(next, texts, None)) is not None:
                await trials.add(text)
            report = trials.report(request.title)
            await _close(workspace, run, report, children=trials.nodes)
        view.finish(run.id, run.usage)
    return report


class _Trials:
    """What came of the texts tried so far."""

    def __init__(self, workspace: Workspace, run: OpenRun, asked: _Asked, *, fresh: bool) -> None:
        self._workspace = workspace
        self._run = run
        self._asked = asked
        self._trial = asked.trial
        self._fresh = fresh
        self._selection: list[SelectionOutcome] = []
        self._answers: list[AnswerOutcome] = []
        self._recipes: dict[Recipe, None] = {}
        self._remarks: dict[str, None] = {}
        self._settings: dict[str, str] = {}
        self.nodes: list[str] = []

    async def add(self, text: GoldText) -> None:
        """Index a text, try everything on it, and store what came of it."""
        index = await open_index(self._workspace, [text.document], collection=None, emit=self._run.emit)
        try:
            selectors = TextSelectors(
                index, text.document, self._run.engine, candidates=self._trial.candidates, emit=self._run.emit
            )
            lined_up = await self._line_up(selectors, text)
            selection = await try_selection(
                text.cases, await selectors.of(lined_up.variants), budgets=self._trial.budgets
            )
        finally:
            index.close()
        answers = await self._answered(text, lined_up)
        self._selection += selection
        self._answers += answers
        if text.recipe is not None:
            self._recipes[text.recipe] = None
        await self._store(text, QuestionReport(text.document.title, selection, answers))

    def report(self, title: str) -> QuestionReport:
        """Everything. Raises `ConfigError` where nothing was tried."""
        if not self._selection:
            raise ConfigError(f"nothing is left to try; {'; '.join(self._remarks)}")
        return QuestionReport(
            title, self._selection, self._answers, (), tuple(self._recipes), self._settings, tuple(self._remarks)
        )

    async def _line_up(self, selectors: TextSelectors, text: GoldText) -> LineUp:
        """What is tried on a text: every segment of a long one is not scored."""
        dense = selectors.finds_by_meaning
        lined_up = line_up(self._trial.strategies, self._trial.scoring, self._workspace.engine.info, dense=dense)
        self._remarks |= dict.fromkeys(lined_up.left_out)
        self._settings = await self._terms(lined_up, dense=dense)
        segments = await selectors.segments()
        if segments <= self._trial.xl3m_up_to or not any(map(_is_exhaustive, lined_up.variants)):
            return lined_up
        length, most = text.cases[0].length or 0, self._trial.xl3m_up_to
        remark = f"left out: xl3m of texts of {length:,} tokens, which have more than {most:,} segments"
        self._remarks[remark] = None
        return LineUp(tuple(one for one in lined_up.variants if not _is_exhaustive(one)), lined_up.left_out)

    async def _terms(self, lined_up: LineUp, *, dense: bool) -> dict[str, str]:
        """What a comparison must hold equal."""
        embedder = (await self._workspace.embedder.opened()).info.identity if dense else "none"
        settings = {
            "model": self._workspace.engine.info.identity,
            "embedder": embedder,
            "segments": f"{WINDOW_TOKENS} tokens, {OVERLAP_TOKENS} shared",
        }
        if lined_up.scoring is not None:
            settings["candidates"] = str(self._trial.candidates)
            settings["seconds"] = "of the search, and of all calls added up"
            if not self._workspace.engine.info.entropy:
                settings["entropies"] = "lower bounds"
        return settings

    async def _answered(self, text: GoldText, lined_up: LineUp) -> Sequence[AnswerOutcome]:
        answering = self._trial.answering(lined_up)
        if not answering:
            return ()
        shelf = await shelf_of(self._workspace.records, [text.document])
        answerers = {variant.label: self._answerer(shelf, variant) for variant in answering}
        at_once = _at_once(self._workspace.engine.info)
        return await try_answers(text.cases, answerers, score=self._asked.score, at_once=at_once)

    def _answerer(self, shelf: Shelf, variant: Variant) -> Answerer:
        options = self._trial.ask_options(variant)

        async def answer(case: GoldCase) -> Reply:
            tally = CallTally(_calls_and_warnings(self._run.emit))
            result = await ask(self._workspace, shelf, case.question, options, fresh=self._fresh, emit=tally.emit)
            return Reply(result.answer.text, tally.calls, tally.tokens, tally.seconds)

        return answer

    async def _store(self, text: GoldText, report: QuestionReport) -> None:
        run, document = self._run, text.document
        node = Node(
            id=f"{run.id}.{len(self.nodes)}",
            run_id=run.id,
            number=len(self.nodes),
            level=0,
            title=report.title,
            text=in_words(report),
            document_id=document.id,
            start=0,
            end=len(document.text),
        )
        await self._workspace.records.nodes.save(node)
        self.nodes.append(node.id)
        run.emit(NodeDone(node.id, 0, node.title, gap=False))


class _Sorter:
    """Has the engine put stretches in order."""

    def __init__(self, workspace: Workspace, run: OpenRun) -> None:
        self._run = run
        self._max_tokens = min(SORT_TOKENS, workspace.engine.info.max_output or SORT_TOKENS)

    async def sort(self, case: SortCase) -> Reply:
        """Ask for the order of a case. Raises what `Engine.complete` raises."""
        prompt = render(
            "sort/order",
            {
                "instruction": INSTRUCTION,
                "before": _quoted(case, "before", case.before),
                "stretches": [_quoted(case, str(number), text) for number, text in enumerate(case.stretches, 1)],
                "after": _quoted(case, "after", case.after),
            },
        )
        request = request_of(prompt, max_tokens=self._max_tokens)
        said = await call(self._run.engine, request, purpose="order of stretches", emit=self._run.emit)
        return Reply(said.text, 1, said.usage.prompt_tokens, said.seconds)


def in_words(report: QuestionReport) -> str:
    """What each strategy found and answered, a line each."""
    lines = [
        f"{one.group.strategy}: {_percent(share.rate)} of {one.cases} found within {budget:,} tokens"
        for one in selection_figures(report.selection)
        for budget, share in [max(one.selected.items())]
    ]
    lines += [
        f"{one.group.strategy}: {_percent(one.right.rate)} of {one.right.cases} answered right"
        for one in answer_figures(report.answers)
    ]
    lines += [
        f"{one.group.strategy}: {_percent(one.figures.whole.rate)} of {one.figures.whole.cases} in order, "
        f"{one.group.length or 0:,} tokens"
        for one in order_figures(report.orders)
    ]
    return "\n".join(lines)


async def _close(workspace: Workspace, run: OpenRun, report: QuestionReport, *, children: Sequence[str] = ()) -> None:
    """Store what came of everything as the result of the run."""
    node = Node(f"{run.id}.{len(children)}", run.id, len(children), 1, report.title, in_words(report))
    await workspace.records.nodes.save(node, children=children)
    run.result_node = node.id
    run.status = RunStatus.GAPS if report.failures else RunStatus.DONE


async def _save(workspace: Workspace, documents: Sequence[Document]) -> None:
    for document in documents:
        await workspace.records.documents.save(document)


def _is_exhaustive(variant: Variant) -> bool:
    return variant.strategy is SelectionStrategy.XL3M


def _at_once(info: EngineInfo) -> int:
    """How many questions are answered together; an engine with fewer places gets no more."""
    return min(_ANSWERS_AT_ONCE, info.slots or _ANSWERS_AT_ONCE)


def _quoted(case: SortCase, part: str, text: str) -> Quoted:
    return Quoted(text, {"case": case.id, "title": case.title, "part": part})


def _each_warning_once(emit: Emit) -> Emit:
    """The same events, without warnings that were given before: texts and questions are many."""
    said: set[str] = set()

    def filtered(event: Event) -> None:
        if isinstance(event, Warned):
            if event.message in said:
                return
            said.add(event.message)
        emit(event)

    return filtered


def _calls_and_warnings(emit: Emit) -> Emit:
    """What is told of an answer: its plan and its nodes are not those of the evaluation."""

    def filtered(event: Event) -> None:
        if not isinstance(event, Planned | NodeDone | Indexed):
            emit(event)

    return filtered


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f}%"
