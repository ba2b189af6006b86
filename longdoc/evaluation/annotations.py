"""Annotations of summaries as published with BooookScore: JSON files of books with what confuses in their summaries.

Owns the shapes such files have; which files make up the published table is `published.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from longdoc.errors import DocumentError, MalformedDocumentError
from longdoc.evaluation.booookscore import BookScore, JudgedSentence, Judgement, Label, count_labels
from longdoc.evaluation.repetition import repeated_trigrams
from longdoc.json_value import JsonValue

_GROUPS = ("singles", "relations")


@dataclass(frozen=True, slots=True)
class Entry:
    """What is noted about a sentence or a span of a summary."""

    span: str
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class BookAnnotations:
    """The entries for one book.

    Published files keep confusing sentences only. A file that also keeps others (`complete`) keeps all, and a sentence
    that is not in it was not judged.
    """

    entries: tuple[Entry, ...]

    @property
    def complete(self) -> bool:
        """Whether sentences that confuse nobody are kept as well."""
        return not all(entry.judgement.confusing for entry in self.entries)


def read_json_object(path: Path) -> Mapping[str, JsonValue]:
    """The JSON object in a file. Raises `DocumentError`."""
    try:
        value: JsonValue = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DocumentError(f"cannot be read ({error.strerror})", source=str(path)) from error
    except (ValueError, RecursionError) as error:
        raise MalformedDocumentError(f"is no JSON ({error})", source=str(path)) from error
    if not isinstance(value, dict):
        raise MalformedDocumentError("holds no JSON object of books", source=str(path))
    return value


def read_annotations(path: Path) -> dict[str, BookAnnotations]:
    """The annotations of each book in a file. Raises `DocumentError`, naming the book that cannot be understood."""
    return {book: _book(value, f"{path}, {book}") for book, value in read_json_object(path).items()}


def annotated_sentences(
    text: str, spans: Sequence[tuple[int, int]], annotations: BookAnnotations
) -> tuple[tuple[JudgedSentence, ...], int]:
    """The sentences of a summary with what is noted about each, and how many entries name none of them.

    An entry of a complete file stands for every sentence that reads like it, any other for one of them.
    """
    noted: defaultdict[str, deque[Judgement]] = defaultdict(deque)
    for entry in annotations.entries:
        noted[_same(entry.span)].append(entry.judgement)
    complete = annotations.complete
    sentences = [(text[start:end], start, end) for start, end in spans]
    judged = tuple(
        JudgedSentence(sentence, start, end, _noted_for(noted.get(_same(sentence)), complete=complete))
        for sentence, start, end in sentences
    )
    known = {_same(sentence) for sentence, _, _ in sentences}
    return judged, sum(_same(entry.span) not in known for entry in annotations.entries)


def score_annotated(
    name: str, text: str, sentences: Sequence[JudgedSentence], annotations: BookAnnotations
) -> BookScore:
    """The figures of an annotated summary.

    Where only confusing sentences are kept, every entry counts as one, as in the published scores, and the number of
    sentences is that of the summary.
    """
    found = [sentence.judgement for sentence in sentences]
    judged = [judgement for judgement in found if judgement is not None]
    counted = judged if annotations.complete else [entry.judgement for entry in annotations.entries]
    return BookScore(
        name=name,
        sentences=len(sentences),
        confusing=sum(judgement.confusing for judgement in counted),
        missing=len(found) - len(judged),
        labels=count_labels(counted),
        repeated_trigrams=repeated_trigrams(text),
    )


def _noted_for(waiting: deque[Judgement] | None, *, complete: bool) -> Judgement | None:
    if complete:
        return waiting[0] if waiting else None
    return waiting.popleft() if waiting else Judgement()


def _same(text: str) -> str:
    return " ".join(text.split())


def _book(value: JsonValue, source: str) -> BookAnnotations:
    """Null, entries keyed by sentence, a list of spans, or (files by people) groups of either."""
    if isinstance(value, dict) and value.keys() & set(_GROUPS):
        return BookAnnotations(tuple(entry for name in _GROUPS for entry in _entries(value.get(name), source)))
    return BookAnnotations(tuple(_entries(value, source)))


def _entries(value: JsonValue, source: str) -> Iterator[Entry]:
    match value:
        case None:
            return
        case dict():
            for sentence, note in value.items():
                yield Entry(sentence, _judgement(note, source))
        case list():
            for note in value:
                span = note.get("span") if isinstance(note, dict) else None
                yield Entry(span if isinstance(span, str) else "", _judgement(note, source))
        case _:
            raise MalformedDocumentError("is neither null, an object of sentences nor a list of spans", source=source)


def _judgement(note: JsonValue, source: str) -> Judgement:
    if not isinstance(note, dict):
        raise MalformedDocumentError("has an entry that is no object", source=source)
    questions, types = note.get("questions"), note.get("types")
    question = questions.strip() or None if isinstance(questions, str) else None
    labels = [_label(name, source) for name in types] if isinstance(types, list) else []
    return Judgement(question, tuple(dict.fromkeys(labels)))


def _label(name: JsonValue, source: str) -> Label:
    try:
        return Label(str(name).strip().casefold())
    except ValueError as error:
        raise MalformedDocumentError(f"has the label {name!r}; there are: {', '.join(Label)}", source=source) from error
