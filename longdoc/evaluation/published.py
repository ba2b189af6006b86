"""The published table of BooookScore, recomputed from the published summaries and annotations, without a model.

Owns the table `golden.tsv` and which books count. Agreement shows that splitting, counting and averaging are as they
were for the paper.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from longdoc.errors import DocumentError, MalformedDocumentError
from longdoc.evaluation.annotations import BookAnnotations, read_annotations, read_json_object
from longdoc.evaluation.booookscore import BookScore, count_labels, score_system
from longdoc.evaluation.punkt_sentences import punkt_spans
from longdoc.evaluation.repetition import repeated_trigrams

TABLE: Final = "golden.tsv"
TOLERANCE: Final = 0.1
"""In points: the table is printed with one digit, and one of its values is off by 0.08."""

_METHODS: Final = {"hier": "hierarchical", "inc": "incremental"}
_EXAMPLES: Final = frozenset({"the-faraway-world.epub", "the-ferryman.epub"})
"""Their summaries were the examples in the judge's prompt, so they count for no system judged with it."""


@dataclass(frozen=True, slots=True)
class PublishedScore:
    """A value of the table and what comes out of its files, both in percent."""

    model: str
    segment: str
    method: str
    published: float
    recomputed: float
    interval: tuple[float, float] | None
    books: tuple[BookScore, ...]

    @property
    def difference(self) -> float:
        """Recomputed minus published, in points."""
        return self.recomputed - self.published

    @property
    def agrees(self) -> bool:
        """Whether the two differ by no more than the tolerance."""
        return abs(self.difference) <= TOLERANCE

    @property
    def sentences(self) -> int:
        """Sentences of all summaries."""
        return sum(book.sentences for book in self.books)

    @property
    def confusing(self) -> int:
        """Confusing ones among them."""
        return sum(book.confusing for book in self.books)


def recompute_published(folder: Path, *, seed: int = 0) -> list[PublishedScore]:
    """Every value of the table in a folder with its recomputation, in the order of the table.

    Raises `DocumentError` where the table or a file that it names is missing or not as it should be.
    """
    return [
        _recomputed(folder, row, method, seed=seed) for row in _rows(folder) for method in _METHODS if row.get(method)
    ]


def _rows(folder: Path) -> list[dict[str, str]]:
    path = folder / TABLE
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))
    except OSError as error:
        raise DocumentError(
            f"cannot be read ({error.strerror}); name the folder that holds {TABLE}", source=str(path)
        ) from error


def _recomputed(folder: Path, row: Mapping[str, str], method: str, *, seed: int) -> PublishedScore:
    try:
        published, count = float(row[method]), int(row["books"])
        summaries_file, annotations_file = row[f"{method}_summaries"], row[f"{method}_annotations"]
        model, segment = row["model"], row["chunk"]
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedDocumentError(f"has a row that cannot be used: {error!r}", source=TABLE) from error
    books = tuple(_books(folder / summaries_file, folder / annotations_file, count))
    system = score_system(books, seed=seed)
    if system.score is None or len(books) != count:
        raise MalformedDocumentError(f"says {count} books, its files hold {len(books)}", source=f"{TABLE}, {model}")
    interval = None if system.interval is None else (100 * system.interval[0], 100 * system.interval[1])
    return PublishedScore(model, segment, _METHODS[method], published, 100 * system.score, interval, books)


def _books(summaries_file: Path, annotations_file: Path, count: int) -> Iterator[BookScore]:
    summaries = read_json_object(summaries_file)
    annotations = read_annotations(annotations_file)
    left_out = _EXAMPLES if count < len(summaries) else frozenset[str]()
    for book, text in summaries.items():
        if not isinstance(text, str):
            raise MalformedDocumentError("is no text", source=f"{summaries_file}, {book}")
        if book not in left_out:
            yield _book_score(book, text, annotations.get(book, BookAnnotations(())))


def _book_score(book: str, text: str, annotations: BookAnnotations) -> BookScore:
    judgements = [entry.judgement for entry in annotations.entries]
    return BookScore(
        name=book,
        sentences=len(punkt_spans(text)),
        confusing=len(judgements),
        labels=count_labels(judgements),
        repeated_trigrams=repeated_trigrams(text),
    )
