"""The contents list of a manuscript as a tree.

Owns the nesting of sections by their levels; each writer gives the addresses and draws it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from longdoc.documents.writers.typesetting import TypesetSection


@dataclass(frozen=True, slots=True)
class ContentsEntry:
    """A line of the contents list with the lines below it."""

    title: str
    address: str
    children: tuple[ContentsEntry, ...]


@dataclass(slots=True)
class _Draft:
    title: str
    address: str
    level: int
    children: list[_Draft] = field(default_factory=list["_Draft"])


def contents_of(
    sections: Sequence[TypesetSection], address: Callable[[int], str], added: Iterable[tuple[str, str]] = ()
) -> tuple[ContentsEntry, ...]:
    """The list of titled sections; `address` gives the place of a section by its number from 1.

    `added` are titles and addresses of what follows the sections.
    """
    root = _Draft("", "", 0)
    open_drafts = [root]
    for number, section in enumerate(sections, 1):
        if not section.title:
            continue
        while open_drafts[-1].level >= section.level:
            open_drafts.pop()
        draft = _Draft(section.title, address(number), section.level)
        open_drafts[-1].children.append(draft)
        open_drafts.append(draft)
    root.children.extend(_Draft(title, place, 1) for title, place in added)
    return _frozen(root).children


def _frozen(draft: _Draft) -> ContentsEntry:
    return ContentsEntry(draft.title, draft.address, tuple(_frozen(child) for child in draft.children))
