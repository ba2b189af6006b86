"""What comes of a request that the orchestrator took: the result of each step, and the whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from longdoc.agents.routing import Route
from longdoc.app.results import Shown, Source
from longdoc.app.runs import RunUsage
from longdoc.app.work_plan import WorkPlan


@dataclass(frozen=True, slots=True)
class StepResult(Shown):
    """What came of a step: its text, what that rests on, and the runs it was done in (`run_id` is the last).

    `failure` says why there is nothing; `gaps` tells whether something is missing from the text, and `cut` that its end
    is: the model ran into its limit. `personal` says what of the user was laid over it; `draft` is the name of what was
    written, for `lda write`.
    """

    number: int
    instruction: str
    route: Route
    text: str = ""
    sources: tuple[Source, ...] = ()
    run_ids: tuple[str, ...] = ()
    usage: RunUsage = field(default_factory=RunUsage)
    failure: str = ""
    gaps: bool = False
    cut: bool = False
    personal: str = ""
    draft: str = ""

    @property
    def run_id(self) -> str:
        """The run of the capability; empty where the step came to none."""
        return self.run_ids[-1] if self.run_ids else ""


@dataclass(frozen=True, slots=True)
class DoResult(Shown):
    """What came of a request: the texts of the steps that no later step takes, and all steps."""

    plan: WorkPlan
    steps: tuple[StepResult, ...]
    run_id: str
    usage: RunUsage

    @property
    def shown(self) -> tuple[StepResult, ...]:
        """The steps whose texts are the result: those that came out and that no other one which did took."""
        done = [step for step in self.steps if not step.failure]
        numbers = {step.number for step in done}
        taken = {one for step in self.plan.steps if step.number in numbers for one in step.steps}
        return tuple(step for step in done if step.number not in taken)

    @property
    def text(self) -> str:
        """The text of the last step; of several that no other step takes, each under a heading."""
        return _joined(self.shown)[0]

    @property
    def sources(self) -> tuple[Source, ...]:
        """What the text rests on, with where in it."""
        return _joined(self.shown)[1]

    @property
    def failures(self) -> tuple[StepResult, ...]:
        """The steps that came to nothing."""
        return tuple(step for step in self.steps if step.failure)

    @property
    def gaps(self) -> bool:
        """Whether something is missing."""
        return any(step.failure or step.gaps for step in self.steps)


def added(first: RunUsage, second: RunUsage) -> RunUsage:
    """What two runs took together."""
    return RunUsage(
        first.calls + second.calls,
        first.recorded + second.recorded,
        first.retries + second.retries,
        first.tokens + second.tokens,
        first.cost + second.cost,
        first.seconds + second.seconds,
    )


def resting_on(step: StepResult, quote: str, *, near: int) -> Sequence[Source]:
    """What words of the text of a step rest on; of those that stand there more than once, the ones near a place.

    A mark stands at the end of a claim, which may go on behind the words that are quoted of it.
    """
    first = _nearest(step.text, quote, near)
    if first < 0:
        return ()
    last = first + len(quote)
    marks = sorted({one.at for one in step.sources if one.at is not None and one.at > first})
    inside = [at for at in marks if at <= last]
    if not inside or any(map(str.isalnum, step.text[inside[-1] : last])):
        paragraph = step.text.find("\n\n", last)
        last = next((at for at in marks if last < at and (paragraph < 0 or at <= paragraph)), last)
    behind = [one for one in step.sources if one.at is not None and first < one.at <= last]
    return behind or [one for one in step.sources if one.at is None]


def _nearest(text: str, words: str, near: int) -> int:
    """Where words stand in a text, as near to a place as they do; -1 where they do not."""
    found = [] if not words else [match.start() for match in re.finditer(re.escape(words), text)]
    return min(found, key=lambda start: abs(start - near), default=-1)


def _joined(steps: Sequence[StepResult]) -> tuple[str, tuple[Source, ...]]:
    """The texts of steps as one, with the places of their sources moved along."""
    if len(steps) == 1:
        return steps[0].text, steps[0].sources
    pieces: list[str] = []
    sources: list[Source] = []
    for step in steps:
        heading = f"## {step.number}. {' '.join(step.instruction.split())[:100]}"
        start = sum(len(piece) + 2 for piece in pieces) + len(heading) + 2
        pieces += [heading, step.text]
        end = start + len(step.text)
        sources += [replace(one, at=end if one.at is None else start + one.at) for one in step.sources]
    return "\n\n".join(pieces), tuple(sources)
