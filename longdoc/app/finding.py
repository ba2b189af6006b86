"""Finding what a question is answered from: the segments worth reading, and as many of them as the budget holds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence, Set
from dataclasses import dataclass
from typing import Generic, TypeVar

from longdoc.agents.answer_reader import EXCERPT_TOKENS, answer_overhead
from longdoc.agents.events import Warned
from longdoc.agents.follow_up import Turn
from longdoc.agents.relevance import RelevanceScorer, ScoringMode
from longdoc.agents.segment_ranking import (
    PREFILTERED,
    Candidate,
    CascadeRanker,
    ExhaustiveRanker,
    Ranker,
    RetrievalRanker,
)
from longdoc.app.bootstrap import Workspace
from longdoc.app.runs import OpenRun
from longdoc.app.segmentation import counter_of
from longdoc.app.shelf import Shelf
from longdoc.app.strategies import AUTO, BEST, Strategy, StrategyChoice, by_next_token, choose_strategy
from longdoc.documents.tokens import TokenCounter
from longdoc.documents.windows import OVERLAP_TOKENS, WINDOW_TOKENS
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError, ContextTooLongError
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted
from longdoc.retrieval.collection_index import CollectionIndex
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.hits import Hit, Searcher
from longdoc.retrieval.key_context import KeyContext, build_key_context

_ANSWER_TOKENS = 512
_ANSWER_SHARE = 4
_MOST_CONTEXT = 8_000
_CONTEXT_SHARE = 0.6
"""Small models read long raw text badly, so that a full window is not the best use of it."""
_SAFETY = 64
_LEAST_CONTEXT = 128
"""Tokens: with fewer, an excerpt holds hardly a sentence beside what surrounds it."""
_NEAR = 2
"""A text estimated at up to so many times what one call holds is counted before it is said not to fit."""
_SHRINKING = 0.7
_MOST_SHRINKINGS = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What a user can ask for besides the question.

    `candidates` is how many segments retrieval leaves for the model to score, `context_tokens` the budget of the text
    that the answer is read from (None: what is best for the window), `answer_tokens` the most an answer may have.
    Raises `ConfigError` for values that cannot work.
    """

    strategy: str = AUTO
    scoring: ScoringMode | None = None
    candidates: int = PREFILTERED
    context_tokens: int | None = None
    answer_tokens: int = _ANSWER_TOKENS

    def __post_init__(self) -> None:
        if self.strategy not in {AUTO, *Strategy}:
            known = ", ".join([AUTO, *Strategy])
            raise ConfigError(f"there is no strategy {self.strategy!r}; choose one of: {known}")
        if self.context_tokens is not None and self.context_tokens < _LEAST_CONTEXT:
            raise ConfigError(
                f"{self.context_tokens} tokens are too few to answer from; give at least {_LEAST_CONTEXT}"
            )

    def parameters(self) -> dict[str, JsonValue]:
        """What was asked for beside defaults: part of the identity of a run."""
        asked: dict[str, JsonValue] = {
            "strategy": self.strategy,
            "scoring": None if self.scoring is None else str(self.scoring),
            "candidates": None if self.candidates == PREFILTERED else self.candidates,
            "context_tokens": self.context_tokens,
            "answer_tokens": None if self.answer_tokens == _ANSWER_TOKENS else self.answer_tokens,
        }
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Selection:
    """What an answer was read from: all that was considered, the best first, what of it was taken, and the budget."""

    candidates: tuple[Candidate, ...]
    context: KeyContext
    budget: int


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """What was made of the text that was found, by which strategy in the end, and from what."""

    made: T
    choice: StrategyChoice
    selection: Selection


