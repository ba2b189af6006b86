"""`lda chat` as people and scripts use it: killed, in two processes, in a terminal with Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from longdoc.engines.engine import CompletionRequest
from tests.e2e.command import Lda
from tests.e2e.terminal import Terminal
from tests.servers.openai_server import Fault, OpenAIServer

MESSAGES = "".join(f"My number {i} is {i * 7919}.\n" for i in range(40))


def turns(lda: Lda) -> list[tuple[Any, ...]]:
    return lda.query("select number, status, observation, response from memories order by number")


def saying(lda: Lda, key: str) -> subprocess.Popen[str]:
    """A process that has been given all messages."""
    process = lda.start("chat", "--key", key, "--quiet")
    assert process.stdin is not None
    process.stdin.write(MESSAGES)
    process.stdin.close()
    process.stdin = None
    return process


def test_messages_are_answered_and_kept(lda: Lda) -> None:
    first = lda.json("chat", "-m", "The cat is called Kiki.", "-m", "The dog is called Bo.")
    assert [(one["turn"], one["status"]) for one in first["results"]] == [(1, "done"), (2, "done")]
    again = lda.json("chat", "-m", "What is the cat called?", "--explain")["results"][0]
    assert again["turn"] == 3
    assert again["decision"]["flash"]["memory"] == 2
    assert [one["memory"] for one in again["decision"]["candidates"]] == [1]
    assert lda.json("chat", "other", "-m", "Hello.")["results"][0]["turn"] == 1


def test_what_cannot_be_done_says_what_to_do(lda: Lda, tmp_path: Path) -> None:
    for arguments, code, words in (
        (["--policy", "best", "-m", "x"], 2, "choose one of: auto, full, retrieve, scm"),
        (["--gate", "open", "-m", "x"], 2, "choose one of: ask, always, never"),
        (["-m", "word " * 9000], 2, "put a long text into a file"),
        (["-m", " "], 2, "the message is empty"),
        (["-d", "nowhere.epub", "-m", "x"], 1, "nowhere.epub"),
        (["--system", "@nowhere.txt", "-m", "x"], 2, "nowhere.txt cannot be read"),
        (["--dry-run", "-m", "x"], 2, "--max-tokens-total"),
        ([], 2, "say something"),
    ):
        done = lda.run("chat", *arguments)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert turns(lda) == []


def test_a_conversation_killed_again_and_again_loses_and_doubles_nothing(lda: Lda) -> None:
    """Every turn that was acknowledged (its row says so) is there at the end, once."""
    lda.environment["LDA_SCRIPTED_DELAY"] = "0.02"
    acknowledged: dict[int, str] = {}
    for killed in range(10):
        process = saying(lda, "all")
        deadline = time.monotonic() + lda.patience
        while process.poll() is None and len(_done(lda)) < 3 * (killed + 1):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        done = _done(lda)
        assert acknowledged.items() <= done.items()
        acknowledged = done
    result = lda.json("chat", "--key", "all", stdin=MESSAGES)
    assert [one["turn"] for one in result["results"]] == list(range(1, 41))
    rows = turns(lda)
    assert [row[2] for row in rows] == MESSAGES.splitlines()
    assert {row[1] for row in rows} == {"done"}
    assert acknowledged.items() <= _done(lda).items()
    assert lda.repeated_calls() == []


def _done(lda: Lda) -> dict[int, str]:
    if not lda.database.exists() or not lda.query("select 1 from sqlite_master where name = 'memories'"):
        return {}
    return {row[0]: row[3] for row in turns(lda) if row[1] == "done"}


def test_two_processes_on_one_session_interleave_without_loss(lda: Lda) -> None:
    lda.json("chat", "-m", "Hello.")
    lda.environment["LDA_SCRIPTED_DELAY"] = "0.01"
    for process in [saying(lda, name) for name in ("one", "two")]:
        process.communicate(timeout=lda.patience)
        assert process.returncode == 0
    rows = turns(lda)
    assert [row[0] for row in rows] == list(range(1, 82))
    assert sorted(row[2] for row in rows) == sorted(["Hello.", *MESSAGES.splitlines() * 2])
    assert {row[1] for row in rows} == {"done"}


def test_a_document_is_asked_first_and_kept_with_the_session(lda: Lda, book: Path) -> None:
    """The scripted engine quotes nothing that verifies, so that the conversation answers; that it was asked is told."""
    lda.run("chat", "-d", book, "-m", "Hello.")
    lda.json("chat", "-m", "Who found the lamp on day 7?")
    assert [row[0] for row in lda.query("select kind from runs where kind = 'ask'")] == ["ask", "ask"]
    assert "documents" in lda.query("select settings from namespaces")[0][0]


def told(request: CompletionRequest) -> str:
    """A long answer, one sentence after the other."""
    return " ".join(f"Sentence {i}." for i in range(1, 200)) if "Tell" in request.messages[-1].content else "Noted."


@pytest.fixture
def terminal(lda: Lda) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux here; on Debian: apt install tmux")
    with OpenAIServer(answer=told, faults=lambda _: Fault.DRIP, delay=0.05) as server:
        environment = {
            "LDA_DATABASE": str(lda.database),
            "LDA_EMBEDDING_MODEL": "hashed",
            "HOME": str(lda.home),
            "PATH": os.environ["PATH"],
            "TERM": "screen-256color",
        }
        opened = Terminal(lda, ["chat", "--engine", "openai", "--base-url", server.base_url], environment)
        try:
            yield opened
        finally:
            opened.close()


def test_a_terminal_streams_and_ctrl_c_stops_an_answer_alone(lda: Lda, terminal: Terminal) -> None:
    terminal.wait("main: a new session")
    terminal.type("My cat is called Kiki.")
    terminal.wait("Noted.")
    terminal.type("Tell me everything.")
    assert "Sentence 60." not in terminal.wait("Sentence 3.")
    terminal.press("C-c")
    terminal.wait("stopped; what was written of the answer is kept")
    terminal.type("/memory")
    terminal.wait(r"Kiki.*Sentence 1\.")
    terminal.type("/why 2")
    terminal.wait(r"Turn 2: full \(everything fits\).*the turn before")
    terminal.type("/nonsense")
    terminal.wait("there is no command /nonsense; /help shows")
    terminal.type("/undo")
    terminal.wait("taken back: Tell me everything.")
    terminal.type("/sessions")
    terminal.wait(r"\* main")
    terminal.type(f"/export {lda.home / 'out.jsonl'}")
    terminal.wait(r"1 memories are in \S+out.jsonl")
    assert json.loads((lda.home / "out.jsonl").read_text())["observation"] == "My cat is called Kiki."
    terminal.type("And again.")
    terminal.wait(r"And again\.\nNoted\.\s*\n> ")
    terminal.press("C-d")
    assert terminal.ended() == 0
    assert [(row[1], row[2]) for row in turns(lda)] == [
        ("done", "My cat is called Kiki."),
        ("erased", ""),
        ("done", "And again."),
    ]


def test_ctrl_c_at_the_prompt_ends_with_everything_kept(lda: Lda, terminal: Terminal) -> None:
    terminal.wait("main: a new session")
    terminal.type("Hello.")
    terminal.wait(r"Noted\.\s*\n> ")
    terminal.press("C-c")
    terminal.wait("everything said is kept")
    assert terminal.ended() == 130
    assert len(turns(lda)) == 1


def test_what_was_interrupted_by_a_kill_is_offered_again(lda: Lda, terminal: Terminal) -> None:
    terminal.wait("main: a new session")
    terminal.type("Tell me everything.")
    terminal.wait("Sentence 40.")
    terminal.close()
    waiting = lda.query("select status, response from memories")
    assert waiting[0][0] == "open"
    assert waiting[0][1].startswith("Sentence 1.")
    result = lda.json("chat", "-m", "Hello.", LDA_ENGINE="scripted")
    assert [one["turn"] for one in result["results"]] == [2]
    assert json.loads(lda.query("select source from memories where number = 1")[0][0]) == {}
