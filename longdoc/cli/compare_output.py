"""Comparisons of methods, and what they would take, as tables, text and JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import reduce

from longdoc.app.comparison import Comparison, FailedTrial, MethodMean, Trial, TrialEstimate
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat, document_json
from longdoc.documents.document import Document
from longdoc.engines.engine import EngineInfo, Usage
from longdoc.evaluation.method_figures import Figures
from longdoc.json_value import JsonValue
from longdoc.storage.ledger import CallWork

_NONE = "-"
_SOURCE = "methods"
_ESTIMATED = ("method", "calls", "read", "written", "cost")
_TERMS = (
    "sourced: share of sentences traced to the text; off: distance from the length asked for; repeats: share of "
    "repeated 3-grams; calls, tokens read and written, seconds (added up): of all calls behind a summary, those found "
    "in the record too"
)


@dataclass(frozen=True, slots=True)
class _Column:
    """A figure in a table: its name and how it is written."""

    name: str
    cell: Callable[[Figures], str]


@dataclass(frozen=True, slots=True)
class NamedTable:
    """A table with its title."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class CompareOutput:
    """A comparison, to be shown."""

    comparison: Comparison
    source: str = _SOURCE

    @property
    def gaps(self) -> bool:
        """Whether a method failed, or something is missing from a summary or its judgement."""
        return bool(self.comparison.failed) or any(trial.gaps for trial in self.comparison.done)

    @property
    def columns(self) -> Sequence[str]:
        """The head of the table."""
        return (*self._heads(), *self._figure_names())

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """The table: a row for each document and method; with several documents, one for the mean of each method."""
        return [
            (*((title,) if self._several else ()), label, *cells)
            for title, rows in self._groups()
            for label, *cells in rows
        ]

    @property
    def tables(self) -> Sequence[NamedTable]:
        """The same in narrow tables, one for each document and for the means: methods side by side."""
        names = ("", *self._figure_names())
        turned = ((title, list(zip(names, *rows, strict=True))) for title, rows in self._groups())
        return [NamedTable(title, rows[0], rows[1:]) for title, rows in turned]

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms the table holds."""
        return [self._conditions(), _TERMS, *([self._judging()] if self.comparison.options.judge else [])]

    @property
    def failures(self) -> Sequence[str]:
        """What went wrong."""
        return [
            *(f"{_name(trial)}: failed: {trial.error}" for trial in self.comparison.failed),
            *(f"{_name(trial)}: not judged: {trial.unjudged}" for trial in self.comparison.done if trial.unjudged),
        ]

    def text(self, form: OutputFormat) -> str:
        """As a text for people: the table and its remarks, in Markdown with all summaries below."""
        table = "\n".join(markdown_table(self.columns, self.rows, left=len(self._heads())))
        summaries = map(self._summary, self.comparison.done) if form is OutputFormat.MARKDOWN else ()
        remarks = "\n".join(f"- {remark}" for remark in (*self.remarks, *self.failures))
        return "\n\n".join([f"# {self._title()}", table, remarks, *summaries])

    def json(self) -> JsonValue:
        """As a value for programs."""
        comparison, options = self.comparison, self.comparison.options
        reports = [trial.judged for trial in comparison.done if trial.judged is not None]
        return {
            "engine": _engine_json(comparison.engine),
            "words": options.words,
            "settings": dict(options.settings),
            "judge": None if not options.judge else _engine_json(comparison.engine),
            "protocol": options.protocol if options.judge else None,
            "prompt": reports[0].prompt if reports else None,
            "splitter": reports[0].splitter if reports else None,
            "documents": [document_json(document) for document in comparison.documents],
            "trials": [_trial_json(trial) for trial in comparison.trials],
            "means": [_mean_json(mean) for mean in comparison.means],
            "judging": _work_json(self._judging_work()),
        }

    @property
    def _several(self) -> bool:
        return len(self.comparison.documents) > 1

    def _title(self) -> str:
        documents = self.comparison.documents
        return f"Methods on {f'{len(documents)} documents' if self._several else documents[0].title}"

    def _heads(self) -> Sequence[str]:
        return ("document", "method") if self._several else ("method",)

    def _figures(self) -> Iterator[_Column]:
        """The figures that were asked for and that say something."""
        if self.comparison.options.judge:
            yield _Column("coherence", lambda one: _percent(one.coherence))
        yield _Column("sourced", lambda one: _percent(one.support_rate))
        yield _Column("words", lambda one: f"{one.words:,.0f}")
        if self.comparison.options.words is not None:
            yield _Column("off", lambda one: _percent(one.length_error))
        yield _Column("repeats", lambda one: _percent(one.repetition))
        yield _Column("calls", lambda one: f"{one.calls:,.0f}")
        yield _Column("read", lambda one: f"{one.prompt_tokens:,.0f}")
        yield _Column("written", lambda one: f"{one.completion_tokens:,.0f}")
        yield _Column("seconds", lambda one: f"{one.seconds:,.1f}")
        if any(trial.figures.cost for trial in self.comparison.done):
            yield _Column("cost", lambda one: f"${one.cost:.4f}")

    def _figure_names(self) -> Sequence[str]:
        return [*(column.name for column in self._figures()), *(["note"] if self.gaps else [])]

    def _groups(self) -> Iterator[tuple[str, Sequence[Sequence[str]]]]:
        """The rows of each document, then those of the means by the number of documents they are over."""
        for document in self.comparison.documents:
            yield (
                document.title,
                [self._row(trial) for trial in self.comparison.trials if trial.document.id == document.id],
            )
        means = self.comparison.means if self._several else ()
        for trials in sorted({mean.trials for mean in means}, reverse=True):
            yield f"mean of {trials}", [self._mean_row(mean) for mean in means if mean.trials == trials]

    def _row(self, trial: Trial | FailedTrial) -> Sequence[str]:
        if isinstance(trial, FailedTrial):
            return (trial.variant.label, *(_NONE for _ in self._figures()), "failed")
        note = (_note(trial),) if self.gaps else ()
        return (trial.variant.label, *(column.cell(trial.figures) for column in self._figures()), *note)

    def _mean_row(self, mean: MethodMean) -> Sequence[str]:
        note = ("",) if self.gaps else ()
        return (mean.variant.label, *(column.cell(mean.figures) for column in self._figures()), *note)

    def _conditions(self) -> str:
        asked = self.comparison.options
        words = f"{asked.words} words asked" if asked.words is not None else "each method's own length"
        settings = [f"{name.replace('_', ' ')}: {value}" for name, value in asked.settings.items()]
        model = f"model: {self.comparison.engine.identity}"
        return " · ".join([model, words, *settings])

    def _judging(self) -> str:
        options, engine = self.comparison.options, self.comparison.engine
        prompts = {trial.judged.prompt for trial in self.comparison.done if trial.judged is not None}
        work = self._judging_work()
        tokens = f"{work.usage.prompt_tokens:,} + {work.usage.completion_tokens:,} tokens"
        toy = "; a toy, whose judgements are noise" if engine.toy else ""
        judge = f"judged by the same model{toy}; protocol: {options.protocol}"
        prompt = "".join(f" · prompt: {prompt}" for prompt in sorted(filter(None, prompts)))
        return f"{judge}{prompt} · {work.calls:,} calls, {tokens} on top"

    def _judging_work(self) -> CallWork:
        return reduce(CallWork.__add__, (trial.judging for trial in self.comparison.done), CallWork())

    def _summary(self, trial: Trial) -> str:
        title = _name(trial) if self._several else trial.variant.label
        gaps = [f"> Not covered: {gap}" for gap in trial.result.summary.gaps]
        return "\n\n".join([f"## {title}", trial.result.summary.text, *gaps])


@dataclass(frozen=True, slots=True)
class CompareEstimateOutput:
    """What a comparison would take on an engine, to be shown."""

    trials: Sequence[TrialEstimate | FailedTrial]
    engine: EngineInfo
    judge: bool
    source: str = _SOURCE

    @property
    def gaps(self) -> bool:
        """Whether a method cannot do a document."""
        return any(isinstance(trial, FailedTrial) for trial in self.trials)

    @property
    def columns(self) -> Sequence[str]:
        """The head of the table."""
        return ("document", *_ESTIMATED)

    @property
    def rows(self) -> Sequence[Sequence[str]]:
        """The table."""
        return [(trial.document.title, *self._row(trial)) for trial in self.trials]

    @property
    def tables(self) -> Sequence[NamedTable]:
        """The same in narrow tables, one for each document."""
        documents = {trial.document.id: trial.document for trial in self.trials}
        return [
            NamedTable(
                document.title,
                _ESTIMATED,
                [self._row(trial) for trial in self.trials if trial.document.id == document.id],
            )
            for document in documents.values()
        ]

    @property
    def remarks(self) -> Sequence[str]:
        """On what terms the table holds."""
        return [
            "tokens at most, when every answer is good at the first attempt; what methods share is paid once",
            *(["judging comes on top: it depends on the sentences that are written"] if self.judge else []),
        ]

    @property
    def failures(self) -> Sequence[str]:
        """What cannot be done."""
        failed = [trial for trial in self.trials if isinstance(trial, FailedTrial)]
        return [f"{_name(trial)}: cannot be done: {trial.error}" for trial in failed]

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        table = "\n".join(markdown_table(self.columns, self.rows, left=2))
        return "\n\n".join([table, "\n".join(f"- {remark}" for remark in (*self.remarks, *self.failures))])

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {"engine": _engine_json(self.engine), "estimates": [self._estimate_json(trial) for trial in self.trials]}

    def _row(self, trial: TrialEstimate | FailedTrial) -> Sequence[str]:
        if isinstance(trial, FailedTrial):
            return (trial.variant.label, _NONE, _NONE, _NONE, _NONE)
        found = trial.estimate
        tokens = (f"{found.prompt_tokens:,}", f"{found.completion_tokens:,}")
        return (trial.variant.label, f"{found.calls:,}", *tokens, f"${self._cost(trial):.4f}")

    def _estimate_json(self, trial: TrialEstimate | FailedTrial) -> JsonValue:
        named = _named_json(trial.document, trial.variant.label)
        if isinstance(trial, FailedTrial):
            return {**named, "error": str(trial.error)}
        found = trial.estimate
        return {
            **named,
            "calls": found.calls,
            "prompt_tokens": found.prompt_tokens,
            "completion_tokens": found.completion_tokens,
            "cost": self._cost(trial),
        }

    def _cost(self, trial: TrialEstimate) -> float:
        return self.engine.cost(Usage(trial.estimate.prompt_tokens, trial.estimate.completion_tokens))


def _name(trial: Trial | FailedTrial | TrialEstimate) -> str:
    return f"{trial.document.title}, {trial.variant.label}"


def _note(trial: Trial) -> str:
    gaps = len(trial.result.summary.gaps)
    failed = 0 if trial.judged is None else sum(book.score.failed for book in trial.judged.books)
    return "; ".join(
        [
            *([f"gaps: {gaps}"] if gaps else []),
            *([f"sentences not judged: {failed}"] if failed else []),
            *(["not judged"] if trial.unjudged else []),
        ]
    )


def _percent(value: float | None) -> str:
    return _NONE if value is None else f"{100 * value:.1f}%"


def _named_json(document: Document, label: str) -> dict[str, JsonValue]:
    return {"document": document.id, "source": document.source, "method": label}


def _trial_json(trial: Trial | FailedTrial) -> JsonValue:
    named = _named_json(trial.document, trial.variant.label)
    if isinstance(trial, FailedTrial):
        return {**named, "error": str(trial.error)}
    judged = None if trial.judged is None else trial.judged.books[0].score
    return {
        **named,
        "error": None,
        "run": trial.result.run_id,
        "judged_by_run": None if trial.judged is None else trial.judged.run_id,
        "not_judged": trial.unjudged or None,
        "figures": _figures_json(trial.figures),
        "sentences": None if judged is None else judged.sentences,
        "confusing": None if judged is None else judged.confusing,
        "failed": None if judged is None else judged.failed,
        "gaps": list(trial.result.summary.gaps),
        "summary": trial.result.summary.text,
    }


def _mean_json(mean: MethodMean) -> JsonValue:
    return {
        "method": mean.variant.label,
        "documents": mean.trials,
        "figures": _figures_json(mean.figures),
        "coherence_interval": None if mean.interval is None else list(mean.interval),
    }


def _figures_json(figures: Figures) -> JsonValue:
    return asdict(figures)


def _work_json(work: CallWork) -> JsonValue:
    return {
        "calls": work.calls,
        "prompt_tokens": work.usage.prompt_tokens,
        "completion_tokens": work.usage.completion_tokens,
        "seconds": work.seconds,
        "cost": work.cost,
    }


def _engine_json(engine: EngineInfo) -> JsonValue:
    return {"engine": engine.engine, "model": engine.model, "identity": engine.identity, "toy": engine.toy}
