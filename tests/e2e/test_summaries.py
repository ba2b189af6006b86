"""`lda summarize` as a process: several books, every method, every format, and what it says where it will not do it."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.command import Lda

METHODS = ("full", "hierarchical", "incremental", "scm")
SMALL_SEGMENTS = ("--segment-tokens", "300")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """A story of four chapters, which any method can read."""
    names = ("Ada", "Bela", "Chike", "Dara")
    chapters = [
        f"# {name}\n\n" + "\n\n".join(f"{name} met traveller {i} of house {i * 7} on the road." for i in range(25))
        for name in names
    ]
    path = tmp_path / "story.md"
    path.write_text("\n\n".join(chapters), encoding="utf-8")
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with three texts (one in a folder of its own), a broken book, and what is no document."""
    folder = tmp_path / "shelf"
    (folder / "more").mkdir(parents=True)
    for name in ("apple", "pear"):
        (folder / f"{name}.txt").write_text(f"The {name} fell from the tree. It rolled away.")
    (folder / "more" / "plum.md").write_text("# Plum\n\nThe plum fell from the tree. It rolled away.")
    (folder / "broken.epub").write_bytes(b"PK\x03\x04broken")
    (folder / "notes.bin").write_bytes(b"\x00\x01")
    return folder


def test_a_broken_book_does_not_stop_the_others_of_a_folder(lda: Lda, shelf: Path) -> None:
    done = lda.run("summarize", shelf, "--format", "txt")
    assert done.returncode == 1
    assert done.stdout.split("\n\n") == [
        "The apple fell from the tree. It rolled away.",
        "Plum The plum fell from the tree. It rolled away.",
        "The pear fell from the tree. It rolled away.\n",
    ]
    assert done.stderr.count("lda: ") == 1
    assert "broken.epub" in done.stderr


def test_all_of_a_folder_is_told_in_one_envelope(lda: Lda, shelf: Path) -> None:
    envelope = lda.json("summarize", shelf, code=1)
    assert envelope["status"] == "failed"
    assert [Path(result["document"]["source"]).name for result in envelope["results"]] == [
        "apple.txt",
        "plum.md",
        "pear.txt",
    ]
    assert [Path(failure["source"]).name for failure in envelope["failures"]] == ["broken.epub"]


def test_results_are_printed_in_the_order_given_whatever_takes_longest(lda: Lda, shelf: Path, book: Path) -> None:
    named = [book, shelf / "pear.txt", shelf / "apple.txt"]
    done = lda.run("summarize", *named, "--format", "md", LDA_SCRIPTED_DELAY="0.05")
    assert done.returncode == 0
    assert re.findall(r"^# (.*)", done.stdout, re.MULTILINE) == ["book.md", "pear.txt", "apple.txt"]


def test_a_pattern_and_its_files_are_read_once(lda: Lda, shelf: Path) -> None:
    done = lda.json("summarize", shelf / "*.txt", shelf / "pear.txt")
    assert [Path(result["document"]["source"]).stem for result in done["results"]] == ["apple", "pear"]


def test_results_in_the_folder_itself_are_not_read_the_next_time(lda: Lda, shelf: Path) -> None:
    (shelf / "broken.epub").unlink()
    for _ in range(2):
        assert lda.run("summarize", shelf, "--out", shelf / "summaries").returncode == 0
        assert lda.run("summarize", shelf / "**/*.*t*", "--out", shelf / "summaries").returncode == 0
    assert sorted(path.name for path in (shelf / "summaries").iterdir()) == ["apple.md", "pear.md", "plum.md"]


def test_what_could_be_read_is_written(lda: Lda, shelf: Path) -> None:
    done = lda.run("summarize", shelf, "--out", lda.home / "all", "--format", "json")
    assert done.returncode == 1
    assert sorted(path.name for path in (lda.home / "all").iterdir()) == ["apple.json", "pear.json", "plum.json"]
    assert json.loads((lda.home / "all" / "pear.json").read_text())["results"][0]["summary"]["text"]


def test_a_file_of_a_folder_tells_of_its_own_book_alone(lda: Lda, shelf: Path) -> None:
    lda.run("summarize", shelf / "broken.epub", shelf / "pear.txt", "--out", lda.home / "all", "--format", "json")
    written = json.loads((lda.home / "all" / "pear.json").read_text())
    assert (written["status"], written["failures"]) == ("done", [])


