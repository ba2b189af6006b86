"""The figures of trials: outcomes put together by length, depth and kind, for each strategy.

Owns what is counted and averaged; how it is shown is the command line's business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from statistics import fmean
from typing import Generic, TypeVar

from longdoc.evaluation.answer_trial import AnswerOutcome, SortOutcome
from longdoc.evaluation.gold import GoldCase, Recipe
from longdoc.evaluation.heat_map import Panel, cells_of
from longdoc.evaluation.selection_trial import SelectionOutcome
from longdoc.evaluation.shares import wilson_interval
from longdoc.evaluation.tsort import SortFigures, sort_figures


class By(StrEnum):
    """What cases are put together by, besides their strategy."""

    KIND = "kind"
    LENGTH = "length"
    DEPTH = "depth"


@dataclass(frozen=True, slots=True)
class Group:
    """Which cases figures are of; None is all kinds, lengths or depths."""

    strategy: str
    kind: str | None = None
    length: int | None = None
    depth: float | None = None


@dataclass(frozen=True, slots=True)
class CaseShare:
    """The share of cases that are hits. A case that was tried several times is one, a hit by the share of its tries."""

    hits: float
    cases: int

    @property
    def rate(self) -> float:
        """Hits of cases, in 0..1."""
        return self.hits / self.cases

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the rate (Wilson); where hits are no whole number it holds those of both neighbours."""
        low, _ = wilson_interval(math.floor(self.hits), self.cases)
        _, high = wilson_interval(math.ceil(self.hits), self.cases)
        return low, high


@dataclass(frozen=True, slots=True)
class Effort:
    """What a case took on average, and how many of them failed.

    `seconds` is the mean of the cases whose time is known, None where there are none.
    """

    seconds: float | None
    calls: float
    tokens: float
    failed: int


