"""The texts of an evaluation, one after the other: what strategies find in each, what they answer, on what terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from longdoc.agents.answer_reader import EXCERPT_TOKENS
from longdoc.agents.events import Emit, Event, Indexed, NodeDone, Planned
from longdoc.app.ask import ask
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import Sizes
from longdoc.app.indexing import open_index
from longdoc.app.question_answers import Answering, holds_whole
from longdoc.app.question_options import TrialOptions, counted
from longdoc.app.question_strategies import CallTally, LineUp, SelectionStrategy, TextSelectors, Variant, line_up
from longdoc.app.runs import OpenRun
from longdoc.app.segmentation import counter_of
from longdoc.app.shelf import Shelf, shelf_of
from longdoc.app.strategies import AUTO, Strategy
from longdoc.documents.windows import OVERLAP_TOKENS, WINDOW_TOKENS
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError
from longdoc.evaluation.answer_match import AnswerScore
from longdoc.evaluation.answer_trial import Answerer, AnswerOutcome, Reply, try_answers
from longdoc.evaluation.gold import GoldCase, GoldText, Recipe
from longdoc.evaluation.question_report import (
    By,
    Group,
    QuestionReport,
    answer_figures,
    order_figures,
    selection_figures,
)
from longdoc.evaluation.selection_trial import SelectionOutcome, try_selection
from longdoc.retrieval.collection_index import raised
from longdoc.storage.nodes import Node

_ANSWERS_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tried, how replies are scored, and how much there is of it."""

    trial: TrialOptions
    score: Callable[[str, GoldCase], AnswerScore]
    cases: int
    texts: int


class Trials:
    """What came of the texts tried so far."""

    def __init__(self, workspace: Workspace, run: OpenRun, asked: Asked, *, fresh_since: datetime | None) -> None:
        self._workspace = workspace
        self._run = run
        self._asked = asked
        self._trial = asked.trial
        self._fresh_since = fresh_since
        self._selection: list[SelectionOutcome] = []
        self._answers: list[AnswerOutcome] = []
        self._recipes: dict[Recipe, None] = {}
        self._remarks: dict[str, None] = {}
        self._settings: dict[str, str] = {}
        self._scored_whole: dict[int, bool] = {}
        self._by_itself: Counter[str] = Counter()
        self.nodes: list[str] = []

    async def add(self, text: GoldText) -> None:
        """Index a text, try everything on it, and store what came of it."""
        index = await open_index(self._workspace, [text.document], collection=None, emit=self._run.emit, lost=raised)
        try:
            selectors = TextSelectors(
                index,
                text.document,
                self._run.engine,
                candidates=self._trial.candidates,
                emit=self._run.emit,
                counter=counter_of(self._workspace.engine),
            )
            segments = await selectors.segments()
            lined_up = await self._line_up(selectors, text, segments)
            selection = await try_selection(
                text.cases, await selectors.of(lined_up.variants), budgets=self._trial.budgets
            )
        finally:
            index.close()
        answers = await self._answered(text, segments)
        self._selection += selection
        self._answers += answers
        if text.recipe is not None:
            self._recipes[text.recipe] = None
        await self._store(text, QuestionReport(text.document.title, selection, answers))

    def report(self, title: str) -> QuestionReport:
        """Everything. Raises `ConfigError` where nothing was tried."""
        if not self._selection:
            raise ConfigError(f"nothing is left to try; {'; '.join(self._remarks)}")
        taken = ", ".join(f"{strategy} ({counted(times, 'answer')})" for strategy, times in self._by_itself.items())
        remarks = [*self._remarks, *([f"{AUTO} took: {taken}"] if taken else [])]
        return QuestionReport(
            title, self._selection, self._answers, (), tuple(self._recipes), self._settings, tuple(remarks)
        )

    async def _line_up(self, selectors: TextSelectors, text: GoldText, segments: int) -> LineUp:
        """What is tried on a text: every segment of a long one is not scored."""
        dense = selectors.finds_by_meaning
        lined_up = line_up(self._trial.strategies, self._trial.scoring, self._workspace.engine.info, dense=dense)
        self._remarks |= dict.fromkeys(lined_up.left_out)
        self._settings = await self._terms(lined_up, dense=dense)
        if not any(map(_is_exhaustive, lined_up.variants)) or self._is_scored_whole(text, segments):
            return lined_up
        return LineUp(tuple(one for one in lined_up.variants if not _is_exhaustive(one)), lined_up.left_out)

    def _is_scored_whole(self, text: GoldText, segments: int) -> bool:
        """Whether every segment may be scored. The first text of a length decides: some are a little longer."""
        length, most = text.cases[0].length or 0, self._trial.xl3m_up_to
        if not self._scored_whole.setdefault(length, segments <= most):
            remark = f"left out: xl3m of texts of {length:,} tokens, which have more than {most:,} segments"
            self._remarks[remark] = None
        return self._scored_whole[length]

    async def _terms(self, lined_up: LineUp, *, dense: bool) -> dict[str, str]:
        """What a comparison must hold equal."""
        embedder = (await self._workspace.embedder.opened()).info.identity if dense else "none"
        settings = {
            "model": self._workspace.engine.info.identity,
            "embedder": embedder,
            "segments": f"{WINDOW_TOKENS} tokens, {OVERLAP_TOKENS} shared",
            "budgets": f"{self._counting()}, and {EXCERPT_TOKENS} more for each segment",
        }
        answering, _ = self._trial.answering(self._workspace.engine.info)
        if lined_up.scoring is not None or any(one.scored for one in answering):
            settings["candidates"] = str(self._trial.candidates)
            if not self._workspace.engine.info.entropy:
                settings["entropies"] = "lower bounds"
        return settings

    def _counting(self) -> str:
        info = self._workspace.engine.info
        return f"tokens as {info.model} counts them" if info.exact_tokens else "tokens by the estimate"

    async def _answered(self, text: GoldText, segments: int) -> Sequence[AnswerOutcome]:
        """The answers in all ways that the engine and the text allow."""
        able, left_out = self._trial.answering(self._workspace.engine.info)
        self._remarks |= dict.fromkeys(left_out)
        answering = [one for one in able if await self._can_answer(one, text, segments)]
        if not answering:
            return ()
        shelf = await shelf_of(self._workspace.records, [text.document])
        shelf.lost = raised
        try:
            answerers = {one.label: self._answerer(shelf, one) for one in answering}
            at_once = at_once_of(self._workspace.engine.info)
            return await try_answers(text.cases, answerers, score=self._asked.score, at_once=at_once)
        finally:
            shelf.close()

    async def _can_answer(self, one: Answering, text: GoldText, segments: int) -> bool:
        if one.strategy == Strategy.XL3M:
            return self._is_scored_whole(text, segments)
        if one.strategy != Strategy.FULL:
            return True
        engine = self._workspace.engine
        sizes = Sizes(engine.info, self._trial.ask_options(one))
        fits = await holds_whole(engine, text.document.text, room=min(sizes.room(case.question) for case in text.cases))
        if not fits:
            length = text.cases[0].length or 0
            self._remarks[f"left out: answers by full of texts of {length:,} tokens, which do not fit one call"] = None
        return fits

    def _answerer(self, shelf: Shelf, one: Answering) -> Answerer:
        options = self._trial.ask_options(one)

        async def answer(case: GoldCase) -> Reply:
            tally = CallTally(_calls_and_warnings(self._run.emit))
            result = await ask(
                self._workspace, shelf, case.question, options, fresh_since=self._fresh_since, emit=tally.emit
            )
            if one.strategy == AUTO:
                self._by_itself[result.choice.strategy] += 1
            return Reply(result.answer.text, tally.calls, tally.tokens, recorded=tally.recorded)

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


