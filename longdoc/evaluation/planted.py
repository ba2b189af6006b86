"""Needles planted in filler: texts of any length, with cases that ask for what was planted.

Owns where needles go and the texts with their spans; what needles say is `needles.py`. Many cases share a text, as
far as their needles keep a distance from each other, so that a long text is made and indexed once. Time is linear in
the length of a text, and memory little more than its characters.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import Metadata
from longdoc.documents.tokens import estimate_tokens
from longdoc.errors import ConfigError
from longdoc.evaluation.filler import PROSE, Filler, FillerBlock
from longdoc.evaluation.gold import GoldCase, GoldText, Recipe, Span, seeded
from longdoc.evaluation.places import place_near

GENERATOR_VERSION: Final = 2
"""Raised when the same request would give other texts."""

DEPTHS: Final = tuple(step / 10 for step in range(11))
"""From the beginning of a text to its end."""

DISTANCE: Final = 512
"""Tokens between two needles of a text, so that a segment hardly ever holds two."""

LEAST_LENGTH: Final = 1000

_GENERATOR = "planted"
_MOST_DISTANCE = 0.09
"""Of two needles, as a share of the text: in a short one too there is room for one at each depth."""
_TOLERANCE = 0.05
"""How far from its depth a needle may go to keep its distance, as a share of the text: half a step."""
_BORDER_TOLERANCE = 0.02
"""How far it may go from there to stand between two sentences."""
_JOINT = 2
"""Characters between two blocks."""
_FURTHEST_BORDER = 1000
"""How many characters from its place, at most, a needle goes to stand between two sentences."""


@dataclass(frozen=True, slots=True)
class Needle:
    """A sentence or two to be planted at a depth between 0 and 1."""

    text: str
    depth: float


@dataclass(frozen=True, slots=True)
class CasePlan:
    """A case before it has a text: a question, its answers, the needles that it takes and those that mislead.

    `wrong_answers` are what the decoys say instead; without any, those are the answers of the other cases of the text.
    Cases of one `topic` never share a text, since the needle of one would answer the question of the other.
    """

    id: str
    kind: str
    question: str
    answers: tuple[str, ...]
    needles: tuple[Needle, ...]
    decoys: tuple[Needle, ...] = ()
    topic: str = ""
    wrong_answers: tuple[str, ...] = ()

    @property
    def planted(self) -> tuple[Needle, ...]:
        """All that goes into the text."""
        return self.needles + self.decoys


def plant(
    filler: Filler,
    plans: Sequence[CasePlan],
    *,
    length: int,
    seed: int,
    distance: int = DISTANCE,
    most: int | None = None,
) -> Iterator[GoldText]:
    """Texts of `length` tokens (estimated, within 2 %) that together hold each plan once, one after the other.

    Each takes as many plans as keep `distance` tokens between needles, `most` at the most, and begins elsewhere in the
    filler. A needle stands at the end of a sentence near its depth; in short texts the distance is a share of them.
    Raises `ConfigError` for a length under 1,000, and where a plan alone finds no room.
    """
    beds = _beds(plans, length=length, seed=seed, distance=distance, most=most)
    order = {plan.id: number for number, plan in enumerate(plans)}
    for bed in beds:
        bed.plans.sort(key=lambda placed: order[placed[0].id])
    return (_sow(filler, bed, length=length, seed=seed, number=number) for number, bed in enumerate(beds))


def count_texts(
    plans: Sequence[CasePlan], *, length: int, seed: int, distance: int = DISTANCE, most: int | None = None
) -> int:
    """How many texts `plant` makes of these plans, without making any. Raises as it does."""
    return len(_beds(plans, length=length, seed=seed, distance=distance, most=most))


def _beds(plans: Sequence[CasePlan], *, length: int, seed: int, distance: int, most: int | None) -> list[_Bed]:
    if length < LEAST_LENGTH:
        raise ConfigError(f"a text of {length} tokens is too short to plant anything in; use at least {LEAST_LENGTH}")
    shuffled = seeded(seed, "order").sample(plans, len(plans))
    return _deal(shuffled, gap=min(_MOST_DISTANCE, distance / length), most=most)


@dataclass(slots=True)
class _Bed:
    """The plans of one text, with the place of each needle as a share of the text."""

    gap: float
    plans: list[tuple[CasePlan, list[float]]] = field(default_factory=list[tuple[CasePlan, list[float]]])
    _taken: list[float] = field(default_factory=list[float])
    _topics: set[str] = field(default_factory=set[str])

    def take(self, plan: CasePlan) -> bool:
        """Take a plan; False, and nothing taken, where a needle finds no place or the topic is there."""
        if plan.topic and plan.topic in self._topics:
            return False
        places: list[float] = []
        for needle in plan.planted:
            place = _free_place(self._taken, needle.depth, gap=self.gap)
            if place is None:
                for taken in places:
                    self._taken.remove(taken)
                return False
            insort(self._taken, place)
            places.append(place)
        self._topics.add(plan.topic)
        self.plans.append((plan, places))
        return True


def _deal(plans: Iterable[CasePlan], *, gap: float, most: int | None) -> list[_Bed]:
    """First fit: each plan goes to the first text that has room for it."""
    beds: list[_Bed] = []
    for plan in plans:
        if not any(bed.take(plan) for bed in beds if most is None or len(bed.plans) < most):
            bed = _Bed(gap)
            if not bed.take(plan):
                raise ConfigError(f"the needles of {plan.id} do not keep their distance; use longer texts")
            beds.append(bed)
    return beds


def _free_place(taken: Sequence[float], wanted: float, *, gap: float) -> float | None:
    """The place nearest to the one wanted that is `gap` from all that are taken (sorted), if it is near enough."""
    places = (_free_above(taken, wanted, gap), _free_below(taken, wanted, gap))
    near = [place for place in places if 0 <= place <= 1 and abs(place - wanted) <= _TOLERANCE]
    return min(near, key=lambda place: abs(place - wanted)) if near else None


def _free_above(taken: Sequence[float], place: float, gap: float) -> float:
    for number in range(bisect_right(taken, place - gap), len(taken)):
        if taken[number] - place >= gap:
            break
        place = taken[number] + gap
    return place


def _free_below(taken: Sequence[float], place: float, gap: float) -> float:
    for number in range(bisect_left(taken, place + gap) - 1, -1, -1):
        if place - taken[number] >= gap:
            break
        place = taken[number] - gap
    return place


@dataclass(frozen=True, slots=True)
class _Insertion:
    """A needle that goes into a block after `offset` characters; `owner` is its plan and its number there."""

    offset: int
    owner: tuple[int, int]
    text: str


def _sow(filler: Filler, bed: _Bed, *, length: int, seed: int, number: int) -> GoldText:
    needles = [needle for plan, _ in bed.plans for needle in plan.planted]
    tokens = length - sum(estimate_tokens(f"{needle.text} ") for needle in needles)
    if tokens < length / 2:
        raise ConfigError("the needles would take more of the text than the filler; use longer texts")
    first = seeded(seed, f"filler {number}").randrange(len(filler.blocks))
    blocks = filler.stretch(tokens, first=first)
    insertions = _insertions(blocks, bed, filler.language)
    builder = DocumentBuilder(_GENERATOR, f"{filler.name}, {length:,} tokens, {number + 1}")
    builder.metadata = Metadata(title=f"{filler.name}, {length:,} tokens", language=filler.language)
    spans = dict(_build(builder, blocks, insertions))
    plans = [plan for plan, _ in bed.plans]
    cases = tuple(_case(plan, i, spans, length, wrong=_wrong_answers(plan, plans)) for i, plan in enumerate(plans))
    return GoldText(builder.build(), cases, Recipe(_GENERATOR, GENERATOR_VERSION, filler.identity, seed))


def _insertions(blocks: Sequence[FillerBlock], bed: _Bed, language: str) -> dict[int, list[_Insertion]]:
    """What goes into each block, in the order of the offsets."""
    ends = array("Q", accumulate(len(block.text) + _JOINT for block in blocks))
    tolerance = min(_FURTHEST_BORDER, int(ends[-1] * _BORDER_TOLERANCE))
    found: defaultdict[int, list[_Insertion]] = defaultdict(list)
    for i, (plan, places) in enumerate(bed.plans):
        for j, (needle, place) in enumerate(zip(plan.planted, places, strict=True)):
            wanted = int(place * (ends[-1] - _JOINT))
            number = min(bisect_right(ends, wanted), len(blocks) - 1)
            home = _prose_near(blocks, number)
            text = blocks[home].text
            inside = wanted - (ends[home] - len(text) - _JOINT)
            clipped = max(0, min(len(text), inside))
            offset = place_near(text, clipped, tolerance=tolerance, language=language)
            found[home].append(_Insertion(offset, (i, j), needle.text))
    for insertions in found.values():
        insertions.sort(key=lambda insertion: insertion.offset)
    return found


def _prose_near(blocks: Sequence[FillerBlock], number: int) -> int:
    """The block of prose nearest to a block; the block itself where a short text has none."""
    nearby = (near for away in range(len(blocks)) for near in (number + away, number - away))
    return next((i for i in nearby if 0 <= i < len(blocks) and blocks[i].kind in PROSE), number)


def _build(
    builder: DocumentBuilder, blocks: Sequence[FillerBlock], insertions: dict[int, list[_Insertion]]
) -> Iterator[tuple[tuple[int, int], Span]]:
    """Add all blocks; gives the span of each needle under its owner."""
    for number, block in enumerate(blocks):
        planted = insertions.get(number, ())
        text, offsets = _opened(block.text, planted)
        start = builder.add_block(text, block.kind, level=block.level)
        for insertion, offset in zip(planted, offsets, strict=True):
            begins = (start or 0) + offset
            yield insertion.owner, (begins, begins + len(insertion.text))


def _opened(text: str, insertions: Sequence[_Insertion]) -> tuple[str, list[int]]:
    """A text with needles in it, and where they begin."""
    if not insertions:
        return text, []
    opened, position = "", 0
    offsets: list[int] = []
    for insertion in insertions:
        before = text[position : insertion.offset].strip()
        opened = " ".join(filter(None, (opened, before)))
        offsets.append(len(opened) + 1 if opened else 0)
        opened = " ".join(filter(None, (opened, insertion.text)))
        position = insertion.offset
    return " ".join(filter(None, (opened, text[position:].strip()))), offsets


def _wrong_answers(plan: CasePlan, plans: Sequence[CasePlan]) -> tuple[str, ...]:
    """What the decoys of a plan say, else what its fellows ask for, without what stands in its own words too."""
    if plan.wrong_answers:
        return plan.wrong_answers
    own = "\n".join((plan.question, *plan.answers, *(needle.text for needle in plan.needles))).casefold()
    fellows = dict.fromkeys(answer for other in plans if other is not plan for answer in other.answers)
    return tuple(answer for answer in fellows if answer.casefold() not in own)


def _case(
    plan: CasePlan, number: int, spans: dict[tuple[int, int], Span], length: int, *, wrong: tuple[str, ...]
) -> GoldCase:
    found = [spans[number, i] for i in range(len(plan.planted))]
    return GoldCase(
        id=f"{plan.id}/{length}",
        kind=plan.kind,
        question=plan.question,
        answers=plan.answers,
        spans=tuple(found[: len(plan.needles)]),
        decoys=tuple(found[len(plan.needles) :]),
        depth=plan.needles[0].depth,
        length=length,
        wrong_answers=wrong,
    )
