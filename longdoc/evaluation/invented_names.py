"""Names of people and places that nobody has, from a seed: what is planted must not be known from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from random import Random

# Few and soft sounds, so that no name is a word that anybody would mind.
_SOUNDS = """
b br d dr f g gr h j k kl kr l m n r s st t tr v w
a e i o u
l lm ln nd r rl rm rn rv v
"""
_ONSETS, _VOWELS, _MIDDLES = (line.split() for line in _SOUNDS.strip().splitlines())
_ENDS = """
a an ek el en eth ia in is o on or us yn
ack and ard ath ell en ett ost oft olm ord orn osk ow ulf usk
beth bury dal dorf field holm mere mouth nitz stad stow thorpe tova wick
"""
_FIRST_ENDS, _LAST_ENDS, _PLACE_ENDS = (line.split() for line in _ENDS.strip().splitlines())


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person; no other one has either name, unless it is asked for."""

    first: str
    last: str

    @property
    def name(self) -> str:
        """Both names."""
        return f"{self.first} {self.last}"


class InventedNames:
    """Gives names, none twice, and none of the words to be avoided (which are lower case)."""

    def __init__(self, random: Random, *, avoid: Set[str] = frozenset()) -> None:
        self._random = random
        self._used = set(avoid)

    def person(self) -> Person:
        """A new person."""
        return Person(self.first(), self.last())

    def first(self) -> str:
        """A new first name."""
        return self._new(lambda: self._stem() + self._one_of(_FIRST_ENDS))

    def last(self) -> str:
        """A new last name."""
        return self._new(lambda: self._stem() + self._one_of(_LAST_ENDS))

    def place(self) -> str:
        """A new name of a town."""
        return self._new(lambda: self._stem() + self._one_of(_VOWELS) + self._one_of(_PLACE_ENDS))

    def _stem(self) -> str:
        return self._one_of(_ONSETS) + self._one_of(_VOWELS) + self._one_of(_MIDDLES)

    def _one_of(self, sounds: Sequence[str]) -> str:
        return self._random.choice(sounds)

    def _new(self, make: Callable[[], str]) -> str:
        while (name := make()) in self._used:
            pass
        self._used.add(name)
        return name.capitalize()
