"""Planning a draft: its words, and its sections with heading, main point and budget, in as many levels as need be.

Source: AgentWrite ("LongWriter", 2024, arXiv 2408.07055), where a plan is free lines, taken as they are. Here it has a
shape, and whatever a model says, the plan that comes out adds up and has a sensible number of sections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import BaseModel, Field

from longdoc.agents.answer_shapes import LENIENT
from longdoc.agents.calls import request_of
from longdoc.agents.draft_budget import (
    MOST_SECTION,
    USUAL_SECTION,
    group_size,
    kept_within,
    section_bounds,
    share_out,
    usual_sections,
)
from longdoc.agents.draft_plan_lines import (
    LineCount,
    PlanLine,
    PlanShape,
    bounded_shape,
    fit_count,
    plan_in,
    sections_of,
    whole_line,
)
from longdoc.agents.draft_request import FEWEST_WORDS, MOST_WORDS
from longdoc.agents.events import CallFinished, Emit, Event, Warned
from longdoc.agents.graph import run_graph
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Engine
from longdoc.errors import InvalidOutputError
from longdoc.prompts.catalogue import Quoted, Variable, render
from longdoc.storage.draft_types import DraftPlan, PlannedSection

PLAN_TEMPERATURE: Final = 0.7
_LINE_TOKENS, _LONG_LINE_TOKENS, _TITLE_TOKENS = 110, 160, 120
_PLAN_SHARE = 0.5
"""Of the window: what a plan may take, the rest is for the instruction."""
USUAL_WORDS: Final = 1_000
"""Of a text whose length neither the instruction nor the model tells."""
_LENGTH_TOKENS = 32
_MOST_GROUPS = 12
_SMALLEST_GROUP, _LARGEST_GROUP = 0.5, 2.0
"""Of the mean: the words of a part or chapter."""
_AROUND = 2
"""So many sections more or fewer than usual a model may choose."""
_BESIDE_CHARACTERS = (40, 400)
"""Of a line of the plan above, by how much room there is."""


class _Length(BaseModel):
    model_config = LENIENT

    words: Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True)
class PlanTask:
    """What is to be planned. `chapters`: the number that was asked for, at most one for every two words; `grounded`:
    sections look things up in sources; `style` is a style sheet; `seed` makes another plan of the same."""

    instruction: Quoted
    words: int
    chapters: int | None = None
    grounded: bool = False
    style: Quoted | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A piece of the text that is to be divided: `above` are the lines it stands under, `beside` tells of its
    neighbours, `chapters` is how many were asked for in it."""

    words: int
    above: tuple[PlanLine, ...] = ()
    beside: str = ""
    chapters: int = 1


