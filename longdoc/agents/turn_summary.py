"""Summaries of turns: a sentence for each speaker, made where a turn is long.

Source: "Self-Controlled Memory" (2023): only turns of more than 300 tokens are summarized (released code).
"""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict

from longdoc.agents.calls import request_of
from longdoc.agents.events import Emit
from longdoc.agents.memory_judge import memory_reference
from longdoc.agents.structured import call_structured
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.engine import Engine
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from longdoc.prompts.catalogue import Quoted, render
from longdoc.storage.memory_types import Memory

SUMMARY_FROM_TOKENS: Final = 300
_MOST_TOKENS = 160


class _Turn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user: str
    assistant: str


def is_long(memory: Memory) -> bool:
    """Whether a turn is worth a summary and has none."""
    return memory.status.remembered and memory.summary is None and estimate_tokens(memory.text) > SUMMARY_FROM_TOKENS


async def summarize_turn(engine: Engine, namespace: int, memory: Memory, *, emit: Emit) -> str | None:
    """The summary of a turn, None where none came about that is shorter than the turn.

    Raises what `Engine.complete` raises but for refusals of this one request.
    """
    where = memory_reference(namespace, memory.number)
    prompt = render(
        "memory/summary",
        {
            "observation": Quoted(memory.observation, {**where, "part": "observation"}),
            "response": Quoted(memory.response, {**where, "part": "response"}),
        },
    )
    request = request_of(prompt, max_tokens=_MOST_TOKENS)
    purpose = f"summary of turn {memory.number}"
    try:
        said = await call_structured(engine, request, _Turn, purpose=purpose, emit=emit)
    except (ContextTooLongError, InvalidOutputError, RequestRefusedError):
        return None
    text = "\n".join(
        f"{who}: {' '.join(what.split())}" for who, what in (("User", said.user), ("Assistant", said.assistant)) if what
    )
    return text if text and len(text) < len(memory.text) else None
