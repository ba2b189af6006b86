"""Answers with a shape: asked for by schema, read leniently, asked for once more, and never taken on trust."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from longdoc.agents.structured import call_structured, read_shape
from longdoc.engines.engine import CompletionRequest, EngineInfo, Message, PromptOrigin
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import InvalidOutputError, OutputCutError


class Place(BaseModel):
    name: str
    people: int


GOOD = '{"name": "Kesh", "people": 40}'
KESH = Place(name="Kesh", people=40)
REQUEST = CompletionRequest((Message("user", "Which place?"),), 50, origin=PromptOrigin("test/place", 1, {"a": 1}))


class WithoutSchemas(ScriptedEngine):
    """An engine that cannot be held to a schema."""

    @property
    def info(self) -> EngineInfo:
        return replace(super().info, json_schema=False)


def ask(engine: ScriptedEngine) -> Place:
    return asyncio.run(call_structured(engine, REQUEST, Place, purpose="a test", emit=lambda _: None))


def in_turn(*answers: str) -> Callable[[CompletionRequest], str]:
    left = list(answers)
    return lambda _: left.pop(0)


def test_the_schema_goes_with_the_call() -> None:
    engine = ScriptedEngine(in_turn(GOOD))
    assert ask(engine) == KESH
    assert engine.calls[0].json_schema == Place.model_json_schema()


def test_an_engine_without_schemas_is_asked_without_one() -> None:
    engine = WithoutSchemas(in_turn(f"Well, let me see.\n```json\n{GOOD}\n```\nThat is all."))
    assert ask(engine) == KESH
    assert engine.calls[0].json_schema is None


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f'<think>{{"name": "draft", "people": 1}} or so</think>{GOOD}',
        f"The answer is {GOOD}, and {{that}} is it.",
    ],
)
def test_the_last_json_that_fits_is_the_answer(text: str) -> None:
    assert read_shape(text, Place) == KESH


def test_an_answer_that_does_not_fit_is_asked_for_once_more_with_what_is_wrong() -> None:
    engine = ScriptedEngine(in_turn('{"name": "Kesh"}', GOOD))
    assert ask(engine) == KESH
    again = engine.calls[1]
    assert [message.role for message in again.messages] == ["user", "assistant", "user"]
    assert again.messages[1].content == '{"name": "Kesh"}'
    assert "people: Field required" in again.messages[2].content
    assert again.json_schema == engine.calls[0].json_schema
    assert again.origin is not None
    assert again.origin.inputs["a"] == 1
    assert "people" in str(again.origin.inputs["problem"])


@pytest.mark.parametrize("answer", ["", "no idea", '{"name": ', "[" * 3000, '{"name": "Kesh", "people": "many"}'])
def test_a_second_bad_answer_is_an_error(answer: str) -> None:
    engine = ScriptedEngine(lambda _: answer)
    with pytest.raises(InvalidOutputError, match="not as asked for"):
        ask(engine)
    assert len(engine.calls) == 2


def test_where_the_second_question_does_not_fit_the_window_the_first_answer_is_the_error() -> None:
    engine = ScriptedEngine(lambda _: "word " * 40, context_window=60)
    with pytest.raises(InvalidOutputError, match="does not fit"):
        ask(engine)


def test_a_caller_that_can_ask_for_less_is_told_at_once_that_the_answer_was_cut() -> None:
    engine = ScriptedEngine(lambda _: '{"name": "Kesh", ' + "a " * 200)
    with pytest.raises(OutputCutError) as caught:
        asyncio.run(call_structured(engine, REQUEST, Place, purpose="t", emit=lambda _: None, again_when_cut=False))
    assert caught.value.text.startswith('{"name": "Kesh"')
    assert len(engine.calls) == 1


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_around_an_answer_is_survived(before: str, after: str) -> None:
    value = {"name": "Kesh", "people": 40}
    try:
        place = read_shape(before + json.dumps(value) + after, Place)
    except InvalidOutputError:
        return
    assert place == KESH
