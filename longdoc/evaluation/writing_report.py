"""How well systems write at length: what each wrote for each prompt, and the figures of systems by bucket of length.

Length score and quality stand beside each other always: padding scores well on the first, and tells on the second. What
they are is `writing_scores.py` and `writing_judge.py`; how they are put together follows "LongWriter" (2024): means
over prompts. A failed generation scores 0 on length and is counted; a failed judgement is left out and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Final

from longdoc.evaluation.booookscore import bootstrap_interval
from longdoc.evaluation.writing_prompts import Bucket, bucket_of
from longdoc.evaluation.writing_scores import length_score
from longdoc.json_value import JsonValue


@dataclass(frozen=True, slots=True)
class WritingResult:
    """What one system wrote for one prompt, and what it took.

    `asked` is the length in words, None where the prompt names none or only the least. `written` are words by the
    count of the benchmark (`benchmark_words`), `words` those told to users (`count_words`). `failure` says why nothing
    was written to the end. `quality` is S_q, 0 to 100, None where nobody judged or no judgement could be used;
    `judge_spread` the deviation of repeated judgements, `failed_judgements` how many could not be used, `in_excerpts`
    whether the judge saw stretches only.

    `repetition` is that of the whole text (`repeated_four_grams`); what follows is None where the text has no sections:
    `repetition_across` them, `near_duplicates`, `coverage` of the plan and `in_tolerance` are shares, 0 to 1. Tokens
    are those of all calls, `seconds` on the clock. Judging is in none of them.
    """

    system: str
    prompt: str
    kind: str
    asked: int | None
    written: int = 0
    words: int = 0
    failure: str | None = None
    quality: float | None = None
    judge_spread: float | None = None
    failed_judgements: int = 0
    in_excerpts: bool = False
    repetition: float | None = None
    repetition_across: float | None = None
    near_duplicates: float | None = None
    coverage: float | None = None
    in_tolerance: float | None = None
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    @property
    def bucket(self) -> Bucket | None:
        """The bucket of its length; None where none was asked for."""
        return None if self.asked is None else bucket_of(self.asked)

    @property
    def length_score(self) -> float | None:
        """S_l, 0 to 100; 0 of a failed generation, whatever it has of a text, None where no length was asked for."""
        if self.asked is None:
            return None
        return length_score(self.asked, self.written) if self.failure is None else 0.0

    @property
    def deviation(self) -> float | None:
        """How far the words are from those asked for, in shares of these, by the count told to users."""
        return None if self.asked is None else abs(self.words - self.asked) / self.asked

    @property
    def unjudged(self) -> bool:
        """Whether a judge was asked, and none of its judgements could be used."""
        return self.quality is None and self.failed_judgements > 0

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            **asdict(self),
            "status": "done" if self.failure is None else "failed",
            "bucket": self.bucket,
            "length_score": self.length_score,
            "deviation": self.deviation,
        }


@dataclass(frozen=True, slots=True)
class PromptMean:
    """A mean over prompts, with its 95 % bootstrap interval where there are two of them or more."""

    mean: float
    interval: tuple[float, float] | None
    prompts: int

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        low, high = self.interval or (None, None)
        return {"mean": self.mean, "low": low, "high": high, "prompts": self.prompts}


_MEASURES: Final[Mapping[str, Callable[[WritingResult], float | None]]] = {
    "judge_spread": lambda one: one.judge_spread,
    "deviation": lambda one: one.deviation,
    "repetition": lambda one: one.repetition,
    "repetition_across": lambda one: one.repetition_across,
    "near_duplicates": lambda one: one.near_duplicates,
    "coverage": lambda one: one.coverage,
    "in_tolerance": lambda one: one.in_tolerance,
    "words": lambda one: one.words,
    "calls": lambda one: one.calls,
    "prompt_tokens": lambda one: one.prompt_tokens,
    "completion_tokens": lambda one: one.completion_tokens,
    "seconds": lambda one: one.seconds,
}


@dataclass(frozen=True, slots=True)
class WritingFigures:
    """The figures of one system over the prompts of one bucket, or of all (None).

    `length` is S_l, a failed generation 0; `quality` is S_q over the prompts that were judged. `means` holds the other
    measures of a result by name, over what was written to the end; None where none has a value. `missing` is how many
    of the prompts only other systems were tried on: figures of different prompts are not to be compared.
    """

    system: str
    bucket: Bucket | None
    prompts: int
    missing: int
    failed: int
    unjudged: int
    failed_judgements: int
    in_excerpts: int
    length: PromptMean | None
    quality: PromptMean | None
    means: Mapping[str, float | None]

    @property
    def overall(self) -> float | None:
        """(S_l + S_q) / 2; None where one of them is not known. Not in the published code: an assumption of ours."""
        return None if self.length is None or self.quality is None else (self.length.mean + self.quality.mean) / 2

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "system": self.system,
            "bucket": self.bucket,
            "prompts": self.prompts,
            "missing": self.missing,
            "failed": self.failed,
            "unjudged": self.unjudged,
            "failed_judgements": self.failed_judgements,
            "in_excerpts": self.in_excerpts,
            "length_score": self.length and self.length.to_json(),
            "quality": self.quality and self.quality.to_json(),
            "overall": self.overall,
            **self.means,
        }


@dataclass(frozen=True, slots=True)
class WritingReport:
    """All results, and on what terms they came about; `seed` is that of the intervals.

    `settings` are what a comparison must hold equal, in words (set of prompts, models, judge, prompt versions).
    """

    title: str
    results: Sequence[WritingResult]
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    remarks: Sequence[str] = ()
    seed: int = 0

    @property
    def failures(self) -> list[WritingResult]:
        """The results without a text."""
        return [result for result in self.results if result.failure is not None]

    @property
    def buckets(self) -> list[Bucket]:
        """The buckets that there are results of, the shortest first."""
        found = {result.bucket for result in self.results}
        return [bucket for bucket in Bucket if bucket in found]

    def figures(self, *, bucket: Bucket | None = None) -> list[WritingFigures]:
        """The figures of each system, in the order of the results; over one bucket, or over all prompts."""
        groups: dict[str, list[WritingResult]] = {}
        for result in self.results:
            if bucket is None or result.bucket is bucket:
                groups.setdefault(result.system, []).append(result)
        prompts = {result.prompt for results in groups.values() for result in results}
        return [_figures(results, bucket, prompts=len(prompts), seed=self.seed) for results in groups.values()]

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "title": self.title,
            "settings": dict(self.settings),
            "remarks": list(self.remarks),
            "figures": [one.to_json() for one in self.figures()],
            "by_bucket": {bucket: [one.to_json() for one in self.figures(bucket=bucket)] for bucket in self.buckets},
            "results": [result.to_json() for result in self.results],
        }


def _figures(results: Sequence[WritingResult], bucket: Bucket | None, *, prompts: int, seed: int) -> WritingFigures:
    done = [result for result in results if result.failure is None]
    tried = len({result.prompt for result in results})
    return WritingFigures(
        system=results[0].system,
        bucket=bucket,
        prompts=tried,
        missing=prompts - tried,
        failed=len(results) - len(done),
        unjudged=sum(result.unjudged for result in done),
        failed_judgements=sum(result.failed_judgements for result in done),
        in_excerpts=sum(result.in_excerpts for result in done),
        length=_prompt_mean(_by_prompt(results, lambda one: one.length_score), seed),
        quality=_prompt_mean(_by_prompt(done, lambda one: one.quality), seed),
        means={name: _mean(_by_prompt(done, measure)) for name, measure in _MEASURES.items()},
    )


def _by_prompt(results: Iterable[WritingResult], measure: Callable[[WritingResult], float | None]) -> list[float]:
    """The value of each prompt that has one: the mean of its results, where a system was tried on it several times."""
    found: dict[str, list[float]] = {}
    for result in results:
        value = measure(result)
        if value is not None:
            found.setdefault(result.prompt, []).append(value)
    return [fmean(values) for values in found.values()]


def _prompt_mean(values: Sequence[float], seed: int) -> PromptMean | None:
    return PromptMean(fmean(values), bootstrap_interval(values, seed=seed), len(values)) if values else None


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None
