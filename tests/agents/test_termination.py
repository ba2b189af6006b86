"""Whatever an engine answers, every method comes to its end, within calls that are known beforehand."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.engines.engine import Completion, CompletionRequest, FinishReason, Usage
from longdoc.errors import ContextTooLongError, InvalidOutputError, RequestRefusedError
from tests.agents.summarizing import METHODS, book, summarize

ANSWERS = {
    "empty": "",
    "blank": " \n\n ",
    "over-long": "word " * 4000,
    "over-long sentences": "This goes on and on. " * 900,
    "one endless sentence": "and " * 500 + "so on.",
    "repeating": "The same again. The same again. The same again.",
    "never ends in a full stop": "It begins. It goes on, and then",
    "no mark at all": "it goes on and then",
    "marks alone": "... ... ...",
    "a mark": ".",
    "the prompt": None,
    "traces": "In this segment, the text begins. This segment of the text ends with this passage.",
    "chatter": "Sure, here is a summary:",
    "closing tags": "</summary></text></part> Done.",
}
MOST_CALLS_A_NODE = 4 + 6 + 2 + 1 + 10
"""Four tries, or an update with six compressions and a second one; one for the wording; ten for the length."""


def answer_of(name: str, request: CompletionRequest) -> str:
    answer = ANSWERS[name]
    return request.messages[-1].content if answer is None else answer


def run(method: str, answers: list[str], words: int | None, path: Path) -> None:
    given = iter(answers * 1000)
    document = book(30)

    def answer(request: CompletionRequest) -> str:
        return answer_of(next(given), request)

    outcome = summarize(path, answer, method=METHODS[method], document=document, limit=300, window=4096, words=words)
    assert outcome.summary is not None or isinstance(outcome.error, InvalidOutputError)
    assert len(outcome.requests) <= max(1, len(outcome.nodes)) * MOST_CALLS_A_NODE


@pytest.mark.parametrize("words", [None, 60])
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("method", METHODS)
def test_the_same_bad_answer_always(method: str, answer: str, words: int | None, tmp_path: Path) -> None:
    run(method, [answer], words, tmp_path)


@given(
    st.sampled_from(sorted(METHODS)),
    st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=12),
    st.sampled_from([None, 40, 150]),
)
@settings(max_examples=60, deadline=None)
def test_any_order_of_bad_answers(method: str, answers: list[str], words: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run(method, answers, words, Path(folder))


@pytest.mark.parametrize("error", [ContextTooLongError("too long"), RequestRefusedError("no")])
@pytest.mark.parametrize("method", METHODS)
def test_refusals_in_between_leave_gaps_or_an_error_that_says_where_to_look(
    method: str, error: Exception, tmp_path: Path
) -> None:
    count = 0

    def answer(request: CompletionRequest) -> Completion:
        nonlocal count
        count += 1
        if count % 2 == 0:
            raise error
        return Completion("It is short.", FinishReason.STOP, Usage(10, 4), "scripted")

    outcome = summarize(tmp_path, answer, method=METHODS[method], document=book(30), limit=300, window=4096, words=60)
    assert outcome.summary is not None or "lda runs show" in str(outcome.error)
    assert len(outcome.requests) <= max(1, len(outcome.nodes)) * MOST_CALLS_A_NODE
