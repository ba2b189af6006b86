"""What of a user stands before a request: the summary, and items shortened to a budget of tokens.

Source: LaMP (arXiv 2304.11406) and Richardson and others (arXiv 2310.20081). The released code falls back to a prompt
without anything of the user where the profile does not fit; here items share the budget, and what is cut or left out is
told. Pure: what is counted is given as a function.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from longdoc.agents.profile_tasks import OutputKind, ProfileTask
from longdoc.storage.profile_types import Item, ProfileSummary

FEWEST_FOR_SUMMARY: Final = 3
"""Items of a user: with fewer, a summary says less than they do."""
USUAL_ITEMS, USUAL_ITEMS_BESIDE_SUMMARY = 4, 1
MOST_ITEMS: Final = 50
INPUT_SHARE: Final = 0.6
"""Of the budget: what the input of a request may take."""
_SUMMARY_SHARE = 0.5
"""Of what the input leaves: what the summary may take."""
_LABELS_SHARE = 0.25
"""Of the budget: what labels of the user's own may take."""
_MOST_LABELS, _LONGEST_LABEL = 200, 80
_LEAST_ITEM = 12
"""Tokens of an item; of one with less room nothing is shown."""
_ELLIPSIS = " …"

Count = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item as it is shown; `cut` where that is not all of it."""

    item: Item
    text: str
    tokens: int
    cut: bool


@dataclass(frozen=True, slots=True)
class ProfileContext:
    """What is shown of a user, and what is not: `left_out` are the keys of items that were chosen and did not fit.

    `labels` are the user's own, for a task that names none. `items_known` is how many items there are, `summary_stale`
    whether the summary is out of date, `reason` says in words why there is nothing, or no summary.
    """

    summary: str = ""
    summary_cut: bool = False
    summary_stale: bool = False
    items: tuple[ShownItem, ...] = ()
    left_out: tuple[str, ...] = ()
    items_known: int = 0
    tokens: int = 0
    reason: str = ""
    labels: tuple[str, ...] = ()

    @property
    def personal(self) -> bool:
        """Whether anything of the user is in it."""
        return bool(self.summary or self.items or self.labels)

    @property
    def text(self) -> str:
        """All of it, to be put before a request."""
        parts = [f"What is known of the person:\n{self.summary}"] if self.summary else []
        if self.items:
            shown = "\n".join(f"- {one.text}" for one in self.items)
            parts.append(f"Of the person:\n{shown}")
        if self.labels:
            shown = "\n".join(f"- {one}" for one in self.labels)
            parts.append(f"Labels that the person gives:\n{shown}")
        return "\n\n".join(parts)


def own_labels(task: ProfileTask, items: Sequence[Item]) -> list[str]:
    """The labels that a user has given, the commonest first, for a task that names none. What is long, or has several
    lines, is no label."""
    if task.output is not OutputKind.LABEL or task.labels:
        return []
    given = Counter(label for item in items if _is_label(label := (item.output or "").strip()))
    return sorted(given, key=lambda one: (-given[one], one))[:_MOST_LABELS]


def joined_labels(labels: Sequence[str]) -> str:
    """Labels as they are shown."""
    return "\n".join(labels)


def cut_input(text: str, budget: int, count: Count) -> tuple[str, bool]:
    """The input of a request as far as its share of a budget goes; whether that is not all of it."""
    return _cut(text, int(budget * INPUT_SHARE), count)


def build_context(
    task: ProfileTask,
    ranked: Sequence[Item],
    summary: ProfileSummary | None,
    *,
    known: int,
    take: int | None,
    budget: int,
    count: Count,
    stale: bool = False,
    labels: Sequence[str] = (),
    unsaid: str = "",
) -> ProfileContext:
    """What is shown of a user within a budget of tokens.

    `ranked` are items, the best first, of `known` that there are; `take` of them are shown, where that is None four, or
    one beside a summary. Of the user's `labels` the first are kept. Without items there is no summary either, whatever
    is stored: it says what nobody can look up. `unsaid` is why there is no summary, where it is not for lack of one.
    """
    if not known:
        return ProfileContext(reason="nothing is known of the user")
    kept, label_tokens = _labels_within(labels, int(budget * _LABELS_SHARE), count)
    budget -= label_tokens
    reason = ""
    if summary is None:
        missing = "there is no summary yet" if known >= FEWEST_FOR_SUMMARY else "too few items for a summary"
        reason = unsaid or missing
    elif known < FEWEST_FOR_SUMMARY and not (summary.locked or summary.edited):
        summary, reason = None, "too few items for a summary"
    said, said_cut, used = "", False, 0
    if summary is not None:
        usual = USUAL_ITEMS_BESIDE_SUMMARY if take is None else take
        said, said_cut = _cut(summary.text, int(budget * (_SUMMARY_SHARE if usual else 1)), count)
        used = count(said) if said else 0
        if not said:
            reason = "the summary does not fit"
    take = (USUAL_ITEMS_BESIDE_SUMMARY if said else USUAL_ITEMS) if take is None else take
    chosen = ranked[: min(take, MOST_ITEMS)]
    shown = _shared_out(task, chosen, budget - used, count)
    there = {one.item.number for one in shown}
    left_out = tuple(item.key for item in chosen if item.number not in there)
    if chosen and not said and not shown:
        reason = "nothing of the user fits into the budget"
    return ProfileContext(
        summary=said,
        summary_cut=said_cut,
        summary_stale=bool(said) and stale,
        items=tuple(shown),
        left_out=left_out,
        items_known=known,
        tokens=label_tokens + used + sum(one.tokens for one in shown),
        reason=reason,
        labels=kept,
    )


def _is_label(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_LABEL and text.isprintable()


def _labels_within(labels: Sequence[str], room: int, count: Count) -> tuple[tuple[str, ...], int]:
    """The first labels that fit, and their tokens."""
    low, high = 0, len(labels)
    while low < high:
        middle = (low + high + 1) // 2
        if count(joined_labels(labels[:middle])) <= room:
            low = middle
        else:
            high = middle - 1
    return tuple(labels[:low]), count(joined_labels(labels[:low])) if low else 0


def _shared_out(task: ProfileTask, items: Sequence[Item], budget: int, count: Count) -> list[ShownItem]:
    """Items within a budget: each has an equal share, and what one does not need the others have. Those that would have
    too little are left out, the worst first."""
    kept = list(items)
    while kept and budget // len(kept) < _LEAST_ITEM:
        kept.pop()
    sizes = [count(task.clause_of(item.text, item.output)) for item in kept]
    shares = _shares(sizes, budget)
    shown: list[ShownItem] = []
    spare = 0
    for item, size, share in zip(kept, sizes, shares, strict=True):
        room = share + spare
        text, cut = _clause_within(task, item, room, count, size)
        tokens = count(text) if cut else size
        if text and tokens <= room:
            shown.append(ShownItem(item, text, tokens, cut))
            spare = room - tokens
        else:
            spare = room
    return shown


def _shares(sizes: Sequence[int], budget: int) -> list[int]:
    """An equal share of a budget for each; what is over of one that needs less is shared by the rest."""
    shares = [0] * len(sizes)
    open_ = sorted(range(len(sizes)), key=sizes.__getitem__)
    left = budget
    while open_:
        place = open_.pop(0)
        shares[place] = min(sizes[place], left // (len(open_) + 1))
        left -= shares[place]
    return shares


def _clause_within(task: ProfileTask, item: Item, room: int, count: Count, size: int) -> tuple[str, bool]:
    """A clause within so many tokens: the text of the item is cut, not what came out of it; empty where even that does
    not fit."""
    if size <= room:
        return task.clause_of(item.text, item.output), False
    text, _ = _cut(item.text, room, lambda part: count(task.clause_of(part, item.output)))
    return (task.clause_of(text, item.output) if text else ""), True


def _cut(text: str, room: int, count: Count) -> tuple[str, bool]:
    """A text up to the last word within so many tokens; whether that is not all of it."""
    if count(text) <= room:
        return text, False
    words = text.split(" ")
    low, high = 0, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        if count(" ".join(words[:middle]) + _ELLIPSIS) <= room:
            low = middle
        else:
            high = middle - 1
    if not low and count(text[:1]) <= room:
        return _cut_signs(text, room, count), True  # a script without spaces
    return (" ".join(words[:low]).rstrip() + _ELLIPSIS if low else ""), True


def _cut_signs(text: str, room: int, count: Count) -> str:
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if count(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return text[:low]