@dataclass(frozen=True, slots=True)
class SelectionFigures:
    """Of a group: `found` is recall@k (each span whole in one of the k best), `selected` recall@B (whole in what a
    budget holds), both of all spans of a case; `best` and `within` are the mean shares of spans, which say more where a
    case has many. `inside` is the mean share of what a budget holds that lies in spans, `mrr` the mean of 1 / `first`.

    `missing` is how many cases of the group were tried by other strategies only: figures of different cases are not to
    be compared.
    """

    group: Group
    cases: int
    found: Mapping[int, CaseShare]
    selected: Mapping[int, CaseShare]
    best: Mapping[int, float]
    within: Mapping[int, float]
    inside: Mapping[int, float]
    mrr: float
    effort: Effort
    missing: int = 0


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """Of a group: the share of answers that are right, and the mean share of what was asked for in each.

    `missing` is as in `SelectionFigures`.
    """

    group: Group
    right: CaseShare
    given: float
    effort: Effort
    missing: int = 0


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Of a group: how stretches were put in order."""

    group: Group
    figures: SortFigures
    effort: Effort


@dataclass(frozen=True, slots=True)
class QuestionReport:
    """All that came of some trials, and on what terms.

    `settings` are what a comparison must hold equal, in words (models, sizes of segments); `recipes` tell how the texts
    were made, `remarks` what was left out and why.
    """

    title: str
    selection: Sequence[SelectionOutcome] = ()
    answers: Sequence[AnswerOutcome] = ()
    orders: Sequence[SortOutcome] = ()
    recipes: Sequence[Recipe] = ()
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    remarks: Sequence[str] = ()

    @property
    def failures(self) -> list[tuple[str, str, str]]:
        """Strategy, case and reason of everything that failed."""
        every = (*self.selection, *self.answers, *self.orders)
        return [(outcome.strategy, outcome.case.id, outcome.error) for outcome in every if outcome.error]


_Outcome = TypeVar("_Outcome", SelectionOutcome, AnswerOutcome, SortOutcome)
_Tried = TypeVar("_Tried", SelectionOutcome, AnswerOutcome)


def selection_figures(outcomes: Sequence[SelectionOutcome], *, by: Iterable[By] = ()) -> list[SelectionFigures]:
    """The figures of each group, strategies in the order in which they come, the rest in rising order."""
    return [_selection(found) for found in _grouped(outcomes, set(by), _group_of_case)]


def answer_figures(outcomes: Sequence[AnswerOutcome], *, by: Iterable[By] = ()) -> list[AnswerFigures]:
    """See `selection_figures`."""
    return [
        AnswerFigures(
            found.group,
            _case_share(found.outcomes, lambda outcome: outcome.score.right),
            fmean(outcome.score.share for outcome in found.outcomes),
            _effort([(o.seconds, o.reply.calls, o.reply.tokens, o.error) for o in found.outcomes]),
            found.missing,
        )
        for found in _grouped(outcomes, set(by), _group_of_case)
    ]


def order_figures(outcomes: Sequence[SortOutcome]) -> list[OrderFigures]:
    """The figures of each strategy at each length."""
    return [
        OrderFigures(
            found.group,
            sort_figures([outcome.score for outcome in found.outcomes]),
            _effort([(o.seconds, o.reply.calls, o.reply.tokens, o.error) for o in found.outcomes]),
        )
        for found in _grouped(outcomes, {By.LENGTH}, lambda o, _: Group(o.strategy, length=o.case.length))
    ]


def selection_panels(outcomes: Sequence[SelectionOutcome], *, budget: int) -> list[Panel]:
    """For a heat map: the share of cases within a budget by length and depth, a panel for each strategy."""
    found = selection_figures(outcomes, by=(By.LENGTH, By.DEPTH))
    return _panels([(figures.group, figures.selected[budget]) for figures in found])


def answer_panels(outcomes: Sequence[AnswerOutcome]) -> list[Panel]:
    """For a heat map: the share of right answers by length and depth, a panel for each strategy."""
    found = answer_figures(outcomes, by=(By.LENGTH, By.DEPTH))
    return _panels([(figures.group, figures.right) for figures in found])


def _panels(shares: Sequence[tuple[Group, CaseShare]]) -> list[Panel]:
    strategies = dict.fromkeys(group.strategy for group, _ in shares)
    return [
        Panel(name, cells_of([(g.length, g.depth, share.rate) for g, share in shares if g.strategy == name]))
        for name in strategies
    ]


def _selection(found: _Grouped[SelectionOutcome]) -> SelectionFigures:
    outcomes = found.outcomes
    recalls = [outcome.recall for outcome in outcomes]
    ks, budgets = list(recalls[0].best), list(recalls[0].within)
    return SelectionFigures(
        group=found.group,
        cases=len({outcome.case for outcome in outcomes}),
        found={k: _case_share(outcomes, partial(_is_found, k=k)) for k in ks},
        selected={budget: _case_share(outcomes, partial(_is_selected, budget=budget)) for budget in budgets},
        best={k: fmean(recall.best[k] for recall in recalls) for k in ks},
        within={budget: fmean(recall.within[budget] for recall in recalls) for budget in budgets},
        inside={budget: fmean(recall.inside[budget] for recall in recalls) for budget in budgets},
        mrr=fmean(recall.reciprocal_rank for recall in recalls),
        effort=_effort([(o.seconds, o.calls, o.tokens, o.error) for o in outcomes]),
        missing=found.missing,
    )


def _is_found(outcome: SelectionOutcome, *, k: int) -> bool:
    return outcome.recall.found(k)


def _is_selected(outcome: SelectionOutcome, *, budget: int) -> bool:
    return outcome.recall.selected(budget)


def _case_share(outcomes: Sequence[_Tried], is_hit: Callable[[_Tried], bool]) -> CaseShare:
    """Hits of cases, of which each counts once however often it was tried."""
    tries: dict[GoldCase, list[bool]] = {}
    for outcome in outcomes:
        tries.setdefault(outcome.case, []).append(is_hit(outcome))
    return CaseShare(math.fsum(map(fmean, tries.values())), len(tries))


def _effort(work: Sequence[tuple[float | None, int, int, str]]) -> Effort:
    known = [seconds for seconds, _, _, _ in work if seconds is not None]
    return Effort(
        seconds=fmean(known) if known else None,
        calls=fmean(calls for _, calls, _, _ in work),
        tokens=fmean(tokens for _, _, tokens, _ in work),
        failed=sum(bool(error) for _, _, _, error in work),
    )


def _group_of_case(outcome: SelectionOutcome | AnswerOutcome, by: set[By]) -> Group:
    case: GoldCase = outcome.case
    return Group(
        outcome.strategy,
        kind=case.kind if By.KIND in by else None,
        length=case.length if By.LENGTH in by else None,
        depth=case.depth if By.DEPTH in by else None,
    )


@dataclass(frozen=True, slots=True)
class _Grouped(Generic[_Outcome]):
    """The outcomes of a group, and how many cases of it were tried by other strategies only."""

    group: Group
    outcomes: list[_Outcome]
    missing: int


def _grouped(
    outcomes: Sequence[_Outcome], by: set[By], group_of: Callable[[_Outcome, set[By]], Group]
) -> list[_Grouped[_Outcome]]:
    groups: dict[Group, list[_Outcome]] = {}
    tried: dict[Group, set[object]] = {}
    for outcome in outcomes:
        group = group_of(outcome, by)
        groups.setdefault(group, []).append(outcome)
        tried.setdefault(_of_any(group), set()).add(outcome.case)
    strategies = list(dict.fromkeys(group.strategy for group in groups))
    kinds = list(dict.fromkeys(group.kind for group in groups))

    def place(group: Group) -> tuple[int, int, float, float]:
        return strategies.index(group.strategy), kinds.index(group.kind), _number(group.length), _number(group.depth)

    return [
        _Grouped(group, groups[group], len(tried[_of_any(group)]) - len({outcome.case for outcome in groups[group]}))
        for group in sorted(groups, key=place)
    ]


def _of_any(group: Group) -> Group:
    """The same cases, whatever the strategy."""
    return replace(group, strategy="")


def _number(value: float | None) -> float:
    return -1.0 if value is None else value
