"""Messages read as requests, for all faces that take messages."""

import asyncio
from typing import Any

import pytest

from longdoc.app.message_reading import Reading, Said, read_messages
from longdoc.documents.readers import read_pasted
from longdoc.errors import ConfigError

HAY = "It rained on the harbour that morning, and the boats stayed in.\n\n" * 100
LETTER = f"Dear Anna.\n\n{HAY}"


def read(*messages: Said, **given: Any) -> Reading:
    return asyncio.run(read_messages(messages, **given))


def texts(reading: Any) -> list[str]:
    return [one.text for one in reading.documents.values()]


@pytest.mark.parametrize(
    ("messages", "instruction", "documents", "warned"),
    [
        ([Said("user", ["Hi"])], "Hi", [], ""),
        ([Said("system", ["Be short."]), Said("user", ["Hi"])], "Be short.\n\nHi", [], ""),
        ([Said("user", [f"{LETTER}\n\nWho kept the key?"])], "Who kept the key?", [LETTER], ""),
        ([Said("user", ["Who kept the key?", LETTER])], "Who kept the key?", [LETTER], ""),
        ([Said("system", [LETTER]), Said("user", ["Who kept the key?"])], "Who kept the key?", [LETTER], ""),
        ([Said("system", ["Be short."]), Said("user", ["Who?", HAY])], "Who?", [HAY], "the system message"),
        ([Said("user", ["Hi"]), Said("tool", ["Rain."])], "Hi", [], "what tools said"),
        ([Said("user", ["Hi"]), Said("assistant", [""]), Said("tool", [LETTER])], "Hi", [LETTER], ""),
        ([Said("user", ["One."]), Said("user", ["Two."])], "One.\n\nTwo.", [], ""),
        ([Said("user", [HAY * 2])], "It rained on the harbour that morning, and the boats stayed in.", [HAY * 2], ""),
    ],
)
def test_messages_are_read(messages: list[Said], instruction: str, documents: list[str], warned: str) -> None:
    reading = read(*messages)
    assert reading.instruction == instruction
    assert [one[-60:] for one in texts(reading)] == [one.strip()[-60:] for one in documents]
    assert [one[: len(warned)] for one in reading.warnings] == ([warned] if warned else [])


@pytest.mark.parametrize("messages", [[], [Said("user", [""])], [Said("user", [HAY]), Said("assistant", ["Rain."])]])
def test_where_nothing_is_asked_that_is_said(messages: list[Said]) -> None:
    with pytest.raises(ConfigError, match=r"nothing is asked|say what to do"):
        read(*messages)


def test_a_text_beside_a_question_is_a_document_as_a_whole() -> None:
    reading = read(Said("user", ["Who kept the key?", LETTER]))
    assert reading.instruction == "Who kept the key?"
    assert texts(reading)[0].startswith("Dear Anna.")


def test_a_long_system_message_is_a_document_as_a_whole() -> None:
    reading = read(Said("system", [LETTER]), Said("user", ["Who kept the key?"]))
    assert reading.instruction == "Who kept the key?"
    assert texts(reading)[0].startswith("Dear Anna.")


def test_a_turn_whose_question_was_only_a_file_is_a_turn() -> None:
    file = read_pasted(HAY, name="letter.txt")
    reading = read(Said("user", [file]), Said("assistant", ["Rain."]), Said("user", ["And then?"]))
    assert [(turn.question, turn.answer) for turn in reading.turns] == [("Summarize this.", "Rain.")]
    assert list(reading.documents) == [file.id]


def test_what_is_asked_of_documents_beside_the_messages_has_no_system_message() -> None:
    messages = [Said("system", ["Be short."]), Said("user", ["Hi"])]
    assert read(*messages).instruction == "Be short.\n\nHi"
    reading = read(*messages, of_documents=True)
    assert reading.instruction == "Hi"
    assert "system message" in reading.warnings[0]


@pytest.mark.parametrize("start", ["<html><body><p>", "{\\rtf1 ", "%PDF-1.4 "])
def test_a_pasted_text_is_that_text_whatever_it_begins_with(start: str) -> None:
    reading = read(Said("user", ["Explain this page:", f"{start}{HAY}"]))
    assert texts(reading)[0].startswith(start.strip())
