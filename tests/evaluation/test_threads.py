"""Key-value threads: a true JSON object, every UUID once, threads that lead where they should and no other ones."""

from __future__ import annotations

import json
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longdoc.errors import ConfigError
from longdoc.evaluation.answer_match import score_start
from longdoc.evaluation.gold import GoldCase, GoldText, seeded
from longdoc.evaluation.threads import (
    ThreadKind,
    ThreadTask,
    count_thread_texts,
    longest_question,
    thread_texts,
    uuids,
)

_UUID = re.compile(r"[0-9a-f*]{8}-[0-9a-f*]{4}-[0-9a-f*]{4}-[0-9a-f*]{4}-[0-9a-f*]{12}")


def made(*tasks: ThreadTask, length: int = 8000, seed: int = 0) -> list[GoldText]:
    return list(thread_texts(tasks, length=length, seed=seed))


def one(*tasks: ThreadTask, length: int = 8000, seed: int = 0) -> tuple[dict[str, str], GoldText]:
    (text,) = made(*tasks, length=length, seed=seed)
    return json.loads(text.document.text), text


def followed(pairs: dict[str, str], key: str) -> list[str]:
    """The keys of a thread and what stands at its end."""
    found = [key]
    while found[-1] in pairs:
        found.append(pairs[found[-1]])
    return found


def asked(case: GoldCase) -> list[str]:
    return _UUID.findall(case.question)


def test_a_text_is_a_json_object_of_about_the_length_asked_for_with_every_uuid_once() -> None:
    pairs, text = one(ThreadTask(ThreadKind.ONE))
    assert len(pairs) == 400
    assert len(text.document.text) == pytest.approx(4 * 8000, rel=0.02)
    every = [*pairs, *pairs.values()]
    assert len(set(every)) == len(every)
    assert all(_UUID.fullmatch(uuid) and uuid[14] == "4" for uuid in every)


def test_25_pairs_are_2000_characters() -> None:
    _, text = one(ThreadTask(ThreadKind.ONE))
    inner = text.document.blocks[1]
    assert inner.end - inner.start + len("\n") == 2000


@settings(max_examples=40)
@given(
    st.lists(
        st.builds(
            ThreadTask,
            st.sampled_from(ThreadKind),
            count=st.integers(1, 4),
            steps=st.integers(2, 25),
            direction=st.sampled_from(("forward", "backward")),
            clustered=st.booleans(),
            depth=st.none() | st.floats(0, 1),
        ),
        min_size=1,
        max_size=12,
    ),
    st.integers(0, 99),
)
def test_every_task_is_asked_once_and_its_spans_hold_the_pairs_that_it_takes(
    tasks: list[ThreadTask], seed: int
) -> None:
    texts = made(*tasks, length=6000, seed=seed)
    assert count_thread_texts(tasks, length=6000) == len(texts)
    assert len(longest_question(tasks)) == max(len(case.question) for text in texts for case in text.cases)
    cases = [case for text in texts for case in text.cases]
    assert [case.id for case in cases] == [f"{task.kind}-{i}/6000" for i, task in enumerate(tasks, 1)]
    numbered = iter(tasks)
    for text in texts:
        pairs = json.loads(text.document.text)
        taken = [span for case in text.cases for span in case.spans]
        assert len(set(taken)) == len(taken)
        for case in text.cases:
            task = next(numbered)
            held = [json.loads(f"{{{text.document.text[a:b]}}}") for a, b in case.spans]
            assert len(held) == task.pairs
            assert all(pairs.items() >= pair.items() for pair in held)
            if case.kind in {ThreadKind.THREAD, ThreadKind.THREADS}:
                threads = [followed(pairs, key) for key in asked(case)]
                assert [thread[-1] for thread in threads] == list(case.answers)
                assert [key for thread in threads for key in thread[:-1]] == [key for pair in held for key in pair]
            else:
                assert [value for pair in held for value in pair.values()] == list(case.answers)
        in_threads = sum(len(case.spans) for case in text.cases if case.kind in {ThreadKind.THREAD, ThreadKind.THREADS})
        threads = sum(len(case.answers) for case in text.cases if case.kind in {ThreadKind.THREAD, ThreadKind.THREADS})
        assert sum(value in pairs for value in pairs.values()) == in_threads - threads  # no accidental chain


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_thread_goes_one_way_and_takes_as_many_steps_as_asked_for(direction: str) -> None:
    task = ThreadTask(ThreadKind.THREAD, steps=7, direction="forward" if direction == "forward" else "backward")
    pairs, text = one(task)
    (case,) = text.cases
    assert len(followed(pairs, asked(case)[0])) == 7 + 2  # the first key, seven looked up as keys, and the end
    starts = [start for start, _ in case.spans]
    assert starts == sorted(starts, reverse=direction == "backward")


