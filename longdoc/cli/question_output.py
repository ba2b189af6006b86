"""What strategies find, answer and put in order, as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from longdoc.cli.compare_output import NamedTable
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat
from longdoc.evaluation.question_report import (
    AnswerFigures,
    By,
    Effort,
    Group,
    OrderFigures,
    QuestionReport,
    SelectionFigures,
    answer_figures,
    order_figures,
    selection_figures,
)
from longdoc.evaluation.shares import Share
from longdoc.evaluation.tsort import CHANCE
from longdoc.json_value import JsonValue

_NONE = "-"
_SHOWN_BUDGET = 4096
_FEW_SPANS = 2
_LONG_SPAN = 2000
"""Spans that are more, or longer, are hardly ever found whole: then shares of them are shown too."""
_EFFORT = ("seconds", "calls", "read", "failed")
_SELECTION_TERMS = (
    "recall@k: every needle lies whole in one of the k best segments; within so many tokens: whole in the segments "
    "that fit; mrr: mean of 1 / rank; seconds, calls and tokens read: of one question, on average; in brackets: 95% "
    "intervals (Wilson); what failed counts as not found"
)
_ANSWER_TERMS = "right: exact match of what was asked for; what failed counts as wrong; in brackets: 95% intervals"
_ORDER_TERMS = f"whole: share of right orders (chance {100 * CHANCE:.1f}%); pairs: share of right pairs (chance 50%)"


@dataclass(frozen=True, slots=True)
class QuestionOutput:
    """A report, to be shown; tables by kind, length and depth are of what `budget` tokens hold."""

    report: QuestionReport
    budget: int = _SHOWN_BUDGET

    @property
    def source(self) -> str:
        """What it is of."""
        return self.report.title

    @property
    def gaps(self) -> bool:
        """Whether something failed."""
        return bool(self.report.failures)

    @property
    def tables(self) -> Sequence[NamedTable]:
        """All tables, narrow enough for a terminal."""
        return [*self._selection_tables(), *self._answer_tables(), *self._order_tables()]

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms the tables hold."""
        report = self.report
        settings = " · ".join(f"{name}: {value}" for name, value in report.settings.items())
        terms = [
            *([_SELECTION_TERMS] if report.selection else []),
            *([_ANSWER_TERMS] if report.answers else []),
            *([_ORDER_TERMS] if report.orders else []),
        ]
        made = [
            f"texts made by {recipe.generator}, version {recipe.version}, seed {recipe.seed}, of {recipe.source[:16]}"
            for recipe in dict.fromkeys(report.recipes)
        ]
        return [*filter(None, [settings]), *made, *report.remarks, *terms]

    @property
    def failures(self) -> Sequence[str]:
        """What failed."""
        return [f"{strategy}, {case}: failed: {error}" for strategy, case, error in self.report.failures]

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        tables = [
            "\n\n".join([f"## {table.title}", "\n".join(markdown_table(table.columns, table.rows))])
            for table in self.tables
        ]
        remarks = "\n".join(f"- {remark}" for remark in (*self.remarks, *self.failures))
        return "\n\n".join([f"# {self.report.title}", *tables, remarks])

    def json(self) -> JsonValue:
        """As a value for programs: figures by strategy, and by every kind, length and depth."""
        report = self.report
        return {
            "title": report.title,
            "settings": dict(report.settings),
            "remarks": list(report.remarks),
            "recipes": [asdict(recipe) for recipe in dict.fromkeys(report.recipes)],
            "selection": [
                _selection_json(one) for by in ((), By) for one in selection_figures(report.selection, by=by)
            ],
            "answers": [_answer_json(one) for by in ((), By) for one in answer_figures(report.answers, by=by)],
            "orders": [_order_json(one) for one in order_figures(report.orders)],
            "failures": [
                {"strategy": strategy, "case": case, "error": error} for strategy, case, error in report.failures
            ],
        }

    def _selection_tables(self) -> Iterator[NamedTable]:
        outcomes = self.report.selection
        if not outcomes:
            return
        found = selection_figures(outcomes)
        yield _by_rank(found)
        yield _by_budget(found, "Recall within a budget of tokens", lambda one: _shares(one.selected))
        if any(len(o.case.spans) > _FEW_SPANS or _longest(o.case.spans) > _LONG_SPAN for o in outcomes):
            yield _by_budget(found, "Share of what is needed, by budget", lambda one: _rates(one.within))
            yield _by_budget(found, "Share of the budget that is needed", lambda one: _rates(one.inside))
        budget = self.budget if self.budget in found[0].selected else max(found[0].selected)
        for by in By:
            shares = [(one.group, one.selected[budget]) for one in selection_figures(outcomes, by=(by,))]
            yield from _across(f"Recall within {budget:,} tokens by {by}", by, shares)

    def _answer_tables(self) -> Iterator[NamedTable]:
        outcomes = self.report.answers
        if not outcomes:
            return
        rows = [
            [one.group.strategy, str(one.right.cases), _share(one.right), _percent(one.given), *_effort(one.effort)]
            for one in answer_figures(outcomes)
        ]
        yield NamedTable("Answers", ("strategy", "cases", "right", "of all asked", *_EFFORT), rows)
        for by in By:
            shares = [(one.group, one.right) for one in answer_figures(outcomes, by=(by,))]
            yield from _across(f"Right answers by {by}", by, shares)

    def _order_tables(self) -> Iterator[NamedTable]:
        found = order_figures(self.report.orders)
        if found:
            columns = ("strategy", "length", "cases", "whole", "pairs", "invalid", *_EFFORT)
            yield NamedTable("Orders", columns, [_order_row(one) for one in found])


