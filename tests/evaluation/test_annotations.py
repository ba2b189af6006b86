"""Annotation files: every published shape is understood, and what is missing is not made up."""

import json
from pathlib import Path

import pytest

from longdoc.errors import DocumentError, MalformedDocumentError
from longdoc.evaluation.annotations import (
    BookAnnotations,
    annotated_sentences,
    read_annotations,
    score_annotated,
)
from longdoc.evaluation.booookscore import BookScore, Label
from longdoc.evaluation.punkt_sentences import punkt_spans
from longdoc.json_value import JsonValue

TEXT = "Ada came. She hid it. She hid it. It ended."
WHO: JsonValue = {"questions": "Who?", "types": ["entity omission"]}
CLEAR: JsonValue = {"questions": None, "types": []}


def book(path: Path, value: JsonValue) -> BookAnnotations:
    file = path / "annotations.json"
    file.write_text(json.dumps({"a.epub": value}), encoding="utf-8")
    return read_annotations(file)["a.epub"]


def scored(path: Path, value: JsonValue) -> BookScore:
    annotations = book(path, value)
    sentences, _ = annotated_sentences(TEXT, punkt_spans(TEXT), annotations)
    return score_annotated("a", TEXT, sentences, annotations)


@pytest.mark.parametrize(
    ("value", "confusing"),
    [
        (None, 0),
        ({}, 0),
        ({"Ada came.": WHO}, 1),
        ([{"span": "She hid it.", **WHO}, {"span": "She hid it.", **WHO}], 2),
        ({"singles": {"Ada came.": WHO}, "relations": [{"span": "It ended.", **WHO}]}, 2),
    ],
)
def test_where_only_confusing_sentences_are_kept_the_summary_says_how_many_there_are(
    tmp_path: Path, value: JsonValue, confusing: int
) -> None:
    score = scored(tmp_path, value)
    assert (score.sentences, score.confusing, score.missing) == (4, confusing, 0)
    assert score.score == 1 - confusing / 4
    assert score.labels[Label.ENTITY_OMISSION] == confusing


def test_a_file_that_keeps_all_sentences_scores_like_one_that_keeps_the_confusing_ones(tmp_path: Path) -> None:
    score = scored(tmp_path, {"Ada came.": WHO, "She hid it.": CLEAR, "It ended.": CLEAR})
    assert (score.confusing, score.score) == (1, 0.75)


def test_an_entry_of_such_a_file_stands_for_every_sentence_that_reads_like_it(tmp_path: Path) -> None:
    assert scored(tmp_path, {"Ada came.": CLEAR, "She hid it.": WHO, "It ended.": CLEAR}).score == 0.5


def test_a_summary_annotated_in_part_is_incomplete(tmp_path: Path) -> None:
    score = scored(tmp_path, {"Ada came.": WHO, "She hid it.": CLEAR})
    assert (score.incomplete, score.missing, score.score) == (True, 1, None)


def test_each_span_marks_one_sentence_and_those_that_name_none_are_counted(tmp_path: Path) -> None:
    annotations = book(tmp_path, [{"span": "She  hid it.", **WHO}, {"span": "Somebody else came.", **WHO}])
    sentences, unmatched = annotated_sentences(TEXT, punkt_spans(TEXT), annotations)
    judgements = [sentence.judgement for sentence in sentences]
    assert [judgement is not None and judgement.confusing for judgement in judgements] == [False, True, False, False]
    assert unmatched == 1


@pytest.mark.parametrize(
    "value", ["text", 5, ["span"], {"Ada came.": "confusing"}, {"Ada came.": {"questions": "?", "types": ["boring"]}}]
)
def test_what_is_no_annotation_is_an_error_that_names_the_book(tmp_path: Path, value: JsonValue) -> None:
    with pytest.raises(MalformedDocumentError, match=r"a\.epub"):
        book(tmp_path, value)


@pytest.mark.parametrize("text", ["", "[]", '{"a": ', "\N{REPLACEMENT CHARACTER}"])
def test_what_is_no_json_object_is_an_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "annotations.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MalformedDocumentError, match=r"annotations\.json"):
        read_annotations(file)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match=r"nothing\.json"):
        read_annotations(tmp_path / "nothing.json")
