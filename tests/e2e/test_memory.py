"""`lda memory` as people and scripts use it: looked at, found, changed, carried to another session and taken out."""

from __future__ import annotations

import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.command import Lda
from tests.servers.openai_server import MODEL, Fault, OpenAIServer

NOTES = (
    {"observation": "The lighthouse stands in Bergen.", "key": "1", "at": "2026-01-30T12:00Z"},
    {"observation": "I live in Oslo.", "response": "Noted.", "kind": "turn", "key": "2", "at": "2026-01-31T00:00Z"},
    {"observation": "The soup was [/b] salty.", "kind": "document", "at": "2026-01-31T23:30Z"},
    {"observation": "Likes ferries.", "kind": "fact", "at": "2026-02-01T00:00Z"},
)
FILE = "".join(f"{json.dumps(note)}\n" for note in NOTES)


@pytest.fixture
def wordy(tmp_path: Path) -> Lda:
    """`lda` with no model for embeddings, and an engine that does not answer: none of this needs one."""
    environment = {"LDA_ENGINE": "openai", "LDA_BASE_URL": "http://127.0.0.1:9/v1", "LDA_EMBEDDING_MODEL": "hashed"}
    return Lda(tmp_path, environment)


@pytest.fixture
def noted(wordy: Lda) -> Lda:
    """The same, with notes in the session main."""
    assert wordy.json("memory", "import", "-", stdin=FILE)["stored"] == len(NOTES)
    return wordy


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


def numbers(envelope: Any) -> list[int]:
    return [one["number"] for one in envelope["memories"]]


def traces(lda: Lda, text: str) -> list[str]:
    """The files in which a text stands."""
    files = [file for file in lda.home.rglob("*") if file.is_file()]
    return [file.name for file in files if text.encode() in file.read_bytes()]


def at_terminal(lda: Lda, typed: str, *arguments: str) -> tuple[int, str]:
    """Run in a terminal, where somebody types; exit code and screen."""
    leader, follower = pty.openpty()
    environment = {"PATH": os.environ["PATH"], "HOME": str(lda.home), "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [sys.executable, "-m", "longdoc", *arguments],
        env=environment | {"LDA_DATABASE": str(lda.database)} | lda.environment,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    os.write(leader, typed.encode())
    shown = b""
    with suppress(OSError):  # the terminal is gone when the process has ended
        while piece := os.read(leader, 4096):
            shown += piece
    os.close(leader)
    return process.wait(lda.patience), shown.decode()


def test_conversations_are_listed_and_shown(lda: Lda) -> None:
    lda.run("chat", "-m", "My cat is called Kiki.", "-m", "My dog is called Bo.")
    lda.run("chat", "work", "--user", "bob", "--agent", "coder", "-m", "Hello.")
    listed = lda.json("memory", "list")["namespaces"]
    assert [(one["user"], one["agent"], one["session"], one["memories"]) for one in listed] == [
        ("bob", "coder", "work", 1),
        ("me", "default", "main", 2),
    ]
    assert [one["user"] for one in lda.json("memory", "list", "--user", "bob")["namespaces"]] == ["bob"]
    assert "me\tdefault\tmain\t2\t" in lda.run("memory", "list").stdout
    shown = lda.json("memory", "show")
    assert (shown["command"], shown["status"], shown["session"]) == ("memory show", "done", "main")
    assert [one["observation"] for one in shown["memories"]] == ["My cat is called Kiki.", "My dog is called Bo."]
    assert numbers(lda.json("memory", "show", "--last", "1")) == [2]
    assert "Hello." in lda.run("memory", "show", "work", "--user", "bob", "--agent", "coder").stdout


def test_kinds_and_times_narrow_what_is_shown_and_found(noted: Lda) -> None:
    for options, meant in (
        (("--kind", "document"), [3]),
        (("--kind", "turn", "--kind", "fact"), [2, 4]),
        (("--since", "2026-01-31"), [2, 3, 4]),
        (("--since", "2026-01-31", "--until", "2026-01-31"), [2, 3]),
        (("--since", "2026-01-31T01:00+02:00", "--until", "2026-01-31T23:30"), [2]),
        (("--last", "2", "--until", "2026-01-31"), [2, 3]),
    ):
        assert numbers(noted.json("memory", "show", *options)) == meant
    nothing = noted.run("memory", "show", "--since", "2030-01-01")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "nothing like that is remembered\n")
    turns = ("--kind", "turn", "--kind", "document", "--until", "2026-01-31T12:00")
    assert numbers(noted.json("memory", "search", "Bergen Oslo soup ferries", *turns)) == [2]


