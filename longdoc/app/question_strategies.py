"""The strategies whose selection is measured: which of them an engine can do, and each as a function of one text.

Strategies that begin with the same search share it, so that they differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from longdoc.agents.answer_reader import EXCERPT_TOKENS
from longdoc.agents.events import CallFinished, Emit, Event
from longdoc.agents.relevance import RelevanceScorer, ScoringMode, modes_of
from longdoc.agents.segment_ranking import CascadeRanker, ExhaustiveRanker, Ranker
from longdoc.documents.document import Document
from longdoc.documents.tokens import TokenCounter
from longdoc.engines.engine import Engine, EngineInfo
from longdoc.errors import ConfigError
from longdoc.evaluation.recall import KS, RankedSpan, Ranking
from longdoc.evaluation.selection_baselines import baselines
from longdoc.evaluation.selection_trial import ScoredRanking, Selector
from longdoc.evaluation.trials import Clock, system_clock
from longdoc.prompts.catalogue import Quoted
from longdoc.retrieval.collection_index import DENSE, CollectionIndex
from longdoc.retrieval.hits import Hit, Searcher


class SelectionStrategy(StrEnum):
    """How segments are selected.

    `LEXICAL`: by words. `DENSE`: by meaning. `RETRIEVE`: by both. `CASCADE`: what that finds, scored by the model, in
    the order of both; `CASCADE_RELEVANCE`: in that of the model alone. `XL3M`: every segment scored by the model. The
    others look at no question: chance, and cutting the text.
    """

    LEXICAL = "lexical"
    DENSE = "dense"
    RETRIEVE = "retrieve"
    CASCADE = "cascade"
    CASCADE_RELEVANCE = "cascade-relevance"
    XL3M = "xl3m"
    RANDOM = "random"
    HEAD = "head"
    TAIL = "tail"
    BOTH_ENDS = "head and tail"


SCORED: Final = frozenset({SelectionStrategy.CASCADE, SelectionStrategy.CASCADE_RELEVANCE, SelectionStrategy.XL3M})
"""Strategies in which the model scores segments, so that there is one for each mode."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A strategy, and the mode in which the model scores where it does."""

    strategy: SelectionStrategy
    scoring: ScoringMode | None = None

    @property
    def label(self) -> str:
        """Its name in reports."""
        return str(self.strategy) if self.scoring is None else f"{self.strategy}:{self.scoring}"


@dataclass(frozen=True, slots=True)
class LineUp:
    """The variants that are tried, in order; `left_out` says of every other one asked for why it is not."""

    variants: tuple[Variant, ...]
    left_out: tuple[str, ...] = ()

    @property
    def scoring(self) -> ScoringMode | None:
        """The first mode in which the model scores, None where it does not."""
        return next((variant.scoring for variant in self.variants if variant.scoring is not None), None)


def line_up(
    strategies: Sequence[SelectionStrategy], modes: Sequence[ScoringMode], info: EngineInfo, *, dense: bool = True
) -> LineUp:
    """What an engine can do of the strategies in the modes asked for; `dense`: whether there is search by meaning.

    Raises `ConfigError` where that is nothing.
    """
    able = modes_of(info)
    variants: list[Variant] = []
    left_out: list[str] = []
    for strategy in dict.fromkeys(strategies):
        if strategy is SelectionStrategy.DENSE and not dense:
            left_out.append(f"left out: {strategy}: there is no model for embeddings, or no FAISS")
        elif strategy in SCORED:
            variants.extend(Variant(strategy, mode) for mode in modes if mode in able)
        else:
            variants.append(Variant(strategy))
    left_out += _not_scored(
        [one for one in strategies if one in SCORED], [one for one in modes if one not in able], info
    )
    if not dense and SelectionStrategy.RETRIEVE in strategies:
        left_out.append("retrieve, and what begins with it, searches by words alone")
    if not variants:
        raise ConfigError(f"nothing is left to try; {'; '.join(left_out)}")
    return LineUp(tuple(variants), tuple(left_out))


def _not_scored(strategies: Sequence[SelectionStrategy], modes: Sequence[ScoringMode], info: EngineInfo) -> list[str]:
    if not (strategies and modes):
        return []
    why = "does not tell what that takes" if modes_of(info) else "tells no probabilities of tokens"
    named = f"{', '.join(strategies)} by {', '.join(modes)}"
    return [f"left out: {named}: {info.model} {why} ('lda doctor' says what it can do)"]


