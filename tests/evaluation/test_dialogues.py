"""Dialogues of three published formats: their turns, and which of them hold what answers a question."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from longdoc.errors import (
    ConfigError,
    DocumentError,
    EmptyDocumentError,
    LdaError,
    MalformedDocumentError,
    UnsupportedDocumentError,
)
from longdoc.evaluation.dialogue import Dialogue, DialogueTurn
from longdoc.evaluation.dialogues import read_dialogues
from longdoc.evaluation.dialogues_locomo import read_locomo
from longdoc.evaluation.dialogues_longmemeval import read_longmemeval
from longdoc.evaluation.dialogues_scm import read_scm
from longdoc.json_value import JsonValue
from tests.evaluation.published_sets import DATA, needs

SCM = DATA / "dialogue" / "scm4llms"
GOLD = Path(__file__).with_name("scm_gold_turns.json")


def written(path: Path, value: JsonValue) -> Path:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def scm_folder(folder: Path, *, asked_about: str = "chat") -> Path:
    written(
        folder / "dialogue_en.json",
        [{"id": "chat", "token_count": 9, "dialogue": ["Hi", "Hello", "I sail", "Oh", "Bye"]}],
    )
    question = {
        "question_id": "q1",
        "id": asked_about,
        "mode": "single-turn",
        "question": "My hobby?",
        "answer": "Sailing",
    }
    written(folder / "questions_en.json", [{**question, "scm_turbo_answer": "none"}])
    written(folder / "dialogue_zh.json", [{"id": "聊天", "dialogue": ["在吗", "在"]}])
    written(folder / "questions_zh.json", [])
    return folder


def gold_file(path: Path, *gold: int) -> Path:
    return written(path, {"about": "x", "questions": {"q1": {"gold": list(gold), "also": [0], "note": ""}, "q9": {}}})


def locomo(*questions: JsonValue, **conversation: JsonValue) -> JsonValue:
    said: JsonValue = {
        "speaker_a": "Ann",
        "speaker_b": "Ben",
        "session_10_date_time": "12:09 am on 13 September, 2023",
        "session_10": [{"speaker": "Ben", "dia_id": "D10:1", "text": "I moved."}],
        "session_2": [
            {
                "speaker": "Ann",
                "dia_id": "D2:1",
                "text": "I sail.",
                "img_url": ["x"],
                "blip_caption": "a boat",
                "query": "b",
            },
            {"speaker": "Ben", "dia_id": "D2:2", "text": "Nice!"},
        ],
        "session_2_date_time": "1:56 pm on 8 May, 2023",
        "session_11_date_time": "no such session",
        **conversation,
    }
    return {"sample_id": "conv-1", "conversation": said, "qa": list(questions), "event_summary": {}}


def asked(category: int = 4, evidence: tuple[str, ...] = ("D2:1",), **answers: JsonValue) -> JsonValue:
    return {"question": "What?", "evidence": list(evidence), "category": category, **(answers or {"answer": "sails"})}


def message(role: str, content: str, has_answer: bool | None = None) -> JsonValue:
    said: dict[str, JsonValue] = {"role": role, "content": content}
    return said if has_answer is None else {**said, "has_answer": has_answer}


FIRST: list[JsonValue] = [message("user", "Hi"), message("assistant", "Hello")]
SECOND: list[JsonValue] = [
    message("assistant", "Welcome back"),
    message("user", "I sail"),
    message("user", "A lot", True),
    message("assistant", "Oh", False),
    message("user", " "),
    message("user", "Bye"),
]


def longmemeval(name: str = "q1", *, second: list[JsonValue] = SECOND, **changed: JsonValue) -> JsonValue:
    """The later session stands first, as in the published file of evidence alone."""
    return {
        "question_id": name,
        "question_type": "temporal-reasoning",
        "question": "How many boats?",
        "answer": 3,
        "question_date": "2023/06/01 (Thu) 10:00",
        "haystack_session_ids": ["answer_b", "a"],
        "haystack_dates": ["2023/05/20 (Sat) 02:21", "2023/05/01 (Mon) 09:00"],
        "haystack_sessions": [second, FIRST],
        "answer_session_ids": ["answer_b"],
        **changed,
    }


def test_messages_of_scm_are_turns_in_pairs_and_the_last_may_be_unanswered(tmp_path: Path) -> None:
    english, chinese = read_scm(scm_folder(tmp_path))
    assert english.turns == (DialogueTurn("Hi", "Hello"), DialogueTurn("I sail", "Oh"), DialogueTurn("Bye"))
    assert (english.id, english.language, chinese.id, chinese.language) == ("chat", "en", "聊天", "zh")
    assert chinese.questions == ()


def test_gold_turns_of_scm_come_from_a_file_and_are_unknown_without_it(tmp_path: Path) -> None:
    folder = scm_folder(tmp_path)
    (known,) = read_scm(folder, gold_file(tmp_path / "gold.json", 1))[0].questions
    assert (known.id, known.question, known.answer, known.kind) == ("q1", "My hobby?", "Sailing", "single-turn")
    assert (known.gold, known.also, known.answerable) == ((1,), (0,), True)
    (unknown,) = read_scm(folder)[0].questions
    assert (unknown.gold, unknown.also) == ((), ())


def test_gold_turns_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match=r"gold\.json.*q1.*chat has 3"):
        read_scm(scm_folder(tmp_path), gold_file(tmp_path / "gold.json", 3))


@pytest.mark.parametrize("gold", ['{"questions": {"q1": {"gold": [-1]}}}', '{"q1": [1]}', "[", "5"])
def test_gold_turns_of_another_shape_are_an_error(tmp_path: Path, gold: str) -> None:
    path = tmp_path / "gold.json"
    path.write_text(gold)
    with pytest.raises(MalformedDocumentError, match="gold"):
        read_scm(scm_folder(tmp_path), path)


def test_questions_about_no_dialogue_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match=r"questions_en.*'talk'"):
        read_scm(scm_folder(tmp_path, asked_about="talk"))


def test_dialogues_without_questions_beside_them_are_an_error(tmp_path: Path) -> None:
    (scm_folder(tmp_path) / "questions_zh.json").unlink()
    with pytest.raises(DocumentError, match=r"questions_zh.*cannot be read"):
        read_scm(tmp_path)


def test_an_utterance_of_locomo_is_a_turn_with_its_speaker_date_and_picture(tmp_path: Path) -> None:
    (dialogue,) = read_locomo(written(tmp_path / "locomo.json", [locomo()]))
    may = datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
    assert dialogue.turns == (
        DialogueTurn("Ann: I sail. [image: a boat]", at=may, speaker="Ann", source="D2:1"),
        DialogueTurn("Ben: Nice!", at=may, speaker="Ben", source="D2:2"),
        DialogueTurn("Ben: I moved.", at=datetime(2023, 9, 13, 0, 9, tzinfo=UTC), speaker="Ben", source="D10:1"),
    )
    assert (dialogue.id, dialogue.language) == ("conv-1", "")


@pytest.mark.parametrize(
    ("evidence", "gold"),
    [
        (("D2:1",), (0,)),
        (("D10:1", "D2:1"), (0, 2)),
        (("D2:2; D10:1",), (1, 2)),
        (("D2:1 D2:2 D2:1",), (0, 1)),
        (("D:10:1",), (2,)),
        (("D2:02",), (1,)),
        (("D", "D2:9", "D2:2"), (1,)),
        ((), ()),
    ],
)
def test_evidence_of_locomo_is_found_even_where_it_is_badly_written(
    tmp_path: Path, evidence: tuple[str, ...], gold: tuple[int, ...]
) -> None:
    (dialogue,) = read_locomo(written(tmp_path / "locomo.json", [locomo(asked(evidence=evidence))]))
    assert dialogue.questions[0].gold == gold


def test_questions_of_locomo_are_numbered_and_adversarial_ones_have_no_answer_but_a_trap(tmp_path: Path) -> None:
    rows = (
        asked(1),
        asked(2, answer=2022),
        asked(3),
        asked(5, answer="No", adversarial_answer="Yes"),
        asked(5, answer=None),
    )
    (dialogue,) = read_locomo(written(tmp_path / "locomo.json", [locomo(*rows)]))
    assert [(one.id, one.kind, one.answer, one.answerable) for one in dialogue.questions] == [
        ("conv-1-1", "multi-hop", "sails", True),
        ("conv-1-2", "temporal", "2022", True),
        ("conv-1-3", "open-domain", "sails", True),
        ("conv-1-4", "adversarial", "Yes", False),
        ("conv-1-5", "adversarial", "", False),
    ]


@pytest.mark.parametrize(
    ("written_so", "hour"), [("2023-05-08", 0), ("2023-05-08 13:00", 13), ("2023-05-08T13:00+02:00", 11)]
)
def test_dates_may_be_written_by_iso_8601_too(tmp_path: Path, written_so: str, hour: int) -> None:
    (dialogue,) = read_locomo(written(tmp_path / "locomo.json", [locomo(session_2_date_time=written_so)]))
    assert dialogue.turns[0].at == datetime(2023, 5, 8, hour, tzinfo=UTC)


def test_a_session_without_a_date_has_turns_without_one(tmp_path: Path) -> None:
    (dialogue,) = read_locomo(written(tmp_path / "locomo.json", [locomo(session_2_date_time=None)]))
    assert [turn.at is None for turn in dialogue.turns] == [True, True, False]


def test_messages_of_longmemeval_are_turns_in_pairs_by_date(tmp_path: Path) -> None:
    (dialogue,) = read_longmemeval(written(tmp_path / "lme.json", [longmemeval()]))
    assert [
        (turn.observation, turn.response, turn.speaker, turn.responder, turn.source) for turn in dialogue.turns
    ] == [
        ("Hi", "Hello", "user", "assistant", "a_1"),
        ("Welcome back", "", "assistant", "", "answer_b_1"),
        ("I sail", "", "user", "", "answer_b_2"),
        ("A lot", "Oh", "user", "assistant", "answer_b_3"),
        ("Bye", "", "user", "", "answer_b_6"),
    ]
    assert [turn.at for turn in dialogue.turns[:2]] == [
        datetime(2023, 5, 1, 9, tzinfo=UTC),
        datetime(2023, 5, 20, 2, 21, tzinfo=UTC),
    ]
    (question,) = dialogue.questions
    assert (question.id, question.kind, question.answer) == ("q1", "temporal-reasoning", "3")
    assert (question.gold, question.answerable) == ((3,), True)
    assert question.at == datetime(2023, 6, 1, 10, tzinfo=UTC)


def test_where_no_message_is_marked_all_turns_of_the_answer_sessions_are_gold(tmp_path: Path) -> None:
    unmarked = longmemeval(
        "q1_abs", second=[message("user", "I row"), message("assistant", "Oh"), message("user", "Bye")]
    )
    (question,) = read_longmemeval(written(tmp_path / "lme.json", [unmarked]))[0].questions
    assert (question.gold, question.answerable) == ((1, 2), False)


def test_an_answer_of_the_assistant_marks_its_turn(tmp_path: Path) -> None:
    answered = longmemeval(second=[*FIRST, message("user", "Boats?", False), message("assistant", "Three", True)])
    (question,) = read_longmemeval(written(tmp_path / "lme.json", [answered]))[0].questions
    assert question.gold == (2,)


def test_the_format_is_told_by_what_is_there(tmp_path: Path) -> None:
    folder = scm_folder(tmp_path)
    first = written(tmp_path / "a.json", [locomo(asked())])
    second = written(tmp_path / "b.json", [longmemeval(), longmemeval("q2")])
    gold = gold_file(tmp_path / "gold.json", 1)
    assert read_dialogues(folder, gold) == read_scm(folder, gold)
    assert read_dialogues(first) == read_locomo(first)
    assert read_dialogues(second) == read_longmemeval(second)
    assert len(read_dialogues(second)) == 2


@pytest.mark.parametrize("text", ["Hello", "{}", "[5]", '[{"id": "chat", "dialogue": ["Hi"]}]', '[{"qa": ', "null"])
def test_of_another_format_it_is_told_which_are_known(tmp_path: Path, text: str) -> None:
    path = tmp_path / "chat.json"
    path.write_text(text)
    with pytest.raises(UnsupportedDocumentError, match=r"chat\.json: .*known are SCM4LLMs .* LoCoMo .* LongMemEval"):
        read_dialogues(path)


def test_a_folder_without_dialogues_is_of_no_known_format(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedDocumentError, match=r"dialogue_en\.json.*LoCoMo"):
        read_dialogues(tmp_path)


BROKEN: list[tuple[JsonValue, str]] = [
    ([locomo(asked()), {"sample_id": "conv-2", "conversation": locomo()}], r"1\.LoCoMo\.conversation.*session_1"),
    ([{"sample_id": "conv-2", "qa": []}], "conversation: Field required"),
    ([locomo(session_2=[{"speaker": "Ann", "text": "Hi"}])], r"sessions\.2\.utterances\.0\.dia_id: Field required"),
    ([locomo(session_2={"turns": []})], r"sessions\.2\.utterances"),
    ([locomo(session_2_date_time="in May")], r"sessions\.2\.date_time"),
    ([{"sample_id": "conv-2", "qa": [], "conversation": []}], "conversation"),
    ([locomo(asked(6))], r"qa\.0\.category"),
    ([locomo(asked(1, adversarial_answer="Yes"))], r"qa\.0: .*no answer"),
    ([longmemeval(answer=["3"])], r"0\.LongMemEval\.answer"),
    ([longmemeval(haystack_dates=["2023/05/20 (Sat) 02:21"])], "differ in length"),
    ([longmemeval(haystack_dates=["2023/05/20 (Sat) 02:21", "yesterday"])], r"haystack_dates\.1"),
    ([longmemeval(second=[{"role": "user"}])], r"haystack_sessions\.0\.0\.content: Field required"),
    ([longmemeval(answer_session_ids=None)], "answer_session_ids"),
]


@pytest.mark.parametrize(("value", "told"), BROKEN)
def test_of_a_known_format_it_is_told_what_is_wrong_and_where(tmp_path: Path, value: JsonValue, told: str) -> None:
    with pytest.raises(MalformedDocumentError, match=rf"chat\.json: .*{told}"):
        read_dialogues(written(tmp_path / "chat.json", value))


def test_each_reader_refuses_the_other_format(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match="sample_id"):
        read_locomo(written(tmp_path / "b.json", [longmemeval()]))
    with pytest.raises(MalformedDocumentError, match="question_id"):
        read_longmemeval(written(tmp_path / "a.json", [locomo()]))


def test_a_list_without_dialogues_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmptyDocumentError, match="no dialogue"):
        read_dialogues(written(tmp_path / "chat.json", []))


def test_gold_turns_are_refused_where_the_format_has_its_own(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SCM4LLMs only"):
        read_dialogues(written(tmp_path / "a.json", [locomo()]), gold_file(tmp_path / "gold.json", 1))


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        read_dialogues(tmp_path / "nothing.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe[]")
    with pytest.raises(LdaError, match="UTF-8"):
        read_dialogues(tmp_path / "bytes.json")


def questions_of(dialogues: list[Dialogue]) -> int:
    return sum(len(dialogue.questions) for dialogue in dialogues)


@needs(SCM)
def test_the_published_chats_have_35_questions_with_gold_turns_that_are_there() -> None:
    dialogues = read_dialogues(SCM, GOLD)
    assert [(one.id, one.language, len(one.turns), len(one.questions)) for one in dialogues] == [
        ("long_dialogue_en_001", "en", 31, 4),
        ("long_dialogue_en_002", "en", 56, 12),
        ("long_dialogue_en_003", "en", 74, 1),
        ("long_dialogue_zh_001", "zh", 47, 11),
        ("long_dialogue_zh_002", "zh", 39, 7),
    ]
    assert questions_of(dialogues) == len({question.id for one in dialogues for question in one.questions}) == 35
    for one in dialogues:
        assert all(turn.observation.strip() and turn.response.strip() for turn in one.turns)
        for question in one.questions:
            assert question.gold
            assert not set(question.gold) & set(question.also)
            assert all(0 <= place < len(one.turns) for place in (*question.gold, *question.also))
            assert question.kind in {"single-turn", "multi-turn"}
