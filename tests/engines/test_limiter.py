import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from benchmarks.simulated_gpu.virtual_time import run_in_virtual_time
from longdoc.engines.engine import Completion, CompletionRequest, TextSink
from longdoc.engines.limiter import AdaptiveLimiter, LimitedEngine
from longdoc.engines.retry import RetryingEngine
from longdoc.errors import (
    EngineError,
    EngineTimeoutError,
    EngineUnavailableError,
    RateLimitedError,
    RequestRefusedError,
)
from tests.engines.simulated import REQUEST, SimulatedServer


def throughput(
    calls: int, sequences: int, *, refuse_above: int | None = None, fixed: int | None = None, skipped: int = 0
) -> float:
    """Calls a second on the simulated server, without the first `skipped` and the tail."""

    async def run() -> float:
        server = SimulatedServer(sequences, refuse_above=refuse_above)
        limiter = AdaptiveLimiter(fixed=fixed)
        retrying = RetryingEngine(server, attempts=12, on_backoff=limiter.on_backoff, jitter=lambda: 0.5)
        engine = LimitedEngine(retrying, limiter)
        ends: list[float] = []

        async def call() -> None:
            await engine.complete(REQUEST)
            ends.append(asyncio.get_running_loop().time())

        await asyncio.gather(*(call() for _ in range(calls)))
        measured = ends[skipped : -min(sequences, refuse_above or sequences)]
        return len(measured) / (measured[-1] - measured[0])

    return run_in_virtual_time(run())


@pytest.mark.parametrize(
    ("sequences", "refuse_above", "calls", "skipped"),
    [(4, None, 600, 200), (64, None, 4000, 1500), (512, None, 12_000, 6000), (512, 16, 2000, 500)],
)
def test_it_comes_within_a_tenth_of_the_best_level(
    sequences: int, refuse_above: int | None, calls: int, skipped: int
) -> None:
    best = throughput(
        calls, sequences, refuse_above=refuse_above, fixed=min(sequences, refuse_above or sequences), skipped=skipped
    )
    found = throughput(calls, sequences, refuse_above=refuse_above, skipped=skipped)
    assert found >= 0.9 * best


def test_a_fixed_level_is_never_passed_or_left() -> None:
    async def run() -> tuple[int, int]:
        server = SimulatedServer(64)
        limiter = AdaptiveLimiter(fixed=3)
        engine = LimitedEngine(server, limiter)
        limiter.on_backoff(RateLimitedError("slow"))
        await asyncio.gather(*(engine.complete(REQUEST) for _ in range(50)))
        return server.most_under_way, limiter.level

    assert run_in_virtual_time(run()) == (3, 3)


@pytest.mark.parametrize(("slots", "level"), [(1, 2), (5, 6), (256, 288), (5000, 1024)])
def test_it_starts_with_the_engines_slots_and_a_small_queue(slots: int, level: int) -> None:
    assert AdaptiveLimiter(slots=slots).level == level


def test_a_refusal_halves_the_level_down_to_one() -> None:
    async def run() -> list[int]:
        limiter = AdaptiveLimiter(slots=16)
        levels = [limiter.level]
        for _ in range(6):
            limiter.on_backoff(RateLimitedError("slow"))
            levels.append(limiter.level)
        return levels

    assert run_in_virtual_time(run()) == [18, 9, 4, 2, 1, 1, 1]


def test_a_timeout_lowers_the_level_and_closes_no_gate() -> None:
    async def run() -> tuple[int, float]:
        limiter = AdaptiveLimiter(slots=16)
        limiter.on_backoff(EngineTimeoutError("no answer within 600 s"))
        async with limiter.slot():
            return limiter.level, asyncio.get_running_loop().time()

    assert run_in_virtual_time(run()) == (9, 0.0)


def test_calls_that_time_out_together_lower_the_level_once() -> None:
    async def run() -> int:
        limiter = AdaptiveLimiter(slots=16)
        async with AsyncExitStack() as stack:
            for _ in range(18):
                await stack.enter_async_context(limiter.slot())
            for _ in range(18):
                limiter.on_backoff(EngineTimeoutError("no answer within 600 s"))
        return limiter.level

    assert run_in_virtual_time(run()) == 9


