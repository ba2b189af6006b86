"""Durable facts about a user, taken from a turn: what is new, and what it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from longdoc.agents.calls import request_of
from longdoc.agents.events import Emit
from longdoc.agents.memory_judge import memory_reference
from longdoc.agents.structured import call_structured
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.memory_types import Memory

_MOST_TOKENS = 320
_MOST_FACTS = 5
_MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact, and the number of the known one that it replaces."""

    text: str
    replaces: int | None = None


class _Fact(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    replaces: int | None


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid")

    facts: list[_Fact]


async def facts_of(
    engine: Engine, turn: Memory, known: Sequence[Memory], *, namespace: int, known_in: int, emit: Emit
) -> list[NewFact]:
    """The facts that a turn of `namespace` adds to those known, which are memories of `known_in`; at most five.

    What is known already, is too long for a fact, or cannot be used adds nothing. Raises what `Engine.complete` raises
    but for refusals of this one request.
    """
    where = memory_reference(namespace, turn.number)
    variables = {
        "observation": Quoted(turn.observation, {**where, "part": "observation"}),
        "response": Quoted(turn.response, {**where, "part": "response"}),
        "known": [Quoted(fact.observation, memory_reference(known_in, fact.number)) for fact in known],
        "numbers": [Quoted(str(fact.number), {}) for fact in known],
    }
    request = request_of(render("memory/facts", variables), max_tokens=_MOST_TOKENS)
    try:
        said = await call_structured(engine, request, _Facts, purpose=f"facts in turn {turn.number}", emit=emit)
    except (ContextTooLongError, InvalidOutputError, RequestRefusedError):
        return []
    numbers = {fact.number for fact in known}
    there = {_same(fact.observation) for fact in known}
    found: dict[str, NewFact] = {}
    for one in said.facts:
        text = " ".join(one.text.split())
        if text and len(text) <= _MOST_CHARACTERS and _same(text) not in there:
            found.setdefault(_same(text), NewFact(text, one.replaces if one.replaces in numbers else None))
    return list(found.values())[:_MOST_FACTS]


def _same(text: str) -> str:
    """What two wordings of a fact that say the same have in common, as far as rules can tell."""
    return " ".join(text.casefold().split()).rstrip(".")
