"""QMSum: turns are blocks, and spans are the turns that answers rest on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from longdoc.errors import DocumentError, MalformedDocumentError
from longdoc.evaluation.qmsum import Meeting, read_qmsum
from longdoc.json_value import JsonValue
from tests.evaluation.published_sets import DATA, needs

VAL = DATA / "qa" / "qmsum" / "val.jsonl"
TURNS = (("Ann", "Shall we begin ?"), ("Ben", ""), ("Ann", " The lamp\n costs  five ."), ("Cy", "Too much ."))


def written(folder: Path, spans: Sequence[Sequence[str]], *, index: str = "") -> Path:
    row: JsonValue = {
        "topic_list": [],
        "general_query_list": [{"query": "What happened?", "answer": "They talked."}],
        "specific_query_list": [
            {"query": "What does it cost?", "answer": "Five.", "relevant_text_span": [list(span) for span in spans]}
        ],
        "meeting_transcripts": [{"speaker": speaker, "content": content} for speaker, content in TURNS],
    }
    path = folder / "val.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    if index:
        (folder / "val_index.tsv").write_text(index, encoding="utf-8")
    return path


def meeting(folder: Path, *spans: tuple[str, str], index: str = "") -> Meeting:
    (found,) = read_qmsum(written(folder, spans, index=index))
    return found


def test_every_turn_is_a_block_with_its_speaker(tmp_path: Path) -> None:
    document = meeting(tmp_path, ("2", "2")).document
    assert [document.text[b.start : b.end] for b in document.blocks] == [
        "Ann: Shall we begin ?",
        "Ben:",
        "Ann: The lamp costs five .",
        "Cy: Too much .",
    ]


@pytest.mark.parametrize(
    ("spans", "turns"),
    [
        ([("2", "3")], ["Ann: The lamp costs five .", "Cy: Too much ."]),
        ([("0", "2")], ["Ann: Shall we begin ?", "Ann: The lamp costs five ."]),
        ([("3", "3"), ("0", "0"), ("3", "3")], ["Ann: Shall we begin ?", "Cy: Too much ."]),
        ([("1", "1")], ["Ben:"]),
    ],
)
def test_spans_are_the_turns_meant_the_last_one_too_without_those_that_say_nothing(
    tmp_path: Path, spans: list[tuple[str, str]], turns: list[str]
) -> None:
    found = meeting(tmp_path, *spans)
    (case,) = found.gold.cases
    assert [found.document.text[a:b] for a, b in case.spans] == turns
    assert (case.question, case.answers, case.kind) == ("What does it cost?", ("Five.",), "specific")


def test_general_questions_are_about_no_turn(tmp_path: Path) -> None:
    (query,) = meeting(tmp_path, ("0", "0")).general
    assert (query.question, query.answer, query.turns) == ("What happened?", "They talked.", ())


def test_names_come_from_the_index(tmp_path: Path) -> None:
    found = meeting(tmp_path, ("0", "0"), index="line\tmeeting\tdomain\n1\tES2009c\tProduct\n")
    assert (found.name, found.domain, found.document.title) == ("ES2009c", "Product", "ES2009c")
    assert found.gold.cases[0].id == "ES2009c-1"


def test_without_an_index_they_are_numbered(tmp_path: Path) -> None:
    assert meeting(tmp_path, ("0", "0")).name == "meeting 1"


@pytest.mark.parametrize("spans", [[], [("2", "4")], [("-1", "0")]])
def test_turns_that_are_not_there_are_an_error(tmp_path: Path, spans: list[tuple[str, str]]) -> None:
    with pytest.raises(MalformedDocumentError, match=r"line 1.*turns"):
        list(read_qmsum(written(tmp_path, spans)))


@pytest.mark.parametrize("text", ["{}", "no JSON", '{"meeting_transcripts": 5}'])
def test_other_shapes_are_an_error_that_names_the_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "val.jsonl"
    path.write_text(f"\n{text}\n", encoding="utf-8")
    with pytest.raises(MalformedDocumentError, match="line 2"):
        list(read_qmsum(path))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        list(read_qmsum(tmp_path / "val.jsonl"))


def test_an_index_of_another_shape_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedDocumentError, match="row"):
        meeting(tmp_path, ("0", "0"), index="line\tname\n1\tx\n")


@needs(VAL)
def test_the_published_meetings_are_there_with_all_their_questions() -> None:
    meetings = list(read_qmsum(VAL))
    assert len(meetings) == 35
    assert sum(len(found.general) for found in meetings) == 35
    cases = [case for found in meetings for case in found.gold.cases]
    assert len(cases) == len({case.id for case in cases}) == 237
    rows = [line.split("\t") for line in (VAL.with_name("val_index.tsv")).read_text().splitlines()[1:]]
    assert [(m.name, m.domain, len(m.document.blocks), len(m.specific)) for m in meetings] == [
        (row[1], row[2], int(row[3]), int(row[5])) for row in rows
    ]
    for found in meetings:
        starts = {block.start: block.end for block in found.document.blocks}
        assert all(starts[start] == end for query in found.specific for start, end in query.turns)
