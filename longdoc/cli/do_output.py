"""What comes of requests, and their plans, as Markdown, plain text and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from longdoc.app.orchestrator import DoRequest, DoResult, StepResult, WorkPlan, WorkStep
from longdoc.app.results import cited_text
from longdoc.app.work_estimate import StepEstimate
from longdoc.cli.estimates import estimate_json, estimate_text
from longdoc.cli.output import OutputFormat, usage_json
from longdoc.engines.engine import EngineInfo
from longdoc.json_value import JsonValue

_MOST_TITLES = 4


def plan_lines(plan: WorkPlan) -> Iterator[str]:
    """A plan for people: a line for each step."""
    yield f"The plan, {plan.reason}:"
    for step in plan.steps:
        yield f"  {step.number}. {step.route.capability}: {' '.join(step.instruction.split())} ({_inputs(plan, step)})"


def _inputs(plan: WorkPlan, step: WorkStep) -> str:
    """What a step works on, in words."""
    titles = [one.title for one in plan.request.documents if one.id in step.documents]
    more = [f"and {len(titles) - _MOST_TITLES} more"] if len(titles) > _MOST_TITLES else []
    collection = [f"the collection {plan.request.collection}"] if step.collection else []
    earlier = [f"step {number}" for number in step.steps]
    parts = [*titles[:_MOST_TITLES], *more, *collection, *earlier]
    return f"from {', '.join(parts)}" if parts else "from nothing but the request"


@dataclass(frozen=True, slots=True)
class DoOutput:
    """What came of a request, to be shown; `explain`: with the way it was done."""

    result: DoResult
    explain: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.result.plan.request.instruction

    @property
    def gaps(self) -> bool:
        """Whether something is missing from it."""
        return self.result.gaps

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        failed = "\n".join(
            f"> Step {step.number} ({step.route.capability}) came to nothing: {step.failure}"
            for step in self.result.failures
        )
        return "\n\n".join(filter(None, [cited_text(self.result), failed, self._explained()]))

    def _explained(self) -> str:
        if not self.explain:
            return ""
        several = len(self.result.steps) > 1
        lines = [f"Plan: {self.result.plan.reason}, by {self.result.plan.decided_by}"] if several else []
        for step, planned in zip(self.result.steps, self.result.plan.steps, strict=True):
            name = f"Step {step.number}" if several else "Way"
            lines.append(f"{name}: {step.route.capability} ({step.route.decided_by}): {step.route.reason}")
            lines += [f"  {line}" for line in _details(self.result.plan, planned, step)]
        return "\n".join(lines)

    def json(self) -> JsonValue:
        """As a value for programs."""
        result = self.result
        return {
            "run": result.run_id,
            "instruction": result.plan.request.instruction,
            "plan": result.plan.to_json(),
            "text": result.text,
            "sources": [one.to_json() for one in result.sources],
            "steps": [_step_json(step) for step in result.steps],
            "usage": usage_json(result.usage),
        }


def _details(plan: WorkPlan, planned: WorkStep, step: StepResult) -> Iterator[str]:
    yield _inputs(plan, planned)
    if step.route.how:
        yield f"how: {step.route.how}"
    if step.personal:
        yield step.personal
    if step.draft:
        yield f"draft {step.draft}: lda write show {step.draft}"
    if step.run_id:
        yield f"run {', '.join(step.run_ids)}"


def _step_json(step: StepResult) -> JsonValue:
    return {
        "number": step.number,
        "instruction": step.instruction,
        "capability": str(step.route.capability),
        "route": step.route.to_json(),
        "text": step.text,
        "sources": [one.to_json() for one in step.sources],
        "runs": list(step.run_ids),
        "draft": step.draft or None,
        "personal": step.personal or None,
        "gaps": step.gaps,
        "failure": step.failure or None,
        "usage": usage_json(step.usage),
    }


@dataclass(frozen=True, slots=True)
class PlanOutput:
    """A plan that is not carried out, with what each step takes; None where the model would be asked for it."""

    request: DoRequest
    plan: WorkPlan | None
    estimates: Sequence[StepEstimate | None]
    engine: EngineInfo
    gaps: bool = False

    @property
    def source(self) -> str:
        """What it is of."""
        return self.request.instruction

    def text(self, form: OutputFormat) -> str:
        """As a text for people."""
        del form
        if self.plan is None:
            return "no rule knows what is wanted: the model would be asked; --as says it"
        lines: list[str] = []
        for step, estimate in zip(self.plan.steps, self.estimates, strict=True):
            lines.append(f"{step.number}. {step.route.capability}: {step.route.reason}")
            lines.append(f"   {_inputs(self.plan, step)}")
            lines += [f"   {step.route.how}"] if step.route.how else []
            takes = "what it takes depends on what is there by then" if estimate is None else None
            lines.append(f"   {takes or 'at most ' + estimate_text(_given(estimate), self.engine)}")
        return "\n".join(lines)

    def json(self) -> JsonValue:
        """As a value for programs."""
        takes: list[JsonValue] = [
            None if estimate is None else estimate_json(estimate, self.engine) for estimate in self.estimates
        ]
        return {
            "instruction": self.request.instruction,
            "plan": None if self.plan is None else self.plan.to_json(),
            "estimates": takes,
        }


def _given(estimate: StepEstimate | None) -> StepEstimate:
    return estimate or StepEstimate(0, 0, 0)
