"""Writing prompts of published sets: what is read from their files, and which bucket and language they are of."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from longdoc.errors import DocumentError, EmptyDocumentError, MalformedDocumentError
from longdoc.evaluation.writing_prompts import (
    Bucket,
    Language,
    WritingPrompt,
    bucket_of,
    read_hellobench,
    read_longwriter,
)
from longdoc.json_value import JsonValue
from tests.evaluation.published_sets import DATA, needs

WRITING = DATA / "writing"
LONGBENCH = WRITING / "longwriter" / "longbench_write.even.jsonl"
RULER = WRITING / "longwriter" / "longwrite_ruler.jsonl"
HEURISTIC = WRITING / "hellobench" / "heuristic_text_generation_2k.jsonl"
CHAT = WRITING / "hellobench" / "chat.jsonl"
ROW: dict[str, JsonValue] = {"prompt": "Write a tale", "type": "Fiction", "length": 800}


def written(path: Path, *rows: JsonValue) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "bucket"),
    [
        (1, "<500"),
        (499, "<500"),
        (500, "500-2k"),
        (1999, "500-2k"),
        (2000, "2k-4k"),
        (3999, "2k-4k"),
        (4000, "4k-20k"),
        (20_000, "4k-20k"),
        (20_001, ">20k"),
    ],
)
def test_a_bucket_begins_with_its_first_number(words: int, bucket: str) -> None:
    assert bucket_of(words) == bucket


def test_prompts_are_read_in_order(tmp_path: Path) -> None:
    path = written(tmp_path / "set.jsonl", ROW, {**ROW, "prompt": "写一个故事 about tea", "length": 100})
    assert list(read_longwriter(path)) == [
        WritingPrompt("set-1", "Write a tale", "Fiction", 800),
        WritingPrompt("set-2", "写一个故事 about tea", "Fiction", 100),
    ]
    assert [prompt.language for prompt in read_longwriter(path)] == [Language.OTHER, Language.CJK]


def test_hellobench_asks_for_the_least(tmp_path: Path) -> None:
    row: JsonValue = {
        "id": "a",
        "category": "story",
        "instruction": "Write, no shorter than 2,000 words.",
        "checklists": ["Good?"],
    }
    free: JsonValue = {"id": "b", "category": "chat", "instruction": "Hi", "checklists": [], "requirements": None}
    least, any_length = read_hellobench(written(tmp_path / "h.jsonl", row, free))
    assert (least.asked, least.at_least, least.bucket, least.checklist) == (2000, True, Bucket.TO_4000, ("Good?",))
    assert (any_length.asked, any_length.at_least, any_length.bucket) == (None, False, None)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "Invalid JSON"),
        ('{"prompt": "x", "type": "y"}', "length"),
        ('{"prompt": "x", "type": "y", "length": 0}', "length"),
        ('{"prompt": "x", "type": "y", "length": "many"}', "length"),
        ('{"prompt": " ", "type": "y", "length": 9}', "prompt"),
        ("[]", "object"),
    ],
)
def test_a_line_of_another_shape_is_named(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n\n{line}\n", encoding="utf-8")
    prompts = read_longwriter(path)
    assert next(prompts).asked == 800
    with pytest.raises(MalformedDocumentError, match=rf"set\.jsonl, line 3: .*{told}"):
        next(prompts)


def test_a_hellobench_line_of_another_shape_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match="line 1"):
        list(read_hellobench(written(tmp_path / "h.jsonl", ROW)))


def test_a_file_that_is_not_there_or_holds_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"none\.jsonl"):
        list(read_longwriter(tmp_path / "none.jsonl"))
    with pytest.raises(EmptyDocumentError, match="no prompt"):
        list(read_longwriter(written(tmp_path / "empty.jsonl")))


@needs(LONGBENCH)
def test_half_of_longbench_write_has_the_buckets_and_languages_that_are_known() -> None:
    prompts = list(read_longwriter(LONGBENCH))
    assert Counter(prompt.bucket for prompt in prompts) == {"<500": 13, "500-2k": 18, "2k-4k": 16, "4k-20k": 13}
    assert Counter(prompt.language for prompt in prompts) == {"other": 35, "cjk": 25}
    assert len({prompt.id for prompt in prompts}) == 60
    assert len({prompt.kind for prompt in prompts}) == 7


@needs(RULER)
def test_longwrite_ruler_asks_for_each_of_its_lengths_eight_times() -> None:
    prompts = list(read_longwriter(RULER))
    assert Counter(prompt.asked for prompt in prompts) == dict.fromkeys([1000, 2000, 5000, 10_000, 20_000, 30_000], 8)
    assert sum(prompt.bucket is Bucket.OVER_20000 for prompt in prompts) == 8


@needs(HEURISTIC)
def test_hellobench_is_read_with_its_checklists() -> None:
    heuristic, chat = list(read_hellobench(HEURISTIC)), list(read_hellobench(CHAT))
    assert {(prompt.asked, prompt.at_least, len(prompt.checklist)) for prompt in heuristic} == {(2000, True, 5)}
    assert {(prompt.asked, len(prompt.checklist)) for prompt in chat} == {(None, 6)}
    assert (len(heuristic), len(chat)) == (123, 145)
