"""Results: marks and lists of sources, rows for tables, and what a notebook shows."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import pyarrow as pa

from longdoc.agents.citations import Citation
from longdoc.app.results import Result, Shown, Source, cited_text, found_in, source_of_json
from longdoc.app.runs import RunUsage
from longdoc.documents.places import Place
from longdoc.engines.engine import Usage

NINE = Source("d1", "The Ferry", 10, 20, "leaves  at\nnine", Place(("Part 1", "Chapter 2")), at=21)
TEN = Source("d1", "The Ferry", 30, 40, "back at ten", at=21)
TEXT = "It leaves at nine am. It is late."


@dataclass(frozen=True, slots=True)
class Answer(Shown):
    """A result of no capability."""

    text: str = TEXT
    sources: tuple[Source, ...] = (NINE, TEN)
    run_id: str = "abc"
    usage: RunUsage = field(default_factory=lambda: RunUsage(2, 1, 0, Usage(100, 20), 0.5, 1.5))


def test_marks_stand_behind_what_rests_on_a_source() -> None:
    marked = cited_text(Answer())
    assert marked.splitlines()[0] == "It leaves at nine am. [1][2] It is late."
    assert marked.splitlines()[2:] == [
        "[1] The Ferry, Chapter 2: “leaves at nine”",
        "[2] The Ferry: “back at ten”",
    ]


def test_the_same_words_have_one_number_and_what_all_rests_on_is_marked_at_the_end() -> None:
    again = Source("d1", "The Ferry", 10, 20, "leaves at nine")
    marked = cited_text(Answer(sources=(NINE, again)))
    assert marked.startswith("It leaves at nine am. [1] It is late. [1]\n\n[1] ")
    assert "[2]" not in marked


def test_a_list_of_sources_can_be_cut() -> None:
    marked = cited_text(Answer(), most=1)
    assert marked.endswith("“leaves at nine”\nand 1 more")
    assert cited_text(Answer(), most=2) == cited_text(Answer())


def test_a_text_without_sources_is_left_as_it_is() -> None:
    assert cited_text(Answer(sources=())) == TEXT


def test_sources_of_claims_end_where_their_claims_end() -> None:
    cited = Citation("d1", "The Ferry", 10, 20, "leaves at nine", 1.0, 1, Place())
    found = found_in("One. Two. One.", [("One.", [cited]), ("Two.", []), ("One.", [cited]), ("Three.", [cited])])
    assert [one.at for one in found] == [4, 14, None]


def test_a_source_comes_back_from_its_json() -> None:
    back = source_of_json(NINE.to_json())
    assert back is not None
    assert back.to_json() == NINE.to_json()
    assert source_of_json({"document": "d1", "title": "no offsets"}) is None


def test_rows_make_tables() -> None:
    results: list[Answer] = [Answer(), Answer(sources=())]
    table = pd.DataFrame([one.row() for one in results])
    assert list(table.columns) == [
        "run_id",
        "text",
        "sources",
        "calls",
        "recorded_calls",
        "prompt_tokens",
        "completion_tokens",
        "cost",
        "seconds",
    ]
    assert table["sources"].tolist() == [2, 0]
    assert table["prompt_tokens"].sum() == 200
    sources = pa.Table.from_pylist([row for one in results for row in one.source_rows()])
    assert sources.column_names == ["run_id", "number", "document", "title", "start", "end", "quote", "place", "at"]
    assert sources.column("number").to_pylist() == [1, 2]
    assert sources.schema.field("start").type == pa.int64()


def test_a_notebook_shows_text_and_sources_and_nothing_of_them_as_markup() -> None:
    evil = Source("d1", "<b>Title</b>", 0, 5, '"><script>alert(1)</script>', Place(("<i>",)))
    shown = html_of(Answer(text="One <script> & two.\n\nNext.", sources=(evil,) * 25))
    assert "<p>One &lt;script&gt; &amp; two.</p><p>Next.</p>" in shown
    assert "<script>" not in shown
    assert "<b>" not in shown
    assert "<summary>25 sources</summary>" in shown
    assert shown.count("<li>") == 21
    assert "and 5 more" in shown
    assert "2 calls, 1 from the record" in shown
    assert "<details>" not in html_of(Answer(sources=()))


def html_of(result: Result) -> str:
    shown = getattr(result, "_repr_html_")  # noqa: B009 as a notebook does
    return str(shown())