def in_words(report: QuestionReport) -> str:
    """What each strategy found and answered at each length, a line each."""
    lines = [
        f"{one.group.strategy}: {_percent(share.rate)} of {one.cases} found within {budget:,} tokens{_of(one.group)}"
        for one in selection_figures(report.selection, by=(By.LENGTH,))
        for budget, share in [max(one.selected.items())]
    ]
    lines += [
        f"{one.group.strategy}: {_percent(one.right.rate)} of {one.right.cases} answered right{_of(one.group)}"
        for one in answer_figures(report.answers, by=(By.LENGTH,))
    ]
    lines += [
        f"{one.group.strategy}: {_percent(one.figures.whole.rate)} of {one.figures.whole.cases} in order, "
        f"{one.group.length or 0:,} tokens"
        for one in order_figures(report.orders)
    ]
    return "\n".join(lines)


def _of(group: Group) -> str:
    return "" if group.length is None else f" of texts of {group.length:,}"


def _is_exhaustive(variant: Variant) -> bool:
    return variant.strategy is SelectionStrategy.XL3M


def at_once_of(info: EngineInfo) -> int:
    """How many questions are answered together; an engine with fewer places gets no more."""
    return min(_ANSWERS_AT_ONCE, info.slots or _ANSWERS_AT_ONCE)


def _calls_and_warnings(emit: Emit) -> Emit:
    """What is told of an answer: its plan and its nodes are not those of the evaluation."""

    def filtered(event: Event) -> None:
        if not isinstance(event, Planned | NodeDone | Indexed):
            emit(event)

    return filtered


def _percent(rate: float | None) -> str:
    return "-" if rate is None else f"{100 * rate:.1f}%"
