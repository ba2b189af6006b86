"""The ways of answering a question: what there is, and which one fits a question, a text and an engine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from longdoc.agents.question_kinds import QuestionForm, Unit, kind_of
from longdoc.agents.relevance import ScoringMode, modes_of, require_mode
from longdoc.engines.engine import EngineInfo

AUTO: Final = "auto"


class Strategy(StrEnum):
    """How the text that a question is answered from is found.

    `FULL`: the whole text, where it fits. `RETRIEVE`: what wording and meaning find. `XL3M`: every segment scored by
    the model. `CASCADE`: what retrieval finds, scored by the model. `MAP`: every segment read and asked.
    """

    FULL = "full"
    RETRIEVE = "retrieve"
    CASCADE = "cascade"
    XL3M = "xl3m"
    MAP = "map"


BEST: Final = Strategy.RETRIEVE
"""What `auto` takes for a text that does not fit, see docs/benchmarks.md: retrieval, as long as no scoring by the model
measures better than it by more than the interval."""
_ESTIMATE_MARGIN = 1.25
"""How far an estimate of tokens is trusted before a text counts as too long for one call."""
SCORED: Final = frozenset({Strategy.XL3M, Strategy.CASCADE})
"""The strategies in which the model scores segments."""


@dataclass(frozen=True, slots=True)
class StrategyChoice:
    """A strategy, one clause on why it was taken, and the mode of scoring where there is one.

    `warning` says where it is not what was asked for.
    """

    strategy: Strategy
    reason: str
    scoring: ScoringMode | None = None
    warning: str = ""


def choose_strategy(
    asked: str,
    question: str,
    info: EngineInfo,
    *,
    tokens: float,
    counted: bool = False,
    room: int,
    scoring: ScoringMode | None = None,
    mapped: bool = True,
) -> StrategyChoice:
    """The strategy asked for, or the one that fits best where that is left open (`auto`).

    `tokens` is how long the text is, about or `counted`, `room` how much of it one call holds; `mapped` tells whether
    reading all of it piece by piece may be taken. On an engine that tells no probabilities, what scoring would have
    ordered is taken as a search finds it. Raises `ConfigError` where the engine cannot do a mode of scoring that was
    asked for.
    """
    if asked != AUTO:
        return _as_asked(Strategy(asked), info, scoring)
    fits = tokens * (1 if counted else _ESTIMATE_MARGIN) <= room
    about = "" if counted else "about "
    size = f"{about}{tokens:,.0f} tokens {'fit' if fits else 'do not fit'} one call, which holds {room:,}"
    kind = kind_of(question)
    if mapped and kind.form is QuestionForm.COUNTING and not (fits and kind.unit is Unit.ITEMS):
        return StrategyChoice(Strategy.MAP, "it asks for a count, which every part of the text must be read for")
    if fits:
        return StrategyChoice(Strategy.FULL, size)
    if mapped and kind.needs_all:
        return StrategyChoice(Strategy.MAP, f"{size}, and the question is about all of it")
    return StrategyChoice(BEST, f"{size}, and it is about a place in it")


def by_next_token(choice: StrategyChoice, info: EngineInfo) -> StrategyChoice | None:
    """A choice of likelihood in a mode that scores no question; None where there is none, and for other choices."""
    others = [mode for mode in modes_of(info) if mode is not ScoringMode.LIKELIHOOD]
    return replace(choice, scoring=others[0]) if others and choice.scoring is ScoringMode.LIKELIHOOD else None


def _as_asked(strategy: Strategy, info: EngineInfo, scoring: ScoringMode | None) -> StrategyChoice:
    """A strategy that was asked for: in the mode asked for, or the best that the engine can compute."""
    if strategy not in SCORED:
        return StrategyChoice(strategy, "as asked for")
    if scoring is not None:
        require_mode(scoring, info)
        return StrategyChoice(strategy, "as asked for", scoring)
    able = modes_of(info)
    if able:
        return StrategyChoice(strategy, "as asked for", able[0])
    why = f"{info.model} tells no probabilities of tokens, which {strategy} needs"
    return StrategyChoice(BEST, why, warning=f"{why}, so {BEST} is taken")
