import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_gpu.virtual_time import run_in_virtual_time
from longdoc.engines.budget import Budget, BudgetedEngine
from longdoc.engines.engine import (
    Completion,
    CompletionRequest,
    EngineInfo,
    FinishReason,
    Message,
    TextSink,
    Usage,
)
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import BudgetExceededError, EngineUnavailableError

REQUEST = CompletionRequest(messages=(Message("user", "one two three"),), max_tokens=20)


class Spending(ScriptedEngine):
    """Takes a while, fails now and then, and costs money."""

    def __init__(self, seed: int, *, failures: float = 0.0) -> None:
        super().__init__(lambda request: "word " * self._random.randint(1, request.max_tokens))
        self._random = random.Random(seed)
        self._failures = failures
        self.answers = 0
        self.usage = Usage()

    @property
    def info(self) -> EngineInfo:
        told = super().info
        return EngineInfo(
            told.engine,
            told.model,
            told.identity,
            told.context_window,
            exact_tokens=True,
            prompt_price=1e6,
            completion_price=2e6,
        )

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        await asyncio.sleep(self._random.random())
        if self._random.random() < self._failures:
            raise EngineUnavailableError("gone")
        completion = await super().complete(request, on_text=on_text)
        self.answers += 1
        self.usage += completion.usage
        return completion


def run_calls(engine: Spending, budget: Budget, calls: int) -> list[object]:
    async def run() -> list[object]:
        budgeted = BudgetedEngine(engine, budget)
        return await asyncio.gather(*(budgeted.complete(REQUEST) for _ in range(calls)), return_exceptions=True)

    return run_in_virtual_time(run())


@given(st.integers(0, 60), st.integers(1, 40), st.sampled_from([0.0, 0.3]), st.integers(0, 999))
def test_calls_together_never_pass_their_number(limit: int, calls: int, failures: float, seed: int) -> None:
    engine = Spending(seed, failures=failures)
    outcomes = run_calls(engine, Budget(max_calls=limit), calls)
    assert engine.answers <= limit
    assert sum(isinstance(outcome, Completion) for outcome in outcomes) == engine.answers
    if not failures:
        assert engine.answers == min(limit, calls)


@given(st.integers(0, 1500), st.integers(1, 40), st.sampled_from([0.0, 0.3]), st.integers(0, 999))
def test_calls_together_never_pass_tokens_or_money(limit: int, calls: int, failures: float, seed: int) -> None:
    tokens, money = Spending(seed, failures=failures), Spending(seed, failures=failures)
    run_calls(tokens, Budget(max_tokens=limit), calls)
    run_calls(money, Budget(max_cost=float(limit)), calls)
    assert tokens.usage.total_tokens <= limit
    assert money.info.cost(money.usage) <= limit


def test_the_refusal_tells_what_was_missing() -> None:
    (outcome,) = run_calls(Spending(1), Budget(max_tokens=10), 1)
    assert isinstance(outcome, BudgetExceededError)
    assert (outcome.resource, outcome.limit) == ("tokens", 10)
    assert outcome.needed > 10


def test_a_refused_call_does_not_reach_the_engine() -> None:
    engine = Spending(1)
    run_calls(engine, Budget(max_calls=0), 3)
    assert engine.calls == []


def test_what_is_set_aside_but_not_used_serves_others() -> None:
    """Ten calls take far less than ten worst cases; they all fit when they wait for each other."""
    engine = ScriptedEngine(lambda _: "short", delay=1.0)
    budget = Budget(max_tokens=150)

    async def run() -> None:
        budgeted = BudgetedEngine(engine, budget)
        await asyncio.gather(*(budgeted.complete(REQUEST) for _ in range(10)))

    run_in_virtual_time(run())
    assert budget.spent.calls == 10
    assert budget.spent.tokens == 40


def test_a_failed_call_spends_nothing() -> None:
    budget = Budget(max_calls=1)
    run_calls(Spending(1, failures=1.0), budget, 3)
    assert budget.spent.calls == 0


def test_an_engine_that_tells_no_usage_is_taken_at_its_worst() -> None:
    silent = ScriptedEngine(lambda _: Completion("text", FinishReason.STOP, Usage(), "silent"))
    budget = Budget(max_tokens=1000)
    asyncio.run(BudgetedEngine(silent, budget).complete(REQUEST))
    assert budget.spent.tokens >= REQUEST.max_tokens


@pytest.mark.parametrize("text", ["word " * 50, "слово " * 50, "文字" * 50, "🙂" * 50])
def test_without_a_tokenizer_the_estimate_is_on_the_safe_side(text: str) -> None:
    async def run() -> int:
        budget = Budget(max_tokens=100_000)
        inner = ScriptedEngine(lambda _: Completion("x", FinishReason.STOP, Usage(), "m"))
        await BudgetedEngine(inner, budget).complete(CompletionRequest((Message("user", text),), max_tokens=1))
        return budget.spent.tokens

    assert asyncio.run(run()) >= len(text.split())


def test_a_text_to_be_scored_counts_as_prompt() -> None:
    silent = ScriptedEngine(lambda _: Completion("text", FinishReason.STOP, Usage(), "silent"))
    budget = Budget(max_tokens=1000)
    request = CompletionRequest((Message("user", "Hi"),), max_tokens=1, continuation="word " * 100)
    asyncio.run(BudgetedEngine(silent, budget).complete(request))
    assert budget.spent.tokens >= 100
