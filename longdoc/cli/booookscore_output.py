"""Scores, estimates and the published table as text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from longdoc.app.evaluations import BookReport, BooookscoreReport, JudgingEstimate
from longdoc.cli.markdown_table import markdown_table
from longdoc.cli.output import OutputFormat, document_json, usage_json
from longdoc.engines.engine import EngineInfo, Usage
from longdoc.evaluation.booookscore import BookScore, JudgedSentence, Judgement, Label, SystemScore
from longdoc.evaluation.published import TOLERANCE, PublishedScore
from longdoc.json_value import JsonValue

_BOOK_COLUMNS = ("summary", "score", "sentences", "confusing", "failed", "repeated 3-grams")
_LABEL_COLUMNS = ("kind of confusion", "sentences")
_PUBLISHED_COLUMNS = (
    "model",
    "segment",
    "method",
    "published",
    "recomputed",
    "difference",
    "books",
    "sentences",
    "confusing",
)


@dataclass(frozen=True, slots=True)
class BooookscoreOutput:
    """A report, to be shown."""

    report: BooookscoreReport

    @property
    def source(self) -> str:
        """What it is of."""
        return self.report.books[0].document.source if len(self.report.books) == 1 else "summaries"

    @property
    def gaps(self) -> bool:
        """Whether sentences are without a judgement."""
        return any(book.failed or book.incomplete for book in self.report.system.books)

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        report = self.report
        books = "\n".join(markdown_table(_BOOK_COLUMNS, [_book_row(book) for book in report.system.books]))
        labels = "\n".join(markdown_table(_LABEL_COLUMNS, _label_rows(report.system)))
        parts = [f"# {_headline(report.system)}", _conditions(report), books, labels]
        return "\n\n".join([*parts, *(_sentences(book) for book in report.books)])

    def json(self) -> JsonValue:
        """As a value for programs."""
        report = self.report
        return {
            "run": report.run_id,
            "protocol": report.protocol,
            "judge": None if report.judge is None else _judge_json(report.judge),
            "prompt": report.prompt,
            "splitter": report.splitter,
            "system": _system_json(report.system),
            "books": [_book_json(book) for book in report.books],
            "usage": None if report.usage is None else usage_json(report.usage),
        }


@dataclass(frozen=True, slots=True)
class JudgingEstimateOutput:
    """What judging would take on an engine, to be shown."""

    estimate: JudgingEstimate
    engine: EngineInfo
    source: str = "summaries"
    gaps: bool = False

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        estimate = self.estimate
        return (
            f"{estimate.sentences} sentences, {estimate.calls} calls, about {estimate.prompt_tokens:,} tokens read and "
            f"at most {estimate.completion_tokens:,} written, ${self._cost():.4f}, when every answer can be used"
        )

    def json(self) -> JsonValue:
        """As a value for programs."""
        estimate = self.estimate
        return {
            "estimate": {
                "sentences": estimate.sentences,
                "calls": estimate.calls,
                "prompt_tokens": estimate.prompt_tokens,
                "completion_tokens": estimate.completion_tokens,
                "cost": self._cost(),
            }
        }

    def _cost(self) -> float:
        return self.engine.cost(Usage(self.estimate.prompt_tokens, self.estimate.completion_tokens))


@dataclass(frozen=True, slots=True)
class PublishedOutput:
    """The published table beside its recomputation, to be shown."""

    source: str
    scores: Sequence[PublishedScore]
    gaps: bool = False

    @property
    def agrees(self) -> bool:
        """Whether every value agrees."""
        return all(score.agrees for score in self.scores)

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        verdict = f"All {len(self.scores)} values agree within {TOLERANCE}."
        if not self.agrees:
            apart = sum(not score.agrees for score in self.scores)
            verdict = f"{apart} of {len(self.scores)} values differ by more than {TOLERANCE}."
        return "\n".join(
            [*markdown_table(_PUBLISHED_COLUMNS, [_published_row(score) for score in self.scores]), "", verdict]
        )

    def json(self) -> JsonValue:
        """As a value for programs."""
        return {
            "source": self.source,
            "tolerance": TOLERANCE,
            "agrees": self.agrees,
            "scores": [_published_json(score) for score in self.scores],
        }


def _headline(system: SystemScore) -> str:
    if len(system.books) == 1:
        return f"BooookScore {_percent(system.books[0])}"
    if system.score is None:
        return "BooookScore: none of the summaries has a score"
    used = len(system.books) - len(system.left_out)
    interval = ""
    if system.interval is not None:
        low, high = system.interval
        interval = f" (95% interval {100 * low:.1f} to {100 * high:.1f})"
    left_out = f", {len(system.left_out)} left out" if system.left_out else ""
    return f"BooookScore {100 * system.score:.1f}%, the mean over {used} summaries{interval}{left_out}"


def _conditions(report: BooookscoreReport) -> str:
    judge = [] if report.judge is None else [f"judge: {report.judge.identity}", f"prompt: {report.prompt}"]
    return " · ".join([f"protocol: {report.protocol}", *judge, f"splitter: {report.splitter}"])


def _book_row(book: BookScore) -> tuple[str, ...]:
    counts = (book.sentences, book.confusing, book.failed)
    return (book.name, _percent(book), *map(str, counts), f"{100 * book.repeated_trigrams:.1f}%")


def _label_rows(system: SystemScore) -> list[tuple[str, str]]:
    return [(label, str(count)) for label, count in _label_counts(system).items()]


def _label_counts(system: SystemScore) -> Mapping[Label, int]:
    return {label: sum(book.labels.get(label, 0) for book in system.books) for label in Label}


def _percent(book: BookScore) -> str:
    if book.incomplete:
        return f"incomplete ({book.missing} sentences not judged)"
    return "none (every sentence failed)" if book.score is None else f"{100 * book.score:.1f}%"


def _sentences(book: BookReport) -> str:
    lines = [f"## {book.document.title}", ""]
    for number, sentence in enumerate(book.sentences, start=1):
        lines.append(f"{number}. {' '.join(sentence.text.split())}")
        lines.extend(f"   - {remark}" for remark in _remarks(sentence.judgement))
    if book.unmatched:
        lines += ["", f"{book.unmatched} entries of the file are no sentence of this summary; they count all the same."]
    return "\n".join(lines)


def _remarks(judgement: Judgement | None) -> Iterator[str]:
    if judgement is None:
        yield "not judged"
    elif judgement.failed:
        yield f"failed: {judgement.failed}"
    elif judgement.confusing:
        yield f"confusing ({', '.join(judgement.labels)}): {judgement.question or ''}".rstrip(": ")


def _judge_json(judge: EngineInfo) -> JsonValue:
    return {"engine": judge.engine, "model": judge.model, "identity": judge.identity}


def _system_json(system: SystemScore) -> JsonValue:
    return {
        "score": system.score,
        "interval": None if system.interval is None else list(system.interval),
        "books_used": [book.name for book in system.books if book.score is not None],
        "books_left_out": [book.name for book in system.left_out],
        "sentences": sum(book.sentences for book in system.books),
        "confusing": sum(book.confusing for book in system.books),
        "failed": sum(book.failed for book in system.books),
        "labels": {label.value: count for label, count in _label_counts(system).items()},
    }


def _book_json(book: BookReport) -> JsonValue:
    score = book.score
    return {
        "document": document_json(book.document),
        "score": score.score,
        "incomplete": score.incomplete,
        "sentences": score.sentences,
        "confusing": score.confusing,
        "failed": score.failed,
        "missing": score.missing,
        "unmatched": book.unmatched,
        "labels": {label.value: score.labels.get(label, 0) for label in Label},
        "repeated_trigrams": score.repeated_trigrams,
        "judgements": [_sentence_json(sentence) for sentence in book.sentences],
    }


def _sentence_json(sentence: JudgedSentence) -> JsonValue:
    judgement = sentence.judgement
    judged = judgement is not None and not judgement.failed
    return {
        "sentence": sentence.text,
        "start": sentence.start,
        "end": sentence.end,
        "confusing": judgement.confusing if judged and judgement is not None else None,
        "labels": [] if judgement is None else [label.value for label in judgement.labels],
        "question": None if judgement is None else judgement.question,
        "failed": (judgement.failed or None) if judgement is not None else None,
    }


def _published_row(score: PublishedScore) -> tuple[str, ...]:
    return (
        score.model,
        score.segment,
        score.method,
        f"{score.published:.1f}",
        f"{score.recomputed:.3f}",
        f"{score.difference:+.3f}",
        str(len(score.books)),
        str(score.sentences),
        str(score.confusing),
    )


def _published_json(score: PublishedScore) -> JsonValue:
    return {
        "model": score.model,
        "segment": score.segment,
        "method": score.method,
        "published": score.published,
        "recomputed": score.recomputed,
        "difference": score.difference,
        "agrees": score.agrees,
        "interval": None if score.interval is None else list(score.interval),
        "books": len(score.books),
        "sentences": score.sentences,
        "confusing": score.confusing,
    }
