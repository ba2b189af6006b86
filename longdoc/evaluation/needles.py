"""Needles: invented facts to be planted in a text and asked for, in five kinds.

Owns the plans of cases; planting them is `planted.py`. Kinds as in the evaluation of XL3M (our specification): a
passkey, a plain fact that shares words with its question, a paraphrased one that shares none, two facts that answer
only together, among others of their forms, and a fact among decoys of the same form. Names are given once, so that
needles of one text do not answer each other's questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from longdoc.errors import ConfigError
from longdoc.evaluation.gold import seeded
from longdoc.evaluation.invented_names import InventedNames, Person
from longdoc.evaluation.needle_forms import BRIDGE_FORMS, DECOY_FORMS, PASSKEY_FORMS, PLAIN_FORMS
from longdoc.evaluation.paraphrases import paraphrases_beside
from longdoc.evaluation.planted import DEPTHS, CasePlan, Needle


class NeedleKind(StrEnum):
    """What a needle is, and hence what it takes to find it.

    `PASSKEY`: a number. `PLAIN`: words in common with the question. `PARAPHRASE`: none in common. `BRIDGE`: two facts,
    both needed, far from each other, beside decoys of both forms. `DECOYS`: others of the same form with other names,
    and nearly the same one.
    """

    PASSKEY = "passkey"
    PLAIN = "plain"
    PARAPHRASE = "paraphrase"
    BRIDGE = "bridge"
    DECOYS = "decoys"


_NEAR = 0.09
_NUMBERS = range(10_000, 100_000)
_MOST_OF_A_KIND = 1_500
"""So many cases of every kind together take most of the names that there are."""


def plan_needles(
    kinds: Sequence[NeedleKind],
    *,
    each: int,
    seed: int,
    depths: Sequence[float] = DEPTHS,
    avoid: Set[str] = frozenset(),
) -> list[CasePlan]:
    """`each` cases of each kind at each depth; the same for the same arguments, whatever the length of the text.

    `avoid` are the words of the filler, in lower case: no name is one of them, and nothing is asked in words of which
    the telling one is there (`paraphrases.py`). Raises `ConfigError` for more cases than there are names, and where
    the filler leaves no paraphrase.
    """
    most = _MOST_OF_A_KIND // max(1, len(depths))
    if not 1 <= each <= most:
        raise ConfigError(f"{each} needles of each kind at each depth cannot be made; ask for between 1 and {most}")
    maker = _Maker(seeded(seed, "needles"), avoid=avoid)
    return [maker.plan(kind, number=i, depth=depth) for kind in kinds for i in range(each) for depth in depths]


@dataclass(frozen=True, slots=True)
class _Place:
    """Which case of its kind it is, and at which depth."""

    id: str
    number: int
    depth: float


class _Maker:
    """Makes plans one after the other."""

    def __init__(self, random: Random, *, avoid: Set[str]) -> None:
        self._random = random
        self._names = InventedNames(random, avoid=avoid)
        self._numbers = iter(random.sample(_NUMBERS, len(_NUMBERS)))
        self._paraphrases = paraphrases_beside(avoid)
        self._made: dict[NeedleKind, int] = {}
        self._makers: Final[Mapping[NeedleKind, Callable[[_Place], CasePlan]]] = {
            NeedleKind.PASSKEY: self._passkey,
            NeedleKind.PLAIN: self._plain,
            NeedleKind.PARAPHRASE: self._paraphrase,
            NeedleKind.BRIDGE: self._bridge,
            NeedleKind.DECOYS: self._with_decoys,
        }

    def plan(self, kind: NeedleKind, *, number: int, depth: float) -> CasePlan:
        made = self._made[kind] = self._made.get(kind, -1) + 1
        return self._makers[kind](_Place(f"{kind}-{round(100 * depth)}-{number + 1}", made, depth))

    def _passkey(self, place: _Place) -> CasePlan:
        form = PASSKEY_FORMS[place.number % len(PASSKEY_FORMS)]
        words = {"place": self._names.place(), "value": self._number()}
        needle = Needle(form.fact.format_map(words), place.depth)
        return _plan(NeedleKind.PASSKEY, place, form.question.format_map(words), (words["value"],), needle)

    def _plain(self, place: _Place) -> CasePlan:
        form = PLAIN_FORMS[place.number % len(PLAIN_FORMS)]
        words = {"name": self._names.person().name, "value": self._random.choice(form.values)}
        needle = Needle(form.fact.format_map(words), place.depth)
        return _plan(NeedleKind.PLAIN, place, form.question.format_map(words), (words["value"],), needle)

    def _paraphrase(self, place: _Place) -> CasePlan:
        if not self._paraphrases:
            raise ConfigError("the text has the telling word of every paraphrased question; leave out that kind")
        one = self._paraphrases[place.number % len(self._paraphrases)]
        person = self._names.person()
        needle = Needle(one.fact.format(name=person.name), place.depth)
        return _plan(NeedleKind.PARAPHRASE, place, one.question, _either_name(person), needle, topic=one.topic)

    def _bridge(self, place: _Place) -> CasePlan:
        form = BRIDGE_FORMS[place.number % len(BRIDGE_FORMS)]
        name, other = self._names.person().name, self._names.person().name
        asked, of_other, of_nobody = ({"link": self._names.place(), "value": self._names.last()} for _ in range(3))
        depths = self._other_depths(place.depth, count=4)
        first = Needle(form.first.format(name=name, **asked), place.depth)
        second = Needle(form.second.format_map(asked), depths[0])
        decoys = (
            Needle(form.first.format(name=other, **of_other), depths[1]),
            Needle(form.second.format_map(of_other), depths[2]),
            Needle(form.second.format_map(of_nobody), depths[3]),
        )
        wrong = of_other["value"], of_nobody["value"]
        question = form.question.format(name=name)
        return _plan(
            NeedleKind.BRIDGE, place, question, (asked["value"],), first, second, decoys=decoys, wrong_answers=wrong
        )

    def _with_decoys(self, place: _Place) -> CasePlan:
        form = DECOY_FORMS[place.number % len(DECOY_FORMS)]
        person, value = self._names.person(), self._number()
        needle = Needle(form.fact.format(name=person.name, value=value), place.depth)
        others = list(self._lookalikes(person))
        wrong = tuple(self._number() for _ in others)
        depths = self._other_depths(place.depth, count=len(others))
        decoys = tuple(
            Needle(form.fact.format(name=name, value=number), depth)
            for name, number, depth in zip(others, wrong, depths, strict=True)
        )
        question = form.question.format(name=person.name)
        return _plan(NeedleKind.DECOYS, place, question, (value,), needle, decoys=decoys, wrong_answers=wrong)

    def _lookalikes(self, person: Person) -> Iterator[str]:
        """Somebody with the same first name, with the same last name, and with neither."""
        yield Person(person.first, self._names.last()).name
        yield Person(self._names.first(), person.last).name
        yield self._names.person().name

    def _number(self) -> str:
        return str(next(self._numbers))

    def _other_depths(self, depth: float, *, count: int) -> list[float]:
        """So many, no two of them near each other or near this one."""
        return self._random.sample([other for other in DEPTHS if abs(other - depth) > _NEAR], count)


def _either_name(person: Person) -> tuple[str, ...]:
    return person.name, person.last, person.first


def _plan(
    kind: NeedleKind,
    place: _Place,
    question: str,
    answers: tuple[str, ...],
    *needles: Needle,
    decoys: tuple[Needle, ...] = (),
    topic: str = "",
    wrong_answers: tuple[str, ...] = (),
) -> CasePlan:
    return CasePlan(place.id, kind, question, answers, needles, decoys, topic, wrong_answers)