def test_a_broken_connection_does_not_lower_the_level() -> None:
    async def run() -> int:
        limiter = AdaptiveLimiter(slots=16)
        limiter.on_backoff(EngineUnavailableError("gone"))
        return limiter.level

    assert run_in_virtual_time(run()) == 18


def test_retry_after_holds_new_calls_back() -> None:
    async def run() -> float:
        limiter = AdaptiveLimiter(slots=4)
        limiter.on_backoff(RateLimitedError("slow", retry_after=7))
        async with limiter.slot():
            return asyncio.get_running_loop().time()

    assert run_in_virtual_time(run()) == pytest.approx(7, abs=0.01)


def test_interactive_calls_go_first() -> None:
    async def run() -> list[str]:
        engine = LimitedEngine(SimulatedServer(1), AdaptiveLimiter(fixed=1))
        ended: list[str] = []

        async def call(name: str, *, interactive: bool) -> None:
            await engine.complete(replace(REQUEST, interactive=interactive))
            ended.append(name)

        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(call(f"batch {number}", interactive=False))
            await asyncio.sleep(0.1)
            group.create_task(call("interactive", interactive=True))
        return ended

    assert run_in_virtual_time(run()) == ["batch 0", "interactive", "batch 1", "batch 2"]


def test_cancelled_calls_leave_their_places() -> None:
    async def run() -> int:
        limiter = AdaptiveLimiter(fixed=2)
        engine = LimitedEngine(SimulatedServer(2), limiter)
        calls = [asyncio.create_task(engine.complete(REQUEST)) for _ in range(6)]
        await asyncio.sleep(0.1)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert limiter.under_way == 0
        await asyncio.gather(*(engine.complete(REQUEST) for _ in range(4)))
        return limiter.under_way

    assert run_in_virtual_time(run()) == 0


class TooSlowFor(SimulatedServer):
    """Never answers one kind of request in time."""

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        if request.seed == 13:
            await asyncio.sleep(60)
            raise EngineTimeoutError("no answer within 60 s")
        return await super().complete(request, on_text=on_text)


def test_a_call_that_alone_times_out_is_refused_and_the_others_go_on() -> None:
    async def run() -> list[object]:
        engine = LimitedEngine(TooSlowFor(4), AdaptiveLimiter(fixed=4))
        requests = [replace(REQUEST, seed=number) for number in range(10, 20)]
        return await asyncio.gather(*(engine.complete(request) for request in requests), return_exceptions=True)

    outcomes = run_in_virtual_time(run())
    assert [isinstance(outcome, RequestRefusedError) for outcome in outcomes] == [number == 3 for number in range(10)]


def test_an_engine_that_answers_nobody_is_lost() -> None:
    async def run() -> list[object]:
        engine = LimitedEngine(TooSlowFor(4), AdaptiveLimiter(fixed=2))
        calls = (engine.complete(replace(REQUEST, seed=13)) for _ in range(6))
        return await asyncio.gather(*calls, return_exceptions=True)

    assert all(isinstance(outcome, EngineTimeoutError) for outcome in run_in_virtual_time(run()))


class LostError(EngineError):
    """Not to be tried again now, but to be gone on with later."""

    @property
    def resumable(self) -> bool:
        return True


class Lost(SimulatedServer):
    """Ends for good after a while."""

    async def complete(self, request: CompletionRequest, *, on_text: TextSink | None = None) -> Completion:
        await asyncio.sleep(10)
        raise LostError("the engine has ended")


def test_calls_that_wait_for_an_engine_that_has_ended_fail_at_once() -> None:
    async def run() -> tuple[list[object], float]:
        engine = LimitedEngine(Lost(4), AdaptiveLimiter(fixed=2))
        outcomes = await asyncio.gather(*(engine.complete(REQUEST) for _ in range(6)), return_exceptions=True)
        return list(outcomes), asyncio.get_running_loop().time()

    outcomes, seconds = run_in_virtual_time(run())
    assert all(isinstance(outcome, LostError) for outcome in outcomes)
    assert seconds == pytest.approx(10, abs=0.1)
