import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulated_gpu.core import Finished, Job, SimulatedGpu
from benchmarks.simulated_gpu.ideal import ideal_schedule, seconds_of
from benchmarks.simulated_gpu.settings import GpuSettings, StepCost
from benchmarks.simulated_gpu.texts import AnswerRule, block_hashes, count_tokens, draw_answer
from longdoc.agents.sentences import ends_in_sentence

SMALL = GpuSettings(sequences=4, step_tokens=64)
COST = SMALL.cost
jobs_of_any_size = st.lists(st.builds(Job, st.integers(1, 300), st.integers(1, 60)), min_size=1, max_size=30)


def run_all(gpu: SimulatedGpu) -> list[Finished]:
    done: list[Finished] = []
    while (event := gpu.next_event()) is not None:
        done += gpu.advance(event)
    return done


def run_at(settings: GpuSettings, jobs: Sequence[Job], times: Sequence[float]) -> list[Finished]:
    """Each job submitted at its time, in order."""
    gpu = SimulatedGpu(settings)
    for job, time in zip(jobs, times, strict=True):
        gpu.submit(job, at=time)
    return run_all(gpu)


def test_a_lone_request_takes_its_prompt_and_its_tokens() -> None:
    (done,) = ideal_schedule(SMALL, [Job(150, 20)])
    reading = sum(COST.step(decoding=0, prefill=piece, kv=0) for piece in (64, 64, 22))
    writing = sum(COST.step(decoding=1, prefill=0, kv=151 + step) for step in range(19))
    assert done.finished == pytest.approx(reading + writing)


@given(jobs_of_any_size, st.integers(0, 1000))
def test_never_more_sequences_than_there_are_places(jobs: list[Job], seed: int) -> None:
    chance = random.Random(seed)
    gpu = SimulatedGpu(SMALL)
    at = 0.0
    for job in jobs:
        at += chance.choice((0.0, 0.001, 0.05))
        gpu.submit(job, at=at)
        assert gpu.running <= SMALL.sequences
    while (event := gpu.next_event()) is not None:
        gpu.advance(event)
        assert gpu.running <= SMALL.sequences


@given(jobs_of_any_size)
def test_every_prompt_is_read_once_and_every_job_is_done_once(jobs: list[Job]) -> None:
    gpu = SimulatedGpu(SMALL)
    numbers = [gpu.submit(job, at=0.0) for job in jobs]
    done = run_all(gpu)
    assert sorted(one.number for one in done) == numbers
    assert gpu.prompt_tokens_read == sum(job.prompt_tokens for job in jobs)
    assert gpu.next_event() is None


@given(jobs_of_any_size, st.integers(0, 1000))
def test_it_does_not_matter_how_often_one_looks(jobs: list[Job], seed: int) -> None:
    chance = random.Random(seed)
    times = sorted(chance.uniform(0, 1) for _ in jobs)
    seldom = run_at(SMALL, jobs, times)
    gpu = SimulatedGpu(SMALL)
    often: list[Finished] = []
    now = 0.0
    for job, time in zip(jobs, times, strict=True):
        while (now := now + 0.003) < time:
            often += gpu.advance(now)
        gpu.submit(job, at=time)
        now = time
    while len(often) < len(jobs):
        often += gpu.advance(now := now + 0.003)
    assert [one.number for one in often] == [one.number for one in seldom]
    assert [one.finished for one in often] == pytest.approx([one.finished for one in seldom])


def test_who_comes_first_is_served_first() -> None:
    done = ideal_schedule(SMALL, [Job(100, 10)] * 12)
    assert all(one.started <= later.started for one, later in pairwise(done))


@given(jobs_of_any_size, st.integers(0, 1000))
def test_no_other_schedule_of_equal_jobs_is_quicker_than_the_ideal(jobs: list[Job], seed: int) -> None:
    chance = random.Random(seed)
    alike = [jobs[0]] * len(jobs)
    late = sorted(chance.uniform(0, 2) for _ in alike)
    fewer = replace(SMALL, sequences=chance.randint(1, 3))
    ideal = seconds_of(ideal_schedule(SMALL, alike))
    assert ideal <= seconds_of(run_at(SMALL, alike, late)) + 1e-9
    assert ideal <= seconds_of(ideal_schedule(fewer, alike)) + 1e-9


