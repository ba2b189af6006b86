"""Asking a question of documents of any length, from end to end: find, score, splice, read, check, store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from longdoc.agents.answer_reader import Answer, AnswerReader, answer_overhead
from longdoc.agents.events import CallFinished, Emit, Event, NodeDone, Planned, Warned
from longdoc.agents.follow_up import Turn, standalone_question
from longdoc.agents.map_reader import MapReader, MapText
from longdoc.app.answer_records import selection_json
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import AskOptions, Finder, Selection, Sizes
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.segmentation import segments_of
from longdoc.app.shelf import Shelf
from longdoc.app.strategies import Strategy, StrategyChoice
from longdoc.documents.windows import OVERLAP_TOKENS, WINDOW_TOKENS
from longdoc.engines.engine import TextSink
from longdoc.errors import ContextTooLongError, InvalidOutputError
from longdoc.json_value import JsonValue
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.key_context import KeyContext
from longdoc.storage.nodes import Node
from longdoc.storage.runs import RunRequest, RunStatus

_STRIDE = WINDOW_TOKENS - OVERLAP_TOKENS
_SHRINKING = 0.7
_MOST_SHRINKINGS = 3


@dataclass(frozen=True, slots=True)
class AskResult:
    """An answer with the run it came from, how it was found, and what that took this time.

    `asked` is the question as it was searched for: itself, or a follow-up written out. `count` is the number that was
    counted, for questions that ask for one; `unread` is how many segments could not be read where all had to be.
    """

    run_id: str
    question: str
    asked: str
    choice: StrategyChoice
    answer: Answer
    selection: Selection
    count: int | None = None
    unread: int = 0
    usage: RunUsage = field(default_factory=RunUsage)


@dataclass(frozen=True, slots=True)
class AskEstimate:
    """What an answer takes at most, where every call is answered well at the first attempt."""

    choice: StrategyChoice
    calls: int
    prompt_tokens: int
    completion_tokens: int


async def ask(
    workspace: Workspace,
    shelf: Shelf,
    question: str,
    options: AskOptions,
    *,
    fresh: bool = False,
    turns: Sequence[Turn] = (),
    emit: Emit,
    on_text: TextSink | None = None,
) -> AskResult:
    """Answer a question from the documents of a shelf; the same question again is answered from the record.

    Raises `ConfigError` for a question that does not fit the window and for what the engine cannot do, and what the
    engine raises; the run is closed with the fitting status first.
    """
    request = RunRequest(
        kind="ask",
        title=question,
        document_ids=() if shelf.collection is not None else shelf.ids,
        parameters=_parameters(shelf, question, options, turns),
        model=workspace.engine.info.identity,
    )
    async with open_run(workspace, request, fresh=fresh, emit=emit) as run:
        asking = _Asking(workspace, run, shelf, options, on_text)
        asked = await standalone_question(run.engine, question, turns, emit=run.emit)
        choice = asking.choose(asked)
        run.emit(Planned(1, f"{choice.strategy}: {choice.reason}"))
        found = await asking.answer(asked, choice, turns)
        result = AskResult(
            run.id, question, asked, choice, found.answer, found.selection, found.count, found.unread, run.usage
        )
        run.status = RunStatus.GAPS if found.unread else RunStatus.DONE
        await _store(workspace, run, result, asking.calls)
    return result


async def estimate_ask(
    workspace: Workspace, shelf: Shelf, question: str, options: AskOptions, *, mapped: bool = True
) -> AskEstimate:
    """What `ask` will do, and what that takes at most; `mapped`: reading all of the text may be what it does.

    Spends nothing. Raises `ConfigError`.
    """
    sizes = Sizes(workspace.engine.info, options)
    tokens = round(shelf.tokens)
    choice = sizes.choose(question, tokens=tokens, mapped=mapped)
    overhead = answer_overhead(question)
    read = overhead + min(tokens, sizes.room(question) if choice.strategy is Strategy.FULL else sizes.budget(question))
    scored = min(options.candidates, tokens // _STRIDE + 1) if choice.strategy is Strategy.CASCADE else 0
    if choice.strategy is Strategy.XL3M:
        scored = tokens // _STRIDE + 1
    if choice.strategy is Strategy.MAP:
        calls = tokens // MapReader(workspace.engine).segment_limit(workspace.engine.info.context_window) + 1
        return AskEstimate(choice, calls + 1, tokens + (calls + 1) * overhead, (calls + 1) * sizes.answer)
    prompt = read + scored * (WINDOW_TOKENS + overhead)
    return AskEstimate(choice, 1 + scored, prompt, sizes.answer + scored)


def _parameters(shelf: Shelf, question: str, options: AskOptions, turns: Sequence[Turn]) -> dict[str, JsonValue]:
    said: list[JsonValue] = [[turn.question, turn.answer] for turn in turns]
    parameters: dict[str, JsonValue] = {"question": question, **options.parameters()}
    if said:
        parameters["turns"] = said
    if shelf.collection is not None:
        parameters |= {"collection": shelf.collection, "documents": list(shelf.ids)}
    return parameters


async def _store(workspace: Workspace, run: OpenRun, result: AskResult, calls: Sequence[int]) -> None:
    """The answer as the run's node, and beside it all that it was found by."""
    node = Node(id=f"{run.id}.0", run_id=run.id, number=0, level=0, title=result.question, text=result.answer.text)
    await workspace.records.nodes.save(node, calls=calls)
    await workspace.records.selections.save(run.id, selection_json(result))
    run.result_node = node.id
    run.emit(NodeDone(node.id, 0, "the answer", gap=False))