def test_an_envelope_says_that_the_work_stopped_and_where(lda: Lda, shelf: Path, book: Path) -> None:
    lda.summarize(shelf / "pear.txt")
    envelope = lda.json("summarize", shelf / "pear.txt", book, "--max-calls", "3", code=75)
    assert envelope["status"] == "stopped"
    assert [result["document"]["title"] for result in envelope["results"]] == ["pear.txt"]
    assert [(Path(failure["source"]).name, "budget" in failure["error"]) for failure in envelope["failures"]] == [
        ("book.md", True)
    ]


def test_an_envelope_says_that_nothing_could_be_done(lda: Lda, story: Path) -> None:
    envelope = lda.json("summarize", story, "--words", "90000", code=2)
    assert (envelope["status"], envelope["results"]) == ("failed", [])
    assert "too many" in envelope["failures"][0]["error"]


@pytest.mark.parametrize("given", ["empty", "nothing-*.txt"])
def test_a_folder_or_a_pattern_without_documents_is_a_usage_error(lda: Lda, given: str) -> None:
    (lda.home / "empty").mkdir()
    done = lda.run("summarize", given)
    assert done.returncode == 2
    assert given in done.stderr


@pytest.mark.parametrize("method", METHODS)
def test_every_method_makes_a_summary_of_the_length_asked_for(lda: Lda, story: Path, method: str) -> None:
    segments = () if method == "full" else SMALL_SEGMENTS
    result = lda.summarize(story, "--method", method, "--words", "100", *segments)
    assert (result["summary"]["method"], result["summary"]["reason"]) == (method, "as asked for")
    assert abs(result["summary"]["words"] - 100) <= 10
    assert result["summary"]["gaps"] == []
    again = lda.summarize(story, "--method", method, "--words", "100", *segments)
    assert again["usage"]["calls"] == 0
    assert again["summary"] == result["summary"]


def test_the_method_taken_is_told_with_its_reason(lda: Lda, story: Path, book: Path) -> None:
    assert "fit one call" in lda.summarize(story)["summary"]["reason"]
    summary = lda.summarize(book)["summary"]
    assert summary["method"] == "hierarchical"
    assert "do not fit one call" in summary["reason"]
    assert "hierarchical method: about" in lda.run("summarize", book, "--dry-run").stdout


@pytest.mark.parametrize("method", METHODS)
def test_a_dry_run_tells_the_calls_of_every_method(lda: Lda, story: Path, method: str) -> None:
    segments = () if method == "full" else SMALL_SEGMENTS
    estimate = lda.json("summarize", story, "--method", method, *segments, "--dry-run")["results"][0]["estimate"]
    assert lda.summarize(story, "--method", method, *segments)["usage"]["calls"] == estimate["calls"]


def test_sentences_come_with_the_places_they_rest_on(lda: Lda, story: Path) -> None:
    result = lda.summarize(story, *SMALL_SEGMENTS, "--method", "hierarchical")
    text = "\n\n".join(
        f"{name}\n\n" + "\n\n".join(f"{name} met traveller {i} of house {i * 7} on the road." for i in range(25))
        for name in ("Ada", "Bela", "Chike", "Dara")
    )
    assert result["document"]["characters"] == len(text)
    summary = result["summary"]
    assert summary["support_rate"] == 1.0
    assert summary["sentences"]
    for sentence in summary["sentences"]:
        assert summary["text"][sentence["start"] : sentence["end"]] == sentence["text"]
        assert sentence["children"]
        for span in sentence["spans"]:
            assert text[span["start"] : span["end"]] == span["text"]
            assert span["section"] == span["text"].split(maxsplit=1)[0]


