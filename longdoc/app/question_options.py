"""What can be asked of an evaluation of questions, and the texts and cases that this makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from longdoc.agents.relevance import ScoringMode
from longdoc.agents.segment_ranking import PREFILTERED
from longdoc.app.finding import AskOptions
from longdoc.app.question_answers import Answering, answerable
from longdoc.app.question_strategies import SelectionStrategy
from longdoc.documents.document import Document
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError
from longdoc.evaluation.filler import Filler
from longdoc.evaluation.gold import GoldText
from longdoc.evaluation.needles import NeedleKind, plan_needles
from longdoc.evaluation.planted import DEPTHS, CasePlan, count_texts, plant
from longdoc.evaluation.recall import BUDGETS
from longdoc.evaluation.threads import ThreadKind, ThreadTask, count_thread_texts, thread_texts
from longdoc.evaluation.tsort import SortCase, sort_cases
from longdoc.json_value import JsonValue

LENGTHS: Final = (8_000, 64_000)
XL3M_UP_TO: Final = 64
"""Segments of a text that are all scored by the model, unless asked otherwise."""

SCORING: Final = tuple(ScoringMode)
"""All modes; answers come by the first one that the engine can compute, unless asked for in another."""

NEEDLES: Final = (NeedleKind.PLAIN, NeedleKind.PARAPHRASE, NeedleKind.BRIDGE, NeedleKind.DECOYS)
SORT_TOKENS: Final = 256
"""The most tokens of an answer that puts stretches in order."""

_MANY = 5
_STEPS = (2, 5)
_THREADS = 3
_ESTIMATE_MARGIN = 1.25
_SORT_OVERHEAD = 200


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """What strategies are tried on which lengths, in tokens, and with which sizes.

    `scoring` are the modes in which a model scores segments; `candidates` is how many segments retrieval leaves it to
    score; a text of more segments than `xl3m_up_to` is not scored whole; `budgets` are those that recall is told for;
    `answers` is how questions are also answered. Raises `ConfigError` for what cannot work.
    """

    lengths: tuple[int, ...] = LENGTHS
    strategies: tuple[SelectionStrategy, ...] = tuple(SelectionStrategy)
    scoring: tuple[ScoringMode, ...] = SCORING
    candidates: int = PREFILTERED
    budgets: tuple[int, ...] = BUDGETS
    seed: int = 0
    answers: tuple[Answering, ...] = ()
    xl3m_up_to: int = XL3M_UP_TO

    def __post_init__(self) -> None:
        if not (self.lengths and self.strategies and self.budgets and self.scoring):
            raise ConfigError("name at least one length, strategy, mode of scoring and budget")
        if min(*self.lengths, *self.budgets, self.candidates) < 1:
            raise ConfigError("lengths, budgets and candidates are numbers from 1 upwards")

    def parameters(self) -> dict[str, JsonValue]:
        """What makes one evaluation differ from another."""
        return {
            "lengths": list(self.lengths),
            "strategies": list(map(str, self.strategies)),
            "scoring": list(map(str, self.scoring)),
            "candidates": self.candidates,
            "budgets": list(self.budgets),
            "seed": self.seed,
            "answers": [one.label for one in self.answers],
            "xl3m_up_to": self.xl3m_up_to,
        }

    def answering(self, info: EngineInfo) -> tuple[list[Answering], list[str]]:
        """What an engine can do of the ways of answering, and why others are left out."""
        return answerable(self.answers, self.scoring, info)

    def ask_options(self, one: Answering) -> AskOptions:
        """How questions are answered in this way."""
        return AskOptions(strategy=one.strategy, scoring=one.scoring, candidates=self.candidates)


@dataclass(frozen=True, slots=True)
class NeedleOptions:
    """Which needles: `each` of every kind at each of `depths` depths. Raises `ConfigError` for what cannot work."""

    kinds: tuple[NeedleKind, ...] = NEEDLES
    each: int = 1
    depths: int = len(DEPTHS)
    trial: TrialOptions = field(default_factory=TrialOptions)

    def __post_init__(self) -> None:
        if not self.kinds or self.each < 1 or not 1 <= self.depths <= 101:
            raise ConfigError("name at least one kind, one case of each, and between 1 and 101 depths")

    def plans(self, filler: Filler) -> list[CasePlan]:
        """The cases, before they have a text. Raises `ConfigError`."""
        last = self.depths - 1
        depths = [step / last for step in range(self.depths)] if last else [0.5]
        return plan_needles(self.kinds, each=self.each, seed=self.trial.seed, depths=depths, avoid=filler.words)


@dataclass(frozen=True, slots=True)
class ThreadOptions:
    """Which look-ups: `each` of every kind, and of a single key at each of 11 depths. Raises `ConfigError`."""

    kinds: tuple[ThreadKind, ...] = tuple(ThreadKind)
    each: int = 1
    trial: TrialOptions = field(default_factory=TrialOptions)

    def __post_init__(self) -> None:
        if not self.kinds or self.each < 1:
            raise ConfigError("name at least one kind, and one case of each")

    def tasks(self) -> list[ThreadTask]:
        """The questions to be made."""
        return [task for kind in self.kinds for _ in range(self.each) for task in _tasks(kind)]


@dataclass(frozen=True, slots=True)
class SortOptions:
    """How many cases of each length a document is asked for. Raises `ConfigError` for what cannot work."""

    lengths: tuple[int, ...] = (2_000, 4_000)
    each: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.lengths or self.each < 1:
            raise ConfigError("name at least one length, and one case of each")


def counted(number: int, thing: str) -> str:
    """So many things, in words."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def needle_title(filler: Filler, options: NeedleOptions) -> str:
    """What an evaluation of needles is of."""
    return f"{'Passkeys' if options.kinds == (NeedleKind.PASSKEY,) else 'Needles'} in {filler.name}"


