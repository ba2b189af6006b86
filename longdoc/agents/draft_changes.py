"""Changes of a plan, each a new plan; and which sections they leave to be written.

Sections are named by their number in the plan, from 1. What is written stays where nothing of its own line changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum

from longdoc.agents.draft_budget import TOLERANCE
from longdoc.errors import ConfigError
from longdoc.storage.draft_types import DraftPlan, PlannedSection, SectionText


class SectionState(StrEnum):
    """Where a section stands. `STALE`: its line was changed after it was written; `EDITED`: a person wrote it."""

    PLANNED = "planned"
    WRITTEN = "written"
    EDITED = "edited"
    STALE = "stale"

    @property
    def open(self) -> bool:
        """Whether it has to be written."""
        return self in {SectionState.PLANNED, SectionState.STALE}


def state_of(section: PlannedSection, text: SectionText | None) -> SectionState:
    """Where a section stands that holds this text. Budgets may move by 15% before a text is stale."""
    if text is None or not section.version:
        return SectionState.PLANNED
    if text.edited:
        return SectionState.EDITED
    then, now = {**text.line}, {**section.line}
    before, _ = then.pop("words", None), now.pop("words")
    moved = isinstance(before, int) and abs(section.words - before) > TOLERANCE * before
    return SectionState.STALE if moved or then != now else SectionState.WRITTEN


def open_sections(plan: DraftPlan, texts: Mapping[int, SectionText]) -> list[int]:
    """The numbers, from 0, of the sections that have to be written; locked ones with a text have not."""
    return [
        number
        for number, section in enumerate(plan.sections)
        if state_of(section, texts.get(section.id)).open and not (section.locked and section.version)
    ]


def inserted(plan: DraftPlan, number: int, section: PlannedSection) -> DraftPlan:
    """With a section before the one with that number, or at the end with one more than there are; it stands under the
    part of the one before it. Raises `ConfigError` for another number."""
    if not 1 <= number <= len(plan.sections) + 1:
        raise ConfigError(f"a section can be put in at 1 to {len(plan.sections) + 1}, not at {number}")
    beside = plan.sections[max(0, number - 2)].path if plan.sections else ()
    sections = list(plan.sections)
    sections.insert(number - 1, replace(section, path=section.path or beside))
    return replace(plan, sections=tuple(sections))


def moved(plan: DraftPlan, number: int, to: int) -> DraftPlan:
    """With a section at another place, under the part of the one that was there. Raises `ConfigError`."""
    _check(plan, number)
    _check(plan, to)
    sections = list(plan.sections)
    path = sections[to - 1].path
    section = replace(sections.pop(number - 1), path=path)
    sections.insert(to - 1, section)
    return replace(plan, sections=tuple(sections))


def dropped(plan: DraftPlan, numbers: Sequence[int]) -> DraftPlan:
    """Without some sections. Raises `ConfigError`, also where none would be left."""
    for number in numbers:
        _check(plan, number)
    kept = tuple(section for at, section in enumerate(plan.sections, 1) if at not in numbers)
    if not kept:
        raise ConfigError("a draft needs a section; lda write delete removes the whole draft")
    return replace(plan, sections=kept)


def locked(plan: DraftPlan, numbers: Sequence[int], *, lock: bool) -> DraftPlan:
    """With some sections that are not written again, or may be. Raises `ConfigError`."""
    return _changed(plan, numbers, lambda section: replace(section, locked=lock))


def opened_again(plan: DraftPlan, numbers: Sequence[int], comment: str) -> DraftPlan:
    """With some sections to be written anew, heeding a comment. Raises `ConfigError`, also for one that is locked."""
    for number in numbers:
        _check(plan, number)
        if plan.sections[number - 1].locked:
            raise ConfigError(f"section {number} is locked; lda write lock --off opens it")
    return _changed(plan, numbers, lambda section: replace(section, version=0, comment=comment))


def holding(plan: DraftPlan, section: int, version: int) -> DraftPlan:
    """With the section of that id holding a version."""
    return replace(
        plan,
        sections=tuple(replace(one, version=version) if one.id == section else one for one in plan.sections),
    )


def _changed(plan: DraftPlan, numbers: Sequence[int], change: Callable[[PlannedSection], PlannedSection]) -> DraftPlan:
    for number in numbers:
        _check(plan, number)
    sections = (change(section) if at in numbers else section for at, section in enumerate(plan.sections, 1))
    return replace(plan, sections=tuple(sections))


def _check(plan: DraftPlan, number: int) -> None:
    if not 1 <= number <= len(plan.sections):
        raise ConfigError(f"there is no section {number}; the plan has {len(plan.sections)}")