class Sizes:
    """How the window of an engine is shared out."""

    def __init__(self, info: EngineInfo, options: AskOptions) -> None:
        self._info = info
        self._options = options

    @property
    def answer(self) -> int:
        """The most tokens of an answer."""
        most = self._info.max_output or _ANSWER_TOKENS
        return min(self._options.answer_tokens, self._info.context_window // _ANSWER_SHARE, most)

    def room(self, question: str, turns: Sequence[Turn] = ()) -> int:
        """How many tokens of text one call holds. Raises `ConfigError` where the question alone fills the window."""
        room = self._left(question, turns)
        if room < _LEAST_CONTEXT:
            raise ConfigError(
                f"the question does not fit a window of {self._info.context_window:,} tokens with any text beside it; "
                "ask a shorter one"
            )
        return room

    def recent(self, question: str, turns: Sequence[Turn]) -> Sequence[Turn]:
        """The last of the turns before a question: as many as leave the text half of its room."""
        least = self._left(question, ()) / 2
        return next((turns[n:] for n in range(len(turns)) if self._left(question, turns[n:]) >= least), ())

    def budget(self, question: str, turns: Sequence[Turn] = ()) -> int:
        """How many tokens of text the answer is read from."""
        room = self.room(question, turns)
        if self._options.context_tokens is not None:
            return min(room, self._options.context_tokens)
        return min(room, int(self._info.context_window * _CONTEXT_SHARE), _MOST_CONTEXT)

    def choose(
        self,
        question: str,
        turns: Sequence[Turn] = (),
        *,
        tokens: float,
        counted: bool = False,
        mapped: bool = True,
    ) -> StrategyChoice:
        """Which strategy to take for a text of so many tokens; see `choose_strategy`."""
        return choose_strategy(
            self._options.strategy,
            question,
            self._info,
            tokens=tokens,
            counted=counted,
            room=self.room(question, turns),
            scoring=self._options.scoring,
            mapped=mapped,
        )

    def _left(self, question: str, turns: Sequence[Turn]) -> int:
        overhead = answer_overhead(question, turns) + self.answer + EXCERPT_TOKENS + _SAFETY
        return self._info.context_window - overhead


class Finder:
    """Finds what questions of one run are answered from."""

    def __init__(self, workspace: Workspace, run: OpenRun, shelf: Shelf, options: AskOptions) -> None:
        self._workspace = workspace
        self._run = run
        self._shelf = shelf
        self._options = options
        self._sizes = Sizes(workspace.engine.info, options)
        self._whole: KeyContext | None = None
        self._warned: set[str] = set()

    async def choose(self, question: str, turns: Sequence[Turn] = (), *, mapped: bool = True) -> StrategyChoice:
        """Which strategy to take; a text that may fit one call is counted for it.

        Raises `ContextTooLongError` where all of the text was asked to be read at once and does not fit.
        """
        info, room = self._workspace.engine.info, self._sizes.room(question, turns)
        tokens, near = self._shelf.tokens, self._shelf.tokens <= _NEAR * room
        if self._options.strategy == Strategy.FULL or (self._options.strategy == AUTO and near):
            tokens = (await self._all()).tokens
        if self._options.strategy == Strategy.FULL and info.exact_tokens and tokens > room:
            raise ContextTooLongError(
                f"a text of {tokens:,} tokens does not fit one call, which holds {room:,}; take another --strategy "
                "(retrieve)",
                prompt_tokens=int(tokens),
                context_window=info.context_window,
            )
        counted = near and info.exact_tokens
        choice = self._sizes.choose(question, turns, tokens=tokens, counted=counted, mapped=mapped)
        if choice.warning:
            self._warn(choice.warning)
        return choice

    async def read(
        self,
        question: str,
        choice: StrategyChoice,
        read: Callable[[Sequence[Excerpt]], Awaitable[T]],
        *,
        turns: Sequence[Turn] = (),
    ) -> Found[T]:
        """What `read` makes of the excerpts found for a question: fewer where they do not fit after all.

        Where an engine has no tokenizer, counts are estimates. A text that was to be read whole is searched then,
        unless all of it was asked for. Raises `ContextTooLongError` where nothing fits, and what `read` raises.
        """
        choice, ranking = await self._ranked(question, choice)
        budget = self._sizes.budget(question, turns)
        for _ in range(1 if choice.strategy is Strategy.FULL else _MOST_SHRINKINGS):
            context = await self._context(choice, ranking, budget)
            try:
                return Found(await read(context.excerpts), choice, Selection(tuple(ranking), context, budget))
            except ContextTooLongError:
                budget = int(budget * _SHRINKING)
        if choice.strategy is Strategy.FULL and self._options.strategy == AUTO:
            searched = StrategyChoice(BEST, "the whole text does not fit one call after all")
            return await self.read(question, searched, read, turns=turns)
        raise ContextTooLongError("the text does not fit the window; take another --strategy or fewer --context-tokens")

    async def _ranked(self, question: str, choice: StrategyChoice) -> tuple[StrategyChoice, Sequence[Candidate]]:
        """The segments worth considering, the best first; none where the whole text is read.

        Where the question itself cannot be scored, for an engine may have no whole tokens for its characters, and
        nobody asked for that, another mode is taken, as the choice then tells.
        """
        if choice.strategy is Strategy.FULL:
            return choice, ()
        index = await self._shelf.index(self._workspace, emit=self._run.emit)
        searcher = _Within(index, frozenset(self._shelf.ids))
        ranking = await (await self._ranker(index, searcher, choice, question)).rank(question, emit=self._run.emit)
        scored = [one.relevance.value for one in ranking if one.relevance is not None]
        unknown = scored.count(None)
        if scored and unknown == len(scored):
            other = None if self._options.scoring is not None else by_next_token(choice, self._workspace.engine.info)
            if other is not None:
                self._warn(f"this question cannot be scored by {choice.scoring}; {other.scoring} is taken")
                return await self._ranked(question, other)
            if choice.strategy is Strategy.XL3M:
                self._warn("no segment could be scored, so what a search finds is read")
                return choice, await RetrievalRanker(searcher).rank(question, emit=self._run.emit)
        if unknown:
            self._warn(f"{unknown:,} of {len(scored):,} segments could not be scored")
        return choice, ranking

    async def _ranker(
        self, index: CollectionIndex, searcher: Searcher, choice: StrategyChoice, question: str
    ) -> Ranker:
        if choice.scoring is None:
            fitting = 2 * self._sizes.budget(question) // (WINDOW_TOKENS - OVERLAP_TOKENS)
            return RetrievalRanker(searcher, k=max(PREFILTERED, fitting))
        scorer = RelevanceScorer(self._run.engine, choice.scoring)
        if scorer.approximate:
            self._warn("this engine tells only its likeliest tokens, so entropies are lower bounds")
        if choice.strategy is Strategy.XL3M:
            windows = [hit for hit in await index.windows() if hit.document_id in self._shelf.ids]
            return ExhaustiveRanker(windows, self._texts, scorer)
        return CascadeRanker(searcher, index, self._texts, scorer, prefiltered=self._options.candidates)

    async def _texts(self, hits: Sequence[Hit]) -> Sequence[Quoted]:
        documents = await self._shelf.load({hit.document_id for hit in hits})
        return [
            Quoted(
                documents[hit.document_id].text[hit.segment.start : hit.segment.end].strip(),
                {"document": hit.document_id, "start": hit.segment.start, "end": hit.segment.end},
            )
            for hit in hits
        ]

    async def _context(self, choice: StrategyChoice, ranking: Sequence[Candidate], budget: int) -> KeyContext:
        """The excerpts of a ranking that fit the budget; the whole text where that is what is read."""
        if choice.strategy is Strategy.FULL:
            return await self._all()
        documents = await self._shelf.load({candidate.hit.document_id for candidate in ranking})
        return await build_key_context(
            [candidate.hit for candidate in ranking],
            documents,
            budget=budget,
            counter=self._counter(),
            fence=EXCERPT_TOKENS,
        )

    async def _all(self) -> KeyContext:
        """All documents, each an excerpt; counted once."""
        if self._whole is None:
            documents = await self._shelf.all()
            counts = await self._counter().count_tokens([document.text for document in documents])
            excerpts = tuple(
                Excerpt(number, document, 0, len(document.text), count + EXCERPT_TOKENS)
                for number, (document, count) in enumerate(zip(documents, counts, strict=True), 1)
            )
            self._whole = KeyContext(excerpts, ())
        return self._whole

    def _warn(self, message: str) -> None:
        """Say something of the run, once."""
        if message not in self._warned:
            self._warned.add(message)
            self._run.emit(Warned(message))

    def _counter(self) -> TokenCounter:
        return counter_of(self._workspace.engine)


class _Within:
    """A search that finds only what is in some documents: a collection may grow after a shelf was made of it."""

    def __init__(self, searcher: Searcher, ids: Set[str]) -> None:
        self._searcher = searcher
        self._ids = ids

    async def search(self, question: str, *, k: int) -> Sequence[Hit]:
        """See `Searcher`."""
        return [hit for hit in await self._searcher.search(question, k=k) if hit.document_id in self._ids]
