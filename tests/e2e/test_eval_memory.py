"""`lda eval memory` on made dialogues, in the formats it reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.command import Lda

LONG = "This goes on for a while, and says nothing of use to anybody who asks. " * 30


def longmemeval(path: Path) -> Path:
    """Two questions on a session of twelve turns."""
    turns = [
        {"role": role, "content": text, **({"has_answer": True} if role == "user" and "lamp" in text else {})}
        for number in range(12)
        for role, text in (
            ("user", "My lamp is in Riga." if number == 3 else f"Tell me about number {number}."),
            ("assistant", LONG if number % 4 == 0 else f"Number {number} is a number."),
        )
    ]
    instance = {
        "question_id": "q1",
        "question_type": "single-session-user",
        "question": "Where is my lamp?",
        "answer": "Riga",
        "question_date": "2023/05/30 (Tue) 23:40",
        "haystack_session_ids": ["s1"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21"],
        "haystack_sessions": [turns],
        "answer_session_ids": ["s1"],
    }
    path.write_text(json.dumps([instance, {**instance, "question_id": "q2_abs"}]), encoding="utf-8")
    return path


@pytest.fixture
def dialogues(tmp_path: Path) -> Path:
    return longmemeval(tmp_path / "dialogues.json")


def test_policies_are_compared_and_repeated_for_nothing(lda: Lda, dialogues: Path) -> None:
    arguments = ("eval", "memory", dialogues, "--policies", "all", "--budgets", "100,2000", "--answers")
    report = lda.json(*arguments)["results"][0]
    figures = {(one["policy"], one["budget"]): one for one in report["figures"]}
    assert len(figures) == 16
    for name in ("auto", "retrieve", "scm without gate"):
        assert figures[name, 100]["recall"] == figures[name, 2000]["recall"] == 1.0
        assert figures[name, 100]["tokens"] <= 100
    assert figures["retrieve", 100]["recall_at"] == {"1": 1.0, "3": 1.0, "5": 1.0, "10": 1.0, "20": 1.0}
    assert figures["full", 100]["recall_at"]["20"] == 0.0  # it ranks nothing
    assert figures["full", 100]["recall"] == 0.0
    assert figures["scm without activation", 100]["recall"] == 0.0
    assert figures["auto", 100]["f1"] is not None
    assert report["remarks"] == ["1 questions have no answer in their dialogue; they are asked and not scored"]
    calls = lda.recorded_calls()
    again = lda.json(*arguments)["results"][0]
    assert [one["recall"] for one in again["figures"]] == [one["recall"] for one in report["figures"]]
    assert lda.recorded_calls() == calls


def test_answers_are_judged_where_there_is_a_reference(lda: Lda, dialogues: Path) -> None:
    arguments = ("eval", "memory", dialogues, "--policies", "retrieve", "--budgets", "500", "--answers", "--judge")
    report = lda.json(*arguments)["results"][0]
    (figures,) = report["figures"]
    assert lda.query("select count(*) from calls where prompt_name = 'judge/answer'") == [(1,)]
    assert (figures["right"], figures["unjudged"]) == (0.0, 0)
    assert [trial["right"] for trial in report["trials"]] == [False, None]  # the other one has no answer
    assert [trial["f1"] is None for trial in report["trials"]] == [False, True]


def test_what_cannot_be_compared_says_so(lda: Lda, dialogues: Path, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"a": 1}', encoding="utf-8")
    for arguments, code, words in (
        ([dialogues, "--policies", "best"], 2, "choose from: auto, full"),
        ([dialogues, "--budgets", "many"], 2, "is no length"),
        ([dialogues, "--dry-run"], 2, "--max-calls"),
        ([dialogues, "--judge"], 2, "--answers"),
        ([dialogues, "--gold", dialogues], 2, "gold"),
        ([tmp_path / "nowhere.json"], 1, "nowhere.json"),
        ([tmp_path / "other.json"], 1, "other.json"),
    ):
        done = lda.run("eval", "memory", *arguments)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_tables_are_printed(lda: Lda, dialogues: Path) -> None:
    done = lda.run("eval", "memory", dialogues, "--no-summaries", "--budgets", "500")
    assert done.returncode == 0, done.stderr
    assert "all questions (2)" in done.stdout
    assert "recall at k, by rank and before fitting" in done.stdout
    assert "recall: share of the turns with the evidence" in done.stderr
