"""What systems score for users: metrics with intervals over users, differences paired by user, cold starts apart.

Intervals and p-values are of a bootstrap over users (Efron and Tibshirani, 1993, chapters 13 and 16), 2,000 resamples,
the same ones for all systems: whoever is drawn is drawn with all questions. A p-value is two-sided, twice the share of
resamples in which the difference has the other sign or none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Final

import numpy as np
from numpy.typing import NDArray

from longdoc.agents.profile_context import FEWEST_FOR_SUMMARY
from longdoc.agents.profile_tasks import Metric, ProfileTask
from longdoc.evaluation.lamp_metrics import (
    LESS_IS_BETTER,
    check_ids,
    is_unreadable,
    labels_of,
    tally,
    value_of,
)
from longdoc.json_value import JsonValue

NO_PROFILE: Final = "no profile"
_RESAMPLES = 2_000
_AT_ONCE = 100
_TAILS = (2.5, 97.5)
_MOST_USERS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class LampResult:
    """What a system answered to a question of a user.

    `output` is None where the answer cannot be read as the task's kind, or there is none (`failure`). `known` counts
    the items of the user that could be looked at, whatever the system does with them; `shown` and `left_out` those that
    were chosen and did, or did not, fit. `prompt_tokens` are those of all calls, `context_tokens` those of what stood
    of the user before the request.
    """

    system: str
    question: str
    user: str
    gold: str
    output: str | None
    known: int = 0
    shown: int = 0
    left_out: int = 0
    summary: bool = False
    input_cut: bool = False
    prompt_tokens: int = 0
    context_tokens: int = 0
    failure: str | None = None

    @property
    def cold(self) -> bool:
        """Whether too little was known of the user for a summary."""
        return self.known < FEWEST_FOR_SUMMARY


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval, where there are two users or more; of a difference also its p-value."""

    value: float
    interval: tuple[float, float] | None = None
    p: float | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        low, high = self.interval or (None, None)
        return {"value": self.value, "low": low, "high": high, "p": self.p}


@dataclass(frozen=True, slots=True)
class LampFigures:
    """The figures of one system on one set: `gains` are differences to no profile, better is positive.

    `cold` and `cold_without` are the scores of the system and of no profile for users with too few items for a summary;
    empty where there are none.
    """

    system: str
    questions: int
    scores: Mapping[Metric, Estimate]
    gains: Mapping[Metric, Estimate]
    cold: Mapping[Metric, float]
    cold_without: Mapping[Metric, float]
    prompt_tokens: float
    context_tokens: float
    shown: float
    with_summary: int
    unreadable: int
    left_out: int
    inputs_cut: int
    failed: int

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            **{name: getattr(self, name) for name in ("system", "questions", "prompt_tokens", "context_tokens")},
            **{name: getattr(self, name) for name in ("shown", "with_summary", "unreadable", "left_out")},
            "inputs_cut": self.inputs_cut,
            "failed": self.failed,
            "scores": {metric.value: one.to_json() for metric, one in self.scores.items()},
            "gains": {metric.value: one.to_json() for metric, one in self.gains.items()},
            "cold": {metric.value: value for metric, value in self.cold.items()},
            "cold_without_profile": {metric.value: value for metric, value in self.cold_without.items()},
        }


@dataclass(frozen=True, slots=True)
class LampPart:
    """The results on one set. `removed` are items that nobody may look at: targets, and near-duplicates of them."""

    name: str
    task: ProfileTask
    results: Sequence[LampResult]
    users: int = 0
    removed_targets: int = 0
    removed_near: int = 0
    unread: int = 0
    remarks: Sequence[str] = ()
    seed: int = 0

    @property
    def systems(self) -> list[str]:
        """The systems, in the order of the results."""
        return list(dict.fromkeys(result.system for result in self.results))

    @property
    def cold_users(self) -> int:
        """Users that are asked for with too few items for a summary."""
        return len({result.user for result in self.results if result.cold})

    def figures(self) -> list[LampFigures]:
        """The figures of each system. Raises `ConfigError` where one lacks the answer to a question."""
        table = _Table(self.task, self.results)
        resampled = table.resampled(self.seed)
        return [self._figures(table, resampled, system) for system in table.systems]

    def difference(self, system: str, other: str) -> Mapping[Metric, Estimate] | None:
        """How much better one system is than another, by metric; None where one of them was not tried."""
        table = _Table(self.task, self.results)
        if not {system, other} <= set(table.systems):
            return None
        resampled = table.resampled(self.seed)
        return {metric: table.difference(resampled, metric, system, other) for metric in self.task.metrics}

    def by_user(self) -> Mapping[str, Mapping[str, float]]:
        """The first metric by user and system; empty where users are too many to be shown one by one."""
        groups: dict[str, list[LampResult]] = {}
        for result in self.results:
            groups.setdefault(result.user, []).append(result)
        if not 1 < len(groups) <= _MOST_USERS_SHOWN:
            return {}
        return {user: _first_metric(self.task, results) for user, results in groups.items()}

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "name": self.name,
            "task": self.task.name,
            "users": self.users,
            "cold_users": self.cold_users,
            "removed_targets": self.removed_targets,
            "removed_near_duplicates": self.removed_near,
            "unread_items": self.unread,
            "remarks": list(self.remarks),
            "figures": [one.to_json() for one in self.figures()],
            "by_user": {user: dict(scores) for user, scores in self.by_user().items()},
            "results": [asdict(result) for result in self.results],
        }

    def _figures(self, table: _Table, resampled: _Resampled, system: str) -> LampFigures:
        results = [result for result in self.results if result.system == system]
        cold = [result for result in self.results if result.cold]
        own_cold = [result for result in cold if result.system == system]
        plain_cold = [result for result in cold if result.system == NO_PROFILE]
        gains = () if system == NO_PROFILE or NO_PROFILE not in table.systems else self.task.metrics
        return LampFigures(
            system=system,
            questions=len(results),
            scores={metric: table.estimate(resampled, metric, system) for metric in self.task.metrics},
            gains={metric: table.difference(resampled, metric, system, NO_PROFILE) for metric in gains},
            cold=_values(self.task, own_cold) if own_cold else {},
            cold_without=_values(self.task, plain_cold) if plain_cold else {},
            prompt_tokens=fmean(result.prompt_tokens for result in results),
            context_tokens=fmean(result.context_tokens for result in results),
            shown=fmean(result.shown for result in results),
            with_summary=sum(result.summary for result in results),
            unreadable=sum(is_unreadable(self.task, result.output) for result in results),
            left_out=sum(result.left_out for result in results),
            inputs_cut=sum(result.input_cut for result in results),
            failed=sum(result.failure is not None for result in results),
        )


