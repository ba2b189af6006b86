"""TSort: four neighbouring stretches of a book, shuffled, to be put in order again.

Owns the cases, what counts as an answer and the scores; who answers is somebody else's. Source: Ada-LEval (Wang et al.,
2024, arXiv 2404.06480); the text before and after the stretches is given as there, reading answers strictly is our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations, pairwise
from typing import Final

from longdoc.documents.document import Block, BlockKind, Document
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError
from longdoc.evaluation.filler import body_blocks
from longdoc.evaluation.gold import Span, seeded
from longdoc.evaluation.shares import Share, share_of

STRETCHES: Final = 4
CHANCE: Final = 1 / 24
"""Of the whole order, when it is guessed; a pair is guessed right half the time."""

INSTRUCTION: Final = (
    "The numbered stretches follow each other in a book, but not in the order in which they stand here. What comes "
    "before the first and after the last of them is given too. In which order do they follow each other? "
    'End with one line like "Answer: 3 > 1 > 4 > 2".'
)

_SHARES: Final = (0.1, 0.2, 0.2, 0.2, 0.2, 0.1)
"""What is before, the four stretches, what is after: shares of the length."""
_NUMBER = r"(?:\d{1,4}|[ivxlcdm]{1,9}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_HEADING = re.compile(
    rf"\W*(?:(?:chapter|book|part|volume|canto|act|scene|letter|section)\s+(?:the\s+)?{_NUMBER}\b.{{0,100}}|{_NUMBER}\W*)",
    re.IGNORECASE,
)
_MARK = re.compile(r"\banswer\b(?:\s+is)?\s*[:=>]", re.IGNORECASE)
_ORDER = re.compile(r"\d+(?:[^\w\n]+(?:then[^\w\n]+)?\d+){2,}")


@dataclass(frozen=True, slots=True)
class SortCase:
    """Four stretches as they are shown, numbered from 1, and the numbers in the order of the book.

    `before` and `after` are what stands around them; `span` is where all of it stands in the document.
    """

    id: str
    title: str
    stretches: tuple[str, ...]
    order: tuple[int, ...]
    before: str
    after: str
    span: Span
    length: int

    @property
    def answer(self) -> str:
        """The right order as an answer would give it."""
        return " > ".join(map(str, self.order))


@dataclass(frozen=True, slots=True)
class OrderScore:
    """How right an answer is: `valid` where it gives one order, `pairs` the share of pairs that stand as they should.

    What is not valid is not right in anything.
    """

    valid: bool
    whole: bool
    pairs: float


@dataclass(frozen=True, slots=True)
class SortFigures:
    """Of several cases: the share whose whole order is right, the mean share of pairs, how many gave no order."""

    whole: Share
    pairs: float | None
    invalid: int


def sort_cases(document: Document, *, length: int, count: int, seed: int) -> list[SortCase]:
    """Cases of about `length` tokens (estimated) of the work itself, cut at the ends of paragraphs.

    Numbers of chapters and headings are left out. Fewer than `count` where a book has no more places to begin. Raises
    `ConfigError` where it is too short for one.
    """
    blocks = [block for block in body_blocks(document) if not _is_heading(document, block)]
    starts = [0.0, *accumulate(estimate_tokens(document.text[block.start : block.end]) for block in blocks)]
    last = next((i for i in range(len(blocks), -1, -1) if starts[-1] - starts[i] >= length), -1)
    if last < 0:
        raise ConfigError(f"{document.title} has no {length} tokens of running text; ask for less")
    random = seeded(seed, f"tsort {length}")
    firsts = random.sample(range(last + 1), min(count, last + 1))
    cut = [_cut(starts, first, length) for first in firsts]
    whole = [borders for borders in cut if all(a < b for a, b in pairwise(borders))]
    if not whole:
        raise ConfigError(f"the paragraphs of {document.title} are too long to make four of {length} tokens")
    orders = [random.sample(range(STRETCHES), STRETCHES) for _ in whole]
    return [
        _case(document, blocks, borders, shown, length=length, number=number)
        for number, (borders, shown) in enumerate(zip(whole, orders, strict=True), 1)
    ]


def read_order(reply: str) -> tuple[int, ...] | None:
    """The order that a reply gives after its last "Answer:", anywhere where it has none; None unless it is exactly one.

    An order is numbers with marks between them. One that names a stretch twice, or not at all, is none; nor are two
    different ones.
    """
    marks = list(_MARK.finditer(reply))
    told = reply[marks[-1].end() :] if marks else reply
    orders = {tuple(map(int, re.findall(r"\d+", match.group()))) for match in _ORDER.finditer(told)}
    if len(orders) != 1:
        return None
    order = orders.pop()
    return order if sorted(order) == list(range(1, STRETCHES + 1)) else None


def score_order(case: SortCase, reply: str) -> OrderScore:
    """Score a reply."""
    told = read_order(reply)
    if told is None:
        return OrderScore(valid=False, whole=False, pairs=0.0)
    pairs = list(combinations(case.order, 2))
    right = sum(told.index(first) < told.index(second) for first, second in pairs)
    return OrderScore(valid=True, whole=told == case.order, pairs=right / len(pairs))


def sort_figures(scores: Sequence[OrderScore | None]) -> SortFigures:
    """The figures of several cases; None stands for one that failed, which is wrong."""
    told = [score or OrderScore(valid=False, whole=False, pairs=0.0) for score in scores]
    pairs = sum(score.pairs for score in told) / len(told) if told else None
    return SortFigures(share_of(score.whole for score in told), pairs, sum(not score.valid for score in told))


def _is_heading(document: Document, block: Block) -> bool:
    return block.kind is BlockKind.HEADING or bool(_HEADING.fullmatch(document.text[block.start : block.end]))


def _cut(starts: Sequence[float], first: int, length: int) -> list[int]:
    """The seven borders of six parts, as numbers of blocks: each the one nearest to where it should be."""
    wanted = [starts[first] + length * share for share in accumulate(_SHARES, initial=0.0)]
    borders: list[int] = [first]
    number = first
    for goal in wanted[1:]:
        while number + 1 < len(starts) and abs(starts[number + 1] - goal) <= abs(starts[number] - goal):
            number += 1
        borders.append(number)
    return borders


def _case(
    document: Document,
    blocks: Sequence[Block],
    borders: Sequence[int],
    shown: Sequence[int],
    *,
    length: int,
    number: int,
) -> SortCase:
    before, *stretches, after = _parts(document, blocks, borders)
    return SortCase(
        id=f"tsort-{number}/{length}",
        title=document.title,
        stretches=tuple(stretches[i] for i in shown),
        order=tuple(shown.index(i) + 1 for i in range(STRETCHES)),
        before=before,
        after=after,
        span=(blocks[borders[0]].start, blocks[borders[-1] - 1].end),
        length=length,
    )


def _parts(document: Document, blocks: Sequence[Block], borders: Sequence[int]) -> Iterator[str]:
    for low, high in pairwise(borders):
        yield "\n\n".join(document.text[block.start : block.end] for block in blocks[low:high])
