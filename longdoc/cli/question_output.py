"""What strategies find, answer and put in order, as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from longdoc.cli.compare_output import NamedTable
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat
from longdoc.evaluation.question_report import (
    AnswerFigures,
    By,
    CaseShare,
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
_MOST_KS = 4
_BREAKDOWNS = ((By.KIND,), (By.KIND, By.LENGTH), (By.LENGTH,), (By.DEPTH,))
_TOLD_BY = ((), (By.LENGTH,), (By.KIND, By.LENGTH), tuple(By))
_COMPARED = "a strategy that was not tried on all cases of a table has no figures in it"
_TIME = (
    "seconds: from question to end, on average, of those for which no call was answered from the record; "
    f"{_NONE!r} where that is none"
)
_SELECTION_TERMS = (
    "recall@k: every needle lies whole in one of the k best segments; within so many tokens: whole in the segments "
    "that fit; mrr: mean of 1 / rank of the first segment that holds any; calls and tokens read: of one question, on "
    "average; in brackets: 95% intervals (Wilson), where chance counts once for a case, whatever its seeds; what "
    "failed counts as not found"
)
_ANSWER_TERMS = (
    "right: exact match of what was asked for; what failed counts as wrong; in brackets: 95% intervals; seconds of "
    "answers include waiting for others, since several are under way at once"
)
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
            *([_COMPARED, _TIME] if report.selection or report.answers else []),
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
        """As a value for programs: figures of all cases, by length, by kind and length, and by depth beside these."""
        report = self.report
        return {
            "title": report.title,
            "settings": dict(report.settings),
            "remarks": list(report.remarks),
            "recipes": [asdict(recipe) for recipe in dict.fromkeys(report.recipes)],
            "selection": [
                _selection_json(one) for by in _TOLD_BY for one in selection_figures(report.selection, by=by)
            ],
            "answers": [_answer_json(one) for by in _TOLD_BY for one in answer_figures(report.answers, by=by)],
            "orders": [_order_json(one) for one in order_figures(report.orders)],
            "failures": [
                {"strategy": strategy, "case": case, "error": error} for strategy, case, error in report.failures
            ],
        }

    def _selection_tables(self) -> Iterator[NamedTable]:
        outcomes = self.report.selection
        if not outcomes:
            return
        overall = selection_figures(outcomes)
        strategies = [one.group.strategy for one in overall]
        several = any(len(o.case.spans) > _FEW_SPANS or _longest(o.case.spans) > _LONG_SPAN for o in outcomes)
        by_length = selection_figures(outcomes, by=(By.LENGTH,))
        for of_what, found in _sheets(overall, by_length):
            yield from _selection_sheet(of_what, strategies, found, several=several)
        budget = self.budget if self.budget in overall[0].selected else max(overall[0].selected)
        cells = [
            [_Cell(one.group, one.selected[budget], one.missing) for one in selection_figures(outcomes, by=by)]
            for by in _BREAKDOWNS
        ]
        yield from _breakdowns(f"Recall within {budget:,} tokens", *cells)
        yield _effort_table("What a question takes", by_length)

    def _answer_tables(self) -> Iterator[NamedTable]:
        outcomes = self.report.answers
        if not outcomes:
            return
        overall = answer_figures(outcomes)
        strategies = [one.group.strategy for one in overall]
        by_length = answer_figures(outcomes, by=(By.LENGTH,))
        for of_what, found in _sheets(overall, by_length):
            yield _compared(f"Answers{of_what}", ("cases", "right", "of all asked"), strategies, found, _answer_cells)
        cells = [
            [_Cell(one.group, one.right, one.missing) for one in answer_figures(outcomes, by=by)] for by in _BREAKDOWNS
        ]
        yield from _breakdowns("Right answers", *cells)
        yield _effort_table("What an answer takes", by_length)

    def _order_tables(self) -> Iterator[NamedTable]:
        found = order_figures(self.report.orders)
        if found:
            columns = ("strategy", "length", "cases", "whole", "pairs", "invalid", *_EFFORT)
            yield NamedTable("Orders", columns, [_order_row(one) for one in found])


_Figures = TypeVar("_Figures", SelectionFigures, AnswerFigures)


@dataclass(frozen=True, slots=True)
class _Cell:
    """A share of the cases of a group, of which `missing` were not tried."""

    group: Group
    share: CaseShare
    missing: int


def _sheets(overall: Sequence[_Figures], by_length: Sequence[_Figures]) -> Iterator[tuple[str, Sequence[_Figures]]]:
    """What figures are of, in words, and these: of each length where there are several, then of all together."""
    lengths = sorted({one.group.length or 0 for one in by_length})
    if len(lengths) < 2:
        yield "", overall
        return
    for length in lengths:
        yield f", {length:,} tokens", [one for one in by_length if (one.group.length or 0) == length]
    yield ", all lengths", overall


def _compared(
    title: str,
    columns: Sequence[str],
    strategies: Sequence[str],
    figures: Sequence[_Figures],
    told: Callable[[_Figures], list[str]],
) -> NamedTable:
    """A row for each strategy, with figures where it was tried on all cases of the table."""
    cells = {one.group.strategy: told(one) for one in figures if not one.missing}
    nothing = [_NONE] * len(columns)
    return NamedTable(title, ("strategy", *columns), [[name, *cells.get(name, nothing)] for name in strategies])


def _selection_sheet(
    of_what: str, strategies: Sequence[str], found: Sequence[SelectionFigures], *, several: bool
) -> Iterator[NamedTable]:
    ks, budgets = _shown(found[0].found), [f"{budget:,}" for budget in found[0].selected]

    def ranks(one: SelectionFigures) -> list[str]:
        return [str(one.cases), *(_share(one.found[k]) for k in ks), f"{one.mrr:.3f}"]

    def selected(one: SelectionFigures) -> list[str]:
        return list(map(_share, one.selected.values()))

    def within(one: SelectionFigures) -> list[str]:
        return list(map(_percent, one.within.values()))

    def inside(one: SelectionFigures) -> list[str]:
        return list(map(_percent, one.inside.values()))

    columns = ("cases", *(f"@{k}" for k in ks), "mrr")
    yield _compared(f"Recall by rank{of_what}", columns, strategies, found, ranks)
    yield _compared(f"Recall within a budget of tokens{of_what}", budgets, strategies, found, selected)
    if several:
        yield _compared(f"Share of what is needed, by budget{of_what}", budgets, strategies, found, within)
        yield _compared(f"Share of the budget that is needed{of_what}", budgets, strategies, found, inside)


def _shown(found: Mapping[int, object]) -> list[int]:
    """Every k, or every second one where that is more than a terminal holds."""
    ks = list(found)
    return ks if len(ks) <= _MOST_KS else ks[::2]


def _answer_cells(one: AnswerFigures) -> list[str]:
    return [str(one.right.cases), _share(one.right), _percent(one.given)]


def _breakdowns(
    what: str, by_kind: Sequence[_Cell], by_both: Sequence[_Cell], by_length: Sequence[_Cell], by_depth: Sequence[_Cell]
) -> Iterator[NamedTable]:
    """The same shares by this and that: by kinds and lengths at once where there are several of both."""
    if _several(by_both, By.KIND) and _several(by_both, By.LENGTH):
        yield _crossed(f"{what} by kind and length", by_both)
    else:
        yield from _across(f"{what} by kind", By.KIND, by_kind)
    yield from _across(f"{what} by length", By.LENGTH, by_length)
    yield from _across(f"{what} by depth", By.DEPTH, by_depth)


def _several(cells: Sequence[_Cell], by: By) -> bool:
    return len({_value(cell.group, by) for cell in cells}) > 1


def _across(title: str, by: By, cells: Sequence[_Cell]) -> Iterator[NamedTable]:
    """Strategies below each other, what cases are put together by beside each other; nothing where all are alike."""
    if not _several(cells, by):
        return
    heads = _heads(cells, by)
    found = {(cell.group.strategy, _value(cell.group, by)): cell for cell in cells}
    rows = [
        [strategy, *(_cell(found.get((strategy, head)), narrow=by is By.DEPTH) for head in heads)]
        for strategy in dict.fromkeys(cell.group.strategy for cell in cells)
    ]
    yield NamedTable(title, ("strategy", *heads), rows)


def _crossed(title: str, cells: Sequence[_Cell]) -> NamedTable:
    """Strategies below each other for each kind, lengths beside each other."""
    heads = _heads(cells, By.LENGTH)
    found = {(cell.group.kind, cell.group.strategy, _value(cell.group, By.LENGTH)): cell for cell in cells}
    rows = [
        [kind or _NONE, strategy, *(_cell(found.get((kind, strategy, head)), narrow=False) for head in heads)]
        for kind in dict.fromkeys(cell.group.kind for cell in cells)
        for strategy in dict.fromkeys(cell.group.strategy for cell in cells)
    ]
    return NamedTable(title, ("kind", "strategy", *heads), rows)


def _heads(cells: Sequence[_Cell], by: By) -> list[str]:
    rising = sorted((cell.group for cell in cells), key=lambda group: (group.length or 0, group.depth or 0.0))
    return list(dict.fromkeys(_value(group, by) for group in rising))


def _effort_table(title: str, by_length: Sequence[_Figures]) -> NamedTable:
    """What each strategy takes, at each length where there are several."""
    several = len({one.group.length for one in by_length}) > 1
    rows = [
        [one.group.strategy, *([_value(one.group, By.LENGTH)] if several else []), *_effort(one.effort)]
        for one in by_length
    ]
    return NamedTable(title, ("strategy", *(["length"] if several else []), *_EFFORT), rows)


def _cell(cell: _Cell | None, *, narrow: bool) -> str:
    if cell is None or cell.missing:
        return _NONE
    return _percent(cell.share.rate) if narrow else _share(cell.share)


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
    seconds = _NONE if effort.seconds is None else f"{effort.seconds:.3f}"
    return [seconds, f"{effort.calls:.1f}", f"{effort.tokens:,.0f}", str(effort.failed)]


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


def _share(share: Share | CaseShare) -> str:
    interval = share.interval
    if interval is None:
        return _NONE
    return f"{_percent(share.rate)} ({100 * interval[0]:.0f}-{100 * interval[1]:.0f})"


def _percent(rate: float | None) -> str:
    return _NONE if rate is None else f"{100 * rate:.1f}%"


def _selection_json(one: SelectionFigures) -> JsonValue:
    """Figures of a part of the cases are not told, see `SelectionFigures.missing`."""
    figures: dict[str, JsonValue] = {
        "recall": {str(k): _share_json(share) for k, share in one.found.items()},
        "within": {str(budget): _share_json(share) for budget, share in one.selected.items()},
        "spans_of_best": {str(k): rate for k, rate in one.best.items()},
        "spans_within": {str(budget): rate for budget, rate in one.within.items()},
        "inside_spans": {str(budget): rate for budget, rate in one.inside.items()},
        "mrr": one.mrr,
    }
    told = dict.fromkeys(figures) if one.missing else figures
    return {
        **_group_json(one.group),
        "cases": one.cases,
        "missing": one.missing,
        **told,
        **_effort_json(one.effort),
    }


def _answer_json(one: AnswerFigures) -> JsonValue:
    """See `_selection_json`."""
    return {
        **_group_json(one.group),
        "missing": one.missing,
        "right": None if one.missing else _share_json(one.right),
        "given": None if one.missing else one.given,
        **_effort_json(one.effort),
    }


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


def _share_json(share: Share | CaseShare) -> JsonValue:
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
