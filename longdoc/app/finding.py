"""Finding what a question is answered from: the segments worth reading, and as many of them as the budget holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from longdoc.app.indexing import open_index
from longdoc.app.runs import OpenRun
from longdoc.app.segmentation import counter_of
from longdoc.app.shelf import Shelf
from longdoc.app.strategies import AUTO, Strategy, StrategyChoice, choose_strategy
from longdoc.documents.tokens import TokenCounter
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import Quoted
from longdoc.retrieval.collection_index import CollectionIndex
from longdoc.retrieval.excerpts import Excerpt
from longdoc.retrieval.hits import Hit
from longdoc.retrieval.key_context import KeyContext, build_key_context

_ANSWER_TOKENS = 512
_ANSWER_SHARE = 4
_MOST_CONTEXT = 8_000
_CONTEXT_SHARE = 0.6
"""Small models read long raw text badly, so that a full window is not the best use of it."""
_SAFETY = 64


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
        window = self._info.context_window
        room = window - answer_overhead(question, turns) - self.answer - EXCERPT_TOKENS - _SAFETY
        if room < _SAFETY:
            raise ConfigError(
                f"the question does not fit a window of {window:,} tokens with any text beside it; ask a shorter one"
            )
        return room

    def budget(self, question: str, turns: Sequence[Turn] = ()) -> int:
        """How many tokens of text the answer is read from."""
        room = self.room(question, turns)
        if self._options.context_tokens is not None:
            return min(room, self._options.context_tokens)
        return min(room, int(self._info.context_window * _CONTEXT_SHARE), _MOST_CONTEXT)

    def choose(self, question: str, *, tokens: float, mapped: bool = True) -> StrategyChoice:
        """Which strategy to take for a text of about so many tokens; `mapped`: reading all of it may be one."""
        return choose_strategy(
            self._options.strategy,
            question,
            self._info,
            tokens=tokens,
            room=self.room(question),
            scoring=self._options.scoring,
            mapped=mapped,
        )


class Finder:
    """Finds what questions of one run are answered from."""

    def __init__(self, workspace: Workspace, run: OpenRun, shelf: Shelf, options: AskOptions) -> None:
        self._workspace = workspace
        self._run = run
        self._shelf = shelf
        self._options = options

    async def rank(self, question: str, choice: StrategyChoice) -> Sequence[Candidate]:
        """The segments worth considering, the best first; none where the whole text is read."""
        if choice.strategy is Strategy.FULL:
            return ()
        index = await self._index()
        try:
            ranker = await self._ranker(index, choice)
            return await ranker.rank(question, emit=self._run.emit)
        finally:
            index.close()

    async def _index(self) -> CollectionIndex:
        documents = list(self._shelf.held.values())
        return await open_index(self._workspace, documents, collection=self._shelf.collection, emit=self._run.emit)

    async def _ranker(self, index: CollectionIndex, choice: StrategyChoice) -> Ranker:
        if choice.scoring is None:
            return RetrievalRanker(index)
        scorer = RelevanceScorer(self._run.engine, choice.scoring)
        if scorer.approximate:
            self._run.emit(Warned("this engine tells only its likeliest tokens, so entropies are lower bounds"))
        if choice.strategy is Strategy.XL3M:
            return ExhaustiveRanker(await index.windows(), self._texts, scorer)
        return CascadeRanker(index, self._texts, scorer, prefiltered=self._options.candidates)

    async def _texts(self, hits: Sequence[Hit]) -> Sequence[Quoted]:
        documents = await self._shelf.load({hit.document_id for hit in hits})
        return [
            Quoted(
                documents[hit.document_id].text[hit.segment.start : hit.segment.end].strip(),
                {"document": hit.document_id, "start": hit.segment.start, "end": hit.segment.end},
            )
            for hit in hits
        ]

    async def context(self, choice: StrategyChoice, ranking: Sequence[Candidate], budget: int) -> KeyContext:
        """The excerpts of a ranking that fit the budget; the whole text where that is what is read."""
        if choice.strategy is Strategy.FULL:
            return await self._whole()
        documents = await self._shelf.load({candidate.hit.document_id for candidate in ranking})
        return await build_key_context(
            [candidate.hit for candidate in ranking],
            documents,
            budget=budget,
            counter=self._counter(),
            fence=EXCERPT_TOKENS,
        )

    async def _whole(self) -> KeyContext:
        """All documents, each an excerpt."""
        documents = await self._shelf.all()
        counts = await self._counter().count_tokens([document.text for document in documents])
        excerpts = tuple(
            Excerpt(number, document, 0, len(document.text), count + EXCERPT_TOKENS)
            for number, (document, count) in enumerate(zip(documents, counts, strict=True), 1)
        )
        return KeyContext(excerpts, ())

    def _counter(self) -> TokenCounter:
        return counter_of(self._workspace.engine)
