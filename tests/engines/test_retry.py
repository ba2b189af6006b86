import asyncio

import pytest

from longdoc.engines.engine import Completion, CompletionRequest, Message
from longdoc.engines.retry import RetryingEngine
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import EngineError, EngineUnavailableError, RateLimitedError, RequestRefusedError

REQUEST = CompletionRequest(messages=(Message("user", "hello"),), max_tokens=20)


class Failing:
    """Answers after these errors; notes how long the engine was left alone before each try."""

    def __init__(self, *errors: EngineError) -> None:
        self._errors = list(errors)
        self.waits: list[float] = []

    def __call__(self, _: CompletionRequest) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return "an answer"

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def complete(failing: Failing, attempts: int = 5, heard: list[EngineError] | None = None) -> Completion:
    engine = RetryingEngine(
        ScriptedEngine(failing),
        attempts=attempts,
        sleep=failing.sleep,
        jitter=lambda: 1.0,
        on_backoff=None if heard is None else heard.append,
    )
    return asyncio.run(engine.complete(REQUEST))


def test_what_may_pass_is_tried_again_and_counted() -> None:
    failing = Failing(EngineUnavailableError("a"), EngineUnavailableError("b"))
    assert complete(failing).retries == 2
    assert failing.waits == [1.0, 2.0]


def test_tries_are_bounded_and_the_last_error_is_told() -> None:
    failing = Failing(*(EngineUnavailableError(str(number)) for number in range(9)))
    with pytest.raises(EngineUnavailableError, match="2"):
        complete(failing, attempts=3)


def test_what_cannot_pass_is_not_tried_again() -> None:
    failing = Failing(RequestRefusedError("no"))
    with pytest.raises(RequestRefusedError):
        complete(failing)
    assert failing.waits == []


def test_a_longer_retry_after_is_honoured() -> None:
    failing = Failing(RateLimitedError("slow", retry_after=42))
    complete(failing)
    assert failing.waits == [42]


def test_an_absurd_retry_after_ends_the_call() -> None:
    failing = Failing(RateLimitedError("tomorrow", retry_after=86_400))
    with pytest.raises(RateLimitedError):
        complete(failing)
    assert failing.waits == []


def test_waits_are_bounded() -> None:
    failing = Failing(*(EngineUnavailableError("x") for _ in range(12)))
    complete(failing, attempts=20)
    assert max(failing.waits) == 60


def test_every_wait_is_heard_of() -> None:
    heard: list[EngineError] = []
    failing = Failing(RateLimitedError("a"), EngineUnavailableError("b"))
    complete(failing, heard=heard)
    assert [str(error) for error in heard] == ["a", "b"]


def test_text_that_was_passed_on_is_not_told_twice() -> None:
    class BreaksOff(ScriptedEngine):
        async def complete(self, request: CompletionRequest, *, on_text: object = None) -> Completion:
            assert callable(on_text)
            on_text("half ")
            raise EngineUnavailableError("broke off")

    pieces: list[str] = []
    engine = RetryingEngine(BreaksOff(), sleep=Failing().sleep)
    with pytest.raises(EngineUnavailableError):
        asyncio.run(engine.complete(REQUEST, on_text=pieces.append))
    assert pieces == ["half "]
