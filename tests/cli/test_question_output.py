"""Results of trials as text and JSON: every figure with its terms, nothing that says nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from longdoc.cli.output import OutputFormat
from longdoc.cli.question_output import QuestionOutput
from longdoc.evaluation.answer_match import AnswerScore
from longdoc.evaluation.answer_trial import NO_REPLY, AnswerOutcome, SortOutcome
from longdoc.evaluation.gold import GoldCase, Recipe
from longdoc.evaluation.question_report import QuestionReport, answer_panels, selection_panels
from longdoc.evaluation.recall import Recall
from longdoc.evaluation.selection_trial import SelectionOutcome
from longdoc.evaluation.tsort import OrderScore, SortCase

CASE = GoldCase("plain-0-1", "plain", "?", ("x",), ((0, 1),), depth=0.0, length=8000)
KINDS = [
    replace(CASE, id=f"{kind}-1", kind=kind, length=length) for kind in ("plain", "bridge") for length in (8000, 64_000)
]


def found(strategy: str, case: GoldCase, *, rank: int | None, error: str = "") -> SelectionOutcome:
    held = float(rank is not None)
    return SelectionOutcome(
        strategy, case,
        Recall(rank, {1: float(rank == 1), 8: held}, {512: held, 4096: held}, {512: 0.1, 4096: 0.1}, rank, {}),
        0.25, 3, 1200, error,
    )  # fmt: skip


SELECTION = [
    *(found("bm25", case, rank=1) for case in KINDS),
    *(found("dense", case, rank=8 if case.kind == "plain" else None) for case in KINDS[:3]),
    found("dense", KINDS[3], rank=None, error="too long"),
]
REPORT = QuestionReport(
    "Needles in The Mill",
    selection=SELECTION,
    recipes=[Recipe("planted", 1, "0123456789abcdef0123", 7)] * 2,
    settings={"segments": "512 tokens", "embedder": "MiniLM"},
)


def text(report: QuestionReport = REPORT) -> str:
    return QuestionOutput(report).text(OutputFormat.MARKDOWN)


def json_rows(report: QuestionReport) -> list[Any]:
    value: Any = QuestionOutput(report).json()
    return value["selection"]


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def table(title: str, report: QuestionReport = REPORT) -> list[list[str]]:
    lines = text(report).partition(f"## {title}\n\n")[2].partition("\n\n")[0].splitlines()
    return [cells(line) for line in [lines[0], *lines[2:]]]


def test_strategies_stand_below_each_other_with_what_they_found_and_took() -> None:
    short = QuestionReport("Short", selection=[one for one in SELECTION if one.case.length == 8000])
    assert table("Recall by rank", short) == [
        ["strategy", "cases", "@1", "@8", "mrr"],
        ["bm25", "2", "100.0% (34-100)", "100.0% (34-100)", "1.000"],
        ["dense", "2", "0.0% (0-66)", "50.0% (9-91)", "0.062"],
    ]
    assert table("Recall within a budget of tokens", short)[2] == ["dense", "50.0% (9-91)", "50.0% (9-91)"]
    assert table("What a question takes", short)[1:] == [
        ["bm25", "0.250", "3.0", "1,200", "0"],
        ["dense", "0.250", "3.0", "1,200", "0"],
    ]


def test_each_length_has_its_table_before_that_of_all() -> None:
    titles = [one.title for one in QuestionOutput(REPORT).tables if one.title.startswith("Recall by rank")]
    assert titles == [f"Recall by rank, {length}" for length in ("8,000 tokens", "64,000 tokens", "all lengths")]
    assert table("Recall by rank, 64,000 tokens")[2][:3] == ["dense", "2", "0.0% (0-66)"]
    assert table("Recall by rank, all lengths")[2][:4] == ["dense", "4", "0.0% (0-49)", "50.0% (15-85)"]
    assert table("What a question takes")[4] == ["dense", "64,000", "0.250", "3.0", "1,200", "1"]


def test_a_strategy_tried_on_short_texts_only_is_not_compared_over_all() -> None:
    easy = [found("xl3m", case, rank=1) for case in KINDS if case.length == 8000]
    report = QuestionReport("Needles", selection=[*SELECTION, *easy])
    assert table("Recall by rank, 8,000 tokens", report)[3][:3] == ["xl3m", "2", "100.0% (34-100)"]
    for title in ("Recall by rank, 64,000 tokens", "Recall by rank, all lengths"):
        assert table(title, report)[3] == ["xl3m", "-", "-", "-", "-"]
    assert table("Recall within 4,096 tokens by length", report)[3] == ["xl3m", "100.0% (34-100)", "-"]
    crossed = table("Recall within 4,096 tokens by kind and length", report)
    assert crossed[3] == ["plain", "xl3m", "100.0% (21-100)", "-"]
    (told,) = [one for one in json_rows(report) if one["strategy"] == "xl3m" and one["length"] is None]
    assert (told["cases"], told["missing"], told["recall"], told["within"], told["mrr"]) == (2, 2, None, None, None)


def test_answers_of_short_texts_only_are_not_compared_over_all() -> None:
    answers = [
        AnswerOutcome(strategy, case, NO_REPLY, AnswerScore(1.0), 1.0)
        for strategy in ("full", "retrieve")
        for case in KINDS
        if strategy == "retrieve" or case.length == 8000
    ]
    report = QuestionReport("Needles", answers=answers)
    assert table("Answers, 8,000 tokens", report)[1][:3] == ["full", "2", "100.0% (34-100)"]
    assert table("Answers, all lengths", report)[1:] == [
        ["full", "-", "-", "-"],
        ["retrieve", "4", "100.0% (51-100)", "100.0%"],
    ]
    assert table("Right answers by length", report)[1] == ["full", "100.0% (34-100)", "-"]


def test_kinds_and_lengths_stand_beside_each_other_where_there_are_several() -> None:
    assert table("Recall within 4,096 tokens by kind and length") == [
        ["kind", "strategy", "8,000", "64,000"],
        ["plain", "bm25", "100.0% (21-100)", "100.0% (21-100)"],
        ["plain", "dense", "100.0% (21-100)", "100.0% (21-100)"],
        ["bridge", "bm25", "100.0% (21-100)", "100.0% (21-100)"],
        ["bridge", "dense", "0.0% (0-79)", "0.0% (0-79)"],
    ]
    assert table("Recall within 4,096 tokens by length")[0] == ["strategy", "8,000", "64,000"]
    assert "by depth" not in text()
    short = QuestionReport("Short", selection=[one for one in SELECTION if one.case.length == 8000])
    assert table("Recall within 4,096 tokens by kind", short)[0] == ["strategy", "plain", "bridge"]


def test_what_the_record_answered_has_no_time() -> None:
    recorded = [replace(one, seconds=None) for one in SELECTION]
    assert table("What a question takes", QuestionReport("Again", selection=recorded))[1][2] == "-"
    some = QuestionReport("Partly", selection=[recorded[0], *SELECTION[1:]])
    assert table("What a question takes", some)[1][2] == "0.250"
    assert "for which no call was answered from the record" in text()


def test_more_ranks_than_a_terminal_holds_are_told_in_part() -> None:
    held = dict.fromkeys((1, 2, 4, 8, 16), 1.0)
    case = SelectionOutcome("bm25", CASE, Recall(1, held, {512: 1.0}, {512: 0.1}, 1, {}), 0.25)
    assert table("Recall by rank", QuestionReport("Many", selection=[case]))[0][2:-1] == ["@1", "@4", "@16"]


def test_the_terms_are_told_once_and_failures_are_listed() -> None:
    told = text()
    assert "- segments: 512 tokens · embedder: MiniLM" in told
    assert told.count("texts made by planted, version 1, seed 7, of 0123456789abcdef") == 1
    assert "- dense, bridge-1: failed: too long" in told
    assert QuestionOutput(REPORT).gaps


def test_shares_of_spans_are_shown_where_a_case_has_many() -> None:
    many = replace(CASE, spans=tuple((i, i + 1) for i in range(5)))
    report = QuestionReport("Meetings", selection=[found("bm25", many, rank=1)])
    assert "Share of what is needed" not in text()
    assert table("Share of what is needed, by budget", report)[1] == ["bm25", "100.0%", "100.0%"]
    assert table("Share of the budget that is needed", report)[1] == ["bm25", "10.0%", "10.0%"]


def test_answers_and_orders_have_tables_of_their_own() -> None:
    case = SortCase("1", "Mill", ("a", "b", "c", "d"), (1, 2, 3, 4), "", "", (0, 9), 2000)
    report = QuestionReport(
        "Threads",
        answers=[
            AnswerOutcome("full", case, NO_REPLY, AnswerScore(share), 1.0)
            for case, share in ((CASE, 1.0), (replace(CASE, id="2"), 0.5))
        ],
        orders=[SortOutcome("full", case, NO_REPLY, OrderScore(valid=True, whole=False, pairs=0.5), 1.0)],
    )
    assert table("Answers", report)[1][:4] == ["full", "2", "50.0% (9-91)", "75.0%"]
    assert table("Orders", report)[1][:6] == ["full", "2,000", "1", "0.0% (0-79)", "50.0%", "0"]
    assert "chance 4.2%" in text(report)
    assert not QuestionOutput(report).gaps


def test_a_report_of_nothing_has_no_tables() -> None:
    assert QuestionOutput(QuestionReport("Nothing")).tables == []


def test_the_json_has_figures_overall_and_of_each_cell() -> None:
    value = QuestionOutput(REPORT).json()
    assert json.loads(json.dumps(value)) == value
    assert isinstance(value, dict)
    selection = value["selection"]
    assert isinstance(selection, list)
    assert len(selection) == 2 + 4 + 8 + 8
    first = selection[0]
    assert isinstance(first, dict)
    assert first["recall"] == {
        "1": {"hits": 4, "cases": 4, "rate": 1.0, "interval": [first["recall"]["1"]["interval"][0], 1.0]},
        "8": first["recall"]["1"],
    }
    assert value["failures"] == [{"strategy": "dense", "case": "bridge-1", "error": "too long"}]


def test_panels_of_a_heat_map_hold_lengths_and_depths() -> None:
    panels = selection_panels(SELECTION, budget=512)
    assert [(panel.title, panel.cells) for panel in panels] == [
        ("bm25", {(8000, 0.0): 1.0, (64_000, 0.0): 1.0}),
        ("dense", {(8000, 0.0): 0.5, (64_000, 0.0): 0.5}),
    ]
    answers = [AnswerOutcome("full", CASE, NO_REPLY, AnswerScore(1.0), 1.0)]
    assert answer_panels(answers)[0].cells == {(8000, 0.0): 1.0}
