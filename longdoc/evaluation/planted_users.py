"""Made users with a preference that is known, and questions whose right answers follow from it, for LaMP's seven tasks.

A preference is a field of research, a favourite tag, a shift of ratings, a form of titles, a manner of writing. It
holds for four of five items, so that one item may mislead; the others are as anybody's. A set has as many users with
histories as are asked for, and for every ten of them three whom little is known of: nothing, one item, two.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Final

from longdoc.agents.profile_tasks import BUILT_IN, MOVIE_TAGS
from longdoc.errors import ConfigError
from longdoc.evaluation.lamp_set import LampQuestion, LampSet, LampUser
from longdoc.storage.profile_types import NewItem

_START = datetime(2024, 1, 1, tzinfo=UTC)
_ASKED = datetime(2025, 1, 1, tzinfo=UTC)
_FEWEST, _MOST = 12, 30
_QUESTIONS = 3
_AS_ANYBODY = 5
"""One item in so many does not follow the preference."""
_COLD_EVERY, _COLD = 10, 3

FIELDS: Final = {
    "marine biology": ("corals", "plankton", "seagrass", "lagoons", "upwelling", "molluscs", "estuaries", "mangroves"),
    "compiling": ("compilers", "parsers", "registers", "closures", "inlining", "linkers", "bytecode", "lexers"),
    "sacred music": ("hymnals", "plainsong", "polyphony", "organs", "cadences", "breviaries", "antiphons", "choirs"),
    "glaciology": ("glaciers", "moraines", "permafrost", "icefields", "crevasses", "snowpacks", "drumlins", "eskers"),
    "trade": ("tariffs", "customs", "quotas", "embargoes", "subsidies", "freight", "harbours", "invoices"),
    "bryology": ("lichens", "mosses", "liverworts", "hornworts", "spores", "thalli", "rhizoids", "gametes"),
}
"""Words of fields of research, by their names."""
BASES: Final = {"weak": 2, "fair": 3, "good": 4}
"""What a review reads like, and how anybody would rate it."""
_SHIFTS = (-1, 1)
FORMS: Final = (
    "a note on {subject}",
    "why {subject} matters",
    "{subject} explained at last",
    "how we came upon {subject}",
    "notes from the desk about {subject}",
    "{subject} and what came after",
    "the trouble with {subject}",
    "once more {subject}",
)
"""Forms of titles."""
MANNERS: Final = (
    "honestly {text} lol",
    "ok so {text} and that is that",
    "hear me out friends {text} thank you",
    "breaking news {text} more at ten",
    "{text} said nobody ever",
    "dear diary {text} yours truly",
)
"""Manners of writing."""
_ADJECTIVES = ("green", "quiet", "broken", "double", "hidden", "northern", "paper", "rusty", "second", "wooden")
_NOUNS = ("bridge", "clock", "garden", "kettle", "ladder", "mirror", "parcel", "ribbon", "stove", "whistle")
_PLACES = ("by the river", "in the attic", "at the station", "behind the mill", "under the stairs", "on the pier")
_DOINGS = ("was painted over", "was left alone", "went missing", "was found again", "was sold twice", "fell apart")
_FILLERS = (
    "Nobody had asked for it before.",
    "It took the better part of a week.",
    "Two neighbours came to look.",
    "The weather was no help at all.",
    "Some say that it could have been done sooner.",
)
_TAGS = MOVIE_TAGS[1:]

_Maker = Callable[[Random], "_Person"]


@dataclass(frozen=True, slots=True)
class _Person:
    """What a person makes, item by number, as they like it or as anybody would, and what they are asked: text, gold,
    searched text, and what the target would have."""

    item: Callable[[Random, int, bool], tuple[str, str | None]]
    question: Callable[[Random], tuple[str, str, str | None, tuple[str, ...]]]


def planted_set(task: str, users: int, *, seed: int = 0) -> LampSet:
    """So many users with histories and those whom little is known of, for a task of LaMP; the same for the same seed.

    Raises `ConfigError` for another task, or no user.
    """
    if task not in _MAKERS:
        raise ConfigError(f"nothing is planted for {task!r}; choose from: {', '.join(_MAKERS)}")
    if users < 1:
        raise ConfigError("at least one user is to be made")
    people = [f"user {number:04}" for number in range(users)]
    people += [f"newcomer {number:04}" for number in range(_COLD * -(-users // _COLD_EVERY))]
    made = [_made(task, name, seed=seed) for name in people]
    recipe = json.dumps(["planted users", 1, task, users, seed])
    return _set_of(task, [user for user, _ in made], [one for _, asked in made for one in asked], recipe)


def planted_sets(users: int, *, seed: int = 0, tasks: Sequence[str] = ()) -> list[LampSet]:
    """A set for each task, for all seven where none is named. Raises `ConfigError`."""
    return [planted_set(task, users, seed=seed) for task in tasks or _MAKERS]


def swapped(planted: LampSet) -> LampSet:
    """The same with the profiles of users exchanged, each with the next one's that has a history."""
    users = list(planted.users())
    long = [user for user in users if len(user.items) >= _FEWEST]
    others = dict(zip((user.name for user in long), [*long[1:], *long[:1]], strict=True))
    given = [replace(user, items=others[user.name].items) if user.name in others else user for user in users]
    return _set_of(planted.task.name, given, planted.questions, f"{planted.digest} swapped")


