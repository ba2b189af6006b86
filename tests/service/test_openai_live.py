"""What is sent while it is written is sent once, and ends where the request says."""

from collections.abc import Sequence

import pytest

from longdoc.agents.routing import Capability, DecidedBy, Route
from longdoc.app.orchestrator import DoResult
from longdoc.app.results import Source
from longdoc.app.runs import RunUsage
from longdoc.app.service.chat_completions_live import Live
from longdoc.app.service.chat_completions_replies import LongDocView
from longdoc.app.work_plan import DoRequest, WorkPlan
from longdoc.app.work_results import StepResult

_SOURCE = Source("d", "Log", 0, 4, "rain", at=9)


def result(text: str, sources: tuple[Source, ...] = (), *, cut: bool = False, gaps: bool = False) -> DoResult:
    step = StepResult(1, "Tell.", _route(), text, sources, ("r",), cut=cut, gaps=gaps)
    return DoResult(WorkPlan(DoRequest("Tell."), ()), (step,), "r", RunUsage())


def _route() -> Route:
    return Route(Capability.CALL, "it is short", DecidedBy.RULE)


def streamed(live: Live, pieces: Sequence[str], done: DoResult) -> tuple[str, str]:
    sent = "".join(map(live.take, pieces))
    rest, finish = live.rest(done)
    return sent + rest, finish


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("The boats stayed in. It rained.\n\nLet me know if you need more!", "The boats stayed in. It rained."),
        ("Here is the answer:\n\nIt rained.", "It rained."),
        ("  It rained.\n", "It rained."),
        ("It rained.", "It rained."),
    ],
)
@pytest.mark.parametrize("stops", [[], ["never said", "need another"]])
def test_an_answer_is_sent_once(written: str, answer: str, stops: Sequence[str]) -> None:
    pieces = [written[start : start + 5] for start in range(0, len(written), 5)]
    text, finish = streamed(Live(stops, None), pieces, result(answer))
    assert (text.strip(), finish) == (written.strip(), "stop")


def test_the_list_of_sources_follows_what_was_sent() -> None:
    text, _ = streamed(Live([], None), ["There it rained."], result("It rained.", (_SOURCE,)))
    assert text.endswith("\n\nIt rained [1].\n\n[1] Log: “rain”")
    text, _ = streamed(Live([], None), ["Sure:\n\nIt rained."], result("It rained.", (_SOURCE,)))
    assert text == "Sure:\n\nIt rained.\n\n[1] Log: “rain”"


@pytest.mark.parametrize("size", [1, 3, 50])
def test_a_stop_or_a_limit_ends_it_wherever_it_falls(size: int) -> None:
    written = "One two three four five six seven."
    pieces = [written[start : start + size] for start in range(0, len(written), size)]
    assert streamed(Live(["nine", "four f"], None), pieces, result(written)) == ("One two three ", "stop")
    text, finish = streamed(Live([], 4), pieces, result(written))
    assert finish == "length"
    assert 0 < len(text) < len(written)
    assert written.startswith(text)


def test_an_answer_that_the_model_could_not_end_is_told_so() -> None:
    done = result("It rained and", cut=True, gaps=True)
    assert streamed(Live([], None), ["It rained and"], done) == ("It rained and", "length")
    assert streamed(Live([], None), [], done) == ("It rained and", "length")
    (warning,) = LongDocView.of(done, {}, []).warnings
    assert "ran into its limit" in warning
    (warning,) = LongDocView.of(result("It rained.", gaps=True), {}, []).warnings
    assert "something is missing" in warning
    assert LongDocView.of(result("It rained."), {}, []).warnings == []
