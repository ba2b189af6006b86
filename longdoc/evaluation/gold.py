"""Questions whose answers are known, and where in their text these stand: what strategies are measured by.

Owns the values. Who makes them is one module each: planted needles, key-value threads, verses, meetings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from longdoc.documents.document import Document

Span: TypeAlias = tuple[int, int]
"""A stretch of a text, `text[start:end]`."""


@dataclass(frozen=True, slots=True)
class GoldCase:
    """A question about a text.

    `spans` are the stretches of the text that it takes to answer, all of them; `decoys` look like these and answer
    another question. A reply is right with any of `answers`, or with every one of them where `all_answers` are asked
    for, and with none of `wrong_answers`, which the text gives to other questions: to copy out all of them is no
    answer. `depth` (0 to 1, of the first span) and `length` (tokens of the text) are as they were asked for, so that
    cases can be put together by them; the spans tell where things really stand.
    """

    id: str
    kind: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[Span, ...]
    decoys: tuple[Span, ...] = ()
    depth: float | None = None
    length: int | None = None
    all_answers: bool = False
    wrong_answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a text was made, so that it can be made again: by which version of what, of which source, from which seed."""

    generator: str
    version: int
    source: str
    seed: int


@dataclass(frozen=True, slots=True)
class GoldText:
    """A text and the cases that are asked about it; several cases share a text, so that it is indexed once."""

    document: Document
    cases: tuple[GoldCase, ...]
    recipe: Recipe | None = None


def nearest_step(depth: float, steps: Iterable[float]) -> float:
    """The one of some depths that is nearest, the smaller one of two."""
    return min(sorted(steps), key=lambda step: abs(step - depth))


def seeded(seed: int, purpose: str) -> Random:
    """Randomness for one purpose, the same for the same seed, and independent of that for other purposes."""
    return Random(f"{seed} {purpose}")  # noqa: S311 - nothing is secret, and all of it must come out again