def test_memories_are_found_by_their_words_in_any_session(noted: Lda) -> None:
    found = noted.json("memory", "search", "Where is the lighthouse?", "-k", "1")
    assert numbers(found) == [1]
    assert 0 < found["memories"][0]["score"] <= 1
    assert set(found["memories"][0]["scores"]) == {"lexical"}
    told = noted.run("memory", "search", "lighthouse")
    assert "The lighthouse stands in Bergen." in told.stdout
    assert "by their words alone" in told.stderr
    assert noted.run("memory", "search", "lighthouse", "--quiet").stderr == ""
    noted.run("memory", "import", "-", "--session", "other", stdin='{"observation": "A lighthouse in Narvik."}\n')
    assert [
        one["observation"] for one in noted.json("memory", "search", "lighthouse", "--session", "other")["memories"]
    ] == ["A lighthouse in Narvik."]
    nothing = noted.run("memory", "search", "xylophone", "--quiet")
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "nothing like that is remembered\n")


def test_memories_are_found_by_their_meaning_and_by_words_where_the_server_fails(
    noted: Lda, server: OpenAIServer
) -> None:
    noted.environment |= {"LDA_EMBEDDING_BASE_URL": server.base_url, "LDA_EMBEDDING_MODEL": MODEL}
    found = noted.json("memory", "search", "lighthouse")
    assert found["memories"][0]["number"] == 1
    assert set(found["memories"][0]["scores"]) == {"lexical", "dense"}
    assert all("input" in request.body for request in server.log), "embeddings are asked for, and nothing else"
    server.faults = lambda _: Fault.UNAVAILABLE_503
    failing = noted.run("memory", "search", "lighthouse", "--json", LDA_ATTEMPTS="1")
    assert failing.returncode == 0
    assert numbers(json.loads(failing.stdout)) == [1]
    assert "by their words alone, for the embedder fails" in failing.stderr


def test_an_edit_is_found_and_what_was_said_before_is_history(noted: Lda) -> None:
    assert noted.json("memory", "history", "2")["revisions"] == []
    assert "never edited" in noted.run("memory", "history", "2").stderr
    edited = noted.json("memory", "edit", "2", "--said", "I live in Narvik.")
    assert (edited["memory"]["observation"], edited["memory"]["response"]) == ("I live in Narvik.", "Noted.")
    assert edited["changed"]
    again = noted.run("memory", "edit", "2", "--said", "I live in Narvik.")
    assert (again.returncode, again.stderr) == (0, "memory 2 says that already\n")
    noted.run("memory", "edit", "2", "--said", "I live in Molde.", "--answered", "")
    history = noted.json("memory", "history", "2")
    assert (history["memory"]["observation"], history["memory"]["response"]) == ("I live in Molde.", "")
    assert [(one["revision"], one["observation"], one["response"]) for one in history["revisions"]] == [
        (1, "I live in Oslo.", "Noted."),
        (2, "I live in Narvik.", "Noted."),
    ]
    assert "I live in Oslo.\tNoted." in noted.run("memory", "history", "2").stdout
    assert numbers(noted.json("memory", "search", "Molde")) == [2]
    assert numbers(noted.json("memory", "search", "Narvik")) == []


