"""Messages read as requests: the rules, and that chat completions of the service read by the same ones."""

import asyncio
from typing import Any
from unittest.mock import MagicMock

import pytest

from longdoc.app.message_reading import Reading, Said, read_messages
from longdoc.app.service import chat_completions_reading as served
from longdoc.app.service.chat_completions_bodies import MessageBody
from longdoc.documents.readers import read_pasted
from longdoc.errors import ConfigError, ServiceError

HAY = "It rained on the harbour that morning, and the boats stayed in.\n\n" * 100
LETTER = f"Dear Anna.\n\n{HAY}"


def read(*messages: Said, **given: Any) -> Reading:
    return asyncio.run(read_messages(messages, **given))


def texts(reading: Any) -> list[str]:
    return [one.text for one in reading.documents.values()]


CONVERSATIONS = [
    [Said("user", ["Hi"])],
    [Said("system", ["Be short."]), Said("user", ["Hi"])],
    [Said("user", ["Who kept the key?", LETTER])],
    [Said("user", [f"{LETTER}\n\nWho kept the key?"])],
    [Said("system", [LETTER]), Said("user", ["Who kept the key?"])],
    [Said("system", ["Be short."]), Said("user", [LETTER])],
    [Said("user", [HAY]), Said("assistant", ["Rain. [1]\n\n[1] x: y"]), Said("user", ["And then?"])],
    [Said("user", ["Hi"]), Said("assistant", [""]), Said("tool", ["Rain."]), Said("tool", [LETTER])],
    [Said("user", ["One."]), Said("user", ["Two."])],
    [Said("user", [HAY]), Said("assistant", ["Rain."])],
    [Said("user", [""])],
    [],
]


def bodies(messages: list[Said]) -> list[MessageBody]:
    told = [{"role": one.role, "content": [{"type": "text", "text": part} for part in one.parts]} for one in messages]
    return [MessageBody.model_validate(one) for one in told]


@pytest.mark.parametrize("messages", CONVERSATIONS)
def test_the_service_reads_messages_by_the_same_rules(messages: list[Said]) -> None:
    asked: Any = MagicMock()  # needed for files, and not to read too much at once
    try:
        there: Any = asyncio.run(served.read_messages(asked, bodies(messages)))
    except ServiceError:
        with pytest.raises(ConfigError):
            read(*messages)
        return
    here = read(*messages)
    assert (here.instruction, here.turns, here.warnings) == (there.instruction, there.turns, there.warnings)
    assert texts(here) == texts(there)


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