class CallTally:
    """Passes events on and adds up the calls among them; `recorded` of them were answered from the record."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.calls = 0
        self.recorded = 0
        self.tokens = 0

    def emit(self, event: Event) -> None:
        """Count an event and pass it on."""
        if isinstance(event, CallFinished):
            self.calls += 1
            self.recorded += event.completion.recorded
            self.tokens += event.completion.usage.prompt_tokens
        self._emit(event)


class SharedSearch:
    """A `Searcher` that searches once for a question, whoever asks, always for `most` hits."""

    def __init__(self, searcher: Searcher, *, most: int, clock: Clock = system_clock) -> None:
        self._searcher = searcher
        self._most = most
        self._clock = clock
        self._found: dict[str, tuple[Sequence[Hit], float]] = {}

    async def search(self, question: str, *, k: int) -> Sequence[Hit]:
        """See `Searcher`; never more than `most`."""
        if question not in self._found:
            began = self._clock()
            hits = await self._searcher.search(question, k=self._most)
            self._found[question] = (hits, self._clock() - began)
        return self._found[question][0][:k]

    def seconds(self, question: str) -> float:
        """How long the search for a question took, which was searched for before."""
        return self._found[question][1]


class TextSelectors:
    """Makes the selectors of one text: of its index, its characters, and the engine that scores its segments.

    `counter` counts the tokens of what is selected, as for an answer, which also shows where each excerpt stands;
    without one they are the estimate.
    """

    def __init__(
        self,
        index: CollectionIndex,
        document: Document,
        engine: Engine,
        *,
        candidates: int,
        emit: Emit,
        counter: TokenCounter | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self._index = index
        self._document = document
        self._engine = engine
        self._candidates = candidates
        self._emit = emit
        self._counter = counter
        self._clock = clock
        self._most = max(candidates, *KS)
        self._search = SharedSearch(index, most=self._most, clock=clock)
        self._tokens: dict[tuple[str, int], int] = {}

    @property
    def finds_by_meaning(self) -> bool:
        """Whether there is search by meaning."""
        return DENSE in self._index.rankings

    async def of(self, variants: Sequence[Variant]) -> Mapping[str, Selector | Sequence[Selector]]:
        """The selectors of these variants by their labels."""
        windows = await self._index.windows()
        await self._count(windows)
        blind = baselines([self._span_of(hit) for hit in windows])
        return {one.label: blind.get(one.strategy) or self._selector(one, windows) for one in variants}

    async def segments(self) -> int:
        """How many segments the text has."""
        return len(await self._index.windows())

    def _selector(self, variant: Variant, windows: Sequence[Hit]) -> Selector:
        match variant.strategy:
            case SelectionStrategy.LEXICAL:
                return self._searched(self._index.lexical)
            case SelectionStrategy.DENSE:
                return self._searched(self._index.dense)
            case SelectionStrategy.RETRIEVE:
                return self._retrieved
            case _ if variant.scoring is None:
                raise ValueError(f"{variant.strategy} needs a mode of scoring")
            case SelectionStrategy.XL3M:
                return self._scored(ExhaustiveRanker(windows, self._texts, self._scorer(variant.scoring)))
            case _:
                ranker = CascadeRanker(
                    self._search,
                    self._index,
                    self._texts,
                    self._scorer(variant.scoring),
                    prefiltered=self._candidates,
                    alone=variant.strategy is SelectionStrategy.CASCADE_RELEVANCE,
                )
                return self._scored(ranker, searched=True)

    def _scorer(self, mode: ScoringMode) -> RelevanceScorer:
        return RelevanceScorer(self._engine, mode)

    def _searched(self, search: Callable[..., Awaitable[Sequence[Hit]]]) -> Selector:
        async def select(question: str) -> Ranking:
            return Ranking([self._span_of(hit) for hit in await search(question, k=self._most)])

        return select

    async def _retrieved(self, question: str) -> Ranking:
        hits = await self._search.search(question, k=self._most)
        return Ranking([self._span_of(hit) for hit in hits], seconds=self._search.seconds(question))

    def _scored(self, ranker: Ranker, *, searched: bool = False) -> Selector:
        async def select(question: str) -> Ranking:
            tally = CallTally(self._emit)
            before = await self._searched_seconds(question) if searched else 0.0
            began = self._clock()
            found = await ranker.rank(question, emit=tally.emit)
            seconds = before + self._clock() - began
            spans = [self._span_of(candidate.hit) for candidate in found]
            return ScoredRanking(spans, tally.calls, tally.tokens, seconds=seconds, recorded=tally.recorded)

        return select

    async def _searched_seconds(self, question: str) -> float:
        """How long the search takes that a ranking begins with: other strategies may have begun with it before."""
        await self._search.search(question, k=1)
        return self._search.seconds(question)

    async def _count(self, windows: Sequence[Hit]) -> None:
        if self._counter is None:
            return
        text = self._document.text
        pieces = [text[hit.segment.start : hit.segment.end] for hit in windows]
        counts = await self._counter.count_tokens(pieces)
        self._tokens = {hit.place: count + EXCERPT_TOKENS for hit, count in zip(windows, counts, strict=True)}

    def _span_of(self, hit: Hit) -> RankedSpan:
        """Where a hit stands, and what it takes of a budget."""
        segment = hit.segment
        return RankedSpan(segment.start, segment.end, self._tokens.get(hit.place, segment.tokens))

    async def _texts(self, hits: Sequence[Hit]) -> Sequence[Quoted]:
        """As an answer's segments are quoted, so that their scores are found in the record again."""
        document = self._document
        return [
            Quoted(
                document.text[hit.segment.start : hit.segment.end].strip(),
                {"document": document.id, "start": hit.segment.start, "end": hit.segment.end},
            )
            for hit in hits
        ]