@dataclass(frozen=True, slots=True)
class LampReport:
    """All parts, and on what terms they came about."""

    title: str
    parts: Sequence[LampPart]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    remarks: Sequence[str] = ()
    compared: tuple[str, str] | None = None
    """Two systems whose difference is told apart."""

    @property
    def failures(self) -> list[str]:
        """What was not answered, in words."""
        return [
            f"{part.name}, {one.question}, {one.system}: {one.failure}"
            for part in self.parts
            for one in part.results
            if one.failure is not None
        ]

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "title": self.title,
            "settings": dict(self.settings),
            "remarks": list(self.remarks),
            "compared": list(self.compared) if self.compared else None,
            "parts": [{**part.to_json(), "difference": self.difference(part)} for part in self.parts],
        }

    def difference(self, part: LampPart) -> dict[str, JsonValue] | None:
        """The difference of the two that are compared, on one set."""
        found = part.difference(*self.compared) if self.compared else None
        return None if found is None else {metric.value: one.to_json() for metric, one in found.items()}


@dataclass(frozen=True, slots=True)
class _Resampled:
    """Values of metrics by system: a column of one value for each resample."""

    values: Mapping[tuple[str, Metric], NDArray[np.float64]]


class _Table:
    """The vectors of users, by system and metric."""

    def __init__(self, task: ProfileTask, results: Sequence[LampResult]) -> None:
        self._metrics = task.metrics
        self.systems = list(dict.fromkeys(result.system for result in results))
        self._users = list(dict.fromkeys(result.user for result in results))
        golds = {result.question: result.gold for result in results}
        labels = labels_of(task, list(golds.values()))
        place = {user: number for number, user in enumerate(self._users)}
        self._sums: dict[tuple[str, Metric], NDArray[np.float64]] = {}
        for system in self.systems:
            own = [result for result in results if result.system == system]
            check_ids(golds, {result.question: None for result in own})
            for metric in task.metrics:
                vectors = [tally(metric, task, labels, result.gold, result.output) for result in own]
                sums = np.zeros((len(self._users), len(vectors[0])))
                np.add.at(sums, [place[result.user] for result in own], np.asarray(vectors))
                self._sums[system, metric] = sums

    def resampled(self, seed: int) -> _Resampled:
        """All metrics of all systems for the same draws of users."""
        if len(self._users) < 2:
            return _Resampled({})
        keys = list(self._sums)
        widths = np.cumsum([0, *(self._sums[key].shape[1] for key in keys)])
        stacked = np.hstack([self._sums[key] for key in keys])
        drawn = _drawn(stacked, seed)
        columns = zip(keys, widths[:-1], widths[1:], strict=True)
        return _Resampled({key: value_of(key[1], drawn[:, start:end]) for key, start, end in columns})

    def value(self, metric: Metric, system: str) -> float:
        """A metric over all questions."""
        return float(value_of(metric, self._sums[system, metric].sum(axis=0)))

    def estimate(self, resampled: _Resampled, metric: Metric, system: str) -> Estimate:
        """A metric with its interval."""
        values = resampled.values.get((system, metric))
        return Estimate(self.value(metric, system), None if values is None else _interval(values))

    def difference(self, resampled: _Resampled, metric: Metric, system: str, other: str) -> Estimate:
        """How much better a system is than another one."""
        sign = -1.0 if metric in LESS_IS_BETTER else 1.0
        value = sign * (self.value(metric, system) - self.value(metric, other))
        one, two = resampled.values.get((system, metric)), resampled.values.get((other, metric))
        if one is None or two is None:
            return Estimate(value)
        drawn = sign * (one - two)
        p = min(1.0, 2 * min(float((drawn <= 0).mean()), float((drawn >= 0).mean())))
        return Estimate(value, _interval(drawn), max(p, 1 / _RESAMPLES))


def _drawn(rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Sums over as many rows as there are, drawn with repetition, 2,000 times."""
    random = np.random.default_rng(seed)
    users = len(rows)
    shares = np.full(users, 1 / users)
    parts = [random.multinomial(users, shares, size=_AT_ONCE) @ rows for _ in range(_RESAMPLES // _AT_ONCE)]
    return np.vstack(parts)


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, _TAILS)
    return float(low), float(high)


def _values(task: ProfileTask, results: Sequence[LampResult]) -> dict[Metric, float]:
    """The metrics of one system's results."""
    table = _Table(task, results)
    return {metric: table.value(metric, results[0].system) for metric in task.metrics}


def _first_metric(task: ProfileTask, results: Sequence[LampResult]) -> dict[str, float]:
    table = _Table(task, results)
    return {system: table.value(task.metrics[0], system) for system in table.systems}