def _by_rank(found: Sequence[SelectionFigures]) -> NamedTable:
    columns = ("strategy", "cases", *(f"@{k}" for k in found[0].found), "mrr", *_EFFORT)
    rows = [
        [
            one.group.strategy,
            str(one.cases),
            *(_percent(share.rate) for share in one.found.values()),
            f"{one.mrr:.3f}",
            *_effort(one.effort),
        ]
        for one in found
    ]
    return NamedTable("Recall by rank", columns, rows)


def _by_budget(
    found: Sequence[SelectionFigures], title: str, cells: Callable[[SelectionFigures], Mapping[int, str]]
) -> NamedTable:
    columns = ("strategy", *(f"{budget:,}" for budget in cells(found[0])))
    return NamedTable(title, columns, [[one.group.strategy, *cells(one).values()] for one in found])


def _across(title: str, by: By, shares: Sequence[tuple[Group, Share]]) -> Iterator[NamedTable]:
    """Strategies below each other, what cases are put together by beside each other; nothing where all are alike."""
    rising = sorted((group for group, _ in shares), key=lambda group: (group.length or 0, group.depth or 0.0))
    heads = list(dict.fromkeys(_value(group, by) for group in rising))
    if len(heads) < 2:
        return
    cells = {(group.strategy, _value(group, by)): share for group, share in shares}
    rows = [
        [strategy, *(_cell(cells.get((strategy, head)), narrow=by is By.DEPTH) for head in heads)]
        for strategy in dict.fromkeys(group.strategy for group, _ in shares)
    ]
    yield NamedTable(title, ("strategy", *heads), rows)


def _cell(share: Share | None, *, narrow: bool) -> str:
    if share is None:
        return _NONE
    return _percent(share.rate) if narrow else _share(share)


def _value(group: Group, by: By) -> str:
    match by:
        case By.KIND:
            return group.kind or _NONE
        case By.LENGTH:
            return _NONE if group.length is None else f"{group.length:,}"
        case By.DEPTH:
            return _NONE if group.depth is None else f"{100 * group.depth:.0f}%"


def _longest(spans: Sequence[tuple[int, int]]) -> int:
    return max(end - start for start, end in spans)


def _effort(effort: Effort) -> list[str]:
    return [f"{effort.seconds:.3f}", f"{effort.calls:.1f}", f"{effort.tokens:,.0f}", str(effort.failed)]


def _order_row(one: OrderFigures) -> list[str]:
    figures = one.figures
    return [
        one.group.strategy,
        f"{one.group.length or 0:,}",
        str(figures.whole.cases),
        _share(figures.whole),
        _percent(figures.pairs),
        str(figures.invalid),
        *_effort(one.effort),
    ]


def _shares(shares: Mapping[int, Share]) -> Mapping[int, str]:
    return {number: _share(share) for number, share in shares.items()}


def _rates(rates: Mapping[int, float]) -> Mapping[int, str]:
    return {number: _percent(rate) for number, rate in rates.items()}


def _share(share: Share) -> str:
    interval = share.interval
    if interval is None:
        return _NONE
    return f"{_percent(share.rate)} ({100 * interval[0]:.0f}-{100 * interval[1]:.0f})"


def _percent(rate: float | None) -> str:
    return _NONE if rate is None else f"{100 * rate:.1f}%"


def _selection_json(one: SelectionFigures) -> JsonValue:
    return {
        **_group_json(one.group),
        "cases": one.cases,
        "recall": {str(k): _share_json(share) for k, share in one.found.items()},
        "within": {str(budget): _share_json(share) for budget, share in one.selected.items()},
        "spans_of_best": {str(k): rate for k, rate in one.best.items()},
        "spans_within": {str(budget): rate for budget, rate in one.within.items()},
        "inside_spans": {str(budget): rate for budget, rate in one.inside.items()},
        "mrr": one.mrr,
        **_effort_json(one.effort),
    }


def _answer_json(one: AnswerFigures) -> JsonValue:
    return {**_group_json(one.group), "right": _share_json(one.right), "given": one.given, **_effort_json(one.effort)}


def _order_json(one: OrderFigures) -> JsonValue:
    figures = one.figures
    return {
        **_group_json(one.group),
        "whole": _share_json(figures.whole),
        "pairs": figures.pairs,
        "invalid": figures.invalid,
        **_effort_json(one.effort),
    }


def _group_json(group: Group) -> dict[str, JsonValue]:
    return {"strategy": group.strategy, "kind": group.kind, "length": group.length, "depth": group.depth}


def _share_json(share: Share) -> JsonValue:
    interval = share.interval
    return {
        "hits": share.hits,
        "cases": share.cases,
        "rate": share.rate,
        "interval": None if interval is None else list(interval),
    }


def _effort_json(effort: Effort) -> dict[str, JsonValue]:
    return {
        "seconds": effort.seconds,
        "calls": effort.calls,
        "tokens": effort.tokens,
        "failed": effort.failed,
    }
