"""Comparing methods: the same books summarized by each, judged, measured, and kept for the automatic choice.

Owns the order of the work and what a failure means; summaries and judgements are ordinary runs, found again as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from longdoc.agents.events import Event
from longdoc.agents.summary import SummaryEstimate
from longdoc.app.bootstrap import Workspace
from longdoc.app.methods import METHODS, MethodVariant, body_tokens, fits_one_call
from longdoc.app.runs import RunUsage
from longdoc.app.summaries import SummaryOptions, SummaryResult, estimate, summarize
from longdoc.documents.document import Document
from longdoc.engines.engine import EngineInfo
from longdoc.errors import ConfigError, EngineAuthError, LdaError, ModelNotFoundError, StorageError
from longdoc.evaluation.booookscore import bootstrap_interval
from longdoc.evaluation.method_figures import Figures, figures_of, mean_figures, support_rate
from longdoc.evaluation.summary_text import summary_from_text
from longdoc.json_value import JsonValue
from longdoc.storage.evaluations import MethodScore
from longdoc.storage.ledger import CallWork

if TYPE_CHECKING:
    from longdoc.app.evaluations import BooookscoreReport

_AT_ONCE = 4
"""Summaries under way together: a method that works in a chain leaves the engine to the others meanwhile."""


class RunWatch(Protocol):
    """Who looks on while a run is under way."""

    def emit(self, event: Event) -> None:
        """Something happened."""
        ...

    def finish(self, run_id: str, usage: RunUsage) -> None:
        """The run is done and took so much this time."""
        ...


Watch: TypeAlias = Callable[[str], AbstractContextManager[RunWatch]]
"""Begins to look on at a run with this title."""


@dataclass(frozen=True, slots=True)
class ComparisonOptions:
    """What a user can ask of a comparison; without `methods`, those that can do a document are compared on it.

    `judge`: whether the engine judges the summaries, in `protocol`; `seed` is that of the intervals. Raises
    `ConfigError` for what cannot work, also where judging is asked for and what it needs is not installed.
    """

    methods: tuple[MethodVariant, ...] = ()
    words: int | None = None
    segment_tokens: int | None = None
    language: str | None = None
    focus: str | None = None
    protocol: str = "batch"
    judge: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        SummaryOptions(words=self.words)
        if self.judge:
            from longdoc.app.evaluations import BooookscoreOptions

            BooookscoreOptions(self.protocol)

    def of(self, variant: MethodVariant) -> SummaryOptions:
        """What is asked of a summary by one of the methods."""
        return SummaryOptions(
            method=variant.name,
            merge_context=variant.context,
            words=self.words,
            segment_tokens=self.segment_tokens,
            language=self.language,
            focus=self.focus,
        )

    @property
    def settings(self) -> Mapping[str, JsonValue]:
        """What changes summaries besides method and length, as far as it is set."""
        asked = {"segment_tokens": self.segment_tokens, "language": self.language, "focus": self.focus}
        return {name: value for name, value in asked.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Trial:
    """A method on a document: the summary, its figures, and its judgement; `unjudged` says why there is none.

    `judging` is what the judgement took, recorded or not.
    """

    document: Document
    variant: MethodVariant
    result: SummaryResult
    figures: Figures
    judged: BooookscoreReport | None = None
    judging: CallWork = field(default_factory=CallWork)
    unjudged: str = ""

    @property
    def gaps(self) -> bool:
        """Whether something is missing: of the summary, or of its judgement."""
        failed = self.judged is not None and any(book.score.failed for book in self.judged.books)
        return bool(self.result.summary.gaps or self.unjudged or failed)


@dataclass(frozen=True, slots=True)
class FailedTrial:
    """A method that failed on a document."""

    document: Document
    variant: MethodVariant
    error: LdaError


@dataclass(frozen=True, slots=True)
class TrialEstimate:
    """What a method would take on a document, at most; judging comes on top."""

    document: Document
    variant: MethodVariant
    estimate: SummaryEstimate


@dataclass(frozen=True, slots=True)
class MethodMean:
    """The mean of a method over the documents it did, `trials` of them, with the 95% interval of its coherence."""

    variant: MethodVariant
    trials: int
    figures: Figures
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """All trials, by document and method in the order asked for, on one engine that was also the judge."""

    options: ComparisonOptions
    engine: EngineInfo
    trials: tuple[Trial | FailedTrial, ...]

    @property
    def done(self) -> tuple[Trial, ...]:
        """The trials that came to their end."""
        return tuple(trial for trial in self.trials if isinstance(trial, Trial))

    @property
    def failed(self) -> tuple[FailedTrial, ...]:
        """The trials that failed."""
        return tuple(trial for trial in self.trials if isinstance(trial, FailedTrial))

    @property
    def documents(self) -> tuple[Document, ...]:
        """What the methods were tried on."""
        return tuple({trial.document.id: trial.document for trial in self.trials}.values())

    @property
    def means(self) -> tuple[MethodMean, ...]:
        """The mean of each method that did at least one document."""
        variants = dict.fromkeys(trial.variant for trial in self.done)
        return tuple(self._mean(variant) for variant in variants)

    def _mean(self, variant: MethodVariant) -> MethodMean:
        figures = [trial.figures for trial in self.done if trial.variant == variant]
        scores = [one.coherence for one in figures if one.coherence is not None]
        return MethodMean(
            variant, len(figures), mean_figures(figures), bootstrap_interval(scores, seed=self.options.seed)
        )


async def compare(
    workspace: Workspace, documents: Sequence[Document], options: ComparisonOptions, *, fresh: bool, watch: Watch
) -> Comparison:
    """Try every method on every document, a few at a time on the one engine, going on where earlier runs stopped.

    A method that fails on a document does not stop the others. What stops all of them (a spent budget, a lost engine, a
    refused key) lets those under way come to their own end, begins no other, and is raised. The figures of each trial
    are stored as soon as they are there.
    """
    pairs = await _pairs(workspace, documents, options)
    work = _Trials(workspace, pairs, options, fresh=fresh, watch=watch)
    await asyncio.gather(*(work.worker() for _ in range(min(_AT_ONCE, len(pairs)))))
    if work.stopped_by is not None:
        raise work.stopped_by
    return Comparison(options, workspace.engine.info, tuple(work.done[number] for number in range(len(pairs))))


async def estimate_comparison(
    workspace: Workspace, documents: Sequence[Document], options: ComparisonOptions
) -> list[TrialEstimate | FailedTrial]:
    """What each method would take on each document, without judging. Spends nothing."""
    found: list[TrialEstimate | FailedTrial] = []
    for document, variant in await _pairs(workspace, documents, options):
        try:
            _, figures = await estimate(workspace, document, options.of(variant))
            found.append(TrialEstimate(document, variant, figures))
        except ConfigError as error:
            found.append(FailedTrial(document, variant, error))
    return found


async def _pairs(
    workspace: Workspace, documents: Sequence[Document], options: ComparisonOptions
) -> list[tuple[Document, MethodVariant]]:
    """Each document with each method, none twice."""
    different = {document.id: document for document in documents}.values()
    return [(document, variant) for document in different for variant in await _variants(workspace, document, options)]


async def _variants(workspace: Workspace, document: Document, options: ComparisonOptions) -> Sequence[MethodVariant]:
    """The methods asked for, else those that can do a document, else the one whose error says what is wrong."""
    if options.methods:
        return list(dict.fromkeys(options.methods))
    fits = fits_one_call(body_tokens(document), workspace.engine.info)
    variants = [MethodVariant(name) for name in METHODS if fits or name != "full"]
    possible = [variant for variant in variants if await _can_do(workspace, document, options.of(variant))]
    return possible or [MethodVariant("hierarchical")]


async def _can_do(workspace: Workspace, document: Document, options: SummaryOptions) -> bool:
    try:
        await estimate(workspace, document, options)
    except ConfigError:
        return False
    return True


class _Trials:
    """The trials that wait, those that are done, and what stopped the work on them."""

    def __init__(
        self,
        workspace: Workspace,
        pairs: Sequence[tuple[Document, MethodVariant]],
        options: ComparisonOptions,
        *,
        fresh: bool,
        watch: Watch,
    ) -> None:
        self._workspace = workspace
        self._options = options
        self._fresh = fresh
        self._watch = watch
        self._waiting = iter(enumerate(pairs))
        self.done: dict[int, Trial | FailedTrial] = {}
        self.stopped_by: LdaError | None = None

    async def worker(self) -> None:
        for number, (document, variant) in self._waiting:
            if self.stopped_by is not None:
                return
            try:
                self.done[number] = await self._try(document, variant)
            except LdaError as error:
                if _stops_all(error):
                    self.stopped_by = self.stopped_by or error
                    return
                self.done[number] = FailedTrial(document, variant, error)

    async def _try(self, document: Document, variant: MethodVariant) -> Trial:
        title = f"{document.title}, {variant.label}"
        with self._watch(title) as watch:
            result = await summarize(
                self._workspace, document, self._options.of(variant), fresh=self._fresh, emit=watch.emit
            )
            watch.finish(result.run_id, result.usage)
        judged, unjudged = await self._judged(result, title) if self._options.judge else (None, "")
        trial = await self._measured(document, variant, result, judged, unjudged)
        await self._workspace.records.scores.save(self._score(trial))
        return trial

    async def _judged(self, result: SummaryResult, title: str) -> tuple[BooookscoreReport | None, str]:
        """The judgement of a summary, or why it could not be judged."""
        from longdoc.app.evaluations import BooookscoreOptions, judge_summaries

        options = BooookscoreOptions(self._options.protocol, seed=self._options.seed)
        try:
            summary = summary_from_text(result.summary.text, title=title, source=result.run_id)
            with self._watch(f"{title}, judged") as watch:
                report = await judge_summaries(self._workspace, [summary], options, fresh=self._fresh, emit=watch.emit)
                if report.run_id is not None and report.usage is not None:
                    watch.finish(report.run_id, report.usage)
        except LdaError as error:
            if _stops_all(error):
                raise
            return None, str(error)
        return report, ""

    async def _measured(
        self,
        document: Document,
        variant: MethodVariant,
        result: SummaryResult,
        judged: BooookscoreReport | None,
        unjudged: str,
    ) -> Trial:
        ledger = self._workspace.records.ledger
        traced = result.supports.get(result.summary.node_id)
        figures = figures_of(
            result.summary.text,
            asked_words=self._options.words,
            support=None if traced is None else support_rate(traced.sentences),
            coherence=None if judged is None else judged.system.score,
            work=await ledger.behind(result.run_id),
        )
        run_id = None if judged is None else judged.run_id
        judging = CallWork() if run_id is None else await ledger.behind(run_id)
        return Trial(document, variant, result, figures, judged, judging, unjudged)

    def _score(self, trial: Trial) -> MethodScore:
        figures, judged = trial.figures, trial.judged
        return MethodScore(
            model=self._workspace.engine.info.identity,
            method=trial.variant.label,
            document_id=trial.document.id,
            document_tokens=round(body_tokens(trial.document)),
            run_id=trial.result.run_id,
            tokens=round(figures.prompt_tokens + figures.completion_tokens),
            seconds=figures.seconds,
            words=self._options.words,
            settings=self._options.settings,
            judge=None if judged is None or judged.judge is None else judged.judge.identity,
            protocol=None if judged is None else judged.protocol,
            prompt=None if judged is None else judged.prompt,
            toy=self._workspace.engine.info.toy,
            coherence=figures.coherence,
            support_rate=figures.support_rate,
            length_error=figures.length_error,
            repetition=figures.repetition,
            gaps=len(trial.result.summary.gaps),
        )


def _stops_all(error: LdaError) -> bool:
    """Whether every other trial would meet the same end."""
    return error.resumable or isinstance(error, EngineAuthError | ModelNotFoundError | StorageError)
