"""LaMP files and folders are read as they are published; what is wrong with them is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from longdoc.errors import ConfigError, DocumentError, LdaError
from longdoc.evaluation.lamp_files import read_set
from longdoc.evaluation.lamp_set import LampSet, LampUser, by_user, without_targets
from longdoc.evaluation.lamp_stream import read_objects
from longdoc.evaluation.lamp_tasks import LampItem
from longdoc.storage.profile_types import NewItem

COMMITS = Path(__file__).parents[3] / "shared" / "data" / "personalization" / "commit-titles"

INPUTS: dict[int, str] = {
    1: 'For whoever wrote "Of corals", which one fits? Say [1] or [2] only. [1]: "Reefs" [2]: "Compilers [1]"',
    2: "Which of these tags is it? description: A robot weeps.",
    3: "How many stars? review: It broke. review: twice.",
    4: "Headline this: The bridge is shut.",
    5: "Title this abstract: We study corals.",
    6: "Subject for this mail: See you at six.",
    7: "Say this otherwise: i am late",
}
ITEMS: dict[int, dict[str, Any]] = {
    1: {"id": 7, "title": "Of reefs", "abstract": "We dive.", "date": "2015"},
    2: {"id": "7", "description": "A dog sings.", "tag": "comedy", "date": "2020-05-01"},
    3: {"id": "7", "text": "Fine.", "score": 4, "date": "2020-05-01 10:00:00"},
    4: {"id": "7", "title": "Rain", "text": "It rains.", "date": "2020-05-01"},
    5: {"id": "7", "title": "On rain", "abstract": "It rains.", "date": "May"},
    6: {"id": "7", "title": "Rain", "text": "It rains."},
    7: {"id": "7", "text": "it rains!!"},
}
GOLDS = {1: "[1]", 2: "sci-fi", 3: "2", 4: "Shut", 5: "Corals", 6: "Six", 7: "so late"}


def write(folder: Path, number: int, records: list[dict[str, Any]], golds: list[dict[str, Any]]) -> Path:
    (folder / "dev_questions.json").write_text(json.dumps(records, indent=1), encoding="utf-8")
    labels = {"task": f"LaMP_{number}", "golds": golds}
    (folder / "dev_outputs.json").write_text(json.dumps(labels), encoding="utf-8")
    return folder / "dev_questions.json"


def one_of(folder: Path, number: int) -> LampSet:
    record: dict[str, Any] = {"id": "110", "input": INPUTS[number], "profile": [ITEMS[number]]}
    return read_set(write(folder, number, [record], [{"id": "110", "output": GOLDS[number]}]))


@pytest.mark.parametrize("number", range(1, 8))
def test_each_task_is_read(tmp_path: Path, number: int) -> None:
    found = one_of(tmp_path, number)
    assert found.task.name == f"lamp-{number}"
    (question,) = found.questions
    assert question.gold == GOLDS[number]
    (user,) = found.users()
    assert user.name == question.user
    (item,) = user.items
    assert (item.key, item.task) == ("7", f"lamp-{number}")
    assert item.text in ITEMS[number].values()
    assert item.output in {None, *map(str, ITEMS[number].values())}
    assert (item.output is None) is (number == 7)


def test_dates_are_read_where_they_can_be(tmp_path: Path) -> None:
    def moment(number: int) -> datetime | None:
        (user,) = one_of(tmp_path, number).users()
        return user.items[0].at

    assert moment(1) == datetime(2015, 1, 1, tzinfo=UTC)
    assert moment(3) == datetime(2020, 5, 1, 10, tzinfo=UTC)
    assert moment(5) is moment(6) is None


def test_two_references_are_searched_and_the_title_is_the_target(tmp_path: Path) -> None:
    (question,) = one_of(tmp_path, 1).questions
    assert question.searched == "Reefs\nCompilers [1]"
    assert question.targets == ("Of corals",)
    assert question.text == 'Title: "Of corals"\n[1]: "Reefs"\n[2]: "Compilers [1]"'


def test_fields_of_a_record_say_what_is_searched(tmp_path: Path) -> None:
    record: dict[str, Any] = {
        "id": "1",
        "input": "anything at all",
        "profile": [],
        "title": "T",
        "references": ["A", "B"],
    }
    (question,) = read_set(write(tmp_path, 1, [record], [{"id": "1", "output": "[2]"}])).questions
    assert question.searched == "A\nB"
    record = {"id": "1", "input": "review: x", "text": "The review: itself.", "profile": []}
    (question,) = read_set(write(tmp_path, 3, [record], [{"id": "1", "output": "2"}])).questions
    assert question.searched == question.text == "The review: itself."


def test_what_all_inputs_begin_with_is_not_searched_and_no_word_is_cut_at(tmp_path: Path) -> None:
    asked = "How many stars has this, from 1 to 5? Say the number. review: "
    texts = [f"{'ABCDEFGHIJKL'[number]} thing. In review: number {number}" for number in range(12)]
    inputs = [*(asked + text for text in texts)]
    records: list[dict[str, Any]] = [
        {"id": str(number), "input": text, "profile": []} for number, text in enumerate(inputs)
    ]
    golds = [{"id": str(number), "output": "3"} for number in range(12)]
    found = read_set(write(tmp_path, 3, records, golds))
    assert [question.searched for question in found.questions] == texts
    assert "left out as the instruction" in found.remarks[0]
    records = [{"id": str(number), "input": text, "profile": []} for number, text in enumerate(texts)]
    found = read_set(write(tmp_path, 3, records, golds))
    assert [question.searched for question in found.questions] == texts
    assert not found.remarks


def test_an_input_without_references_is_asked_as_it_is(tmp_path: Path) -> None:
    record: dict[str, Any] = {"id": "1", "input": "Which of the two?", "profile": []}
    (question,) = read_set(write(tmp_path, 1, [record], [{"id": "1", "output": "[2]"}])).questions
    assert question.searched == question.text == "Which of the two?"


def test_items_without_fields_are_kept_as_far_as_they_say_something(tmp_path: Path) -> None:
    profile = [{"id": "1", "title": "Only a title"}, {"id": "2"}, {"id": "3", "abstract": "Only an abstract"}]
    record: dict[str, Any] = {"id": "1", "input": INPUTS[5], "profile": profile}
    found = read_set(write(tmp_path, 5, [record], [{"id": "1", "output": "x"}]))
    (user,) = found.users()
    assert [(item.key, item.text, item.output) for item in user.items] == [
        ("1", "Only a title", "Only a title"),
        ("3", "Only an abstract", None),
    ]
    assert user.unread == 1


def test_inputs_with_one_profile_are_of_one_user(tmp_path: Path) -> None:
    profiles: list[list[dict[str, Any]]] = [[ITEMS[4]], [ITEMS[4]], [], []]
    records: list[dict[str, Any]] = [
        {"id": str(n), "input": f"{INPUTS[4]} {n}", "profile": one} for n, one in enumerate(profiles)
    ]
    found = read_set(write(tmp_path, 4, records, [{"id": str(n), "output": "x"} for n in range(4)]))
    assert len({question.user for question in found.questions}) == 3
    assert len(list(found.users())) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1}', "no JSON array"),
        ("", "no JSON array"),
        ('[{"id": "1", "input": "x", "profile": []}', "neither a comma nor the end"),
        ('[{"id": "1", "input": "x", "profi', "ends within entry 1"),
        ('[{"id": "1", "input": "x", "profile": []} 4]', "neither a comma nor the end"),
        ("[4]", "a valid dictionary"),
        ('[{"id": "1", "input": "x"}]', "object 1.*profile"),
        ('[{"id": "1", "input": "x", "profile": []}, {"id": "1", "input": "y", "profile": []}]', "twice"),
        ('[{"id": "2", "input": "x", "profile": []}]', "no gold output for 2|no answer to 1"),
        ('[{"id": "1", "input": " ", "profile": []}]', "without a text"),
    ],
)
def test_bad_files_say_what_is_wrong(tmp_path: Path, text: str, words: str) -> None:
    path = write(tmp_path, 4, [], [{"id": "1", "output": "x"}])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(LdaError, match=words):
        read_set(path)


def test_outputs_that_do_not_go_with_the_task_are_refused(tmp_path: Path) -> None:
    record: dict[str, Any] = {"id": "1", "input": "x", "profile": []}
    for number, output, words in ((2, "women's news", "none of the labels"), (3, "four", "no number")):
        path = write(tmp_path, number, [record], [{"id": "1", "output": output}])
        with pytest.raises(ConfigError, match=words):
            read_set(path)
    path = write(tmp_path, 4, [record], [{"id": "1", "output": "x"}])
    with pytest.raises(ConfigError, match="of task lamp-4, not lamp-5"):
        read_set(path, task="lamp-5")
    with pytest.raises(ConfigError, match="no task 'lamp-9'"):
        read_set(path, task="lamp-9")
    (tmp_path / "dev_outputs.json").write_text("[]", encoding="utf-8")
    with pytest.raises(DocumentError, match="golds"):
        read_set(path)
    (tmp_path / "dev_outputs.json").unlink()
    with pytest.raises(ConfigError, match="--gold"):
        read_set(path)
    path = write(tmp_path, 4, [record], [{"id": "1", "output": "x"}])
    with pytest.raises(DocumentError, match="nowhere"):
        read_set(tmp_path / "nowhere.json", gold=tmp_path / "dev_outputs.json")
    with pytest.raises(DocumentError, match=r"profiles\.json"):
        read_set(tmp_path)


def test_objects_are_read_across_the_pieces_of_a_file(tmp_path: Path) -> None:
    long = [{"id": str(number), "text": "é" * size} for number, size in enumerate((10, 3 << 20, 5, 1 << 20, 0))]
    (tmp_path / "a.json").write_text(" [ " + " ,\n".join(map(json.dumps, long)) + " ] ", encoding="utf-8")
    found = [(one.id, len(one.text or "")) for one in read_objects(tmp_path / "a.json", LampItem)]
    assert found == [(one["id"], len(one["text"])) for one in long]
    (tmp_path / "b.json").write_bytes(b'[{"id": "\xff"}]')
    with pytest.raises(DocumentError, match="UTF-8"):
        list(read_objects(tmp_path / "b.json", LampItem))


def test_targets_and_near_duplicates_are_no_items(tmp_path: Path) -> None:
    (question,) = one_of(tmp_path, 4).questions
    body = question.text
    texts = {"same": f" {body.upper()} ", "near": body.replace("The", "A"), "other": "Something else."}
    items = [NewItem("lamp-4", key, text, "A title") for key, text in texts.items()]
    items.append(NewItem("lamp-4", question.id, "Its own id", "A title"))
    user = LampUser(question.user, tuple(items))
    kept = without_targets(user, [question], near=False)
    assert ([item.key for item in kept.items], kept.targets, kept.near) == (["near", "other"], 2, 0)
    kept = without_targets(user, [question], near=True)
    assert ([item.key for item in kept.items], kept.targets, kept.near) == (["other"], 2, 1)


@pytest.mark.skipif(not COMMITS.exists(), reason="the folder of shared data is absent")
def test_commit_titles_are_read_and_limited_by_user() -> None:
    found = read_set(COMMITS)
    assert len(found.questions) == 170
    assert [len(user.items) for user in found.users()] == [380, 380, 251, 218, 181, 164, 56, 53, 53, 46]
    newest = {user.name: max(item.at for item in user.items if item.at) for user in found.users()}
    older = [one for one in found.questions if one.at is None or one.at <= newest[one.user]]
    assert len(older) == 1  # whose date is the later one by the clocks of their places only
    some = found.limited(15)
    assert sorted(len(one) for one in by_user(some.questions).values()) == [1] * 5 + [2] * 5
    assert some.digest != found.digest
    assert len(list(found.limited(3).users())) == 3
    with pytest.raises(ConfigError, match="commit-title"):
        read_set(COMMITS, task="lamp-5")
    with pytest.raises(ConfigError, match="--gold"):
        read_set(COMMITS, gold=COMMITS / "gold.jsonl")


def test_a_path_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file or folder"):
        read_set(tmp_path / "dev_questions.json")
