"""Calls as rows of the ledger and back.

Owns the identity of a call and the stored form of its parts; queries are `ledger.py`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping

from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    FinishReason,
    TokenLogprob,
    Usage,
)
from longdoc.json_value import JsonValue
from longdoc.storage.compact_json import to_canonical_json
from longdoc.storage.texts import text_sha256

_LONGEST_INLINE = 512
"""Texts of more characters are stored once, apart from the inputs they stand in."""


@dataclass(frozen=True, slots=True)
class SplitInputs:
    """The inputs of a prompt with `{"text": sha256}` in place of each long text, and those texts by hash."""

    inputs: JsonValue
    texts: dict[str, str]


def call_key(identity: str, request: CompletionRequest) -> str:
    """What a call is found by: SHA-256 over model identity, messages, sampling parameters and schema."""
    asked: JsonValue = {
        "identity": identity,
        "messages": [[message.role, message.content] for message in request.messages],
        "sampling": _sampling(request),
        "schema": None if request.json_schema is None else dict(request.json_schema),
    }
    return hashlib.sha256(to_canonical_json(asked).encode()).hexdigest()


def split_inputs(request: CompletionRequest) -> SplitInputs:
    """What the request was made from, long texts apart; empty where that is not known."""
    texts: dict[str, str] = {}
    inputs = {} if request.origin is None else dict(request.origin.inputs)
    return SplitInputs(_without_long_texts(inputs, texts), texts)


def call_row(
    request: CompletionRequest, completion: Completion, info: EngineInfo, *, inputs: JsonValue
) -> dict[str, Any]:
    """The row of a call, without its id, its key and its time."""
    origin = request.origin
    return {
        "engine": info.engine,
        "model": completion.model,
        "identity": info.identity,
        "prompt_name": None if origin is None else origin.name,
        "prompt_version": None if origin is None else origin.version,
        "inputs": inputs,
        "sampling": _sampling(request),
        "json_schema": None if request.json_schema is None else dict(request.json_schema),
        "answer": completion.text,
        "finish_reason": completion.finish_reason,
        "prompt_tokens": completion.usage.prompt_tokens,
        "completion_tokens": completion.usage.completion_tokens,
        "cached_tokens": completion.usage.cached_tokens,
        "cost": info.cost(completion.usage),
        "seconds": completion.seconds,
        "retries": completion.retries,
        "logprobs": _packed_logprobs(completion.logprobs) if completion.logprobs else None,
    }


def completion_of(row: RowMapping) -> Completion:
    """The answer in a row, as taken from the record."""
    return Completion(
        text=row["answer"],
        finish_reason=FinishReason(row["finish_reason"]),
        usage=Usage(row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]),
        model=row["model"],
        seconds=row["seconds"],
        logprobs=tuple(map(_logprob, row["logprobs"] or ())),
        call_id=row["id"],
        recorded=True,
        retries=row["retries"],
    )


def text_references(inputs: JsonValue) -> Iterator[str]:
    """The hashes of the texts that stand apart."""
    reference = _reference(inputs)
    if reference is not None:
        yield reference
        return
    for part in _parts(inputs):
        yield from text_references(part)


def with_texts(inputs: JsonValue, texts: dict[str, str]) -> JsonValue:
    """The inputs with the texts back in their places; a text that is not there leaves its reference."""
    reference = _reference(inputs)
    if reference is not None:
        return texts.get(reference, inputs)
    if isinstance(inputs, dict):
        return {name: with_texts(value, texts) for name, value in inputs.items()}
    return [with_texts(value, texts) for value in inputs] if isinstance(inputs, list) else inputs


def _sampling(request: CompletionRequest) -> dict[str, JsonValue]:
    later: dict[str, JsonValue] = {
        "entropy": request.entropy or None,
        "continuation": request.continuation,
        "frequency_penalty": request.frequency_penalty,
    }
    # What was not asked for is left out, so that calls from before these could be asked for keep their keys.
    return _usual_sampling(request) | {name: value for name, value in later.items() if value is not None}


def _usual_sampling(request: CompletionRequest) -> dict[str, JsonValue]:
    return {
        "max_tokens": request.max_tokens,
        "temperature": float(request.temperature),
        "top_p": None if request.top_p is None else float(request.top_p),
        "seed": request.seed,
        "stop": list(request.stop),
        "logprobs": request.logprobs,
    }


def _without_long_texts(value: JsonValue, texts: dict[str, str]) -> JsonValue:
    if isinstance(value, str) and len(value) > _LONGEST_INLINE:
        sha256 = text_sha256(value)
        texts[sha256] = value
        return {"text": sha256}
    if isinstance(value, dict):
        return {name: _without_long_texts(part, texts) for name, part in value.items()}
    return [_without_long_texts(part, texts) for part in value] if isinstance(value, list) else value


def _reference(value: JsonValue) -> str | None:
    if not isinstance(value, dict) or len(value) != 1:
        return None
    sha256 = value.get("text")
    return sha256 if isinstance(sha256, str) else None


def _parts(value: JsonValue) -> Sequence[JsonValue]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else ()


def _packed_logprobs(logprobs: Sequence[TokenLogprob]) -> JsonValue:
    return [
        [
            item.token,
            _packed_logprob(item.logprob),
            [[token, _packed_logprob(value)] for token, value in item.top],
            *([] if item.entropy is None else [item.entropy]),
        ]
        for item in logprobs
    ]


def _packed_logprob(value: float) -> float | None:
    # JSON has no infinity: the probability 0 is stored as null.
    return value if math.isfinite(value) else None


def _logprob(stored: Sequence[Any]) -> TokenLogprob:
    token, value, top, *entropy = stored
    alternatives = tuple((other, _unpacked_logprob(p)) for other, p in top)
    return TokenLogprob(token, _unpacked_logprob(value), alternatives, entropy[0] if entropy else None)


def _unpacked_logprob(value: float | None) -> float:
    return -math.inf if value is None else value
