"""What is kept of a section: a few words, and facts."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.section_synopsis import Synopsis, read_synopsis, synopsis_of
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ContextTooLongError, EngineUnavailableError, RequestRefusedError
from tests.agents.long_lines import HOSTILE

TEXT = "Marta rows out. She finds the keeper asleep."
SUMMARY = "Marta finds the keeper."


@pytest.mark.parametrize(
    ("answer", "facts"),
    [
        (SUMMARY, ()),
        (f"{SUMMARY}\nFacts: Marta, a rower; 11:40", ("Marta, a rower", "11:40")),
        (f"{SUMMARY}\n\n**Facts:**\n- Marta, a rower\n- 11:40.", ("Marta, a rower", "11:40")),
        (f"{SUMMARY}\nFacts:\n1. Marta\n2. 1848: revolution\n", ("Marta", "1848: revolution")),
        (f"{SUMMARY} Facts: Marta; Marta; ; 40 crowns.", ("Marta", "40 crowns")),
        (f"{SUMMARY}\nFakten： Marta；12 Uhr", ("Marta", "12 Uhr")),
        (f"{SUMMARY}\nFacts: None.", ()),
        (f"{SUMMARY}\nFacts: Marta; {'x' * 500}", ("Marta",)),
    ],
)
def test_summary_and_facts(answer: str, facts: tuple[str, ...]) -> None:
    assert read_synopsis(answer, TEXT) == Synopsis(SUMMARY, facts)


def test_facts_in_another_script() -> None:
    assert read_synopsis("玛塔找到了看守人。\n事实：玛塔；11:40", TEXT) == Synopsis(
        "玛塔找到了看守人。", ("玛塔", "11:40")
    )


@pytest.mark.parametrize("answer", ["", " \n", "Facts: Marta", "Facts:"])
def test_without_a_summary_the_first_sentence_stands(answer: str) -> None:
    assert read_synopsis(answer, TEXT).summary == "Marta rows out."


def test_facts_and_summary_are_bounded() -> None:
    found = read_synopsis("It is told. " * 200 + "\nFacts: " + "; ".join(map(str, range(50))), TEXT)
    assert len(found.summary) <= 400
    assert found.summary.endswith("told.")
    assert found.facts == tuple(map(str, range(8)))


def asked(answer: str | Exception) -> Synopsis:
    def answering(_: CompletionRequest) -> str:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return asyncio.run(synopsis_of(ScriptedEngine(answering), TEXT, title="section 1", emit=lambda _: None))


def test_a_refusal_leaves_the_first_sentence_and_other_errors_are_raised() -> None:
    assert asked(SUMMARY) == Synopsis(SUMMARY)
    for error in (RequestRefusedError("no"), ContextTooLongError("long", prompt_tokens=2, context_window=1)):
        assert asked(error) == Synopsis("Marta rows out.")
    with pytest.raises(EngineUnavailableError):
        asked(EngineUnavailableError("down"))


@given(st.text(), st.text())
def test_any_answer_is_read(answer: str, text: str) -> None:
    found = read_synopsis(answer, text)
    assert len(found.summary) <= 400
    assert all(0 < len(fact) <= 100 for fact in found.facts)


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_long_answers_are_read_at_once(name: str) -> None:
    text = HOSTILE[name](60_000)
    started = time.process_time()
    read_synopsis(text, text)
    assert time.process_time() - started < 30