def test_what_is_forgotten_is_neither_shown_nor_found_nor_in_any_file(noted: Lda) -> None:
    noted.run("memory", "edit", "2", "--said", "I live in Narvik.")
    assert numbers(noted.json("memory", "search", "lighthouse Narvik")) != []
    assert traces(noted, "lighthous") != []
    told = noted.json("memory", "forget", "1", "2", "2")
    assert told["erased"] == 2
    assert traces(noted, "lighthous") == traces(noted, "narvik") == traces(noted, "Narvik") == []
    assert numbers(noted.json("memory", "show")) == [3, 4]
    assert numbers(noted.json("memory", "search", "lighthouse Narvik")) == []
    again = noted.run("memory", "forget", "1")
    assert (again.returncode, again.stderr) == (0, "0 erased\n")
    assert "memory 1 of me/default/main was erased" in noted.run("memory", "history", "1").stderr


def test_a_session_is_carried_to_another_record_once(noted: Lda, tmp_path: Path) -> None:
    file = tmp_path / "memories.jsonl"
    written = noted.run("memory", "export", file)
    assert (written.stdout, written.stderr) == ("", f"4 written to {file}\n")
    piped = noted.run("memory", "export")
    assert (piped.stdout, piped.stderr) == (file.read_text(), "4 written to standard output\n")
    assert noted.json("memory", "export")["memories"] == [json.loads(line) for line in piped.stdout.splitlines()]
    assert noted.json("memory", "export", file)["count"] == 4

    (tmp_path / "elsewhere").mkdir()
    other = Lda(tmp_path / "elsewhere", noted.environment)
    assert "4 stored, 0 there already" in other.run("memory", "import", file, "--session", "copy").stderr
    assert other.run("memory", "export", "--session", "copy").stdout == piped.stdout
    keyed = "".join(line for line in file.read_text().splitlines(keepends=True) if '"key": null' not in line)
    again = other.json("memory", "import", "-", "--session", "copy", stdin=keyed)
    assert (again["given"], again["stored"]) == (2, 0)


def test_what_has_a_time_to_live_is_gone_after_it(wordy: Lda) -> None:
    wordy.run("memory", "import", "-", "--expires-in", "30", stdin=FILE)
    assert all(one["expires_at"] for one in wordy.json("memory", "show")["memories"])
    past = '{"observation": "Long over.", "expires_at": "2026-01-01T00:00Z"}\n{"observation": "Stays."}\n'
    wordy.run("memory", "import", "-", "--session", "notes", stdin=past)
    assert [one["observation"] for one in wordy.json("memory", "show", "notes")["memories"]] == ["Stays."]
    assert traces(wordy, "Long over") == []


def test_a_session_is_deleted_when_somebody_says_so(noted: Lda) -> None:
    noted.run("memory", "search", "lighthouse")
    refused = noted.run("memory", "delete", "main")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "add --yes" in refused.stderr
    code, screen = at_terminal(noted, "n\n", "memory", "delete", "main")
    assert (code, "Delete me/default/main with its 4 memories" in screen) == (1, True), screen
    assert "nothing was deleted" in screen
    assert len(noted.json("memory", "list")["namespaces"]) == 1
    code, screen = at_terminal(noted, "y\n", "memory", "delete", "main")
    assert (code, "deleted me/default/main" in screen) == (0, True), screen
    assert noted.json("memory", "list")["namespaces"] == []
    assert traces(noted, "lighthouse") == []


def test_a_session_is_deleted_with_yes_and_the_others_stay(noted: Lda) -> None:
    noted.run("memory", "import", "-", "--session", "other", stdin='{"observation": "Another."}\n')
    deleted = noted.json("memory", "delete", "main", "--yes")
    assert (deleted["session"], deleted["memories"]) == ("main", 4)
    assert [one["session"] for one in noted.json("memory", "list")["namespaces"]] == ["other"]


