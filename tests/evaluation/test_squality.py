"""SQuALITY: stories as sections of one text, with questions that say which story they are about."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from longdoc.documents.document import BlockKind
from longdoc.errors import EmptyDocumentError, MalformedDocumentError
from longdoc.evaluation.squality import join_stories, read_squality, story_document
from longdoc.json_value import JsonValue
from tests.evaluation.published_sets import DATA, needs

FOLDER = DATA / "qa" / "squality"


def story(name: str, text: str, questions: int = 2) -> JsonValue:
    asked: list[JsonValue] = [
        {
            "question_text": f"Question {number} of {name}?",
            "question_number": number,
            "responses": [{"worker_id": "1", "response_text": f"{name} {number}, {who}"} for who in "abcd"],
        }
        for number in reversed(range(1, questions + 1))
    ]
    return {"metadata": {"passage_id": name, "uid": "u"}, "document": text, "questions": asked}


def written(folder: Path, *stories: JsonValue) -> Path:
    path = folder / "dev.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in stories), encoding="utf-8")
    return path


TWO = (
    story("one", "THE MILL\n \n\n By ADA\n \n It was\n old.\n \n \n It fell."),
    story("two", "\n\nProduced by Bea and the Online\nDistributed Proofreading Team\nThe Lamp\nBy BEA\n \n It"),
)


def test_paragraphs_are_parted_by_blank_lines_and_questions_come_by_number(tmp_path: Path) -> None:
    first, second = read_squality(written(tmp_path, *TWO))
    assert (first.id, first.title, first.paragraphs) == (
        "one",
        "THE MILL",
        ("THE MILL", "By ADA", "It was old.", "It fell."),
    )
    assert second.title == "The Lamp"
    assert [q.question for q in first.questions] == ["Question 1 of one?", "Question 2 of one?"]
    assert first.questions[0].references == tuple(f"one 1, {who}" for who in "abcd")


def test_joined_stories_are_sections_and_cases_name_theirs(tmp_path: Path) -> None:
    joined = join_stories(read_squality(written(tmp_path, *TWO)))
    document = joined.document
    assert [section.title for section in document.sections] == ["THE MILL", "The Lamp"]
    assert [case.question for case in joined.cases] == [
        "In the story “THE MILL”: Question 1 of one?",
        "In the story “THE MILL”: Question 2 of one?",
        "In the story “The Lamp”: Question 1 of two?",
        "In the story “The Lamp”: Question 2 of two?",
    ]
    ((start, end),) = joined.cases[2].spans
    assert document.text[start:end].startswith("The Lamp\n\n")
    assert joined.cases[0].spans[0][1] <= start
    assert [document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.HEADING] == [
        "THE MILL",
        "The Lamp",
    ]


def test_a_story_alone_needs_no_name_in_its_questions(tmp_path: Path) -> None:
    (first, _) = read_squality(written(tmp_path, *TWO))
    assert story_document(first).title == "THE MILL"
    assert join_stories([first]).cases[0].question == "Question 1 of one?"


def test_stories_without_any_text_are_an_error() -> None:
    with pytest.raises(EmptyDocumentError):
        join_stories([])


def test_another_shape_is_an_error_that_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match=r"line 2.*document"):
        read_squality(written(tmp_path, TWO[0], {"metadata": {"passage_id": "1"}, "questions": []}))


@needs(FOLDER)
@pytest.mark.parametrize(("name", "stories"), [("dev", 25), ("train", 50)])
def test_the_published_stories_have_five_questions_and_four_answers(name: str, stories: int) -> None:
    found = read_squality(FOLDER / f"{name}.jsonl")
    assert len(found) == len({story.id for story in found}) == stories
    assert all(len(story.questions) == 5 for story in found)
    assert all(len(question.references) == 4 for story in found for question in story.questions)
    assert not [story.title for story in found if "roduced" in story.title or story.title == "Untitled"]
    joined = join_stories(found)
    assert len(joined.document.sections) == stories
    assert len(joined.cases) == 5 * stories
