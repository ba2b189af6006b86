"""Trying what an engine can do, with a few tiny calls: for servers that do not tell, and for `doctor`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, ValidationError

from longdoc.engines.engine import CompletionRequest, Engine, Message
from longdoc.engines.retry import RetryingEngine
from longdoc.errors import RequestRefusedError
from longdoc.json_value import JsonValue

_SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}
_TRIAL = CompletionRequest(messages=(Message("user", "Say that you are ready."),), max_tokens=24)
_LOGPROBS = 20
_FEW_LOGPROBS = 5


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a trial showed: answers follow a schema; the alternatives told per token (0: none)."""

    json_schema: bool
    logprobs: int


class _Ready(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    ready: bool


async def probe_capabilities(engine: Engine) -> Capabilities:
    """Try an engine. Takes two calls, three where it refuses; raises `EngineError` when it does not answer at all."""
    patient = RetryingEngine(engine, attempts=3)
    logprobs = await _tried_logprobs(patient, _LOGPROBS) or await _tried_logprobs(patient, _FEW_LOGPROBS)
    return Capabilities(await _follows_schema(patient), logprobs)


async def _follows_schema(engine: Engine) -> bool:
    try:
        answer = await engine.complete(replace(_TRIAL, json_schema=_SCHEMA))
        _Ready.model_validate_json(answer.text)
    except (RequestRefusedError, ValidationError):
        return False
    return True


async def _tried_logprobs(engine: Engine, wanted: int) -> int:
    try:
        answer = await engine.complete(replace(_TRIAL, max_tokens=1, logprobs=wanted))
    except RequestRefusedError:
        return 0
    return len(answer.logprobs[0].top) if answer.logprobs else 0