@dataclass(frozen=True, slots=True)
class _Wanted:
    """How many of what a stretch is divided into; `even`: by chapters of one size, whatever the model says."""

    count: LineCount
    things: str
    even: bool = False


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
            self._emit(Warned(f"the model tells no length, so it is {USUAL_WORDS:,} words; --words sets another"))
            return USUAL_WORDS
        return min(max(said.words, FEWEST_WORDS), MOST_WORDS)

    async def plan(self, task: PlanTask) -> DraftPlan:
        """A plan whose budgets add up to the words of the task.

        Each question is asked at most twice; where the model gives no plan also then, the text is divided evenly, which
        is told. Raises what `Engine.complete` raises.
        """
        title, found = await self._divided(task, _Stretch(task.words, chapters=max(1, task.chapters or 1)))
        return DraftPlan(title, tuple(replace(section, id=number) for number, section in enumerate(found, 1)))

    async def _divided(self, task: PlanTask, stretch: _Stretch) -> tuple[str, list[PlannedSection]]:
        """The sections of a stretch, planned level by level; the groups of a level at once."""
        wanted = self._groups(task, stretch)
        if wanted is None:
            return await self._sections(task, stretch)
        count = wanted.count.limit
        shape = await self._asked(task, stretch, wanted)
        groups = fit_count(shape.sections, count, count)
        beside = self._told(groups)
        chapters = share_out(max(count, stretch.chapters), [1.0] * count)
        sizes = share_out(stretch.words, chapters) if wanted.even else _sizes(stretch.words, groups)
        inner = [
            _Stretch(words, (*stretch.above, group), beside, several)
            for group, words, several in zip(groups, sizes, chapters, strict=True)
        ]
        planned: dict[int, list[PlannedSection]] = {}

        async def plan_group(number: int) -> None:
            planned[number] = (await self._divided(task, inner[number]))[1]

        await run_graph([()] * count, plan_group)
        return shape.title, [section for number in range(count) for section in planned[number]]

    def _groups(self, task: PlanTask, stretch: _Stretch) -> _Wanted | None:
        """What a stretch is divided into before its sections, if anything."""
        lines = self._most_lines()
        if stretch.chapters > lines:  # more chapters than one answer holds
            return _Wanted(LineCount.exactly(min(lines, -(-stretch.chapters // lines))), "parts", even=True)
        if stretch.chapters > 1:
            return _Wanted(LineCount.exactly(stretch.chapters), "chapters", even=True)
        size = group_size(stretch.words, lines * min(self._most, USUAL_SECTION))
        if size is None:
            return None
        count = min(_MOST_GROUPS, lines, max(2, round(stretch.words / size)))
        further = group_size(stretch.words // count, lines * min(self._most, USUAL_SECTION)) is not None
        return _Wanted(LineCount.exactly(count), "parts" if further or task.chapters else "chapters")

    async def _sections(self, task: PlanTask, stretch: _Stretch) -> tuple[str, list[PlannedSection]]:
        least, limit = section_bounds(stretch.words, self._most)
        usual = usual_sections(stretch.words, self._most)
        path = tuple(line.heading for line in stretch.above)
        if usual == 1 and stretch.above:
            group = stretch.above[-1]
            return "", [PlannedSection(0, group.heading, group.main_point, stretch.words, path[:-1])]
        count = LineCount(max(least, usual - _AROUND), min(limit, usual + _AROUND), least, limit)
        shape = await self._asked(task, stretch, _Wanted(count, "sections"))
        lines = fit_count(shape.sections, least, limit)
        return shape.title, sections_of(lines, stretch.words, path, most=self._most, grounded=task.grounded)

    async def _asked(self, task: PlanTask, stretch: _Stretch, wanted: _Wanted) -> PlanShape:
        """What the model answers; where it keeps to no structure, or gives another number of lines, also when asked
        once more, the answer that holds most lines, and where none holds any, one line for the whole stretch."""
        prompt = render("write/plan", _variables(task, stretch, wanted))
        window = int(self._engine.info.context_window * _PLAN_SHARE)
        tokens = _TITLE_TOKENS + _LONG_LINE_TOKENS * wanted.count.most
        tokens = min(tokens, window, self._engine.info.max_output or window)
        request = request_of(prompt, max_tokens=tokens, temperature=PLAN_TEMPERATURE, seed=task.seed)
        said = _Overheard(self._emit)
        purpose = f"plan of {stretch.above[-1].heading!r}" if stretch.above else "plan"
        shape = bounded_shape(wanted.count)
        try:
            return await call_structured(self._engine, request, shape, purpose=purpose, emit=said.hear)
        except InvalidOutputError:
            if not said.texts:
                raise
            plans = list(filter(None, map(plan_in, said.texts)))
            if not plans:
                self._emit(Warned(f"the model gives no {purpose}, so its words are divided evenly"))
                return PlanShape(sections=[stretch.above[-1] if stretch.above else whole_line(task.instruction.text)])
            best = min(plans, key=lambda plan: _distance(len(plan.sections), wanted.count))
            self._emit(Warned(_not_as_asked(purpose, len(best.sections), wanted)))
            return best

    def _most_lines(self) -> int:
        """Lines of a plan that one answer holds."""
        info = self._engine.info
        room = min(info.context_window * _PLAN_SHARE, info.max_output or info.context_window)
        return max(2, int((room - _TITLE_TOKENS) // _LINE_TOKENS))

    def _told(self, groups: Sequence[PlanLine]) -> str:
        """The plan above as the plans below are told of it, in an eighth of the window at most."""
        least, most = _BESIDE_CHARACTERS
        room = min(max(self._engine.info.context_window // 2 // len(groups), least), most)
        return "\n".join(f"- {group.heading}: {group.main_point}"[:room] for group in groups)


class _Overheard:
    """Passes events on and keeps the answers."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self.texts: list[str] = []

    def hear(self, event: Event) -> None:
        if isinstance(event, CallFinished):
            self.texts.append(event.completion.text)
        self._emit(event)


def _sizes(words: int, groups: Sequence[PlanLine]) -> list[int]:
    """The words of groups in the proportions that the model gives, within bounds."""
    mean = words / len(groups)
    shares = share_out(words, [group.words for group in groups])
    return kept_within(shares, int(mean * _SMALLEST_GROUP), int(mean * _LARGEST_GROUP))


def _distance(lines: int, count: LineCount) -> int:
    return max(count.least - lines, lines - count.limit, 0)


def _not_as_asked(purpose: str, lines: int, wanted: _Wanted) -> str:
    count = wanted.count
    if not _distance(lines, count):
        return f"the {purpose} keeps to no structure; it is read from its lines"
    bounds = f"{count.least}" if count.least == count.limit else f"{count.least} to {count.limit}"
    what = "divided" if lines < count.least else "joined"
    return f"the {purpose} has {lines} {wanted.things} where {bounds} were asked for; some are {what}"


def _variables(task: PlanTask, stretch: _Stretch, wanted: _Wanted) -> Mapping[str, Variable]:
    return {
        "instruction": task.instruction,
        "style": task.style,
        "whole": Quoted(stretch.beside, {"plan": "above"}),
        "part": _part(stretch.above),
        "words": stretch.words,
        "fewest": wanted.count.fewest,
        "most": wanted.count.most,
        "things": wanted.things,
        "sources": task.grounded and wanted.things == "sections",
    }


def _part(above: Sequence[PlanLine]) -> Quoted | None:
    if not above:
        return None
    text = " > ".join(line.heading for line in above) + f": {above[-1].main_point}"
    return Quoted(text, {"plan": text[:80]})
