"""What an evaluation of questions would take: cases, texts, segments, and the calls of each strategy at most.

Worked out from sizes: no text is made and nothing is spent. Tokens are by the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.answer_reader import answer_overhead
from longdoc.agents.map_reader import MapReader
from longdoc.agents.relevance import ScoringMode
from longdoc.app.finding import Sizes
from longdoc.app.question_answers import Answering
from longdoc.app.question_options import (
    SORT_TOKENS,
    NeedleOptions,
    SortOptions,
    ThreadOptions,
    TrialOptions,
    cases_to_sort,
    needle_title,
)
from longdoc.app.question_strategies import SCORED, SelectionStrategy, Variant, line_up
from longdoc.app.strategies import Strategy
from longdoc.documents.document import Document
from longdoc.documents.windows import OVERLAP_TOKENS, PART_TOKENS, WINDOW_TOKENS
from longdoc.engines.engine import Engine
from longdoc.evaluation.filler import filler_of
from longdoc.evaluation.planted import count_texts
from longdoc.evaluation.threads import count_thread_texts, longest_question

_SLACK: Final = 16
"""How many tokens before their limit windows end, on average, to end with a sentence."""
_STRIDE: Final = WINDOW_TOKENS - OVERLAP_TOKENS - _SLACK
_SCORING_PROMPT: Final = 160
_TOTAL = "all together"


@dataclass(frozen=True, slots=True)
class StrategyEstimate:
    """The calls of a strategy and the tokens they read, at most and where nothing is recorded."""

    label: str
    calls: int
    tokens: int


@dataclass(frozen=True, slots=True)
class QuestionEstimate:
    """What is tried and what that takes. `segments` are those of all texts, `parts` what is embedded of them.

    The last of `strategies` is all of them together, where calls that they share count once.
    """

    title: str
    cases: int
    texts: int
    tokens: int
    segments: int
    parts: int
    strategies: tuple[StrategyEstimate, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Batch:
    """Texts of one length, and the cases in all of them."""

    length: int
    texts: int
    cases: int

    @property
    def segments(self) -> int:
        """Of one text."""
        return 1 + max(0, math.ceil((self.length - WINDOW_TOKENS) / _STRIDE))


def estimate_needles(documents: Sequence[Document], options: NeedleOptions, engine: Engine) -> QuestionEstimate:
    """What `evaluate_needles` takes. Raises `ConfigError` as it does."""
    filler = filler_of(documents)
    plans, trial = options.plans(filler), options.trial
    batches = [
        _Batch(length, count_texts(plans, length=length, seed=trial.seed), len(plans)) for length in trial.lengths
    ]
    return _estimate(needle_title(filler, options), batches, trial, engine, question=plans[0].question)


def estimate_threads(options: ThreadOptions, engine: Engine) -> QuestionEstimate:
    """What `evaluate_threads` takes. Raises `ConfigError` as it does."""
    tasks = options.tasks()
    batches = [_Batch(length, count_thread_texts(tasks, length=length), len(tasks)) for length in options.trial.lengths]
    return _estimate("Key-value threads", batches, options.trial, engine, question=longest_question(tasks))


def estimate_tsort(documents: Sequence[Document], options: SortOptions, engine: Engine) -> QuestionEstimate:
    """What `evaluate_tsort` takes. Raises `ConfigError` as it does."""
    cases, left_out = cases_to_sort(documents, options, engine.info)
    tokens = sum(case.length for case in cases)
    work = StrategyEstimate("model", len(cases), tokens + len(cases) * SORT_TOKENS)
    return QuestionEstimate("Stretches in order", len(cases), 0, tokens, 0, 0, (work,), tuple(left_out))


def _estimate(
    title: str, batches: Sequence[_Batch], trial: TrialOptions, engine: Engine, *, question: str
) -> QuestionEstimate:
    info = engine.info
    lined_up = line_up(trial.strategies, trial.scoring, info)
    answering, not_answering = trial.answering(info)
    segments = sum(batch.texts * batch.segments for batch in batches)
    works = [_scoring(one.label, [one], batches, trial) for one in lined_up.variants]
    answers = [_answers(one, batches, trial, engine, question) for one in answering]
    scoring = [*lined_up.variants, *(Variant(SelectionStrategy(a.strategy), a.scoring) for a in answering if a.scored)]
    scored = _scoring(_TOTAL, scoring, batches, trial)
    paid = [scored, *answers]
    together = StrategyEstimate(_TOTAL, sum(one.calls for one in paid), sum(one.tokens for one in paid))
    return QuestionEstimate(
        title,
        cases=sum(batch.cases for batch in batches),
        texts=sum(batch.texts for batch in batches),
        tokens=sum(batch.texts * batch.length for batch in batches),
        segments=segments,
        parts=segments * math.ceil(_STRIDE / PART_TOKENS),
        strategies=(*works, *answers, together),
        remarks=(*lined_up.left_out, *not_answering, *_too_long(batches, trial, scoring)),
    )


def _scoring(
    label: str, variants: Sequence[Variant], batches: Sequence[_Batch], trial: TrialOptions
) -> StrategyEstimate:
    """What scoring takes; xl3m has the model score segments, all others parts."""
    whole = [one for one in variants if one.strategy is SelectionStrategy.XL3M]
    others = [one for one in variants if one.strategy is not SelectionStrategy.XL3M]
    segments = sum(_scored_together(whole, batch, trial) for batch in batches)
    parts = sum(_scored_together(others, batch, trial) for batch in batches)
    read = segments * (WINDOW_TOKENS + _SCORING_PROMPT) + parts * (PART_TOKENS + _SCORING_PROMPT)
    return StrategyEstimate(label, segments + parts, read)


def _scored(variant: Variant, batch: _Batch, trial: TrialOptions) -> int:
    """Calls for all cases of a length."""
    if variant.strategy not in SCORED:
        return 0
    without = int(variant.scoring is ScoringMode.CONTRAST)
    if variant.strategy is not SelectionStrategy.XL3M:
        return (min(trial.candidates, batch.segments) + without) * batch.cases
    return (batch.segments + without) * batch.cases if batch.segments <= trial.xl3m_up_to else 0


def _scored_together(variants: Sequence[Variant], batch: _Batch, trial: TrialOptions) -> int:
    """Of strategies that ask the same of a segment, the one that scores most scores for all of them."""
    most: dict[str | None, int] = {}
    for variant in variants:
        asked = ScoringMode.ENTROPY if variant.scoring is ScoringMode.CONTRAST else variant.scoring
        most[asked] = max(most.get(asked, 0), _scored(variant, batch, trial))
    return sum(most.values())


def _answers(
    one: Answering, batches: Sequence[_Batch], trial: TrialOptions, engine: Engine, question: str
) -> StrategyEstimate:
    """The calls that read what is answered from; those that score it are told of beside them."""
    sizes = Sizes(engine.info, trial.ask_options(one))
    limit = MapReader(engine).segment_limit(engine.info.context_window)
    overhead = answer_overhead(question)
    calls = tokens = 0
    for batch in batches:
        chosen = sizes.choose(question, tokens=batch.length).strategy
        if chosen is Strategy.MAP:
            read = batch.length // limit + 2
            calls, tokens = calls + batch.cases * read, tokens + batch.cases * (batch.length + read * overhead)
        elif _can_answer(chosen, batch, trial, room=sizes.room(question)):
            held = batch.length if chosen is Strategy.FULL else min(batch.length, sizes.budget(question))
            calls, tokens = calls + batch.cases, tokens + batch.cases * (held + overhead)
    return StrategyEstimate(f"{one.label}, answers", calls, tokens)


def _can_answer(strategy: Strategy, batch: _Batch, trial: TrialOptions, *, room: int) -> bool:
    if strategy is Strategy.FULL:
        return batch.length <= room
    return strategy is not Strategy.XL3M or batch.segments <= trial.xl3m_up_to


def _too_long(batches: Sequence[_Batch], trial: TrialOptions, variants: Sequence[Variant]) -> Iterator[str]:
    if any(one.strategy is SelectionStrategy.XL3M for one in variants):
        for batch in batches:
            if batch.segments > trial.xl3m_up_to:
                yield f"left out: xl3m of texts of {batch.length:,} tokens: about {batch.segments:,} segments"
