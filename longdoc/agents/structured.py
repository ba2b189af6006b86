"""Answers in a given shape: constrained by a JSON schema where the engine can, checked by a pydantic model always.

An answer that does not fit is asked for once more, with what was wrong with it; a failure is an error, never text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from longdoc.agents.calls import call
from longdoc.agents.events import Emit
from longdoc.engines.engine import CompletionRequest, Engine, Message, TextSink
from longdoc.errors import ContextTooLongError, InvalidOutputError, OutputCutError
from longdoc.json_value import JsonValue

_MOST_PROBLEMS = 5

Shape = TypeVar("Shape", bound=BaseModel)


async def call_structured(
    engine: Engine,
    request: CompletionRequest,
    shape: type[Shape],
    *,
    purpose: str,
    emit: Emit,
    on_text: TextSink | None = None,
    again_when_cut: bool = True,
    plain: Callable[[str], Shape | None] | None = None,
) -> Shape:
    """Make a call whose answer has a shape; the prompt must describe it, for engines without schemas. An answer that
    has another one is what `plain` makes of it, None where that is nothing.

    `on_text` gets pieces of the first answer as they arrive, not of a second one. Raises `InvalidOutputError` when the
    second answer does not fit either, and what `Engine.complete` raises. A caller that can ask for less has
    `again_when_cut` false: an answer that ran into its limit raises `OutputCutError` at once.
    """
    asked = replace(request, json_schema=shape.model_json_schema()) if engine.info.json_schema else request
    first = await call(engine, asked, purpose=purpose, emit=emit, on_text=on_text)
    try:
        return _read(first.text, shape, plain)
    except InvalidOutputError as error:
        if first.cut and not again_when_cut:
            raise OutputCutError(str(error), text=first.text) from error
        again = _repair(asked, first.text, str(error))
    try:
        second = await call(engine, again, purpose=f"{purpose}, once more", emit=emit)
    except ContextTooLongError as error:
        raise InvalidOutputError(f"the answer cannot be used, and asking again does not fit: {error}") from error
    return _read(second.text, shape, plain)


def _read(text: str, shape: type[Shape], plain: Callable[[str], Shape | None] | None) -> Shape:
    try:
        return read_shape(text, shape)
    except InvalidOutputError:
        found = None if plain is None else plain(text)
        if found is None:
            raise
        return found


def read_shape(text: str, shape: type[Shape]) -> Shape:
    """The value of a shape that an answer holds: the answer itself, else the last JSON within it that fits.

    Raises `InvalidOutputError`, whose text tells a model what is wrong.
    """
    try:
        return shape.model_validate_json(text)
    except ValidationError as error:
        problem = error
    for value in reversed(list(_json_within(text))):
        try:
            return shape.model_validate(value)
        except ValidationError as error:
            problem = error
    raise InvalidOutputError(f"the answer is not as asked for: {_described(problem)}") from problem


def _json_within(text: str) -> Iterator[JsonValue]:
    """Every JSON object or list that stands in a text, outermost ones only."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        if text[at] not in "{[":
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
            yield value
        except (ValueError, RecursionError):
            at += 1


def _described(error: ValidationError) -> str:
    """What is wrong, without the answer's own words."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)[:_MOST_PROBLEMS]
    lines = [": ".join(filter(None, (".".join(map(str, item["loc"])), item["msg"]))) for item in problems]
    return " ".join("; ".join(lines).split())


def _repair(request: CompletionRequest, answer: str, problem: str) -> CompletionRequest:
    said = Message("assistant", answer or "(nothing)")
    wanted = Message("user", f"That cannot be used: {problem}. Answer again, with nothing but the JSON asked for.")
    origin = request.origin
    return replace(
        request,
        messages=(*request.messages, said, wanted),
        origin=None if origin is None else replace(origin, inputs={**origin.inputs, "problem": problem}),
    )
