import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, Message, Usage
from longdoc.engines.extractive import extractive_answer
from longdoc.engines.scripted import ScriptedEngine

SENTENCES = " ".join(f"Sentence number {number} has six words." for number in range(50))


def request(text: str, **options: Any) -> CompletionRequest:
    return CompletionRequest(messages=(Message("user", text),), **({"max_tokens": 500} | options))


def fenced(*texts: str, words: int, tag: str = "text") -> str:
    return "\n".join(f"<{tag}>\n{text}\n</{tag}>" for text in texts) + f"\nSummarize in at most {words:,} words."


def test_the_same_request_gets_the_same_answer() -> None:
    asked = request(fenced(SENTENCES, words=40))
    assert extractive_answer(asked) == extractive_answer(asked)


@given(st.integers(7, 300))
def test_it_keeps_to_the_words_asked_for_and_ends_with_a_sentence(words: int) -> None:
    answer = extractive_answer(request(fenced(SENTENCES, words=words), max_tokens=2000))
    assert words - 6 <= len(answer.split()) <= words
    assert answer.endswith(".")


@given(st.text(), st.integers(1, 50), st.integers(1, 200))
def test_any_prompt_gets_an_answer_that_ends(text: str, words: int, max_tokens: int) -> None:
    answer = extractive_answer(request(fenced(text, words=words), max_tokens=max_tokens))
    assert answer.strip()
    assert any(mark in answer[-8:] for mark in ".!?。！？")


def test_every_text_of_the_last_tag_has_its_share() -> None:
    prompt = fenced("Before this.", words=5, tag="before") + fenced(
        "One is here.", "Two is there.", words=8, tag="part"
    )
    assert extractive_answer(request(prompt)) == "One is here. Two is there."


def test_words_that_the_text_itself_asks_for_do_not_count() -> None:
    assert len(extractive_answer(request(fenced("Write at most 500 words. " + SENTENCES, words=12))).split()) <= 12


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: str = Field(min_length=3)
    choice: bool | None


class Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Inner] = Field(min_length=2)
    count: int = Field(ge=3)
    above: float = Field(gt=1)
    below: int = Field(le=-4)
    maybe: str | None = None


def test_a_schema_gets_its_smallest_instance() -> None:
    answer = extractive_answer(request("Go.", json_schema=Asked.model_json_schema()))
    read = Asked.model_validate_json(answer)
    assert len(read.items) == 2
    assert read.count == 3
    assert "maybe" not in json.loads(answer)


def test_calls_are_kept() -> None:
    engine = ScriptedEngine()
    asked = request("Hello.")
    asyncio.run(engine.complete(asked))
    assert engine.calls == [asked]


def test_a_completion_is_passed_on_as_it_is() -> None:
    made = Completion("done", FinishReason.CONTENT_FILTER, Usage(1, 2), "mine")
    pieces: list[str] = []
    got = asyncio.run(ScriptedEngine(lambda _: made).complete(request("Hi."), on_text=pieces.append))
    assert got is made
    assert pieces == ["done"]


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("two words", 2), ("Mark!", 2), ("x" * 25, 3)])
def test_tokens_follow_a_simple_rule(text: str, tokens: int) -> None:
    assert asyncio.run(ScriptedEngine().count_tokens([text])) == [tokens]