def test_by_chapter_each_has_its_heading_and_its_part(lda: Lda, story: Path) -> None:
    shown = lda.run("summarize", story, "--by", "chapter", "--words", "42").stdout
    assert re.findall(r"^#+ .*", shown, re.MULTILINE) == ["# story.md", "## Ada", "## Bela", "## Chike", "## Dara"]
    summary = lda.summarize(story, "--by", "chapter", "--words", "42")["summary"]
    assert [part["title"] for part in summary["parts"]] == ["Ada", "Bela", "Chike", "Dara"]
    assert all(abs(part["words"] - 42) <= 4 and part["support_rate"] == 1.0 for part in summary["parts"])
    assert "\n\n".join(part["text"] for part in summary["parts"]) == summary["text"]
    assert "chapter" in summary["reason"]
    for part in summary["parts"]:
        assert lda.json("show", part["node"])["node"]["text"] == part["text"]


def test_footnotes_say_where_each_sentence_comes_from(lda: Lda, story: Path) -> None:
    shown = lda.run("summarize", story, "--words", "40").stdout
    body, notes = shown.split("\n[^1]: ")
    marks = re.findall(r"\[\^(\w+)\]", body)
    told = dict(re.findall(r"^\[\^(\d+)\]: (.*)", f"[^1]: {notes}", re.MULTILINE))
    assert sorted(told, key=int) == sorted(set(marks), key=int)
    assert re.fullmatch(r"Ada, characters \d+–\d+: “.*”.*", told["1"])


@pytest.mark.parametrize("arguments", [("--no-sources",), ("--format", "txt")])
def test_a_text_without_marks_can_be_had(lda: Lda, story: Path, arguments: tuple[str, ...]) -> None:
    shown = lda.run("summarize", story, "--words", "40", *arguments).stdout
    assert "[^" not in shown
    assert "met traveller" in shown


def test_without_sources_nothing_is_traced_and_later_they_cost_no_call(lda: Lda, story: Path) -> None:
    without = lda.summarize(story, "--no-sources")["summary"]
    assert (without["support_rate"], without["sentences"]) == (None, [])
    assert lda.query("select count(*) from node_supports") == [(0,)]
    with_sources = lda.summarize(story)
    assert with_sources["usage"]["calls"] == 0
    assert with_sources["summary"]["text"] == without["text"]
    assert with_sources["summary"]["sentences"]


def test_a_report_is_a_file(lda: Lda, story: Path) -> None:
    assert lda.run("summarize", story, "--out", lda.home / "story.html").returncode == 0
    assert (lda.home / "story.html").read_text().startswith("<!doctype html>")
    refused = lda.run("summarize", story, "--format", "html")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--out report.html" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--by", "page"), "--by knows chapter only, not 'page'"),
        (("--method", "magic"), "auto, full, hierarchical, incremental, scm"),
        (("--merge-context", "next"), "child or previous, not 'next'"),
        (("--words", "9"), "at least 10"),
        (("--words", "90000"), "90,000 words are too many"),
        (("--words", "5000", "--method", "incremental"), "--method hierarchical"),
        (("--words", "5000", "--method", "scm"), "--method hierarchical"),
        (("--words", "900", "--by", "chapter"), "900 words for each chapter"),
        (("--by", "chapter", "--method", "incremental"), "--method hierarchical"),
        (("--by", "chapter", "--method", "scm"), "--method hierarchical"),
        (("--by", "chapter", "--method", "full"), "--method hierarchical"),
    ],
)
def test_what_cannot_be_is_told_with_what_can(lda: Lda, story: Path, arguments: tuple[str, ...], told: str) -> None:
    done = lda.run("summarize", story, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert lda.query("select count(*) from calls") == [(0,)] if lda.database.exists() else True


def test_a_text_too_long_for_one_call_is_refused_by_that_method(lda: Lda, book: Path) -> None:
    done = lda.run("summarize", book, "--method", "full")
    assert done.returncode == 2
    assert "leave --method to auto" in done.stderr


def test_a_text_without_chapters_cannot_be_summarized_by_them(lda: Lda, shelf: Path) -> None:
    done = lda.run("summarize", shelf / "pear.txt", "--by", "chapter")
    assert done.returncode == 2
    assert "without --by" in done.stderr


def test_how_merges_are_told_what_came_before_is_another_request(lda: Lda, book: Path) -> None:
    child = lda.summarize(book, *SMALL_SEGMENTS)
    previous = lda.summarize(book, *SMALL_SEGMENTS, "--merge-context", "previous")
    assert child["run"] != previous["run"]
    assert previous["usage"]["recorded"] > 0
