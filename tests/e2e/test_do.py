"""`lda do` as a user has it: planned, shown, carried out, stopped at any moment, and gone on with."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.command import Lda
from tests.e2e.conftest import made_book
from tests.e2e.terminal import Terminal

REQUEST = "Summarize these three, compare their views of the lamp, then write 450 words for Alice"
WAYS = ["summarize", "ask", "write"]


SLOW = {"LDA_SCRIPTED_DELAY": "0.1", "LDA_CONCURRENCY": "2"}


def doing_lda(home: Path) -> Lda:
    """`lda` beside three documents of several segments each."""
    home.mkdir()
    for number in (1, 2, 3):
        text = made_book(chapters=3 + number, sentences=120).replace("# Chapter", f"# Volume {number}, chapter")
        (home / f"volume-{number}.md").write_text(text, encoding="utf-8")
    return Lda(home, {"LDA_ENGINE": "scripted"})


DO = ("do", REQUEST, "volume-1.md", "volume-2.md", "volume-3.md")


def test_three_steps_killed_in_the_middle_finish_and_repeat_no_call(tmp_path: Path) -> None:
    reference = doing_lda(tmp_path / "reference").json(*DO)["results"][0]
    assert [step["capability"] for step in reference["steps"]] == WAYS

    killed = doing_lda(tmp_path / "killed")
    moments = random.Random(5)
    calls = reference["usage"]["calls"]
    recorded: list[int] = []
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        process = killed.start(*DO, **SLOW)
        killed.wait_for_calls(round(share * calls), process)
        time.sleep(moments.uniform(0.0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        recorded.append(killed.recorded_calls())
    resumed = killed.json(*DO)["results"][0]

    assert killed.repeated_calls() == []
    assert killed.recorded_calls() == calls
    assert any(0 < count < calls for count in recorded), "the kills must fall into the work"
    assert resumed["text"] == reference["text"]
    assert [step["text"] for step in resumed["steps"]] == [step["text"] for step in reference["steps"]]
    assert resumed["run"] == reference["run"]
    again = killed.json(*DO)["results"][0]
    assert again["usage"]["calls"] == 0
    assert again["text"] == reference["text"]


def test_a_budget_stops_it_resumably_and_a_larger_one_goes_on(lda: Lda, book: Path) -> None:
    request = ("do", "Summarize this, then list the characters", book)
    stopped = lda.run(*request, "--max-calls", "3")
    assert stopped.returncode == 75, stopped.stderr
    assert "to go on" in stopped.stderr
    assert lda.recorded_calls() == 3
    done = lda.json(*request)["results"][0]
    assert done["usage"]["recorded"] >= 3
    assert lda.repeated_calls() == []


def test_the_way_is_explained_and_can_be_overridden(lda: Lda, book: Path) -> None:
    asked = lda.run("do", "Who found the lamp?", book, "--explain")
    assert asked.returncode == 0, asked.stderr
    assert "Way: ask (rule): “who” asks what the text says" in asked.stdout
    told = lda.json("do", "Who found the lamp?", book, "--as", "summarize")["results"][0]["steps"][0]
    assert (told["capability"], told["route"]["decided_by"]) == ("summarize", "user")
    assert told["sources"]


def test_each_step_is_a_node_of_the_run_that_can_be_shown(lda: Lda, book: Path) -> None:
    done = lda.json("do", "Summarize this; list the characters", book)["results"][0]
    shown = lda.run("show", f"{done['run']}.1")
    assert done["steps"][0]["text"].split(".")[0] in shown.stdout
    listed = lda.json("runs", "list")["runs"]
    assert {run["kind"] for run in listed} >= {"do", "summarize", "ask"}
    assert lda.run("runs", "show", done["run"]).returncode == 0


def test_a_step_that_the_engine_cannot_plan_is_done_all_the_same_and_told(lda: Lda, book: Path) -> None:
    done = lda.run("do", "Summarize this, then write a 900 word essay on it", book)
    assert done.returncode == 0, done.stderr
    assert "the model gives no plan, so its words are divided evenly" in done.stderr
    assert "came to nothing" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("",), 2, "say what is to be done"),
        (("   \n",), 2, "say what is to be done"),
        (("Summarize this", "nowhere.md"), 1, "there is no such file"),
        (("Summarize this", "--as", "fly"), 2, "choose one of"),
        (("Summarize this", "--as", "summarize"), 2, "name a document"),
        (("What is it?", "--collection", "nowhere"), 1, "nowhere"),
        (("Write", "--words", "3"), 2, "10 to 100,000 words"),
        (("Write it", "--out", "x.html"), 2, "md, txt or json"),
        (("Write it", "--steps", "3"), 2, "--agent"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(lda: Lda, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = lda.run("do", *arguments)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_shows_the_plan_and_spends_nothing(lda: Lda, book: Path) -> None:
    done = lda.run("do", "Summarize this, then write 450 words on the lamp", book, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "1. summarize" in done.stdout
    assert "2. write" in done.stdout
    assert "step 1" in done.stdout
    assert lda.recorded_calls() == 0


def test_a_long_text_with_its_question_is_read_from_standard_input(lda: Lda, book: Path) -> None:
    text = book.read_text(encoding="utf-8")
    done = lda.run("do", "-", "--json", stdin=f"{text}\n\nWho found the lamp?")
    assert done.returncode == 0, done.stderr
    assert '"capability": "ask"' in done.stdout


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_terminal_shows_the_plan_and_asks(lda: Lda, book: Path, quiet: tuple[str, ...]) -> None:
    environment = {
        **lda.environment,
        "LDA_DATABASE": str(lda.database),
        "HOME": str(lda.home),
        "PATH": os.environ["PATH"],
        "TERM": "screen-256color",
    }
    terminal = Terminal(lda, ["do", "Summarize this, then list the characters", str(book), *quiet], environment)
    try:
        screen = terminal.wait(r"Go on\? \[Y/n\]")
        assert "2. ask: list the characters" in screen
        terminal.type("n")
        terminal.wait("nothing was done")
        assert terminal.ended() == 1
    finally:
        terminal.close()
    assert lda.recorded_calls() == 0
