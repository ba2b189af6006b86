"""From a rendered prompt to a model call, with its events: the way every agent reaches an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from longdoc.agents.events import CallFinished, CallStarted, Emit
from longdoc.engines.engine import Completion, CompletionRequest, Engine, EngineInfo, Message, PromptOrigin, TextSink
from longdoc.json_value import JsonValue
from longdoc.prompts.catalogue import RenderedPrompt


def request_of(
    prompt: RenderedPrompt,
    *,
    max_tokens: int,
    temperature: float = 0.0,
    seed: int | None = None,
    json_schema: Mapping[str, JsonValue] | None = None,
) -> CompletionRequest:
    """The request that sends a prompt; what else a request can say is set with `dataclasses.replace`."""
    return CompletionRequest(
        messages=(Message("system", prompt.system), Message("user", prompt.user)),
        max_tokens=max_tokens,
        temperature=temperature,
        seed=seed,
        json_schema=json_schema,
        origin=PromptOrigin(prompt.name, prompt.version, prompt.inputs),
    )


async def call(
    engine: Engine, request: CompletionRequest, *, purpose: str, emit: Emit, on_text: TextSink | None = None
) -> Completion:
    """Make a call and tell of it. Raises what `Engine.complete` raises."""
    emit(CallStarted(purpose))
    completion = await engine.complete(request, on_text=on_text)
    emit(CallFinished(purpose, completion))
    return completion


class ToldEngine:
    """An engine each of whose calls is told of, for what takes an engine and knows no events. Does not own it."""

    def __init__(self, engine: Engine, *, purpose: str, emit: Emit) -> None:
        self._engine = engine
        self._purpose = purpose
        self._emit = emit

    @property
    def info(self) -> EngineInfo:
        """See `Engine`."""
        return self._engine.info

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        """See `Engine`."""
        return await call(self._engine, request, purpose=self._purpose, emit=self._emit, on_text=on_text)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Engine`."""
        return await self._engine.count_tokens(texts)

    async def aclose(self) -> None:
        """Nothing: the engine is its owner's."""
