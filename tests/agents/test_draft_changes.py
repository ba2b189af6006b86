"""Changes of a plan, and which sections they leave to be written."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.draft_changes import (
    SectionState,
    dropped,
    holding,
    inserted,
    locked,
    moved,
    open_sections,
    opened_again,
    state_of,
)
from longdoc.errors import ConfigError
from longdoc.storage.draft_types import DraftPlan, PlannedSection, SectionText

PLAN = DraftPlan(
    "Salt",
    tuple(PlannedSection(n, f"H{n}", f"P{n}", 400, ("One" if n < 3 else "Two",), version=1) for n in range(1, 5)),
)
TEXTS = {one.id: SectionText(one.id, 1, "text", 400, 400, one.line) for one in PLAN.sections}
NEW = PlannedSection(9, "New", "A new one.", 300)


def ids(plan: DraftPlan) -> list[int]:
    return [section.id for section in plan.sections]


def test_a_section_is_put_in_under_the_part_of_the_one_before_it() -> None:
    assert ids(inserted(PLAN, 1, NEW)) == [9, 1, 2, 3, 4]
    assert inserted(PLAN, 3, NEW).sections[2] == replace(NEW, path=("One",))
    assert inserted(PLAN, 5, NEW).sections[4].path == ("Two",)
    assert inserted(PLAN, 1, replace(NEW, path=("Zero",))).sections[0].path == ("Zero",)
    assert inserted(DraftPlan(), 1, NEW).sections == (NEW,)


def test_a_section_is_moved_under_the_part_of_the_one_that_was_there() -> None:
    assert ids(moved(PLAN, 1, 4)) == [2, 3, 4, 1]
    assert ids(moved(PLAN, 4, 1)) == [4, 1, 2, 3]
    assert moved(PLAN, 4, 1).sections[0].path == ("One",)
    assert moved(PLAN, 2, 2) == PLAN


def test_sections_are_dropped_but_not_all() -> None:
    assert ids(dropped(PLAN, [2, 4, 2])) == [1, 3]
    with pytest.raises(ConfigError, match="needs a section"):
        dropped(PLAN, [1, 2, 3, 4])


def test_locked_sections_are_not_opened_again() -> None:
    plan = locked(PLAN, [2], lock=True)
    assert [section.locked for section in plan.sections] == [False, True, False, False]
    assert locked(plan, [2], lock=False) == PLAN
    with pytest.raises(ConfigError, match="section 2 is locked"):
        opened_again(plan, [1, 2], "More")


def test_sections_are_opened_again_with_a_comment() -> None:
    plan = opened_again(PLAN, [3], "Less of kings.")
    assert (plan.sections[2].version, plan.sections[2].comment) == (0, "Less of kings.")
    assert open_sections(plan, TEXTS) == [2]


def test_a_section_holds_a_version() -> None:
    assert [one.version for one in holding(PLAN, 2, 7).sections] == [1, 7, 1, 1]


OUT_OF_RANGE: dict[str, Callable[[DraftPlan, int], DraftPlan]] = {
    "insert": lambda plan, number: inserted(plan, number + (number > 0), NEW),
    "move": lambda plan, number: moved(plan, number, 1),
    "move to": lambda plan, number: moved(plan, 1, number),
    "drop": lambda plan, number: dropped(plan, [1, number]),
    "lock": lambda plan, number: locked(plan, [number], lock=True),
    "open again": lambda plan, number: opened_again(plan, [number], ""),
}


@pytest.mark.parametrize("number", [-1, 0, 5, 10**9])
@pytest.mark.parametrize("change", sorted(OUT_OF_RANGE))
def test_numbers_out_of_range_are_told(change: str, number: int) -> None:
    with pytest.raises(ConfigError, match=r"no section|not at"):
        OUT_OF_RANGE[change](PLAN, number)
    with pytest.raises(ConfigError):
        OUT_OF_RANGE[change](DraftPlan(), number)


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, SectionState.WRITTEN),
        ({"heading": "Other"}, SectionState.STALE),
        ({"main_point": "Other"}, SectionState.STALE),
        ({"sources": ("x",)}, SectionState.STALE),
        ({"words": 460}, SectionState.WRITTEN),
        ({"words": 340}, SectionState.WRITTEN),
        ({"words": 461}, SectionState.STALE),
        ({"words": 339}, SectionState.STALE),
        ({"path": ("Three",)}, SectionState.WRITTEN),
        ({"comment": "More"}, SectionState.STALE),
        ({"locked": True}, SectionState.WRITTEN),
        ({"version": 0}, SectionState.PLANNED),
    ],
)
def test_a_section_is_stale_only_when_its_own_line_changed(change: dict[str, object], state: SectionState) -> None:
    section = replace(PLAN.sections[0], **change)
    assert state_of(section, TEXTS[1]) is state
    assert state_of(section, None) is SectionState.PLANNED
    if section.version:
        assert state_of(section, replace(TEXTS[1], edited=True)) is SectionState.EDITED


def test_locked_sections_are_written_once() -> None:
    stale = tuple(replace(section, heading="Other") for section in PLAN.sections)
    plan = locked(replace(PLAN, sections=stale), [1, 2], lock=True)
    assert open_sections(plan, TEXTS) == [2, 3]
    empty = replace(plan, sections=tuple(replace(section, version=0) for section in plan.sections))
    assert open_sections(empty, {}) == [0, 1, 2, 3]


CHANGES: list[Callable[[DraftPlan, int, int], DraftPlan]] = [
    lambda plan, one, _: inserted(plan, one, replace(NEW, id=max(9, *ids(plan)) + 1)),
    moved,
    lambda plan, one, _: dropped(plan, [one]),
    lambda plan, one, _: locked(plan, [one], lock=True),
    lambda plan, one, _: opened_again(plan, [one], ""),
]


@given(st.lists(st.tuples(st.sampled_from(range(len(CHANGES))), st.integers(0, 7), st.integers(0, 7)), max_size=20))
def test_any_changes_leave_what_is_written_of_other_sections(changes: list[tuple[int, int, int]]) -> None:
    plan = PLAN
    touched: set[int] = set()
    for kind, one, other in changes:
        try:
            changed = CHANGES[kind](plan, one, other)
        except ConfigError:
            continue
        if kind == len(CHANGES) - 1:
            touched.add(plan.sections[one - 1].id)
        plan = changed
    assert len(set(ids(plan))) == len(plan.sections) > 0
    for section in plan.sections:
        if section.id in TEXTS and section.id not in touched:
            assert state_of(section, TEXTS[section.id]) is SectionState.WRITTEN
