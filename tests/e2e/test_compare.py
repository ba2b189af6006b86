"""`lda eval compare` as people use it: methods side by side, stopped and resumed, and what summaries learn from it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Lda

ROOT = Path(__file__).parents[2]
NOVELLA = ROOT / "examples" / "novella.epub"
SHORT = "# One\n\nAda found the lamp. Bela hid it.\n\n# Two\n\nIt was never found. The sea came. Nobody cared.\n"


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A text that fits one call."""
    path = tmp_path / "short.md"
    path.write_text(SHORT, encoding="utf-8")
    return path


def compare(lda: Lda, *arguments: str | Path, code: int = 0) -> Any:
    """The result of a command."""
    return lda.json("eval", "compare", *arguments, code=code)["results"][0]


def by_method(result: Any) -> dict[str, Any]:
    return {trial["method"]: trial for trial in result["trials"]}


def test_methods_that_can_do_the_book_are_compared_by_all_figures(lda: Lda) -> None:
    result = compare(lda, NOVELLA, "--words", "200")
    trials = by_method(result)
    assert list(trials) == ["hierarchical", "incremental", "scm"], "it does not fit one call"
    for trial in trials.values():
        figures = trial["figures"]
        assert figures["coherence"] == 1.0
        assert figures["support_rate"] == 1.0, "the scripted engine repeats sentences of the text"
        assert figures["words"] == len(trial["summary"].split())
        assert figures["length_error"] == pytest.approx(abs(figures["words"] - 200) / 200)
        assert 0 <= figures["repetition"] < 1
        assert figures["seconds"] > 0
        assert trial["error"] is None
    assert (result["protocol"], result["prompt"], result["judge"]["identity"]) == (
        "batch",
        "judge/batch.v1",
        "scripted",
    )
    assert result["judging"]["calls"] > 0


def test_figures_are_those_of_the_whole_run_however_often_it_is_repeated(lda: Lda) -> None:
    first = compare(lda, NOVELLA, "--words", "200")
    calls = lda.query("select count(*) from calls")
    assert compare(lda, NOVELLA, "--words", "200") == first
    assert lda.query("select count(*) from calls") == calls
    runs = {run["id"]: run for run in lda.json("runs", "list")["runs"]}
    for trial in first["trials"]:
        run = runs[trial["run"]]
        assert trial["figures"]["calls"] == run["calls"] + run["recorded"]
        assert runs[trial["judged_by_run"]]["kind"] == "booookscore"


def test_what_methods_share_counts_for_each_of_them(lda: Lda) -> None:
    trials = by_method(compare(lda, NOVELLA, "--methods", "hierarchical,hierarchical:previous", "--no-judge"))
    one, other = (trials[name]["figures"] for name in ("hierarchical", "hierarchical:previous"))
    assert one["calls"] == other["calls"]
    assert lda.query("select count(*) from calls")[0][0] < one["calls"] + other["calls"]


def test_its_runs_are_those_of_summarize(lda: Lda) -> None:
    (trial,) = compare(lda, NOVELLA, "--words", "200", "--methods", "hierarchical:previous", "--no-judge")["trials"]
    made = lda.summarize(NOVELLA, "--words", "200", "--method", "hierarchical", "--merge-context", "previous")
    assert (made["run"], made["usage"]["calls"]) == (trial["run"], 0)
    assert made["summary"]["text"] == trial["summary"]


def test_stopped_by_a_budget_it_goes_on_without_repeating_a_call(lda: Lda) -> None:
    command = ("eval", "compare", NOVELLA, "--words", "200")
    stops = 0
    while (done := lda.run(*command, "--max-calls", "16", "--json")).returncode == 75:
        assert done.stdout == ""
        assert "budget" in done.stderr
        stops += 1
    assert stops >= 2
    assert done.returncode == 0
    assert lda.repeated_calls() == []
    assert json.loads(done.stdout)["results"][0]["means"]


def test_a_method_that_fails_is_a_row_and_does_not_stop_the_others(lda: Lda) -> None:
    arguments = (NOVELLA, "--methods", "full,incremental")
    trials = by_method(compare(lda, *arguments, code=3))
    assert "one call of this model holds" in trials["full"]["error"]
    assert trials["incremental"]["figures"]["coherence"] == 1.0
    done = lda.run("eval", "compare", *arguments, "--quiet")
    assert done.returncode == 3
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[0], row[-1]) for row in rows[1:]] == [("full", "failed"), ("incremental", "")]
    assert done.stderr.count("\n") == 1
    assert "full: failed: the text has about" in done.stderr


def test_where_no_method_can_do_anything_it_is_the_error(lda: Lda) -> None:
    done = lda.run("eval", "compare", NOVELLA, "--methods", "full")
    assert done.returncode == 2
    assert done.stdout == ""


def test_several_books_get_means_over_those_a_method_did(lda: Lda, short: Path) -> None:
    result = compare(lda, NOVELLA, short, "--no-judge")
    means = {mean["method"]: mean for mean in result["means"]}
    assert {name: mean["documents"] for name, mean in means.items()} == {
        "hierarchical": 2,
        "incremental": 2,
        "scm": 2,
        "full": 1,
    }
    words = [trial["figures"]["words"] for trial in result["trials"] if trial["method"] == "scm"]
    assert means["scm"]["figures"]["words"] == sum(words) / 2
    assert means["scm"]["figures"]["coherence"] is None
    rows = lda.run("eval", "compare", NOVELLA, short, "--no-judge").stdout.splitlines()
    assert rows[0].split("\t")[:3] == ["document", "method", "sourced"]
    assert sum(row.startswith("mean of 2\t") for row in rows) == 3


