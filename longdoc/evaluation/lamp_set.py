"""Questions about users: what is asked for whom, what they made before, and what the right answer is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from rapidfuzz import fuzz

from longdoc.agents.profile_tasks import ProfileTask
from longdoc.storage.profile_types import NewItem

NEAR: Final = 0.9
"""From this similarity on, an item is a near-duplicate of what is asked."""


@dataclass(frozen=True, slots=True)
class LampQuestion:
    """What is asked for a user: the `text` that the task is done with, and the `gold` output.

    `searched` is what items are found by where that is not the text. `targets` are texts that an item which is the
    target itself would have. Items made `at` that moment (aware) or later are not to be looked at.
    """

    id: str
    user: str
    text: str
    gold: str
    searched: str | None = None
    targets: tuple[str, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LampUser:
    """A user with items; `unread` counts those that had nothing to be read."""

    name: str
    items: tuple[NewItem, ...]
    unread: int = 0


@dataclass(frozen=True, slots=True)
class LampSet:
    """A set for one task. `users` reads them anew at each call, one at a time: they may be more than fit into memory.

    `digest` is another one for other users, items or questions.
    """

    name: str
    task: ProfileTask
    questions: Sequence[LampQuestion]
    users: Callable[[], Iterator[LampUser]]
    digest: str
    remarks: tuple[str, ...] = ()

    def limited(self, limit: int | None) -> LampSet:
        """The same with so many questions at most, taken from each user in turn."""
        if limit is None or limit >= len(self.questions):
            return self
        turns: dict[str, int] = {}
        order: list[tuple[int, int]] = []
        for place, question in enumerate(self.questions):
            turns[question.user] = turns.get(question.user, 0) + 1
            order.append((turns[question.user], place))
        kept = [self.questions[place] for place in sorted(place for _, place in sorted(order)[:limit])]
        wanted = {question.user for question in kept}

        def users() -> Iterator[LampUser]:
            return (user for user in self.users() if user.name in wanted)

        return replace(self, questions=kept, users=users, digest=f"{self.digest} {limit}")


@dataclass(frozen=True, slots=True)
class Kept:
    """The items of a user that may be looked at: without the targets themselves, and near-duplicates where so asked."""

    items: tuple[NewItem, ...]
    targets: int
    near: int


def without_targets(user: LampUser, questions: Sequence[LampQuestion], *, near: bool) -> Kept:
    """The items of a user but those that are the target of a question: of its id, or its text; with `near` also those
    that are more similar to it than `NEAR`."""
    ids = {question.id for question in questions}
    texts = {_plain(text) for question in questions for text in question.targets}
    others = [item for item in user.items if item.key not in ids and texts.isdisjoint(map(_plain, _texts_of(item)))]
    kept = [item for item in others if not (near and any(_is_near(text, texts) for text in _texts_of(item)))]
    return Kept(tuple(kept), len(user.items) - len(others), len(others) - len(kept))


def by_user(questions: Sequence[LampQuestion]) -> Mapping[str, list[LampQuestion]]:
    """The questions of each user, in their order."""
    found: dict[str, list[LampQuestion]] = {}
    for question in questions:
        found.setdefault(question.user, []).append(question)
    return found


def _texts_of(item: NewItem) -> tuple[str, ...]:
    return (item.text,) if item.output is None else (item.text, item.output)


def _is_near(text: str, targets: set[str]) -> bool:
    plain = _plain(text)
    return any(fuzz.ratio(plain, target, score_cutoff=100 * NEAR) > 100 * NEAR for target in targets)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