def needle_texts(filler: Filler, plans: Sequence[CasePlan], trial: TrialOptions) -> tuple[int, Iterator[GoldText]]:
    """How many texts there are, and these, made one after the other. Raises `ConfigError` before any is made."""
    count = sum(count_texts(plans, length=length, seed=trial.seed) for length in trial.lengths)
    each = (plant(filler, plans, length=length, seed=trial.seed) for length in trial.lengths)
    return count, chain.from_iterable(each)


def key_texts(options: ThreadOptions) -> tuple[int, Iterator[GoldText]]:
    """How many texts of key-value pairs there are, and these, made one after the other.

    Raises `ConfigError` before any is made.
    """
    tasks, trial = options.tasks(), options.trial
    count = sum(count_thread_texts(tasks, length=length) for length in trial.lengths)
    each = (thread_texts(tasks, length=length, seed=trial.seed) for length in trial.lengths)
    return count, chain.from_iterable(each)


def cases_to_sort(
    documents: Sequence[Document], options: SortOptions, info: EngineInfo
) -> tuple[list[SortCase], list[str]]:
    """The cases that one call of an engine holds, and why others are left out. Raises `ConfigError` for none."""
    room = (info.context_window - SORT_TOKENS - _SORT_OVERHEAD) / _ESTIMATE_MARGIN
    fitting = [length for length in options.lengths if length <= room]
    left_out = [
        f"left out: {length:,} tokens: one call of {info.model} holds about {room:,.0f} beside the question"
        for length in options.lengths
        if length > room
    ]
    if not fitting:
        raise ConfigError(f"nothing is left to try; {'; '.join(left_out)}")
    cases = [
        replace(case, id=f"{case.id}/{number}")
        for length in fitting
        for number, document in enumerate(documents, 1)
        for case in sort_cases(document, length=length, count=options.each, seed=options.seed)
    ]
    return cases, left_out


def _tasks(kind: ThreadKind) -> Iterator[ThreadTask]:
    match kind:
        case ThreadKind.ONE:
            yield from (ThreadTask(kind, depth=depth) for depth in DEPTHS)
        case ThreadKind.MANY:
            yield from (ThreadTask(kind, _MANY, clustered=clustered) for clustered in (False, True))
        case ThreadKind.CONDITIONAL:
            yield ThreadTask(kind, _MANY)
        case ThreadKind.THREAD:
            for steps in _STEPS:
                yield ThreadTask(kind, steps=steps)
                yield ThreadTask(kind, steps=steps, direction="backward")
        case ThreadKind.THREADS:
            yield ThreadTask(kind, _THREADS, steps=_STEPS[0])
