"""Asking a question of documents of any length, from end to end: find, score, splice, read, check, store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from longdoc.agents.answer_reader import Answer, AnswerReader, answer_overhead
from longdoc.agents.events import CallFinished, Emit, Event, NodeDone, Planned, Warned
from longdoc.agents.follow_up import MOST_TURNS, StandaloneQuestion, Turn, standalone_question
from longdoc.agents.map_reader import COUNTED, MapReader, MapText, bodies
from longdoc.agents.question_kinds import Unit, kind_of
from longdoc.agents.relevance import ScoringMode
from longdoc.app.answer_records import selection_json
from longdoc.app.bootstrap import Workspace
from longdoc.app.finding import AskOptions, Finder, Selection, Sizes
from longdoc.app.results import Shown, Source, found_in
from longdoc.app.runs import OpenRun, RunUsage, open_run
from longdoc.app.segmentation import segments_of
from longdoc.app.shelf import Shelf
from longdoc.app.strategies import Strategy, StrategyChoice
from longdoc.documents.windows import OVERLAP_TOKENS, PART_TOKENS, WINDOW_TOKENS
from longdoc.engines.engine import TextSink
from longdoc.errors import InvalidOutputError
from longdoc.json_value import JsonValue
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.key_context import KeyContext
from longdoc.storage.nodes import Node
from longdoc.storage.runs import RunRequest, RunStatus

_STRIDE = WINDOW_TOKENS - OVERLAP_TOKENS


@dataclass(frozen=True, slots=True)
class AskResult(Shown):
    """An answer with the run it came from, how it was found, and what that took this time.

    `asked` is the question as it was searched for: itself, or a follow-up written out. `count` is the number that was
    counted, for questions that ask for one, and `unit` what was counted; `unread` is how many segments could not be
    read where all had to be.
    """

    run_id: str
    question: str
    asked: str
    choice: StrategyChoice
    answer: Answer
    selection: Selection
    count: int | None = None
    unit: Unit | None = None
    unread: int = 0
    usage: RunUsage = field(default_factory=RunUsage)

    @property
    def text(self) -> str:
        """The answer."""
        return self.answer.text

    @property
    def sources(self) -> tuple[Source, ...]:
        """The verified citations of its claims."""
        return found_in(self.text, ((claim.text, claim.citations) for claim in self.answer.claims))


@dataclass(frozen=True, slots=True)
class Owner:
    """The conversation that asks: the memory whose text the question is, and those of the turns before it."""

    namespace: int
    number: int
    before: Sequence[int] = ()


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
    fresh_since: datetime | None = None,
    turns: Sequence[Turn] = (),
    owner: Owner | None = None,
    emit: Emit,
    on_text: TextSink | None = None,
) -> AskResult:
    """Answer a question from the documents of a shelf; the same question again is answered from the record.

    Of `turns`, questions before this one, the last few count. With `fresh` nothing counts that is recorded from before
    this start, with `fresh_since` (aware) nothing older. Raises `ConfigError` for a question that does not fit the
    window and for what the engine cannot do, `ContextTooLongError`, and what the engine raises; the run is closed with
    the fitting status first. With an `owner` the run is a conversation's, and goes with what it quotes.
    """
    turns = turns[-MOST_TURNS:]
    request = RunRequest(
        kind="ask",
        title=question,
        document_ids=() if shelf.collection is not None else shelf.ids,
        parameters=_parameters(shelf, question, options, turns)
        | ({} if owner is None else {"namespace": owner.namespace, "memory": owner.number}),
        model=workspace.engine.info.identity,
    )
    opened = open_run(workspace, request, fresh=fresh, fresh_since=fresh_since, emit=emit, interactive=True)
    async with opened as run:
        if owner is not None:
            quotes = [owner.number, *owner.before]
            await workspace.records.memories.owns(owner.namespace, run.id, quotes=quotes)
        asking = _Asking(workspace, run, shelf, options, on_text)
        asked = await standalone_question(run.engine, question, turns, emit=run.emit)
        result = await asking.answer(question, asked, asking.sizes.recent(asked.text, turns))
        run.status = RunStatus.GAPS if result.unread else RunStatus.DONE
        await _store(workspace, run, result, asking.calls)
    return result


async def estimate_ask(
    workspace: Workspace, shelf: Shelf, question: str, options: AskOptions, *, mapped: bool = True
) -> AskEstimate:
    """What `ask` will do, and what that takes at most; `mapped`: reading all of the text may be what it does.

    Spends nothing. Raises `ConfigError`.
    """
    info = workspace.engine.info
    sizes = Sizes(info, options)
    tokens = round(shelf.tokens)
    choice = sizes.choose(question, tokens=tokens, mapped=mapped)
    if choice.strategy is Strategy.MAP:
        return await _estimate_map(workspace, shelf, choice, question, sizes)
    overhead = answer_overhead(question)
    read = overhead + min(tokens, sizes.room(question) if choice.strategy is Strategy.FULL else sizes.budget(question))
    windows = tokens // _STRIDE + 1
    scored = {Strategy.CASCADE: min(options.candidates, windows), Strategy.XL3M: windows}.get(choice.strategy, 0)
    if choice.scoring is ScoringMode.CONTRAST:
        scored += 1  # without any segment
    each = PART_TOKENS if choice.strategy is Strategy.CASCADE else WINDOW_TOKENS
    prompt = read + scored * (each + overhead)
    return AskEstimate(choice, 1 + scored, prompt, sizes.answer + scored)


async def _estimate_map(
    workspace: Workspace, shelf: Shelf, choice: StrategyChoice, question: str, sizes: Sizes
) -> AskEstimate:
    """A call for each segment, and those that put the notes together where the answer is made of them."""
    reader = MapReader(workspace.engine)
    window = workspace.engine.info.context_window
    texts = await _map_texts(workspace, shelf, reader.segment_limit(window), None)
    segments = [segment for _, segment in bodies(texts)]
    combined = 0 if kind_of(question).form in COUNTED else 1
    read = sum(segment.tokens for segment in segments) + (len(segments) + combined) * answer_overhead(question)
    written = len(segments) * reader.note_tokens(window)
    return AskEstimate(choice, len(segments) + combined, read + combined * written, written + combined * sizes.answer)


async def _map_texts(workspace: Workspace, shelf: Shelf, limit: int, run: OpenRun | None) -> list[MapText]:
    return [
        MapText(document, await segments_of(workspace, document, limit=limit, run=run))
        for document in await shelf.all()
    ]


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


class _Asking:
    """One question on its way to an answer."""

    def __init__(
        self, workspace: Workspace, run: OpenRun, shelf: Shelf, options: AskOptions, on_text: TextSink | None
    ) -> None:
        self._workspace = workspace
        self._run = run
        self._shelf = shelf
        self._finder = Finder(workspace, run, shelf, options)
        self._on_text = on_text
        self.sizes = Sizes(workspace.engine.info, options)
        self.calls: list[int] = []

    async def answer(self, question: str, asked: StandaloneQuestion, turns: Sequence[Turn]) -> AskResult:
        """The answer by the strategy that fits, and what it was read from."""
        choice = await self._finder.choose(asked.kind, turns)
        self._run.emit(Planned(1, f"{choice.strategy}: {choice.reason}"))
        if choice.strategy is Strategy.MAP:
            return await self._mapped(question, asked, choice)
        found = await self._finder.read(
            asked.text, choice, lambda excerpts: self._read(asked.text, excerpts, turns), turns=turns
        )
        return AskResult(
            self._run.id, question, asked.text, found.choice, found.made, found.selection, usage=self._run.usage
        )

    async def _mapped(self, question: str, asked: StandaloneQuestion, choice: StrategyChoice) -> AskResult:
        """The answer from every segment, which are cut and stored like those of summaries."""
        reader = MapReader(self._run.engine)
        limit = reader.segment_limit(self._workspace.engine.info.context_window)
        texts = await _map_texts(self._workspace, self._shelf, limit, self._run)
        mapped = await reader.answer(
            asked.text, texts, max_tokens=self.sizes.answer, emit=self._noting, kind=kind_of(asked.kind)
        )
        if mapped.failed and not mapped.segments_read:
            raise InvalidOutputError(f"no part of the text could be read: {mapped.failed[0].reason}")
        return AskResult(
            self._run.id,
            question,
            asked.text,
            choice,
            replace(mapped.answer, dropped=mapped.answer.dropped + mapped.dropped),
            Selection((), KeyContext((), ()), limit),
            mapped.count,
            mapped.unit,
            len(mapped.failed),
            self._run.usage,
        )

    async def _read(self, question: str, excerpts: Sequence[Excerpt], turns: Sequence[Turn]) -> Answer:
        """The answer with checked citations; of a model that keeps to no structure in plain sentences."""
        reader = AnswerReader(self._run.engine)
        tokens = self.sizes.answer
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
