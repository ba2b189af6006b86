"""`lda eval needle`, `passkey`, `threads` and `tsort` as people use them, on the scripted engine."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Lda

SHORT = ("--lengths", "2k,4k", "--depths", "3")
PNG = b"\x89PNG\r\n\x1a\n"


def result(lda: Lda, command: str, *arguments: str | Path, code: int = 0) -> Any:
    """The report of a command."""
    return lda.json("eval", command, *arguments, code=code)["results"][0]


def overall(report: Any) -> dict[str, Any]:
    """The figures of each strategy over all cases."""
    every = [one for one in report["selection"] if one["length"] is None and one["kind"] is None]
    return {one["strategy"]: one for one in every}


def test_passkeys_are_found_by_their_words_and_drawn(lda: Lda, book: Path, tmp_path: Path) -> None:
    report = result(lda, "passkey", book, *SHORT, "--png", "found.png")
    found = overall(report)
    assert set(found) == {"lexical", "retrieve", "random", "head", "tail", "head and tail"}
    assert found["lexical"]["recall"]["1"]["rate"] == 1.0
    assert found["lexical"]["cases"] == 6
    assert found["head"]["within"]["1024"]["rate"] < 1.0
    assert any("cascade" in remark and "left out" in remark for remark in report["remarks"])
    assert (tmp_path / "found.png").read_bytes().startswith(PNG)


def test_needles_of_all_kinds_are_tables_in_a_pipe_and_markdown_in_a_file(lda: Lda, book: Path, tmp_path: Path) -> None:
    arguments = ("eval", "needle", book, *SHORT, "--strategies", "retrieve,tail")
    done = lda.run(*arguments)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "Recall by rank, 2,000 tokens"
    assert lines[1].split("\t")[:3] == ["strategy", "cases", "@1"]
    assert [line.split("\t")[:2] for line in lines[2:4]] == [["retrieve", "12"], ["tail", "12"]]
    assert "24 cases in" in done.stderr
    assert "recall@k" in done.stderr
    written = lda.run(*arguments, "--out", "needles.md")
    assert written.returncode == 0
    told = (tmp_path / "needles.md").read_text(encoding="utf-8")
    assert "| strategy |" in told
    assert "by kind" in told


def test_a_repetition_gives_the_same_and_stores_nothing_new(lda: Lda, book: Path) -> None:
    first = overall(result(lda, "needle", book, *SHORT, "--strategies", "retrieve", "--answers", "retrieve"))
    counted = "select (select count(*) from calls), (select count(*) from documents)"
    before = lda.query(counted)
    again = overall(result(lda, "needle", book, *SHORT, "--strategies", "retrieve", "--answers", "retrieve"))
    assert again["retrieve"]["recall"] == first["retrieve"]["recall"]
    assert lda.query(counted) == before
    assert lda.repeated_calls() == []


def test_a_dry_run_says_what_it_takes_and_spends_nothing(lda: Lda, book: Path) -> None:
    arguments = (book, "--lengths", "8k,4M", "--answers", "retrieve", "--strategies", "retrieve", "--dry-run")
    estimate = result(lda, "needle", *arguments)
    assert estimate["cases"] == 88
    assert estimate["tokens"] > 4_000_000
    assert estimate["parts"] > estimate["segments"] > 9_000
    assert {one["strategy"] for one in estimate["strategies"]} == {
        "retrieve",
        "retrieve, answers",
        "all together",
    }
    assert lda.query("select count(*) from documents") == [(0,)]
    shown = lda.run("eval", "needle", *arguments)
    assert "88 cases in" in shown.stderr
    assert shown.stdout.splitlines()[1] == "strategy\tcalls\tread\tcost"


def test_answers_come_in_the_ways_asked_for_and_are_drawn(lda: Lda, book: Path, tmp_path: Path) -> None:
    arguments = (*SHORT, "--strategies", "tail", "--answers", "full,retrieve,cascade", "--png", "found.png")
    report = result(lda, "passkey", book, *arguments)
    assert {one["strategy"] for one in report["answers"]} == {"full", "retrieve"}
    assert "left out: answers by cascade: scripted tells no probabilities of tokens" in report["remarks"]
    for name in ("found.png", "found-answers.png"):
        assert (tmp_path / name).read_bytes().startswith(PNG)


def test_threads_need_no_files(lda: Lda) -> None:
    found = overall(result(lda, "threads", "--lengths", "4k", "--kinds", "one,thread", "--strategies", "lexical,tail"))
    assert set(found) == {"lexical", "tail"}
    assert found["lexical"]["cases"] == 15
    estimate = result(lda, "threads", "--lengths", "4k", "--dry-run")
    assert estimate["title"] == "Key-value threads"


def test_stretches_are_sorted_by_the_engine(lda: Lda, book: Path) -> None:
    report = result(lda, "tsort", book, "--lengths", "1k,1M", "--each", "3")
    (order,) = report["orders"]
    assert (order["length"], order["whole"]["cases"], order["invalid"]) == (1000, 3, 3)
    assert any("left out: 1,000,000 tokens" in remark for remark in report["remarks"])
    estimate = result(lda, "tsort", book, "--lengths", "1k", "--each", "3", "--dry-run")
    assert estimate["strategies"][0]["calls"] == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("needle", "book.md", "--lengths", "8x"), "'8x' is no length; write lengths like 8k,512k,4M"),
        (("needle", "book.md", "--kinds", "hay"), "there is no kind 'hay'; choose from: passkey, plain"),
        (("passkey", "book.md", "--strategies", "guess"), "there is no strategy 'guess'"),
        (("threads", "--scoring", "loud"), "there is no scoring 'loud'"),
        (("threads", "--answers", "guess"), "there is no strategy 'guess'"),
        (("threads", "--answers", "map:label"), "map scores nothing; a mode goes with cascade or xl3m"),
        (("passkey", "book.md", "--lengths", "500"), "too short"),
        (("passkey", "book.md", "--out", "found.html"), "md, txt or json"),
        (("passkey", "book.md", "--png", "nowhere/found.png"), "there is no folder nowhere"),
        (("passkey", "book.md", "--strategies", "cascade"), "nothing is left to try"),
        (("threads", "--kinds", "thread", "--png", "found.png"), "draw them with --kinds one"),
        (("tsort", "book.md", "--lengths", "64k"), "nothing is left to try"),
    ],
)
def test_what_cannot_be_asked_for_is_a_usage_error(lda: Lda, book: Path, arguments: tuple[str, ...], said: str) -> None:
    assert book.exists()
    done = lda.run("eval", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
