"""Questions at the end of a text, and questions that lean on those before them."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.follow_up import Turn, standalone_question
from longdoc.agents.question_tail import question_tail
from longdoc.documents.tokens import estimate_tokens
from longdoc.engines.scripted import ScriptedEngine


def test_the_last_paragraph_is_the_question() -> None:
    text = "A story.\n\nIts end.\n\n  Who hid the key?\n"
    assert text[question_tail(text) :] == "Who hid the key?\n"


def test_a_long_last_paragraph_gives_its_last_sentences() -> None:
    text = "A story.\n\n" + "The sea was calm that day. " * 60 + "Who hid the key?"
    question = text[question_tail(text) :]
    assert question.endswith("Who hid the key?")
    assert question.startswith("The sea")
    assert estimate_tokens(question) <= 128


def test_a_text_of_one_line_is_a_question_as_a_whole() -> None:
    assert question_tail("Who hid the key?") == 0


@given(st.text(alphabet="ab .\n", min_size=1))
def test_always_lies_in_the_text(text: str) -> None:
    assert 0 <= question_tail(text) <= len(text)


def _standalone(answer: str, *turns: Turn) -> tuple[str, int]:
    engine = ScriptedEngine(lambda _: answer)
    found = asyncio.run(standalone_question(engine, "And where is it?", turns, emit=lambda _: None))
    assert found.kind in {found.text, "And where is it?"}
    return found.text, len(engine.calls)


def test_a_first_question_costs_no_call() -> None:
    assert _standalone("never asked") == ("And where is it?", 0)


def test_a_follow_up_is_written_out() -> None:
    turn = Turn("Who hid the key?", "The captain.")
    assert _standalone("Where is the key that the captain hid?", turn) == ("Where is the key that the captain hid?", 1)


def test_a_model_that_does_not_keep_to_it_is_done_without() -> None:
    turn = Turn("Who hid the key?", "The captain.")
    for nonsense in ("", "One.\nTwo.", "word " * 200, "The key is in the cellar."):
        assert _standalone(nonsense, turn) == ("Who hid the key? And where is it?", 1)


def test_the_kind_of_a_question_that_was_not_written_out_is_that_of_its_own_words() -> None:
    turn = Turn("How many chapters mention Napoleon?", "Twelve.")
    engine = ScriptedEngine(lambda _: "One.\nTwo.")
    found = asyncio.run(standalone_question(engine, "Who is he?", [turn], emit=lambda _: None))
    assert (found.text, found.kind) == ("How many chapters mention Napoleon? Who is he?", "Who is he?")


def test_an_answer_that_was_cut_is_no_question() -> None:
    engine = ScriptedEngine(lambda _: " ".join(f"w{n}" for n in range(127)) + " ? more")
    turn = Turn("Who hid the key?", "The captain.")
    found = asyncio.run(standalone_question(engine, "And where is it? " * 10, [turn], emit=lambda _: None))
    assert found.text.startswith("Who hid the key? And")
