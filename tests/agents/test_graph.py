"""The task graph: order, what runs together, and what happens when something fails."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longdoc.agents.graph import run_graph
from longdoc.errors import BudgetExceededError


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    size = draw(st.integers(0, 30))
    return [draw(st.lists(st.integers(0, i - 1), unique=True, max_size=4)) if i else [] for i in range(size)]


@given(graphs(), st.integers(1, 8))
def test_everything_runs_once_and_after_what_it_needs(graph: list[list[int]], at_once: int) -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        assert all(needed in done for needed in graph[number])
        done.append(number)

    asyncio.run(run_graph(graph, work, at_once=at_once))
    assert sorted(done) == list(range(len(graph)))


def test_a_piece_starts_when_its_own_needs_are_done_not_when_a_level_is() -> None:
    order: list[int] = []
    release = asyncio.Event()

    async def work(number: int) -> None:
        if number == 1:
            await release.wait()
        order.append(number)
        if number == 2:
            release.set()

    asyncio.run(asyncio.wait_for(run_graph([[], [], [0], [1, 2]], work), 5))
    assert order == [0, 2, 1, 3]


def test_after_an_error_nothing_new_starts_and_what_is_under_way_finishes() -> None:
    finished: list[int] = []

    async def work(number: int) -> None:
        if number == 1:
            await asyncio.sleep(0.01)
            raise BudgetExceededError("calls", limit=1, needed=2)
        await asyncio.sleep(0.05)
        finished.append(number)

    with pytest.raises(BudgetExceededError):
        asyncio.run(run_graph([[], [], [], []], work, at_once=3))
    assert finished == [0, 2]


def test_a_fault_in_the_program_cancels_the_rest() -> None:
    finished: list[int] = []

    async def work(number: int) -> None:
        if number == 0:
            raise ZeroDivisionError
        await asyncio.sleep(5)
        finished.append(number)

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(run_graph([[], []], work))
    assert caught.group_contains(ZeroDivisionError)
    assert finished == []
