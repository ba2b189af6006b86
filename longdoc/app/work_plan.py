"""What is handed to the orchestrator, and the plan that comes of it: steps with their routes and inputs.

Owns these values and how a plan is kept; how it is made and carried out are parts of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from longdoc.agents.draft_request import FEWEST_WORDS, MOST_WORDS
from longdoc.agents.follow_up import Turn
from longdoc.agents.routing import Capability, DecidedBy, Route, route_of_json
from longdoc.app.runs import RunUsage
from longdoc.documents.document import Document
from longdoc.errors import ConfigError
from longdoc.json_value import JsonValue
from longdoc.storage.profile_types import LOCAL_TENANT

MOST_STEPS: Final = 12
"""Steps of a plan."""


@dataclass(frozen=True, slots=True)
class DoRequest:
    """An instruction with what it is about: `documents`, or a `collection` by its name.

    `session` is the name of a conversation of `user`; personalization for `user`, one of `tenant`, is laid over
    whatever is done. `turns` were said before. `capability` overrides the route of a request of one step; `words` is
    the length of what comes out. Raises `ConfigError`.
    """

    instruction: str
    documents: tuple[Document, ...] = ()
    collection: str | None = None
    session: str | None = None
    user: str | None = None
    tenant: str = LOCAL_TENANT
    turns: tuple[Turn, ...] = ()
    capability: Capability | None = None
    words: int | None = None

    def __post_init__(self) -> None:
        if not self.instruction.strip():
            raise ConfigError("say what is to be done: the instruction is empty")
        if self.collection is not None and self.documents:
            raise ConfigError("name either documents or a collection, not both at once")
        if self.words is not None and not FEWEST_WORDS <= self.words <= MOST_WORDS:
            raise ConfigError(f"a text has {FEWEST_WORDS} to {MOST_WORDS:,} words, not {self.words:,}")


@dataclass(frozen=True, slots=True)
class WorkStep:
    """A step: what is to be done, by which route, with what: `documents` by id, the texts of earlier `steps` by number
    (from 1), the `collection` that the request names."""

    number: int
    instruction: str
    route: Route
    documents: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    collection: bool = False

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs."""
        return {
            "number": self.number,
            "instruction": self.instruction,
            "route": self.route.to_json(),
            "documents": list(self.documents),
            "steps": list(self.steps),
            "collection": self.collection,
        }


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """The steps of a request, in order; `reason` says in a sentence why these, `decided_by` who made them; `usage` is
    what planning took this time."""

    request: DoRequest
    steps: tuple[WorkStep, ...]
    reason: str = ""
    decided_by: DecidedBy = DecidedBy.RULE
    usage: RunUsage = field(default_factory=RunUsage, compare=False)

    def to_json(self) -> dict[str, JsonValue]:
        """As a value for programs: all but the request."""
        return {
            "reason": self.reason,
            "decided_by": str(self.decided_by),
            "steps": [step.to_json() for step in self.steps],
        }


def plan_text(plan: WorkPlan) -> str:
    """A plan as it is kept."""
    return json.dumps(plan.to_json(), ensure_ascii=False)


def read_plan(request: DoRequest, text: str) -> WorkPlan | None:
    """The plan of a request that was kept; None where it cannot be read or does not hold together."""
    try:
        value: JsonValue = json.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or value.get("decided_by") not in set(DecidedBy):
        return None
    steps = tuple(_steps(_list(value.get("steps"))))
    plan = WorkPlan(request, steps, str(value.get("reason") or ""), DecidedBy(str(value["decided_by"])))
    return plan if holds_together(plan) else None


def holds_together(plan: WorkPlan) -> bool:
    """Whether a plan can be carried out: 1 to 12 steps numbered in order, each of which takes what is there before."""
    known = {document.id for document in plan.request.documents}
    return 1 <= len(plan.steps) <= MOST_STEPS and all(
        step.number == number
        and bool(step.instruction.strip())
        and known.issuperset(step.documents)
        and all(1 <= one < number for one in step.steps)
        for number, step in enumerate(plan.steps, 1)
    )


def _steps(values: Sequence[JsonValue]) -> Iterator[WorkStep]:
    for value in values:
        step = _step(value) if isinstance(value, dict) else None
        if step is not None:
            yield step


def _step(value: Mapping[str, JsonValue]) -> WorkStep | None:
    number, instruction, route = value.get("number"), value.get("instruction"), value.get("route")
    read = route_of_json(route) if isinstance(route, Mapping) else None
    if not isinstance(number, int) or not isinstance(instruction, str) or read is None:
        return None
    documents, steps = _list(value.get("documents")), _list(value.get("steps"))
    return WorkStep(
        number,
        instruction,
        read,
        tuple(one for one in documents if isinstance(one, str)),
        tuple(one for one in steps if isinstance(one, int)),
        value.get("collection") is True,
    )


def _list(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, list) else ()
