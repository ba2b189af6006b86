"""Turning a rendered prompt into a model call, with its events: the way every agent reaches an engine."""

from __future__ import annotations

from collections.abc import Mapping

from longdoc.agents.events import CallFinished, CallStarted, Emit
from longdoc.engines.engine import Completion, CompletionRequest, Engine, Message, PromptOrigin
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import RenderedPrompt


async def call(
    engine: Engine,
    prompt: RenderedPrompt,
    *,
    purpose: str,
    emit: Emit,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int | None = None,
    json_schema: Mapping[str, JsonValue] | None = None,
) -> Completion:
    """Send a prompt and tell of it. Raises what `Engine.complete` raises."""
    request = CompletionRequest(
        messages=(Message("system", prompt.system), Message("user", prompt.user)),
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        json_schema=json_schema,
        origin=PromptOrigin(prompt.name, prompt.version, prompt.inputs),
    )
    emit(CallStarted(purpose))
    completion = await engine.complete(request)
    emit(CallFinished(purpose, completion))
    return completion