def _set_of(task: str, users: Sequence[LampUser], questions: Sequence[LampQuestion], recipe: str) -> LampSet:
    def each() -> Iterator[LampUser]:
        return iter(users)

    return LampSet(f"planted {task}", BUILT_IN[task], questions, each, sha256(recipe.encode()).hexdigest())


def _made(task: str, name: str, *, seed: int) -> tuple[LampUser, list[LampQuestion]]:
    random = Random(f"{seed} {task} {name}")  # noqa: S311 - nothing is secret, and all of it must come out again
    person = _MAKERS[task](random)
    cold = name.startswith("newcomer")
    count = int(name.split()[1]) % _COLD if cold else random.randint(_FEWEST, _MOST)
    items: list[NewItem] = []
    for number in range(count):
        text, output = person.item(random, number, number % _AS_ANYBODY < _AS_ANYBODY - 1)
        items.append(NewItem(task, f"item {number}", text, output, _START + timedelta(days=number)))
    questions: list[LampQuestion] = []
    for number in range(_QUESTIONS):
        text, gold, searched, targets = person.question(random)
        questions.append(LampQuestion(f"{name}, {number}", name, text, gold, searched, targets, _ASKED))
    return LampUser(name, tuple(items)), questions


def _researcher(random: Random) -> _Person:
    own = random.choice(list(FIELDS.values()))
    others = [field for field in FIELDS.values() if field is not own]

    def item(random: Random, number: int, mine: bool) -> tuple[str, str]:
        one, two, three, four = random.sample(own if mine else random.choice(others), 4)
        return f"We study {one} beside {two}, and {three} where there are {four}.", f"On {one} and {two}"

    def question(random: Random) -> tuple[str, str, str, tuple[str, ...]]:
        right, wrong = (" with ".join(random.sample(field, 2)) for field in (own, random.choice(others)))
        place = random.randint(1, 2)
        one, other = (right, wrong) if place == 1 else (wrong, right)
        title = f"A study in parts, number {random.randint(1, 10**6)}"
        return f'Title: "{title}"\n[1]: "{one}"\n[2]: "{other}"', f"[{place}]", f"{one}\n{other}", (title,)

    return _Person(item, question)


def _tagger(random: Random) -> _Person:
    own = random.choice(_TAGS)

    def item(random: Random, number: int, mine: bool) -> tuple[str, str]:
        return _story(random), own if mine else random.choice(_TAGS)

    def question(random: Random) -> tuple[str, str, None, tuple[str, ...]]:
        text = _story(random)
        return text, own, None, (text,)

    return _Person(item, question)


def _rater(random: Random) -> _Person:
    shift = random.choice(_SHIFTS)

    def review(random: Random, number: int) -> tuple[str, int]:
        word = list(BASES)[number % len(BASES)]
        return f"{_story(random)} All in all it was {word}.", BASES[word]

    def item(random: Random, number: int, mine: bool) -> tuple[str, str]:
        text, base = review(random, number)
        return text, str(base + shift * mine)

    def question(random: Random) -> tuple[str, str, None, tuple[str, ...]]:
        text, base = review(random, random.randrange(len(BASES)))
        return text, str(base + shift), None, (text,)

    return _Person(item, question)


def _titler(random: Random) -> _Person:
    form = random.choice(FORMS)

    def about(random: Random) -> tuple[str, str]:
        subject = f"the {random.choice(_ADJECTIVES)} {random.choice(_NOUNS)}"
        return f"This is about {subject}. {_story(random)}", subject

    def item(random: Random, number: int, mine: bool) -> tuple[str, str]:
        text, subject = about(random)
        return text, form.format(subject=subject) if mine else subject

    def question(random: Random) -> tuple[str, str, None, tuple[str, ...]]:
        text, subject = about(random)
        return text, form.format(subject=subject), None, (text,)

    return _Person(item, question)


def _poster(random: Random) -> _Person:
    manner = random.choice(MANNERS)

    def plain(random: Random) -> str:
        adjective, noun = random.choice(_ADJECTIVES), random.choice(_NOUNS)
        return f"the {adjective} {noun} {random.choice(_PLACES)} {random.choice(_DOINGS)} today"

    def item(random: Random, number: int, mine: bool) -> tuple[str, None]:
        text = plain(random)
        return manner.format(text=text) if mine else text, None

    def question(random: Random) -> tuple[str, str, None, tuple[str, ...]]:
        text = plain(random)
        gold = manner.format(text=text)
        return text, gold, None, (text, gold)

    return _Person(item, question)


def _story(random: Random) -> str:
    """A few sentences that say nothing of anybody's preference."""
    what = f"The {random.choice(_ADJECTIVES)} {random.choice(_NOUNS)} {random.choice(_PLACES)}"
    return f"{what} {random.choice(_DOINGS)} in {random.randint(1800, 2020)}. {' '.join(random.sample(_FILLERS, 3))}"


_MAKERS: Final[dict[str, _Maker]] = {
    "lamp-1": _researcher,
    "lamp-2": _tagger,
    "lamp-3": _rater,
    "lamp-4": _titler,
    "lamp-5": _titler,
    "lamp-6": _titler,
    "lamp-7": _poster,
}
