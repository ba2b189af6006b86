"""Manners of the command: where output goes, what errors look like, which exit code says what."""

from pathlib import Path

import pytest

from tests.e2e.command import Lda


def test_the_summary_goes_to_standard_output_and_the_rest_to_standard_error(lda: Lda, book: Path) -> None:
    done = lda.run("summarize", book, "--format", "txt")
    assert done.returncode == 0
    assert done.stdout.strip().endswith(".")
    assert "calls made" not in done.stdout
    assert "calls made" in done.stderr
    assert "levels" in done.stderr
    assert "scripted engine" in done.stderr
    assert "\x1b[" not in done.stdout + done.stderr


def test_quiet_means_quiet(lda: Lda, book: Path) -> None:
    assert lda.run("summarize", book, "--quiet").stderr == ""


def test_standard_input_is_read(lda: Lda) -> None:
    done = lda.run("summarize", "-", "--format", "txt", stdin="The cat sat down. It was tired.")
    assert "The cat sat down." in done.stdout


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.epub", None),
        ("empty.txt", b""),
        ("broken.epub", b"PK\x03\x04broken"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(lda: Lda, name: str, content: bytes | None) -> None:
    path = lda.home / name
    if content is not None:
        path.write_bytes(content)
    done = lda.run("summarize", path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert name in done.stderr
    assert not lda.database.exists() or lda.query("select count(*) from runs") == [(0,)]


def test_one_bad_file_does_not_stop_the_others(lda: Lda, book: Path) -> None:
    done = lda.run("summarize", lda.home / "missing.txt", book, "--format", "txt")
    assert done.returncode == 1
    assert done.stdout.strip()
    assert "missing.txt" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--words", "3"),
        ("--method", "magic"),
        ("--format", "docx"),
        ("--segment-tokens", "7900", "--words", "900"),
        ("--segment-tokens", "2"),
        ("--engine", "steam"),
        ("--nonsense",),
        ("--engine", "openai"),
    ],
)
def test_what_cannot_work_is_a_usage_error(lda: Lda, book: Path, arguments: tuple[str, ...]) -> None:
    done = lda.run("summarize", book, *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_the_format_follows_the_name_of_the_file(lda: Lda, book: Path) -> None:
    for name in ("out.md", "out.txt", "out.json"):
        assert lda.run("summarize", book, "--out", lda.home / name).returncode == 0
    assert (lda.home / "out.md").read_text().startswith("# ")
    assert (lda.home / "out.json").read_text().startswith("{")
    assert not (lda.home / "out.txt").read_text().startswith(("#", "{"))


def test_several_inputs_go_into_a_folder(lda: Lda, book: Path) -> None:
    other = lda.home / "other.txt"
    other.write_text("A short text. It has two sentences.")
    assert lda.run("summarize", book, other, "--out", lda.home / "all").returncode == 0
    assert sorted(path.name for path in (lda.home / "all").iterdir()) == ["book.md", "other.md"]


def test_what_is_done_before_a_budget_ends_is_written(lda: Lda, book: Path) -> None:
    short = lda.home / "short.txt"
    short.write_text("A short text. It has two sentences.")
    stopped = lda.run("summarize", short, book, "--max-calls", "3", "--out", lda.home / "res")
    assert stopped.returncode == 75
    assert [path.name for path in (lda.home / "res").iterdir()] == ["short.md"]


def test_inputs_of_the_same_name_do_not_overwrite_each_other(lda: Lda) -> None:
    for folder in ("x", "y"):
        (lda.home / folder).mkdir()
        (lda.home / folder / "book.txt").write_text(f"A text of {folder}. It has two sentences.")
    done = lda.run("summarize", lda.home / "x/book.txt", lda.home / "y/book.txt", "--out", lda.home / "both")
    assert done.returncode == 0
    assert sorted(path.name for path in (lda.home / "both").iterdir()) == ["book-2.md", "book.md"]


def test_a_place_that_cannot_be_written_is_found_before_anything_is_spent(lda: Lda, book: Path) -> None:
    (lda.home / "file").write_text("in the way")
    done = lda.run("summarize", book, "--out", lda.home / "file" / "out.md")
    assert done.returncode == 2
    assert lda.query("select count(*) from calls") == [(0,)]


def test_failures_are_told_in_the_envelope(lda: Lda, book: Path) -> None:
    envelope = lda.json("summarize", lda.home / "missing.txt", book, code=1)
    assert envelope["status"] == "failed"
    assert len(envelope["results"]) == 1
    assert "missing.txt" in envelope["failures"][0]["source"]


def test_the_envelope_holds_what_programs_need(lda: Lda, book: Path) -> None:
    envelope = lda.json("summarize", book)
    assert (envelope["longdoc"], envelope["command"], envelope["status"]) == (1, "summarize", "done")
    result = envelope["results"][0]
    assert set(result) == {"run", "document", "summary", "usage"}
    assert result["summary"]["levels"] >= 2
    assert result["usage"]["calls"] > 0


def test_runs_and_nodes_can_be_looked_at_and_removed(lda: Lda, book: Path) -> None:
    run = lda.summarize(book)["run"]
    assert run in lda.run("runs", "list").stdout
    shown = lda.run("runs", "show", run[:4])
    assert f"{run}.0" in shown.stdout
    node = lda.json("show", f"{run}.0", "--source")
    assert node["source"]
    assert node["node"]["text"]
    assert lda.json("show", run)["node"]["level"] > 0
    assert "made from" in lda.run("show", run).stdout
    assert lda.run("runs", "rm", run).returncode == 0
    gone = lda.run("runs", "show", run)
    assert gone.returncode == 1
    assert run in gone.stderr


def test_help_has_examples_and_the_version_is_told(lda: Lda) -> None:
    assert "lda summarize book.epub" in lda.run("summarize", "--help").stdout
    assert lda.run("--version").stdout.startswith("longdoc ")
    assert {"summarize", "show", "runs", "models", "doctor", "config"} <= set(lda.run("--help").stdout.split())


def test_settings_are_shown_with_their_origin(lda: Lda) -> None:
    rows = {row["name"]: row for row in lda.json("config", "show")["settings"]}
    assert rows["engine"] == rows["engine"] | {"value": "scripted", "origin": "environment"}


def test_the_doctor_says_that_all_is_well(lda: Lda) -> None:
    checks = {check["name"]: check["verdict"] for check in lda.json("doctor")["checks"]}
    assert checks["answers"] == checks["json schema"] == checks["record"] == "well"


def test_a_broken_record_is_a_clear_error(lda: Lda, book: Path) -> None:
    lda.database.write_text("this is not a database, but a text that is long enough to look at" * 20)
    done = lda.run("summarize", book)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "record.db" in done.stderr
