"""Planning a draft: its words, and its sections with heading, main point and budget, in as many levels as need be.

Source: AgentWrite ("LongWriter", 2024, arXiv 2408.07055), where a plan is free lines, taken as they are. Here it has a
shape, and whatever a model says, the plan that comes out adds up and has a sensible number of sections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import BaseModel, Field

from longdoc.agents.answer_shapes import LENIENT
from longdoc.agents.calls import request_of
from longdoc.agents.draft_budget import (
    LEAST_SECTION,
    MOST_SECTION,
    USUAL_SECTION,
    group_sizes,
    section_bounds,
    share_out,
    usual_sections,
)
from longdoc.agents.draft_plan_lines import (
    PlanLine,
    PlanShape,
    bounded_shape,
    cleaned,
    fit_count,
    listed,
    sections_of,
)
from longdoc.agents.draft_request import MOST_WORDS
from longdoc.agents.events import CallFinished, Emit, Event, Warned
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Engine
from longdoc.errors import InvalidOutputError
from longdoc.prompts.catalogue import Quoted, Variable, render
from longdoc.storage.draft_types import DraftPlan, PlannedSection

PLAN_TEMPERATURE: Final = 0.7
_LINE_TOKENS, _TITLE_TOKENS = 110, 120
_PLAN_SHARE = 0.5
"""Of the window: what a plan may take, the rest is for the instruction."""
_USUAL_WORDS = 1_000
"""Of a text whose length neither the instruction nor the model tells."""
_LENGTH_TOKENS = 32
_MOST_GROUPS = 12
_AROUND = 2
"""So many sections more or fewer than usual a model may choose."""


class _Length(BaseModel):
    model_config = LENIENT

    words: Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class PlanTask:
    """What is to be planned. `chapters`: the number that was asked for; `grounded`: sections look things up in sources;
    `style` is a style sheet; `seed` makes another plan of the same."""

    instruction: Quoted
    words: int
    chapters: int | None = None
    grounded: bool = False
    style: Quoted | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A piece of the text that is to be divided: `above` are the lines it stands under, `beside` tells of its
    neighbours, `levels` are the sizes of the groups that it is divided into before sections."""

    words: int
    levels: tuple[int, ...]
    above: tuple[PlanLine, ...] = ()
    beside: str = ""
    groups: int | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How many of what a stretch is divided into."""

    fewest: int
    most: int
    things: str


class DraftPlanner:
    """Plans drafts on any engine."""

    def __init__(self, engine: Engine, *, emit: Emit, most_section: int = MOST_SECTION) -> None:
        self._engine = engine
        self._emit = emit
        self._most = most_section

    async def length(self, instruction: Quoted) -> int:
        """How many words a text should have that has no length: what the model judges, 1,000 where it does not."""
        prompt = render("write/length", {"instruction": instruction})
        request = request_of(prompt, max_tokens=_LENGTH_TOKENS)
        try:
            said = await call_structured(self._engine, request, _Length, purpose="length", emit=self._emit)
        except InvalidOutputError:
            self._emit(Warned(f"the model tells no length, so it is {_USUAL_WORDS:,} words; --words sets another"))
            return _USUAL_WORDS
        return min(max(said.words, LEAST_SECTION), MOST_WORDS)

    async def plan(self, task: PlanTask) -> DraftPlan:
        """A plan whose budgets add up to the words of the task.

        Raises `InvalidOutputError` where the model gives none, also when asked once more, and what `Engine.complete`
        raises.
        """
        flat = self._most_lines() * min(self._most, USUAL_SECTION)
        stretch = _Stretch(task.words, tuple(size for size in group_sizes(task.words, flat) if size < task.words))
        if task.chapters is not None and task.chapters > 1:
            stretch = _Stretch(task.words, (task.words // task.chapters,), groups=task.chapters)
        title, found = await self._divided(task, stretch)
        return DraftPlan(title, tuple(replace(section, id=number) for number, section in enumerate(found, 1)))

    def _most_lines(self) -> int:
        info = self._engine.info
        room = min(info.context_window * _PLAN_SHARE, info.max_output or info.context_window)
        return max(2, int((room - _TITLE_TOKENS) // _LINE_TOKENS))

    async def _divided(self, task: PlanTask, stretch: _Stretch) -> tuple[str, list[PlannedSection]]:
        """The sections of a stretch, planned level by level; the groups of a level at once."""
        if not stretch.levels:
            return await self._sections(task, stretch)
        count = stretch.groups or min(_MOST_GROUPS, max(2, round(stretch.words / stretch.levels[0])))
        things = "parts" if len(stretch.levels) > 1 else "chapters"
        shape = await self._asked(task, stretch, _Wanted(count, count, things))
        groups = fit_count(cleaned(shape.sections), count, count)
        sizes = share_out(stretch.words, [1.0 if stretch.groups else group.words for group in groups])
        beside = "\n".join(f"- {group.heading}: {group.main_point}" for group in groups)
        inner = [
            _Stretch(size, stretch.levels[1:], (*stretch.above, group), beside)
            for group, size in zip(groups, sizes, strict=True)
        ]
        planned = await asyncio.gather(*(self._divided(task, one) for one in inner))
        return shape.title.strip(), [section for _, sections in planned for section in sections]

    async def _sections(self, task: PlanTask, stretch: _Stretch) -> tuple[str, list[PlannedSection]]:
        fewest, most = section_bounds(stretch.words, self._most)
        usual = usual_sections(stretch.words, self._most)
        wanted = _Wanted(max(fewest, usual - _AROUND), min(most, usual + _AROUND), "sections")
        shape = await self._asked(task, stretch, wanted)
        lines = fit_count(cleaned(shape.sections), fewest, most)
        path = tuple(line.heading for line in stretch.above)
        return shape.title.strip(), sections_of(lines, stretch.words, path, grounded=task.grounded)

    async def _asked(self, task: PlanTask, stretch: _Stretch, wanted: _Wanted) -> PlanShape:
        """What the model answers; where it keeps to no structure, also when asked once more, the lines it wrote."""
        prompt = render("write/plan", _variables(task, stretch, wanted))
        most = int(self._engine.info.context_window * _PLAN_SHARE)
        tokens = min(_TITLE_TOKENS + _LINE_TOKENS * wanted.most, most, self._engine.info.max_output or most)
        request = request_of(prompt, max_tokens=tokens, temperature=PLAN_TEMPERATURE, seed=task.seed)
        said = _Overheard(self._emit)
        purpose = f"plan of {stretch.above[-1].heading!r}" if stretch.above else "plan"
        shape = bounded_shape(wanted.fewest, wanted.most)
        try:
            return await call_structured(self._engine, request, shape, purpose=purpose, emit=said.hear)
        except InvalidOutputError:
            lines = max(map(listed, said.texts), key=len)
            if not lines:
                raise
            self._emit(Warned("the model keeps to no structure; its plan is read from its lines"))
            return PlanShape(sections=lines)


class _Overheard:
    """Passes events on and keeps the answers."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.texts: list[str] = []

    def hear(self, event: Event) -> None:
        if isinstance(event, CallFinished):
            self.texts.append(event.completion.text)
        self._emit(event)


def _variables(task: PlanTask, stretch: _Stretch, wanted: _Wanted) -> Mapping[str, Variable]:
    return {
        "instruction": task.instruction,
        "style": task.style,
        "whole": Quoted(stretch.beside, {"plan": "above"}),
        "part": _part(stretch.above),
        "words": stretch.words,
        "fewest": wanted.fewest,
        "most": max(wanted.fewest, wanted.most),
        "things": wanted.things,
        "sources": task.grounded and wanted.things == "sections",
    }


def _part(above: Sequence[PlanLine]) -> Quoted | None:
    if not above:
        return None
    text = " > ".join(line.heading for line in above) + f": {above[-1].main_point}"
    return Quoted(text, {"plan": text[:80]})
