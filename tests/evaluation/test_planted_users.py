"""Made users have a preference that is known, and the reader finds it in what it is shown, nowhere else."""

from __future__ import annotations

from collections import Counter

import pytest

from longdoc.engines.engine import CompletionRequest, Message
from longdoc.errors import ConfigError
from longdoc.evaluation.lamp_reader import read_planted
from longdoc.evaluation.lamp_set import by_user
from longdoc.evaluation.planted_users import planted_set, planted_sets, swapped

TASKS = [f"lamp-{number}" for number in range(1, 8)]


@pytest.mark.parametrize("task", TASKS)
def test_the_same_seed_makes_the_same_users(task: str) -> None:
    one, same, other = planted_set(task, 6), planted_set(task, 6), planted_set(task, 6, seed=1)
    assert list(one.users()) == list(one.users()) == list(same.users())
    assert (one.questions, one.digest) == (same.questions, same.digest)
    assert one.questions != other.questions
    assert one.digest != other.digest


@pytest.mark.parametrize("task", TASKS)
def test_there_are_users_with_nothing_one_item_and_two(task: str) -> None:
    counts = Counter(len(user.items) for user in planted_set(task, 12).users())
    assert counts[0] == counts[1] == counts[2] == 2
    assert sum(counts[number] for number in counts if number >= 12) == 12


@pytest.mark.parametrize("task", TASKS)
def test_items_are_older_than_questions_and_none_is_a_target(task: str) -> None:
    found = planted_set(task, 6)
    users = {user.name: user for user in found.users()}
    for name, questions in by_user(found.questions).items():
        assert all(
            item.at and question.at and item.at < question.at for item in users[name].items for question in questions
        )
        assert not {question.id for question in questions} & {item.key for item in users[name].items}


def test_ratings_are_shifted_for_four_of_five_items() -> None:
    bases = {"weak": 2, "fair": 3, "good": 4}
    for user in planted_set("lamp-3", 5).users():
        shifts = [int(item.output or 0) - bases[item.text.split()[-1].strip(".")] for item in user.items]
        assert shifts.count(0) == len(shifts) // 5
        assert len(set(shifts) - {0}) <= 1


def test_users_with_histories_are_exchanged() -> None:
    found = planted_set("lamp-2", 4)
    before = {user.name: user.items for user in found.users()}
    after = {user.name: user.items for user in swapped(found).users()}
    assert swapped(found).questions == found.questions
    for name, items in before.items():
        assert (after[name] == items) is name.startswith("newcomer")
    assert sorted(map(str, after.values())) == sorted(map(str, before.values()))


def test_all_tasks_are_planted_and_no_others() -> None:
    assert [one.task.name for one in planted_sets(1)] == TASKS
    assert [one.task.name for one in planted_sets(1, tasks=["lamp-7"])] == ["lamp-7"]
    for task, users in (("title", 3), ("lamp-1", 0)):
        with pytest.raises(ConfigError):
            planted_set(task, users)


@pytest.mark.parametrize(
    ("shown", "schema", "answer"),
    [
        ("", False, "the green clock"),
        ('<item>\n"a note on the wooden stove" is the title of "This is about the wooden stove. It fell."\n</item>',
         False, "a note on the green clock"),
        ("<summary>\nThey write like this: <why … matters>\n</summary>", False, "why the green clock matters"),
        ("", True, '{"answer": "sci-fi"}'),
        ('<item>\n"action" is the tag for "A film."\n</item>', True, '{"answer": "action"}'),
        ('<summary>\nThis person\'s most used labels: "classic" (80%).\n</summary>', True, '{"answer": "classic"}'),
    ],
)  # fmt: skip
def test_the_reader_uses_what_it_is_shown(shown: str, schema: bool, answer: str) -> None:
    prompt = f"{shown}\n<input>\nThis is about the green clock. It stood still.\n</input>\nDo it."
    request = CompletionRequest(
        (Message("user", prompt),), max_tokens=50, json_schema={"type": "object"} if schema else None
    )
    assert read_planted(request) == answer