@dataclass(frozen=True, slots=True)
class _Found:
    """What came of a question."""

    answer: Answer
    selection: Selection
    count: int | None = None
    unread: int = 0


class _Asking:
    """One question on its way to an answer."""

    def __init__(
        self, workspace: Workspace, run: OpenRun, shelf: Shelf, options: AskOptions, on_text: TextSink | None
    ) -> None:
        self._workspace = workspace
        self._run = run
        self._shelf = shelf
        self._finder = Finder(workspace, run, shelf, options)
        self._sizes = Sizes(workspace.engine.info, options)
        self._on_text = on_text
        self.calls: list[int] = []

    def choose(self, question: str) -> StrategyChoice:
        """Which strategy to take."""
        return self._sizes.choose(question, tokens=self._shelf.tokens)

    async def answer(self, question: str, choice: StrategyChoice, turns: Sequence[Turn]) -> _Found:
        """The answer by the strategy chosen, and what it was read from."""
        if choice.strategy is Strategy.MAP:
            return await self._mapped(question)
        ranking = await self._finder.rank(question, choice)
        budget = self._sizes.budget(question, turns)
        for _ in range(1 if choice.strategy is Strategy.FULL else _MOST_SHRINKINGS):
            context = await self._finder.context(choice, ranking, budget)
            try:
                answer = await self._read(question, context.excerpts, turns)
                return _Found(answer, Selection(tuple(ranking), context, budget))
            except ContextTooLongError:
                budget = int(budget * _SHRINKING)  # where the engine has no tokenizer, counts are estimates
        raise ContextTooLongError("the text does not fit the window; take another --strategy or fewer --context-tokens")

    async def _mapped(self, question: str) -> _Found:
        """The answer from every segment, which are cut and stored like those of summaries."""
        reader = MapReader(self._run.engine)
        limit = reader.segment_limit(self._workspace.engine.info.context_window)
        texts: list[MapText] = []
        for document in await self._shelf.all():
            segments = await segments_of(self._workspace, document, limit=limit, run=self._run)
            texts.append(MapText(document, segments))
        mapped = await reader.answer(question, texts, max_tokens=self._sizes.answer, emit=self._noting)
        if mapped.failed and not mapped.segments_read:
            raise InvalidOutputError(f"no part of the text could be read: {mapped.failed[0].reason}")
        answer = replace(mapped.answer, dropped=mapped.answer.dropped + mapped.dropped)
        selection = Selection((), KeyContext((), ()), limit)
        return _Found(answer, selection, mapped.count, len(mapped.failed))

    async def _read(self, question: str, excerpts: Sequence[Excerpt], turns: Sequence[Turn]) -> Answer:
        """The answer with checked citations; of a model that keeps to no structure in plain sentences."""
        reader = AnswerReader(self._run.engine)
        tokens = self._sizes.answer
        emit = self._noting
        try:
            return await reader.answer(
                question, excerpts, max_tokens=tokens, emit=emit, history=turns, on_text=self._on_text
            )
        except InvalidOutputError as error:
            self._run.emit(Warned(f"the model keeps to no structure, so it is asked for plain sentences ({error})"))
            return await reader.answer_plainly(question, excerpts, max_tokens=tokens, emit=emit, history=turns)

    def _noting(self, event: Event) -> None:
        """Pass an event on, and keep the call behind it as one of the answer's."""
        if isinstance(event, CallFinished) and event.completion.call_id is not None:
            self.calls.append(event.completion.call_id)
        self._run.emit(event)