def test_markdown_has_the_table_and_the_summaries_below(lda: Lda) -> None:
    path = lda.home / "side-by-side.md"
    done = lda.run("eval", "compare", NOVELLA, "--words", "100", "--methods", "hierarchical,scm", "--out", path)
    assert (done.returncode, done.stdout) == (0, "")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Methods on High Water at Tarrowby\n\n| method ")
    assert text.index("| scm ") < text.index("100 words asked") < text.index("\n## hierarchical\n\n")
    assert text.index("\n## hierarchical\n\n") < text.index("\n## scm\n\n")
    plain = lda.run("eval", "compare", NOVELLA, "--words", "100", "--methods", "hierarchical,scm", "--format", "txt")
    assert "## scm" not in plain.stdout


def test_what_it_wrote_into_a_folder_of_books_is_no_book(lda: Lda, short: Path) -> None:
    shelf = lda.home / "shelf"
    shelf.mkdir()
    short.rename(shelf / "short.md")
    written = []
    for _ in range(2):
        assert lda.run("eval", "compare", shelf, "--methods", "full", "--out", shelf / "table.md").returncode == 0
        written.append((shelf / "table.md").read_text(encoding="utf-8"))
    assert written[0] == written[1]


def test_on_a_terminal_methods_stand_side_by_side(lda: Lda) -> None:
    assert lda.run("eval", "compare", NOVELLA, "--no-judge").returncode == 0
    parent, child = pty.openpty()
    environment = os.environ | {"LDA_DATABASE": str(lda.database), "HOME": str(lda.home), "LDA_ENGINE": "scripted"}
    subprocess.run(
        [sys.executable, "-m", "longdoc", "eval", "compare", str(NOVELLA), "--no-judge", "--quiet"],
        env=environment | {"COLUMNS": "80", "TERM": "dumb"},
        stdout=child,
        check=True,
    )
    os.close(child)
    lines = os.read(parent, 10_000).decode().splitlines()
    os.close(parent)
    assert lines[0] == "High Water at Tarrowby"
    assert lines[2].split() == ["hierarchical", "incremental", "scm"]
    assert [line.split()[0] for line in lines[3:6]] == ["sourced", "words", "repeats"]
    assert max(map(len, lines)) < 80


def test_a_dry_run_says_what_each_method_takes_and_spends_nothing(lda: Lda) -> None:
    estimates = compare(lda, NOVELLA, "--methods", "full,incremental", "--dry-run", code=3)["estimates"]
    assert "holds" in estimates[0]["error"]
    assert lda.query("select count(*) from calls") == [(0,)]
    trials = by_method(compare(lda, NOVELLA, "--methods", "incremental", "--no-judge"))
    assert estimates[1]["calls"] == trials["incremental"]["figures"]["calls"]
    done = lda.run("eval", "compare", NOVELLA, "--dry-run")
    assert done.stdout.splitlines()[0].split("\t") == ["document", "method", "calls", "read", "written", "cost"]
    assert "judging comes on top" in done.stderr


def test_what_was_compared_is_what_the_next_summary_takes(lda: Lda) -> None:
    before = lda.json("summarize", NOVELLA, "--dry-run")["results"][0]["estimate"]
    assert before["method"] == "hierarchical"
    trials = by_method(compare(lda, NOVELLA, "--words", "200", "--methods", "hierarchical,incremental"))
    tokens = {name: trial["figures"]["prompt_tokens"] for name, trial in trials.items()}
    assert tokens["incremental"] < tokens["hierarchical"], "of equals the one with fewer tokens is taken"
    made = lda.summarize(NOVELLA, "--words", "200")
    assert (made["summary"]["method"], made["usage"]["calls"]) == ("incremental", 0)
    assert "1.00 against 1.00 for hierarchical over 1 book you compared with this model" in made["summary"]["reason"]
    assert lda.summarize(NOVELLA, "--words", "200", "--method", "hierarchical")["summary"]["reason"] == "as asked for"


def test_a_measured_method_that_cannot_do_what_is_asked_is_passed_over(lda: Lda) -> None:
    compare(lda, NOVELLA, "--words", "200", "--methods", "hierarchical,incremental")
    made = lda.summarize(NOVELLA, "--segment-tokens", "6300", "--dry-run")
    assert made["estimate"]["method"] == "hierarchical"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--methods", "magic"), "there is no method 'magic'"),
        (("--methods", "scm:previous"), "hierarchical:previous"),
        (("--protocol", "guess"), "choose one of: sentence, batch"),
        (("--words", "3"), "at least 10"),
        (("--out", "report.html"), "md, txt or json"),
    ],
)
def test_what_cannot_be_asked_for_is_a_usage_error(lda: Lda, arguments: tuple[str, ...], said: str) -> None:
    done = lda.run("eval", "compare", NOVELLA, *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_book_that_cannot_be_read_ends_it_before_a_call(lda: Lda) -> None:
    done = lda.run("eval", "compare", NOVELLA, "missing.epub")
    assert done.returncode == 1
    assert "missing.epub" in done.stderr
    assert not lda.database.exists()