def test_no_worse_order_of_a_book_is_quicker_than_the_ideal() -> None:
    """Segments in tens, a merge for each ten and one over all: against fewer at once, delays, and level by level."""
    chance = random.Random(5)
    leaves = [Job(chance.randint(1500, 2300), chance.randint(120, 240)) for _ in range(200)]
    jobs = [*leaves, *(Job(2500, 500) for _ in range(20)), Job(8000, 900)]
    groups = [tuple(range(ten * 10, ten * 10 + 10)) for ten in range(20)]
    by_need = [*[()] * 200, *groups, tuple(range(200, 220))]
    by_level = [*[()] * 200, *[tuple(range(200))] * 20, tuple(range(200, 220))]
    gpu = GpuSettings(sequences=64)
    ideal = seconds_of(ideal_schedule(gpu, jobs, by_need))
    others = [seconds_of(ideal_schedule(gpu, jobs, by_level))]
    others += [seconds_of(ideal_schedule(replace(gpu, sequences=at_once), jobs, by_need)) for at_once in (1, 8, 32, 60)]
    assert all(ideal < other for other in others)


def test_a_job_starts_after_what_it_depends_on() -> None:
    first, second, third = ideal_schedule(SMALL, [Job(10, 5), Job(10, 9), Job(10, 5)], [(), (), (0, 1)])
    assert third.submitted == max(first.finished, second.finished)


def test_a_beginning_that_was_read_before_is_reported_and_not_read_again() -> None:
    blocks = block_hashes("the same beginning, " * 16)
    again, first = Job(90, 5, blocks), Job(90, 5, blocks)
    done = ideal_schedule(SMALL, [first, again], [(), (0,)])
    assert [one.cached_tokens for one in done] == [0, 80]
    assert done[1].finished - done[1].started < done[0].finished - done[0].started


def test_a_cache_that_is_full_forgets_the_oldest() -> None:
    texts = [f"{name}: " + "words " * 20 for name in ("one", "two", "one")]
    jobs = [Job(count_tokens(text), 2, block_hashes(text)) for text in texts]
    order = [(), (0,), (1,)]
    roomy = ideal_schedule(replace(SMALL, cached_blocks=2), jobs, order)
    tight = ideal_schedule(replace(SMALL, cached_blocks=1), jobs, order)
    assert (roomy[2].cached_tokens, tight[2].cached_tokens) == (16, 0)


@pytest.mark.parametrize("after", [0.0, 0.004, 0.03, 0.2])
def test_a_job_that_is_cancelled_leaves_its_place(after: float) -> None:
    gpu = SimulatedGpu(replace(SMALL, sequences=1))
    numbers = [gpu.submit(Job(100, 40), at=0.0), gpu.submit(Job(100, 40), at=0.0)]
    gpu.cancel(numbers[0], at=after)
    (done,) = run_all(gpu)
    lone = ideal_schedule(SMALL, [Job(100, 40)])[0].finished
    assert done.number == numbers[1]
    assert lone <= done.finished <= after + lone + COST.step(decoding=1, prefill=64, kv=200) + 1e-9


def test_tokens_of_an_answer_come_one_after_the_other() -> None:
    gpu = SimulatedGpu(SMALL)
    number = gpu.submit(Job(10, 50), at=0.0)
    seen: list[int] = []
    for step in range(200):
        gpu.advance(step * 0.003)
        seen.append(gpu.written(number))
    assert max(seen) in {49, 50}
    assert all(0 <= later - one <= 1 for one, later in pairwise(seen[: seen.index(max(seen))]))


def test_costs_of_many_steps_are_those_of_each() -> None:
    cost = StepCost()
    each = sum(cost.step(decoding=7, prefill=0, kv=1000 + 7 * step) for step in range(25))
    assert cost.decode_steps(25, decoding=7, kv=1000) == pytest.approx(each)


@given(st.text(max_size=200), st.integers(1, 400))
def test_answers_follow_from_the_request_and_keep_their_length(prompt: str, limit: int) -> None:
    answer = draw_answer(prompt, limit=limit, rule=AnswerRule())
    assert answer == draw_answer(prompt, limit=limit, rule=AnswerRule())
    assert count_tokens(answer.text) == answer.tokens <= limit
    assert ends_in_sentence(answer.text)
    assert not answer.cut


def test_answers_above_the_limit_are_cut_off() -> None:
    answer = draw_answer("long", limit=100, rule=AnswerRule(shortest=1.5, longest=2.0))
    assert (answer.tokens, answer.cut, ends_in_sentence(answer.text)) == (100, True, False)
