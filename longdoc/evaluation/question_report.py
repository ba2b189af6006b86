"""The figures of trials: outcomes put together by length, depth and kind, for each strategy.

Owns what is counted and averaged; how it is shown is the command line's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import fmean
from typing import TypeVar

from longdoc.evaluation.answer_trial import AnswerOutcome, SortOutcome
from longdoc.evaluation.gold import GoldCase, Recipe
from longdoc.evaluation.heat_map import Panel, cells_of
from longdoc.evaluation.selection_trial import SelectionOutcome
from longdoc.evaluation.shares import Share, share_of
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
class Effort:
    """What a case took on average, and how many of them failed."""

    seconds: float
    calls: float
    tokens: float
    failed: int


@dataclass(frozen=True, slots=True)
class SelectionFigures:
    """Of a group: `found` is recall@k (each span whole in one of the k best), `selected` recall@B (whole in what a
    budget holds), both of all spans of a case; `best` and `within` are the mean shares of spans, which say more where a
    case has many. `inside` is the mean share of what a budget holds that lies in spans, `mrr` the mean of 1 / `first`.
    """

    group: Group
    cases: int
    found: Mapping[int, Share]
    selected: Mapping[int, Share]
    best: Mapping[int, float]
    within: Mapping[int, float]
    inside: Mapping[int, float]
    mrr: float
    effort: Effort


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """Of a group: the share of answers that are right, and the mean share of what was asked for in each."""

    group: Group
    right: Share
    given: float
    effort: Effort


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


def selection_figures(outcomes: Sequence[SelectionOutcome], *, by: Iterable[By] = ()) -> list[SelectionFigures]:
    """The figures of each group, strategies in the order in which they come, the rest in rising order."""
    return [_selection(group, found) for group, found in _grouped(outcomes, set(by), _group_of_case)]


def answer_figures(outcomes: Sequence[AnswerOutcome], *, by: Iterable[By] = ()) -> list[AnswerFigures]:
    """See `selection_figures`."""
    return [
        AnswerFigures(
            group,
            share_of(outcome.score.right for outcome in found),
            fmean(outcome.score.share for outcome in found),
            _effort([(o.seconds, o.reply.calls, o.reply.tokens, o.error) for o in found]),
        )
        for group, found in _grouped(outcomes, set(by), _group_of_case)
    ]


def order_figures(outcomes: Sequence[SortOutcome]) -> list[OrderFigures]:
    """The figures of each strategy at each length."""
    return [
        OrderFigures(
            group,
            sort_figures([outcome.score for outcome in found]),
            _effort([(o.seconds, o.reply.calls, o.reply.tokens, o.error) for o in found]),
        )
        for group, found in _grouped(outcomes, {By.LENGTH}, lambda o, _: Group(o.strategy, length=o.case.length))
    ]


def selection_panels(outcomes: Sequence[SelectionOutcome], *, budget: int) -> list[Panel]:
    """For a heat map: the share of cases within a budget by length and depth, a panel for each strategy."""
    found = selection_figures(outcomes, by=(By.LENGTH, By.DEPTH))
    return _panels([(figures.group, figures.selected[budget]) for figures in found])


def answer_panels(outcomes: Sequence[AnswerOutcome]) -> list[Panel]:
    """For a heat map: the share of right answers by length and depth, a panel for each strategy."""
    found = answer_figures(outcomes, by=(By.LENGTH, By.DEPTH))
    return _panels([(figures.group, figures.right) for figures in found])


def _panels(shares: Sequence[tuple[Group, Share]]) -> list[Panel]:
    strategies = dict.fromkeys(group.strategy for group, _ in shares)
    return [
        Panel(name, cells_of([(g.length, g.depth, share.rate) for g, share in shares if g.strategy == name]))
        for name in strategies
    ]


def _selection(group: Group, outcomes: Sequence[SelectionOutcome]) -> SelectionFigures:
    recalls = [outcome.recall for outcome in outcomes]
    ks, budgets = list(recalls[0].best), list(recalls[0].within)
    return SelectionFigures(
        group=group,
        cases=len(outcomes),
        found={k: share_of(recall.found(k) for recall in recalls) for k in ks},
        selected={budget: share_of(recall.selected(budget) for recall in recalls) for budget in budgets},
        best={k: fmean(recall.best[k] for recall in recalls) for k in ks},
        within={budget: fmean(recall.within[budget] for recall in recalls) for budget in budgets},
        inside={budget: fmean(recall.inside[budget] for recall in recalls) for budget in budgets},
        mrr=fmean(recall.reciprocal_rank for recall in recalls),
        effort=_effort([(o.seconds, o.calls, o.tokens, o.error) for o in outcomes]),
    )


def _effort(work: Sequence[tuple[float, int, int, str]]) -> Effort:
    return Effort(
        seconds=fmean(seconds for seconds, _, _, _ in work),
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


def _grouped(
    outcomes: Sequence[_Outcome], by: set[By], group_of: Callable[[_Outcome, set[By]], Group]
) -> list[tuple[Group, list[_Outcome]]]:
    groups: dict[Group, list[_Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(group_of(outcome, by), []).append(outcome)
    strategies = list(dict.fromkeys(group.strategy for group in groups))
    kinds = list(dict.fromkeys(group.kind for group in groups))

    def place(group: Group) -> tuple[int, int, float, float]:
        return strategies.index(group.strategy), kinds.index(group.kind), _number(group.length), _number(group.depth)

    return sorted(groups.items(), key=lambda pair: place(pair[0]))


def _number(value: float | None) -> float:
    return -1.0 if value is None else value