def test_keys_with_a_mark_are_those_asked_for_and_no_others() -> None:
    pairs, text = one(ThreadTask(ThreadKind.CONDITIONAL, count=5), ThreadTask(ThreadKind.MANY, count=9))
    marked = [value for key, value in pairs.items() if "*" in key]
    assert list(text.cases[0].answers) == marked
    assert "*" in text.cases[0].question


def test_two_tasks_about_marked_keys_have_texts_of_their_own() -> None:
    assert len(made(*[ThreadTask(ThreadKind.CONDITIONAL, count=2)] * 2)) == 2


def test_clustered_keys_stand_next_to_each_other() -> None:
    pairs, text = one(ThreadTask(ThreadKind.MANY, count=10, clustered=True))
    keys = list(pairs)
    numbers = [keys.index(key) for key in asked(text.cases[0])]
    assert numbers == list(range(numbers[0], numbers[0] + 10))


def test_where_there_is_no_room_for_a_cluster_its_keys_stand_as_near_as_may_be() -> None:
    everywhere = [ThreadTask(ThreadKind.ONE, depth=step / 10) for step in range(11)]
    pairs, text = one(*everywhere, ThreadTask(ThreadKind.MANY, count=60, clustered=True))
    keys = list(pairs)
    numbers = [keys.index(key) for key in asked(text.cases[-1])]
    assert len(set(numbers)) == 60
    assert numbers[-1] - numbers[0] <= 63


@pytest.mark.parametrize("depth", [0.0, 0.3, 1.0])
def test_a_key_stands_at_its_depth(depth: float) -> None:
    _, text = one(ThreadTask(ThreadKind.ONE, depth=depth))
    (case,) = text.cases
    assert case.spans[0][0] / len(text.document.text) == pytest.approx(depth, abs=0.01)
    assert case.depth == depth


def test_texts_come_from_the_seed() -> None:
    tasks = [ThreadTask(ThreadKind.THREADS, count=3, steps=4)]
    first, again, other = made(*tasks), made(*tasks), made(*tasks, seed=1)
    assert first == again
    assert first[0].document.id != other[0].document.id


@given(st.integers(0, 5), st.sets(st.integers(0, 2**40), min_size=2, max_size=50))
def test_no_two_numbers_have_one_uuid(seed: int, numbers: set[int]) -> None:
    uuid = uuids(seeded(seed, "test"))
    assert len({uuid(number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize("steps", [1, 26])
def test_threads_too_short_or_too_long_are_refused(steps: int) -> None:
    with pytest.raises(ConfigError, match="2 to 25"):
        ThreadTask(ThreadKind.THREAD, steps=steps)


@pytest.mark.parametrize(("count", "depth"), [(0, None), (1, 1.5)])
def test_no_key_and_a_depth_outside_of_the_text_are_refused(count: int, depth: float | None) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        ThreadTask(ThreadKind.ONE, count=count, depth=depth)


def test_a_text_too_short_for_its_task_is_refused_with_the_length_it_takes() -> None:
    task = ThreadTask(ThreadKind.THREADS, count=10, steps=24)
    with pytest.raises(ConfigError, match="at least 10000"):
        made(task, length=2000)
    assert made(task, length=10_000)


def test_a_reply_that_copies_the_object_answers_nothing() -> None:
    _, text = one(ThreadTask(ThreadKind.MANY, count=5), ThreadTask(ThreadKind.THREAD), ThreadTask(ThreadKind.ONE))
    for case in text.cases:
        assert score_start(", ".join(case.answers), case).right
        assert score_start(", ".join([*case.answers, text.document.text]), case).share == 0.0


def test_counting_texts_makes_none() -> None:
    tasks = [ThreadTask(ThreadKind.CONDITIONAL)] * 20
    tracemalloc.start()
    assert count_thread_texts(tasks, length=4_000_000) == 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    with pytest.raises(ConfigError, match="too short"):
        count_thread_texts(tasks, length=100)


def test_memory_is_little_more_than_the_text() -> None:
    tracemalloc.start()
    (text,) = thread_texts([ThreadTask(ThreadKind.ONE)], length=500_000, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2.2 * len(text.document.text) + 4_000_000
