"""Key-value threads: a JSON object of random UUIDs in which values are looked up, or followed from one to the next.

Owns the texts and their cases. Nothing of them is known from elsewhere, and a thread is found only by asking again with
what was found: independent scoring of segments must fail there. Source: "Needle Threading" (Roberts et al., ICLR 2025);
25 pairs are 2,000 characters as there, the generator is our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from random import Random
from typing import Final, Literal
from uuid import UUID

from longdoc.documents.builder import DocumentBuilder
from longdoc.documents.document import BlockKind, Metadata
from longdoc.errors import ConfigError
from longdoc.evaluation.gold import GoldCase, GoldText, Recipe, Span, seeded

GENERATOR_VERSION: Final = 1
"""Raised when the same request would give other texts."""

CHARACTERS_A_PAIR: Final = 80
"""Tokenizers differ widely on UUIDs: four characters to a token by the estimate, nearer to two in truth."""

MOST_STEPS: Final = 25
LEAST_STEPS: Final = 2

_GENERATOR = "threads"
_PAIRS_A_BLOCK = 25
_LEAST_PAIRS = 50
_FULLEST = 0.5
"""What share of the pairs of a text may be asked for, at most."""
_MARK = "*"
_TRIES = 20


class ThreadKind(StrEnum):
    """What is asked: the value of a key, of several, of all with a mark; the end of a thread, or of several."""

    ONE = "one"
    MANY = "many"
    CONDITIONAL = "conditional"
    THREAD = "thread"
    THREADS = "threads"


@dataclass(frozen=True, slots=True)
class ThreadTask:
    """A question to be made.

    `count` is how many keys are asked for, or threads at once; `steps` how often a value is looked up as a key, towards
    the end of the text (`forward`) or its beginning. `clustered` keys stand next to each other. A single key stands at
    `depth`, where one is given.
    """

    kind: ThreadKind
    count: int = 1
    steps: int = LEAST_STEPS
    direction: Literal["forward", "backward"] = "forward"
    clustered: bool = False
    depth: float | None = None

    def __post_init__(self) -> None:
        """Raises `ConfigError` for what cannot be asked."""
        if self._follows and not LEAST_STEPS <= self.steps <= MOST_STEPS:
            raise ConfigError(f"a thread of {self.steps} steps cannot be made; use {LEAST_STEPS} to {MOST_STEPS}")
        if self.count < 1 or (self.depth is not None and not 0 <= self.depth <= 1):
            raise ConfigError("ask for at least one key, at a depth between 0 and 1")

    @property
    def pairs(self) -> int:
        """How many pairs it takes."""
        return self.count * (self.steps + 1 if self._follows else 1)

    @property
    def _follows(self) -> bool:
        return self.kind in {ThreadKind.THREAD, ThreadKind.THREADS}


def thread_texts(tasks: Sequence[ThreadTask], *, length: int, seed: int) -> Iterator[GoldText]:
    """Texts of `length` tokens (four characters each) that together hold each task once, one after the other.

    The case of a task is named by its number among the tasks. Raises `ConfigError` where a text is too short for one
    of them, before any is made.
    """
    pairs = _pairs(length)
    groups = _groups(tasks, pairs=pairs, length=length)
    return (_text(group, pairs, length=length, seed=seed, number=number) for number, group in enumerate(groups))


def count_thread_texts(tasks: Sequence[ThreadTask], *, length: int) -> int:
    """How many texts `thread_texts` makes of these tasks, without making any. Raises as it does."""
    return len(_groups(tasks, pairs=_pairs(length), length=length))


def longest_question(tasks: Sequence[ThreadTask]) -> str:
    """The longest question that the tasks make, of keys that no text has. Raises `ValueError` for no task."""
    keys = [[str(UUID(int=0))] * task.count for task in tasks]
    return max((_question(task, some, some) for task, some in zip(tasks, keys, strict=True)), key=len)


def _pairs(length: int) -> int:
    return round(4 * length / CHARACTERS_A_PAIR)


def _groups(tasks: Sequence[ThreadTask], *, pairs: int, length: int) -> list[list[tuple[str, ThreadTask]]]:
    """The tasks of each text, by their names. Raises `ConfigError` where a text is too short for one of them."""
    if pairs < _LEAST_PAIRS or any(task.pairs > pairs * _FULLEST for task in tasks):
        need = max([_LEAST_PAIRS, *(2 * task.pairs for task in tasks)])
        raise ConfigError(f"a text of {length} tokens is too short; use at least {need * CHARACTERS_A_PAIR // 4}")
    numbered = [(f"{task.kind}-{number}", task) for number, task in enumerate(tasks, 1)]
    return list(_grouped(numbered, int(pairs * _FULLEST)))


def uuids(random: Random) -> Callable[[int], str]:
    """A function from numbers to UUIDs that gives no UUID for two numbers, whatever number comes when.

    Numbers are shuffled by steps that can be undone (odd factors and shifts), so that nothing has to be kept in mind.
    """
    bits = 122  # a random UUID has six fixed ones
    full = (1 << bits) - 1
    factors = [random.getrandbits(bits) | 1 for _ in range(3)]
    added = random.getrandbits(bits)

    def uuid(number: int) -> str:
        mixed = (number + added) & full
        for factor in factors:
            mixed = (mixed * factor) & full
            mixed ^= mixed >> (bits // 2)
        high, middle, low = mixed >> 74, (mixed >> 62) & 0xFFF, mixed & ((1 << 62) - 1)
        return str(UUID(int=high << 80 | 4 << 76 | middle << 64 | 2 << 62 | low))

    return uuid


def _grouped(tasks: Iterable[tuple[str, ThreadTask]], most: int) -> Iterator[list[tuple[str, ThreadTask]]]:
    """Tasks that share a text: as many as take no more pairs than that, and one that asks for marked keys at most."""
    group: list[tuple[str, ThreadTask]] = []
    for name, task in tasks:
        full = sum(other.pairs for _, other in group) + task.pairs > most
        marked = task.kind is ThreadKind.CONDITIONAL and any(other.kind is task.kind for _, other in group)
        if full or marked:
            yield group
            group = []
        group.append((name, task))
    if group:
        yield group


@dataclass(frozen=True, slots=True)
class _Threaded:
    """A task with the pairs it takes: rows of pairs in the order in which they are followed."""

    name: str
    task: ThreadTask
    rows: Sequence[Sequence[int]]


@dataclass(slots=True)
class _Object:
    """The pairs of a text by their number: pair n has the UUIDs 2n and 2n + 1, unless something else is told of it."""

    uuid: Callable[[int], str]
    keys: dict[int, str] = field(default_factory=dict[int, str])
    values: dict[int, str] = field(default_factory=dict[int, str])

    def key(self, number: int) -> str:
        return self.keys.get(number) or self.uuid(2 * number)

    def value(self, number: int) -> str:
        return self.values.get(number) or self.uuid(2 * number + 1)

    def pair(self, number: int) -> str:
        return f'"{self.key(number)}": "{self.value(number)}"'


def _text(tasks: Sequence[tuple[str, ThreadTask]], pairs: int, *, length: int, seed: int, number: int) -> GoldText:
    random = seeded(seed, f"threads {length} {number}")
    content = _Object(uuids(random))
    chooser = _Chooser(pairs, random)
    threaded = [_Threaded(name, task, chooser.rows(task)) for name, task in _hardest_first(tasks)]
    for one in threaded:
        _thread(content, one, random)
    builder = DocumentBuilder(_GENERATOR, f"threads, {length:,} tokens, {number + 1}")
    builder.metadata = Metadata(title=f"Key-value pairs, {length:,} tokens")
    spans = _build(builder, content, pairs, {n for one in threaded for row in one.rows for n in row})
    cases = sorted((_case(one, content, spans, length) for one in threaded), key=lambda case: _number(case.id))
    return GoldText(
        builder.build(), tuple(_with_wrong_answers(cases)), Recipe(_GENERATOR, GENERATOR_VERSION, "random UUIDs", seed)
    )


def _with_wrong_answers(cases: Sequence[GoldCase]) -> Iterator[GoldCase]:
    """To each case the answers of the others: values of which none is given twice."""
    for case in cases:
        others = (answer for other in cases if other is not case for answer in other.answers)
        yield replace(case, wrong_answers=tuple(others))


def _number(case_id: str) -> int:
    return int(case_id.partition("/")[0].rpartition("-")[2])


def _hardest_first(tasks: Sequence[tuple[str, ThreadTask]]) -> list[tuple[str, ThreadTask]]:
    """What has to stand somewhere is placed before what may stand anywhere."""
    return sorted(tasks, key=lambda named: (named[1].depth is None, not named[1].clustered))


class _Chooser:
    """Gives out pairs, none twice."""

    def __init__(self, pairs: int, random: Random) -> None:
        self._pairs = pairs
        self._random = random
        self._taken: set[int] = set()

    def rows(self, task: ThreadTask) -> list[list[int]]:
        """The pairs of a task: for each thread a row in the order of its steps, else one row."""
        if task.kind in {ThreadKind.THREAD, ThreadKind.THREADS}:
            return [self._row(task) for _ in range(task.count)]
        if task.clustered:
            return [self._cluster(task.count)]
        if task.depth is not None:
            return [sorted(self._near(task.depth) for _ in range(task.count))]
        return [sorted(self._free(task.count))]

    def _row(self, task: ThreadTask) -> list[int]:
        return sorted(self._free(task.steps + 1), reverse=task.direction == "backward")

    def _free(self, count: int) -> list[int]:
        chosen: list[int] = []
        while len(chosen) < count:
            number = self._random.randrange(self._pairs)
            if number not in self._taken:
                self._taken.add(number)
                chosen.append(number)
        return chosen

    def _near(self, depth: float) -> int:
        wanted = round(depth * (self._pairs - 1))
        near = (number for away in range(self._pairs) for number in (wanted - away, wanted + away))
        number = next(n for n in near if 0 <= n < self._pairs and n not in self._taken)
        self._taken.add(number)
        return number

    def _cluster(self, count: int) -> list[int]:
        """Neighbours where there are as many in a row, else as near to each other as may be."""
        for _ in range(_TRIES):
            first = self._random.randrange(self._pairs - count + 1)
            cluster = range(first, first + count)
            if self._taken.isdisjoint(cluster):
                self._taken.update(cluster)
                return list(cluster)
        depth = self._random.random()
        return sorted(self._near(depth) for _ in range(count))


def _thread(content: _Object, one: _Threaded, random: Random) -> None:
    """Make what a task asks for: marked keys, and values that are the next key."""
    for row in one.rows:
        if one.task.kind is ThreadKind.CONDITIONAL:
            content.keys.update((number, _marked(content.key(number), random)) for number in row)
        if one.task.kind in {ThreadKind.THREAD, ThreadKind.THREADS}:
            content.values.update((a, content.key(b)) for a, b in pairwise(row))


def _marked(key: str, random: Random) -> str:
    places = [place for place, character in enumerate(key) if character != "-"]
    place = random.choice(places)
    return f"{key[:place]}{_MARK}{key[place + 1 :]}"


def _build(builder: DocumentBuilder, content: _Object, pairs: int, asked: set[int]) -> Mapping[int, Span]:
    """Add the object in blocks of 25 pairs, each pair on a line; returns the spans of those asked for."""
    spans: dict[int, Span] = {}
    for first in range(0, pairs, _PAIRS_A_BLOCK):
        numbers = range(first, min(first + _PAIRS_A_BLOCK, pairs))
        opening, closing = "{\n" * (first == 0), "\n}" if numbers.stop == pairs else ","
        lines = [content.pair(number) for number in numbers]
        start = builder.add_block(opening + ",\n".join(lines) + closing, BlockKind.CODE)
        position = (start or 0) + len(opening)
        for number, line in zip(numbers, lines, strict=True):
            if number in asked:
                spans[number] = (position, position + len(line))
            position += len(line) + 2
    return spans


def _case(one: _Threaded, content: _Object, spans: Mapping[int, Span], length: int) -> GoldCase:
    task = one.task
    ends = [row[-1] for row in one.rows] if task.kind in {ThreadKind.THREAD, ThreadKind.THREADS} else one.rows[0]
    return GoldCase(
        id=f"{one.name}/{length}",
        kind=task.kind,
        question=_question(task, [content.key(row[0]) for row in one.rows], [content.key(n) for n in one.rows[0]]),
        answers=tuple(content.value(number) for number in ends),
        spans=tuple(spans[number] for row in one.rows for number in row),
        depth=task.depth,
        length=length,
        all_answers=True,
    )


def _question(task: ThreadTask, starts: Sequence[str], keys: Sequence[str]) -> str:
    match task.kind:
        case ThreadKind.ONE | ThreadKind.MANY if len(keys) == 1:
            return f"What is the value of the key {keys[0]}? Answer with the value alone."
        case ThreadKind.ONE | ThreadKind.MANY:
            return f"What are the values of these keys: {', '.join(keys)}? Answer with the values alone, in this order."
        case ThreadKind.CONDITIONAL:
            return f"What are the values of all keys that contain the character {_MARK}? Answer with the values alone."
        case ThreadKind.THREAD | ThreadKind.THREADS:
            several = f"each of these keys: {', '.join(starts)}" if len(starts) > 1 else f"the key {starts[0]}"
            return (
                f"Start with {several}. Look up its value; if that is itself a key, look up its value in turn, and so "
                "on until a value is no key. What is the last value? Answer with "
                f"{'the last values alone, in this order' if len(starts) > 1 else 'that value alone'}."
            )
