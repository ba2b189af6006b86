"""Results of trials as text and JSON: every figure with its terms, nothing that says nothing."""

from __future__ import annotations

import json
from dataclasses import replace

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


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def table(title: str, report: QuestionReport = REPORT) -> list[list[str]]:
    lines = text(report).partition(f"## {title}\n\n")[2].partition("\n\n")[0].splitlines()
    return [cells(line) for line in [lines[0], *lines[2:]]]


def test_strategies_stand_below_each_other_with_what_they_found_and_took() -> None:
    assert table("Recall by rank") == [
        ["strategy", "cases", "@1", "@8", "mrr", "seconds", "calls", "read", "failed"],
        ["bm25", "4", "100.0%", "100.0%", "1.000", "0.250", "3.0", "1,200", "0"],
        ["dense", "4", "0.0%", "50.0%", "0.062", "0.250", "3.0", "1,200", "1"],
    ]
    assert table("Recall within a budget of tokens")[2] == ["dense", "50.0% (15-85)", "50.0% (15-85)"]


def test_kinds_and_lengths_stand_beside_each_other_where_there_are_several() -> None:
    assert table("Recall within 4,096 tokens by kind") == [
        ["strategy", "plain", "bridge"],
        ["bm25", "100.0% (34-100)", "100.0% (34-100)"],
        ["dense", "100.0% (34-100)", "0.0% (0-66)"],
    ]
    assert table("Recall within 4,096 tokens by length")[0] == ["strategy", "8,000", "64,000"]
    assert "by depth" not in text()


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
        answers=[AnswerOutcome("full", CASE, NO_REPLY, AnswerScore(share), 1.0) for share in (1.0, 0.5)],
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
    assert len(selection) == 2 + 8
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
