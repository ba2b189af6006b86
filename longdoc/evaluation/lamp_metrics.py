"""The metrics of LaMP's seven tasks, each by its published formula.

Source: LaMP (Salemi and others, 2023, arXiv 2304.11406), section 2. A metric is a function of sums over questions, so
that it can be taken of any choice of users: each question has a vector, and the value is made of their sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from longdoc.agents.profile_summary import number_in
from longdoc.agents.profile_tasks import Metric, OutputKind, ProfileTask
from longdoc.errors import ConfigError
from longdoc.evaluation.lamp_rouge import rouge_1, rouge_l

LESS_IS_BETTER: Final = frozenset({Metric.MAE, Metric.RMSE})
_LOWEST, _HIGHEST = 1.0, 5.0
_MOST_NAMED = 10

Answers: TypeAlias = Mapping[str, str | None]
"""Outputs by the id of their question; None where there is no output that can be read."""


def farther_end(gold: float, *, lowest: float = _LOWEST, highest: float = _HIGHEST) -> float:
    """What an output that cannot be read as a rating counts as: the end of the scale that is farther from the gold
    value, the upper one where both are as far."""
    return lowest if abs(gold - lowest) > abs(gold - highest) else highest


def is_unreadable(task: ProfileTask, output: str | None) -> bool:
    """Whether an output is none of the task's kind: no number, no label of those that are listed, nothing."""
    if task.output is OutputKind.NUMBER:
        return number_in(output or "") is None
    if task.output is OutputKind.LABEL and task.labels:
        return (output or "").strip() not in task.labels
    return not (output or "").strip()


def labels_of(task: ProfileTask, golds: Sequence[str]) -> tuple[str, ...]:
    """The labels that F1 is a mean over: all that are listed, for a task that lists none those that are gold."""
    return task.labels or tuple(sorted({gold.strip() for gold in golds}))


def tally(metric: Metric, task: ProfileTask, labels: Sequence[str], gold: str, output: str | None) -> list[float]:
    """The vector of one question for a metric. Raises `ConfigError` for a gold value that is none of the kind."""
    given = (output or "").strip()
    match metric:
        case Metric.ACCURACY:
            return [float(given == gold.strip()), 1.0]
        case Metric.F1:
            return _label_counts(labels, gold.strip(), given)
        case Metric.MAE | Metric.RMSE:
            off = _distance(task, gold, output)
            return [off if metric is Metric.MAE else off * off, 1.0]
        case Metric.ROUGE_1:
            return [rouge_1(gold.strip(), given), 1.0]
        case Metric.ROUGE_L:
            return [rouge_l(gold.strip(), given), 1.0]


def value_of(metric: Metric, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The metric of sums of vectors, which lie along the last axis; of no question it is 0."""
    if metric is Metric.F1:
        counts = sums.reshape((*sums.shape[:-1], -1, 3))
        true, false, missed = counts[..., 0], counts[..., 1], counts[..., 2]
        return (2 * true / np.maximum(2 * true + false + missed, 1.0)).mean(axis=-1)
    mean = sums[..., 0] / np.maximum(sums[..., 1], 1.0)
    return np.sqrt(mean) if metric is Metric.RMSE else mean


def score(task: ProfileTask, golds: Mapping[str, str], answers: Answers) -> dict[Metric, float]:
    """The metrics of a task over all questions.

    Raises `ConfigError` where an answer is missing, or is to no question: a mean over fewer would mislead.
    """
    check_ids(golds, answers)
    labels = labels_of(task, list(golds.values()))
    return {
        metric: float(
            value_of(metric, np.sum([tally(metric, task, labels, golds[one], answers[one]) for one in golds], 0))
        )
        for metric in task.metrics
    }


def check_ids(golds: Mapping[str, object], answers: Mapping[str, object]) -> None:
    """Raise `ConfigError`, which names them, where the ids of gold outputs and of answers are not the same."""
    if not golds:
        raise ConfigError("there are no questions")
    if missing := [one for one in golds if one not in answers]:
        raise ConfigError(f"there is no answer to {named(missing)}")
    if unknown := [one for one in answers if one not in golds]:
        raise ConfigError(f"there is no gold output for {named(unknown)}")


def named(ids: Sequence[str]) -> str:
    """Ids in words, not too many of them."""
    more = f" and {len(ids) - _MOST_NAMED:,} others" if len(ids) > _MOST_NAMED else ""
    return ", ".join(ids[:_MOST_NAMED]) + more


def _label_counts(labels: Sequence[str], gold: str, given: str) -> list[float]:
    """Three numbers for each label: rightly given, wrongly given, missed."""
    return [
        float(one)
        for label in labels
        for one in (given == gold == label, given == label != gold, gold == label != given)
    ]


def _distance(task: ProfileTask, gold: str, output: str | None) -> float:
    wanted = number_in(gold)
    if wanted is None:
        raise ConfigError(f"the gold output {gold!r} is no number")
    given = number_in(output or "")
    return abs(wanted - (farther_end(wanted, lowest=task.lowest, highest=task.highest) if given is None else given))
