"""The figures of systems on a set of users as rows of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.profile_tasks import Metric
from longdoc.evaluation.lamp_report import Estimate, LampFigures, LampPart

TERMS: Final = (
    "scores with 95 % bootstrap intervals over users; gain: difference to no profile, positive is better, with its "
    "interval and p-value, both paired by user; of mae and rmse less is better"
)
COST_TERMS: Final = (
    "prompt: tokens of the prompt of a request, a second try included; of the user: those of what stood of the user "
    "before it; items: shown on average; summaries: requests with one; unreadable: answers that are none of the "
    "task's kind (a label counts as wrong, a rating as the farther end of the scale); left out: items that were chosen "
    "and did not fit; cut: inputs that were shown in part; failed: requests without an answer"
)
COLD_TERMS: Final = (
    "cold start: users with fewer than three items, of whom there is no summary; systems with a summary show all items "
    "of theirs"
)
_NONE = "-"


@dataclass(frozen=True, slots=True)
class LampTable:
    """A table with its title."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


def tables_of(part: LampPart, compared: tuple[str, str] | None) -> list[LampTable]:
    """All tables of a set: scores, costs, cold starts, the difference of two systems, and users where they are few."""
    figures = part.figures()
    names = [metric.value for metric in part.task.metrics]
    tables = [
        LampTable(
            f"{part.name}: scores",
            ("system", *(column for name in names for column in (name, f"{name}, gain"))),
            [_score_row(one, part.task.metrics) for one in figures],
        ),
        LampTable(
            f"{part.name}: requests",
            (
                "system",
                "asked",
                "prompt",
                "of the user",
                "items",
                "summaries",
                "unreadable",
                "left out",
                "cut",
                "failed",
            ),
            [_cost_row(one) for one in figures],
        ),
    ]
    if part.cold_users:
        share = f"{part.cold_users} of {part.users} users ({part.cold_users / part.users:.0%})"
        tables.append(
            LampTable(
                f"{part.name}: cold start, {share}",
                ("system", *(column for name in names for column in (name, f"{name}, no profile"))),
                [_cold_row(one, part.task.metrics) for one in figures],
            )
        )
    if compared and (found := part.difference(*compared)):
        rows = [[metric.value, estimate_cell(one, signed=True)] for metric, one in found.items()]
        title = f"{part.name}: how much better {compared[0]} is than {compared[1]}"
        tables.append(LampTable(title, ("metric", "difference"), rows))
    if by_user := part.by_user():
        tables.append(_user_table(part, by_user))
    return tables


def estimate_cell(value: Estimate | None, *, signed: bool = False) -> str:
    """A value with its interval, and its p-value where it has one."""
    if value is None:
        return _NONE
    sign = "+" if signed else ""
    interval = f" [{value.interval[0]:{sign}.3f}, {value.interval[1]:{sign}.3f}]" if value.interval else ""
    p = f" p={value.p:.3f}" if value.p is not None else ""
    return f"{value.value:{sign}.3f}{interval}{p}"


def _score_row(one: LampFigures, metrics: Sequence[Metric]) -> list[str]:
    cells = [
        cell
        for metric in metrics
        for cell in (
            estimate_cell(one.scores[metric]),
            estimate_cell(one.gains.get(metric), signed=True),
        )
    ]
    return [one.system, *cells]


def _cost_row(one: LampFigures) -> list[str]:
    return [
        one.system,
        f"{one.questions:,}",
        f"{one.prompt_tokens:,.0f}",
        f"{one.context_tokens:,.0f}",
        f"{one.shown:.1f}",
        f"{one.with_summary:,}",
        f"{one.unreadable:,}",
        f"{one.left_out:,}",
        f"{one.inputs_cut:,}",
        f"{one.failed:,}",
    ]


def _cold_row(one: LampFigures, metrics: Sequence[Metric]) -> list[str]:
    pairs = [(one.cold.get(metric), one.cold_without.get(metric)) for metric in metrics]
    return [one.system, *(_NONE if value is None else f"{value:.3f}" for pair in pairs for value in pair)]


def _user_table(part: LampPart, by_user: Mapping[str, Mapping[str, float]]) -> LampTable:
    systems = part.systems
    rows = [[user, *(f"{scores[system]:.3f}" for system in systems)] for user, scores in by_user.items()]
    return LampTable(f"{part.name}: {part.task.metrics[0].value} of each user", ("user", *systems), rows)
