"""How well memories are recalled and answered from: the trials of policies, and the figures of each.

Recall is the share of the turns with the evidence that stand in the prompt (gold turns), before fitting (among the
candidates) and after it; a turn that says the same once more counts for one that is lacking. Source of the measures:
"Self-Controlled Memory" (2023), retrieval recall and answer accuracy, over one turn and several.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from longdoc.json_value import JsonValue

KS = (1, 3, 5, 10, 20)
"""How many of the best ranked memories are looked at, whatever fits a budget."""


@dataclass(frozen=True, slots=True)
class RecallTrial:
    """What one policy recalled for one question; turns are numbers counted from 1.

    `candidates` were looked at, `ranked` of them by a search, the best first; `kept` stand in the prompt, `full` of
    those in full. `answer` and its scores are None where none was asked for, `right` is a judge's mark, `unjudged`
    tells that it gave none; `failure` says why a trial has no result.
    """

    dialogue: str
    question: str
    kind: str
    policy: str
    budget: int
    gold: tuple[int, ...]
    also: tuple[int, ...] = ()
    candidates: tuple[int, ...] = ()
    ranked: tuple[int, ...] = ()
    kept: tuple[int, ...] = ()
    full: tuple[int, ...] = ()
    tokens: int = 0
    judge_calls: int = 0
    malformed: int = 0
    needed: bool = True
    seconds: float = 0.0
    answer: str | None = None
    exact: float | None = None
    f1: float | None = None
    right: bool | None = None
    unjudged: bool = False
    failure: str | None = None

    def recall(self, turns: Iterable[int]) -> float | None:
        """The share of the evidence that is in these turns; None where it is not known."""
        if not self.gold:
            return None
        found = set(turns)
        hits = len(found & set(self.gold)) + len(found & set(self.also))
        return min(hits, len(self.gold)) / len(self.gold)


@dataclass(frozen=True, slots=True)
class PolicyFigures:
    """Means over the questions of one policy at one budget; a failed question recalls nothing."""

    policy: str
    budget: int
    cases: int
    failures: int
    recall: float | None
    recall_full: float | None
    recall_candidates: float | None
    recall_at: Mapping[int, float | None]
    tokens: float
    judge_calls: float
    malformed: int
    refused: int
    seconds: float
    exact: float | None
    f1: float | None
    right: float | None
    unjudged: int

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "policy": self.policy,
            "budget": self.budget,
            "cases": self.cases,
            "failures": self.failures,
            "recall": self.recall,
            "recall_in_full": self.recall_full,
            "recall_of_candidates": self.recall_candidates,
            "recall_at": {str(k): value for k, value in self.recall_at.items()},
            "tokens": self.tokens,
            "judge_calls": self.judge_calls,
            "malformed": self.malformed,
            "gated_out": self.refused,
            "median_seconds": self.seconds,
            "exact": self.exact,
            "f1": self.f1,
            "right": self.right,
            "unjudged": self.unjudged,
        }


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """All trials, and on what terms they were made."""

    title: str
    trials: Sequence[RecallTrial]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    remarks: Sequence[str] = ()

    @property
    def failures(self) -> list[RecallTrial]:
        """The trials without a result."""
        return [trial for trial in self.trials if trial.failure is not None]

    def figures(self, *, kind: str | None = None) -> list[PolicyFigures]:
        """The figures of each policy at each budget, in the order of the trials; of one kind of question, or all."""
        groups: dict[tuple[int, str], list[RecallTrial]] = {}
        for trial in self.trials:
            if kind is None or trial.kind == kind:
                groups.setdefault((trial.budget, trial.policy), []).append(trial)
        return [_figures(policy, budget, some) for (budget, policy), some in groups.items()]

    @property
    def kinds(self) -> list[str]:
        """The kinds of questions there are."""
        return list(dict.fromkeys(trial.kind for trial in self.trials))


def _figures(policy: str, budget: int, trials: Sequence[RecallTrial]) -> PolicyFigures:
    done = [trial for trial in trials if trial.failure is None]
    return PolicyFigures(
        policy=policy,
        budget=budget,
        cases=len(trials),
        failures=len(trials) - len(done),
        recall=_mean(trial.recall(trial.kept) for trial in trials),
        recall_full=_mean(trial.recall(trial.full) for trial in trials),
        recall_candidates=_mean(trial.recall(trial.candidates) for trial in trials),
        recall_at={k: _mean(trial.recall(trial.ranked[:k]) for trial in trials) for k in KS},
        tokens=_mean(trial.tokens for trial in done) or 0.0,
        judge_calls=_mean(trial.judge_calls for trial in done) or 0.0,
        malformed=sum(trial.malformed for trial in done),
        refused=sum(not trial.needed for trial in done),
        seconds=median([trial.seconds for trial in done]) if done else 0.0,
        exact=_score([trial.exact for trial in trials], failures=len(trials) - len(done)),
        f1=_score([trial.f1 for trial in trials], failures=len(trials) - len(done)),
        right=_score([trial.right for trial in trials], failures=len(trials) - len(done)),
        unjudged=sum(trial.unjudged for trial in done),
    )


def _score(values: Sequence[float | None], *, failures: int) -> float | None:
    """The mean of what was scored; a failed question scores 0."""
    known = [float(value) for value in values if value is not None]
    return sum(known) / (len(known) + failures) if known else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [float(value) for value in values if value is not None]
    return fmean(known) if known else None