def test_what_a_memory_says_is_no_markup_on_a_terminal(noted: Lda) -> None:
    code, screen = at_terminal(noted, "", "memory", "show")
    assert (code, "The soup was [/b] salty." in screen) == (0, True), screen


def test_what_cannot_be_done_is_one_line_that_says_what_to_do(noted: Lda) -> None:
    (noted.home / "bad.jsonl").write_text('{"observation": "fine"}\n{}\n', encoding="utf-8")
    (noted.home / "latin.jsonl").write_bytes('{"observation": "Tromsø"}\n'.encode("latin-1"))
    before = noted.query("select number, status, observation from memories")
    for arguments, code, words in (
        (("show", "--kind", "dream"), 2, "choose one of: turn, document, import, fact"),
        (("show", "--since", "yesterday"), 2, "'yesterday' is no date; write it as --since 2026-01-31"),
        (("show", "--until", "9999-12-31"), 2, "--until 2026-01-31"),
        (("show", "--since", "2026-02-01", "--until", "2026-01-31"), 2, "--since is later than --until"),
        (("search", " "), 2, "say what to search for"),
        (("edit", "2"), 2, "--said TEXT"),
        (("edit", "1", "--said", " "), 2, "lda memory forget 1"),
        (("edit", "5", "--said", "x"), 1, "there is no memory 5 of me/default/main; 'lda memory show'"),
        (("history", "99999999999999999999"), 1, "there is no memory 99999999999999999999"),
        (("forget", "1", "5"), 1, "there is no memory 5"),
        (("import", "missing.jsonl"), 2, "missing.jsonl cannot be read: No such file or directory"),
        (("import", "."), 2, "cannot be read: Is a directory"),
        (("import", "-"), 2, "standard input holds no memories"),
        (("import", "bad.jsonl"), 2, "bad.jsonl: line 2 is no memory: it has neither"),
        (("import", "latin.jsonl"), 2, "latin.jsonl is no text in UTF-8"),
        (("export", "no/folder/file"), 2, "no/folder/file cannot be written: No such file or directory; choose"),
    ):
        done = noted.run("memory", *arguments)
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert noted.query("select number, status, observation from memories") == before
    for arguments in (("forget", "0"), ("import", "-", "--expires-in", "0"), ()):
        assert noted.run("memory", *arguments).returncode == 2


def test_a_memory_without_an_answer_cannot_be_edited(lda: Lda) -> None:
    lda.json("chat", "-m", "Hello.")
    with closing(sqlite3.connect(lda.database)) as connection, connection:
        connection.execute("update memories set status = 'open', response = ''")
    done = lda.run("memory", "edit", "1", "--said", "Goodbye.")
    assert (done.returncode, done.stdout) == (2, "")
    assert "memory 1 has no answer yet; 'lda chat' answers it (/retry)" in done.stderr


def test_a_session_that_is_not_there_is_named_and_not_made(wordy: Lda) -> None:
    for arguments in (
        ("show", "nowhere"),
        ("search", "x", "--session", "nowhere"),
        ("edit", "1", "--said", "x", "--session", "nowhere"),
        ("history", "1", "--session", "nowhere"),
        ("forget", "1", "--session", "nowhere"),
        ("export", "--session", "nowhere"),
        ("delete", "nowhere", "--yes"),
    ):
        done = wordy.run("memory", *arguments)
        assert (done.returncode, done.stdout) == (1, "")
        problem = "there are no memories of me/default/nowhere; 'lda memory list' shows whose there are"
        assert done.stderr == f"lda: {problem}\n"
    assert wordy.query("select count(*) from namespaces") == [(0,)]


def test_every_command_has_help_with_an_example(wordy: Lda) -> None:
    assert "no memories yet; start with: lda chat" in wordy.run("memory", "list").stderr
    for command in ("list", "show", "search", "edit", "history", "forget", "export", "import", "delete"):
        assert f"Example: lda memory {command}" in wordy.run("memory", command, "--help").stdout
