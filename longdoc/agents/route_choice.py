"""What rules leave open, decided by the model: one of the capabilities that are possible, or the steps of a request.

The model's answer is constrained to what can be done and checked again; one that cannot be used decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, create_model

from longdoc.agents.answer_shapes import LENIENT
from longdoc.agents.calls import request_of
from longdoc.agents.events import Emit
from longdoc.agents.routing import AskedWith, Capability, DecidedBy, Route, open_capabilities, shortened
from longdoc.agents.structured import call_structured
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render

_CHOICE_TOKENS, _PLAN_TOKENS = 32, 1_200
_SHARE, _SHARE_OF_TITLES = 0.4, 0.1
"""Of the window: what of a request the model is shown to sort it, and what of the titles of its documents."""
_MOST_TITLES, _MOST_TITLE = 50, 120
"""Titles the model is shown, and characters of each."""
_MEANINGS: Final = {
    Capability.ASK: "a question that the documents answer",
    Capability.SUMMARIZE: "a summary of the documents",
    Capability.CHECK: "a claim that is to be checked against the documents",
    Capability.WRITE: "a new, long text",
    Capability.CALL: "something short: a small text, a translation, a change, an answer",
    Capability.CHAT: "talk",
}


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step as a model planned it; `documents` and `steps` are numbers from 1, which may be anything."""

    instruction: str
    capability: Capability
    documents: tuple[int, ...]
    steps: tuple[int, ...]


async def choose_route(engine: Engine, request: str, given: AskedWith, *, emit: Emit) -> Route:
    """The route of a request that rules leave open, among those that can serve it.

    Where the model's choice cannot be used, the likeliest is taken, and the reason says so. Raises what
    `Engine.complete` raises but for refusals of this one request.
    """
    allowed = open_capabilities(request, given)
    one_of: Any = Literal[tuple(str(one) for one in allowed)]
    shape = create_model("Choice", __config__=LENIENT, capability=(one_of, ...))
    prompt = render(
        "route/choose",
        {
            "request": Quoted(_beginning(request, engine), {"request": "instruction"}),
            "given": given.size,
            "choices": _choices(allowed),
        },
    )
    try:
        found = await call_structured(
            engine, request_of(prompt, max_tokens=_CHOICE_TOKENS), shape, purpose="the route", emit=emit
        )
    except (InvalidOutputError, RequestRefusedError, ContextTooLongError):
        why = f"no rule knows it, and the model made no choice that can be used; {given.size}"
        return Route(allowed[0], why, words=given.words)
    chosen = Capability(str(found.model_dump()["capability"]))
    others = ", ".join(str(one) for one in allowed)
    return Route(chosen, f"no rule knows it, and the model chose among {others}", DecidedBy.MODEL, words=given.words)


async def plan_by_model(
    engine: Engine, request: str, titles: Sequence[str], given: AskedWith, *, most: int, emit: Emit
) -> list[PlannedStep] | None:
    """The steps that a model takes a request apart into; None where its answer cannot be used. Raises as
    `choose_route`."""
    allowed = [one for one in Capability if one is not Capability.CHAT or given.talking]
    prompt = render(
        "route/plan",
        {
            "request": Quoted(_beginning(request, engine), {"request": "instruction"}),
            "documents": _titles(titles, engine),
            "choices": _choices(allowed),
            "most": most,
        },
    )
    tokens = min(_PLAN_TOKENS, engine.info.context_window // 3)
    try:
        found = await call_structured(
            engine, request_of(prompt, max_tokens=tokens), _shape(allowed, most), purpose="the plan", emit=emit
        )
    except (InvalidOutputError, RequestRefusedError, ContextTooLongError):
        return None
    return [
        PlannedStep(
            str(step["instruction"]),
            Capability(str(step["capability"])),
            tuple(step["documents"]),
            tuple(step["steps"]),
        )
        for step in found.model_dump()["steps"]
    ]


def _shape(allowed: Sequence[Capability], most: int) -> type[BaseModel]:
    one_of: Any = Literal[tuple(str(one) for one in allowed)]
    numbers = Annotated[list[int], Field(max_length=most)]
    instruction = Annotated[str, Field(min_length=1, max_length=2_000)]
    step = create_model(
        "Step",
        __config__=LENIENT,
        instruction=(instruction, ...),
        capability=(one_of, ...),
        documents=(numbers, Field(default_factory=list)),
        steps=(numbers, Field(default_factory=list)),
    )
    steps: Any = Annotated[list[step], Field(min_length=1, max_length=most)]  # type: ignore[valid-type]
    return create_model("Plan", __config__=LENIENT, steps=(steps, ...))


def _choices(allowed: Sequence[Capability]) -> str:
    return "\n".join(f"- {one}: {_MEANINGS[one]}" for one in allowed)


def _titles(titles: Sequence[str], engine: Engine) -> Quoted | None:
    """The titles by number, a line each, as many as there is room for; None without any."""
    room = engine.info.context_window * _SHARE_OF_TITLES
    lines: list[str] = []
    for number, title in enumerate(titles[:_MOST_TITLES], 1):
        lines.append(f"{number}. {shortened(title, _MOST_TITLE)}")
        room -= estimate_tokens(lines[-1]) + 1
        if room < 0 and number > 1:
            lines.pop()
            break
    return Quoted("\n".join(lines), {"request": "titles"}) if lines else None


def _beginning(request: str, engine: Engine) -> str:
    """As much of a request as the model is to see of it."""
    tokens = estimate_tokens(request)
    most = engine.info.context_window * _SHARE
    return request if tokens <= most else request[: int(len(request) * most / tokens)]
