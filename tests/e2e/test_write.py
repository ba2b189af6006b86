"""`lda write` as a user has it: on a server that writes, stopped at any moment, changed, undone, and put into files."""

import os
import random
import re
import shutil
import signal
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.simulated_gpu.process import server_process
from longdoc.documents.readers import read_document
from tests.e2e.command import Lda
from tests.e2e.terminal import Terminal

INSTRUCTION = "A history of the salt trade in 3,000 words"
PLAN = "# Salt\n\n" + "\n\n".join(
    f"## Age {number} [500 words]\n\nWhat became of salt in age {number}" for number in range(1, 7)
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A server whose model writes made-up prose."""
    with server_process("--time-scale", "40", "--window", "16384") as base_url:
        yield base_url


@pytest.fixture
def lda(tmp_path: Path, server: str) -> Lda:
    """`lda` on that server, without a model for embeddings."""
    plan = tmp_path / "plan.md"
    plan.write_text(PLAN, encoding="utf-8")
    return writing_lda(tmp_path, server)


def writing_lda(home: Path, server: str) -> Lda:
    return Lda(home, {"LDA_ENGINE": "openai", "LDA_BASE_URL": server, "LDA_EMBEDDING_MODEL": "hashed"})


NEW = ("write", INSTRUCTION, "--plan", "plan.md", "--name", "salt")


def words_of(path: Path) -> list[str]:
    document = read_document(path)
    return re.findall(r"\w+", document.text)


def test_killed_at_twenty_random_moments_it_comes_to_the_same_text(tmp_path: Path, server: str) -> None:
    homes = [tmp_path / "reference", tmp_path / "killed"]
    for home in homes:
        home.mkdir()
        (home / "plan.md").write_text(PLAN, encoding="utf-8")
    reference = writing_lda(homes[0], server).json(*NEW)["results"][0]
    killed = writing_lda(homes[1], server)
    moments = random.Random(3)
    recorded: list[int] = []
    for kill in range(20):
        process = killed.start(*NEW)
        if kill % 4 == 3 and (not recorded or recorded[-1] < 10):
            killed.wait_for_calls((recorded or [0])[-1] + 1, process)
        time.sleep(moments.uniform(0.0, 1.6))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        recorded.append(killed.recorded_calls())
    resumed = killed.json(*NEW)["results"][0]
    assert [one["text"] for one in resumed["sections"]] == [one["text"] for one in reference["sections"]]
    assert killed.repeated_calls() == []
    assert killed.recorded_calls() == reference["usage"]["calls"]
    assert recorded[-1] > 0, "the kills must fall into the work"
    assert abs(resumed["words"] - 3000) <= 150


def test_a_draft_is_written_changed_undone_and_exported(lda: Lda) -> None:
    written = lda.run(*NEW)
    assert written.returncode == 0, written.stderr
    assert written.stdout.startswith("---\n") or "# Salt" in written.stdout
    assert "section 6 of 6 Age 6" in written.stderr
    assert "draft salt · run" in written.stderr
    calls = lda.recorded_calls()

    plan = lda.run("write", "plan", "salt", "--markdown").stdout
    (lda.home / "edited.md").write_text(plan.replace("salt in age 4", "pepper in age 4"), encoding="utf-8")
    edited = lda.run("write", "edit", "salt", "--file", "edited.md")
    assert edited.returncode == 0
    assert "1 to be written" in edited.stderr
    rows = [line.split("\t")[:2] for line in lda.run("write", "plan", "salt").stdout.splitlines()[1:]]
    assert rows[3] == ["4", "stale"]
    assert {state for number, state in rows if number != "4"} == {"written"}
    again = lda.json("write", "continue", "salt")["results"][0]
    assert again["usage"]["calls"] <= 12
    assert lda.recorded_calls() > calls

    undone = lda.run("write", "undo", "salt")
    assert "undone: edit of the plan" in undone.stderr
    history = lda.json("write", "history", "salt")["results"][0]
    assert [one["what"] for one in history["revisions"]] == ["new", "edit of the plan", "edit of the plan"]
    assert history["now"] == 2

    texts = lda.json("write", "show", "salt")["results"][0]["sections"]
    told = re.findall(r"\w+", " ".join(one["text"] for one in texts))
    for name in ("salt.md", "salt.html", "salt.docx", "salt.epub"):
        done = lda.run("write", "export", "salt", "--out", name)
        assert done.returncode == 0, done.stderr
        there = words_of(lda.home / name)
        assert [word for word in there if word in set(told)][-200:] == told[-200:], name
    assert lda.run("write", "export", "salt", "--out", "salt.xyz").returncode == 2


def test_sections_are_inserted_moved_dropped_locked_and_rewritten(lda: Lda) -> None:
    lda.json(*NEW)
    assert lda.run("write", "insert", "salt", "2", "The tax", "--words", "300").returncode == 0
    assert lda.run("write", "move", "salt", "7", "1").returncode == 0
    assert lda.run("write", "drop", "salt", "4").returncode == 0
    assert lda.run("write", "lock", "salt", "1").returncode == 0
    headings = [one["heading"] for one in lda.json("write", "plan", "salt")["results"][0]["sections"]]
    assert headings == ["Age 6", "Age 1", "The tax", "Age 3", "Age 4", "Age 5"]
    locked = lda.run("write", "rewrite", "salt", "1")
    assert (locked.returncode, "locked" in locked.stderr) == (2, True)
    before = lda.run("write", "show", "salt", "2").stdout
    assert lda.run("write", "rewrite", "salt", "2", "--comment", "shorter").returncode == 0
    assert lda.run("write", "show", "salt", "2").stdout != before
    versions = lda.run("write", "show", "salt", "2", "--versions").stdout
    assert before.strip() in versions
    assert "--- version 2," in versions
    for wrong in (
        ("insert", "salt", "99", "X"),
        ("move", "salt", "1", "99"),
        ("drop", "salt", "99"),
        ("show", "salt", "99"),
    ):
        done = lda.run("write", *wrong)
        assert done.returncode == 2, wrong
        assert "Traceback" not in done.stderr


def test_the_plan_opens_in_the_editor_and_comes_back(lda: Lda) -> None:
    assert lda.run(*NEW, "--review").returncode == 0
    editor = lda.home / "editor.sh"
    editor.write_text('#!/bin/sh\nsed -i "s/Age 2/The second age/" "$1"\n', encoding="utf-8")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    edited = lda.run("write", "edit", "salt", EDITOR=str(editor))
    assert edited.returncode == 0, edited.stderr
    assert "The second age" in lda.run("write", "plan", "salt").stdout
    editor.write_text('#!/bin/sh\necho "no section" > "$1"\n', encoding="utf-8")
    refused = lda.run("write", "edit", "salt", EDITOR=str(editor), stdin="n\n")
    assert refused.returncode == 2
    assert "line 1" in refused.stderr
    assert "The second age" in lda.run("write", "plan", "salt").stdout
    assert lda.run("write", "edit", "salt", EDITOR="/no/such/editor").returncode == 2
    assert lda.run("write", "edit", "salt", "1", "--file", "-", stdin="My own words.").returncode == 0
    assert lda.run("write", "show", "salt", "1").stdout.strip() == "My own words."


def test_what_cannot_be_is_told_in_a_line(lda: Lda) -> None:
    for wrong, code, told in (
        (("write", "contnue"), 2, "No such command"),
        (("write", "continue", "nothing"), 1, "there is no draft"),
        (("write", "new", "  ", "--name", "x"), 2, "say what to write"),
        (("write", "a text of some length", "--words", "3"), 2, "10 to 100,000 words"),
        (("write", "a text of some length", "--source", "nowhere.epub"), 1, "nowhere.epub"),
        (("write", "a text of some length", "--out", "x.xyz"), 2, "md, html, docx, epub, pdf"),
        (("write", "a text of some length", "--format", "epub"), 2, "--out"),
        (("write", "delete", "nothing", "--yes"), 1, "there is no draft"),
    ):
        done = lda.run(*wrong)
        assert (done.returncode, told in done.stderr) == (code, True), (wrong, done.stderr)
        assert "Traceback" not in done.stderr
    assert lda.run("write", "list").stdout.splitlines() == ["name\twords\tof\topen\ttitle"]


def test_interrupted_it_says_how_to_go_on_and_what_is_done_is_kept(lda: Lda) -> None:
    process = lda.start(*NEW)
    lda.wait_for_calls(2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again" in err
    assert lda.json("runs", "list")["runs"][0]["status"] == "interrupted"
    done = lda.json("write", "continue", "salt")["results"][0]
    assert done["usage"]["recorded"] + done["usage"]["calls"] > done["usage"]["calls"] or done["words"]
    assert not done["failed"]
    stopped = lda.run("write", "rewrite", "salt", "1", "2", "3", "--max-calls", "1")
    assert stopped.returncode == 75
    assert lda.run("write", "continue", "salt").returncode == 0


def test_a_grounded_draft_has_notes_and_a_bibliography(lda: Lda, book: Path) -> None:
    done = lda.json(
        "write", "A report of 1,200 words on the lamp", "--plan", "plan.md", "--source", book, "--name", "lamp"
    )
    assert done["results"][0]["settings"]["documents"]
    for section in done["results"][0]["sections"]:
        for citation in section["citations"]:
            assert citation["quote"] in book.read_text(encoding="utf-8")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here; on Debian: apt install tmux")
def test_a_terminal_shows_every_section_and_ctrl_c_keeps_what_is_done(lda: Lda) -> None:
    environment = {
        **lda.environment,
        "LDA_DATABASE": str(lda.database),
        "HOME": str(lda.home),
        "PATH": os.environ["PATH"],
        "TERM": "screen-256color",
    }
    (lda.home / "long.md").write_text(PLAN.replace("500 words", "900 words"), encoding="utf-8")
    command = ["write", INSTRUCTION, "--plan", str(lda.home / "long.md"), "--name", "seen", "--concurrency", "1"]
    terminal = Terminal(lda, command, environment)
    try:
        screen = terminal.wait(r"✓ +1\. Age 1 .*of 5,400 words|of 5,400 words.*✓ +1\. Age 1 ")
        assert "… 2. Age 2" in re.sub(" +", " ", screen)
        assert "left" in screen
        terminal.press("C-c")
        terminal.wait("run the same command again")
        assert terminal.ended() == 130
    finally:
        terminal.close()
    assert lda.json("write", "plan", "seen")["results"][0]["sections"][0]["state"] == "written"


def test_what_is_asked_twice_or_for_nothing_is_told(lda: Lda) -> None:
    lda.json(*NEW)
    calls = lda.recorded_calls()
    fresh = lda.run(*NEW, "--fresh")
    assert (fresh.returncode, "is written" in fresh.stderr) == (2, True)
    (lda.home / "other.md").write_text("# T\n\n## Other [300 words]\n\nElse", encoding="utf-8")
    other = lda.run("write", INSTRUCTION, "--plan", "other.md", "--name", "salt")
    assert (other.returncode, "another plan" in other.stderr) == (2, True)
    wrong_file = lda.run(*NEW, "--json", "--out", "x.epub")
    assert (wrong_file.returncode, "--json" in wrong_file.stderr) == (2, True)
    typo = lda.run("write", "undoo", "salt", "--plan", "a path/with space.md")
    assert "No such command" in typo.stderr
    assert lda.recorded_calls() == calls

    stopped = lda.run("write", "rewrite", "salt", "1", "2", "3", "--max-calls", "2")
    assert stopped.returncode == 75
    again = lda.json("write", "rewrite", "salt", "1", "2", "3")["results"][0]
    assert [one["version"] for one in again["sections"]] == [2, 2, 2, 1, 1, 1]
    assert lda.repeated_calls() == []

    streamed = lda.run("write", "rewrite", "salt", "6", "--stream")
    assert "## Age 6" in streamed.stderr
    assert streamed.stdout == lda.run("write", "show", "salt").stdout


def test_an_editor_does_not_write_over_what_others_changed(lda: Lda) -> None:
    assert lda.run(*NEW, "--review").returncode == 0
    editor = lda.home / "editor.sh"
    insert = f"{sys.executable} -m longdoc write insert salt 1 Meanwhile"
    editor.write_text(f'#!/bin/sh\n{insert}\nsed -i "s/Age 2/The second age/" "$1"\n', encoding="utf-8")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    refused = lda.run("write", "edit", "salt", EDITOR=str(editor))
    assert refused.returncode == 2
    kept = re.search(r"what you wrote is kept in (\S+)", refused.stderr)
    assert kept is not None
    assert "The second age" in Path(kept[1]).read_text(encoding="utf-8")
    assert "Meanwhile" in lda.run("write", "plan", "salt").stdout


def test_deleted_it_leaves_no_text_behind(lda: Lda) -> None:
    written = lda.json(*NEW)["results"][0]
    words = written["sections"][2]["text"].split(".")[0]
    assert lda.run("write", "delete", "salt", "--yes").returncode == 0
    assert lda.run("write", "list").stdout.splitlines() == ["name\twords\tof\topen\ttitle"]
    assert lda.json("runs", "list")["runs"] == []
    assert lda.query("select count(*) from draft_sections") == [(0,)]
    assert lda.query("select count(*) from nodes") == [(0,)]
    found = lda.query(f"select count(*) from calls where answer like '%{words[:40]}%'")
    assert found == [(0,)]


def test_a_dry_run_says_what_it_would_take_and_spends_nothing(lda: Lda) -> None:
    told = lda.json("write", "A history of the salt trade in 20,000 words", "--dry-run")["results"][0]["estimate"]
    assert (told["words"], told["calls"] > 40) == (20_000, True)
    assert told["prompt_tokens"] < 3 * told["completion_tokens"]
    assert "20,000 words in about 2" in lda.run("write", "A history in 20,000 words", "--dry-run").stdout
    assert "no length" in lda.run("write", "A history of salt", "--dry-run").stdout
    assert lda.recorded_calls() == 0
    assert lda.run("write", "list").stdout.splitlines() == ["name\twords\tof\topen\ttitle"]


def test_a_plan_that_cannot_be_read_leaves_no_draft_and_one_of_another_draft_can_be_taken(lda: Lda) -> None:
    (lda.home / "empty.md").write_text("", encoding="utf-8")
    assert lda.run("write", "A text of 600 words", "--plan", "empty.md").returncode == 2
    assert lda.run("write", "list").stdout.splitlines() == ["name\twords\tof\topen\ttitle"]
    assert lda.run(*NEW, "--review").returncode == 0
    (lda.home / "copied.md").write_text(lda.run("write", "plan", "salt", "--markdown").stdout, encoding="utf-8")
    other = lda.json("write", "Another of 3,000 words", "--plan", "copied.md", "--name", "other", "--review")
    assert [one["locked"] for one in other["results"][0]["sections"]] == [False] * 6
