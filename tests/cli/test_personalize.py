"""`lda personalize` as people and scripts use it: items taken in, summed up, asked with, shown, forgotten.

Most commands run in this process, which saves starting a hundred others; what is killed, and what is typed, does not.
"""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest

from longdoc.cli.main import main
from tests.e2e.command import Lda

TITLES = [
    {"user": "ann", "task": "title", "key": f"t{n}", "text": f"On doors, part {n}.", "output": f"Fix door {n}"}
    for n in range(5)
]
RATINGS = [
    {"user": "bob", "task": "rating", "key": f"r{n}", "text": f"A film, {n}.", "output": 1 + n % 2} for n in range(4)
]
FILE = "".join(f"{json.dumps(row)}\n" for row in [*TITLES, *RATINGS])


class LdaHere(Lda):
    """`lda` in this process; `start` still makes one of its own."""

    def run(
        self, *arguments: str | Path, stdin: str = "", timeout: float | None = None, **options: str
    ) -> subprocess.CompletedProcess[str]:
        typed = self.home / "typed in"
        typed.write_text(stdin, encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        settings = {"LDA_DATABASE": str(self.database), "HOME": str(self.home), "COLUMNS": "120"}
        with (
            pytest.MonkeyPatch.context() as patch,
            typed.open(encoding="utf-8") as given,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            for name in [name for name in os.environ if name.startswith(("LDA_", "OPENAI_"))]:
                patch.delenv(name)
            for name, value in (settings | self.environment | options).items():
                patch.setenv(name, value)
            patch.chdir(self.home)
            patch.setattr(sys, "argv", ["lda", *map(str, arguments)])
            patch.setattr(sys, "stdin", given)
            with pytest.raises(SystemExit) as ended:
                main()
        typed.unlink()
        return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), out.getvalue(), err.getvalue())


@pytest.fixture
def lda(tmp_path: Path) -> Lda:
    """`lda` on the scripted engine, without a model for embeddings."""
    return LdaHere(tmp_path, {"LDA_ENGINE": "scripted", "LDA_EMBEDDING_MODEL": "hashed"})


@pytest.fixture
def known(lda: Lda) -> Lda:
    """The same, with items of two users."""
    assert lda.json("personalize", "import", "-", stdin=FILE)["added"] == 9
    return lda


def traces(lda: Lda, text: str) -> list[str]:
    """The files in which a text stands."""
    files = [file for file in lda.home.rglob("*") if file.is_file()]
    return [file.name for file in files if text.encode() in file.read_bytes()]


def at_terminal(lda: Lda, typed: str, *arguments: str) -> int:
    """Run in a terminal, where somebody types; the exit code."""
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
    with suppress(OSError):  # the terminal is gone when the process has ended
        while os.read(leader, 4096):
            pass
    os.close(leader)
    return process.wait(lda.patience)


def asked(lda: Lda, *arguments: str) -> Any:
    """The envelope of an answer, which the scripted engine may have none for."""
    told = lda.run("personalize", "ask", *arguments, "--json")
    assert told.returncode in (0, 3), told.stderr
    return json.loads(told.stdout)


def stored_items(lda: Lda) -> int:
    if not lda.database.exists() or not lda.query("select 1 from sqlite_master where name = 'profile_items'"):
        return 0
    return lda.query("select count(*) from profile_items")[0][0]


def test_an_import_counts_what_it_did(lda: Lda) -> None:
    told = lda.run("personalize", "import", "-", stdin=FILE)
    assert (told.returncode, told.stdout) == (0, "")
    assert "9 added, 0 changed, 0 the same" in told.stderr
    envelope = lda.json("personalize", "import", "-", stdin=FILE)
    assert (envelope["command"], envelope["status"]) == ("personalize import", "done")
    assert [envelope[name] for name in ("added", "changed", "same", "bad")] == [0, 0, 9, 0]


def test_bad_lines_stop_an_import_or_are_counted(lda: Lda) -> None:
    text = f'{FILE}{{"user": "ann"}}\n'
    told = lda.run("personalize", "import", "-", stdin=text)
    assert told.returncode == 2
    assert told.stderr.startswith("lda: line 10: it names no 'task'")
    envelope = lda.json("personalize", "import", "-", "--skip-bad", code=3, stdin=text)
    assert (envelope["status"], envelope["added"], envelope["bad"]) == ("gaps", 9, 1)
    assert envelope["problems"] == ["line 10: it names no 'task'; add one, or --task NAME for all"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("none.jsonl",), "there is no file or folder 'none.jsonl'"),
        (("",), "there is no file or folder ''"),
        (("x" * 5_000,), "there is no file or folder"),
        ((".", "--user", "ann"), "holds no documents"),
        (("-", "--task", "nothing"), "there is no task 'nothing'"),
        (("-", "--format", "xml"), "there is no format 'xml'"),
        (("-",), "does not tell what it is"),
        (("-", "--format", "folder"), "reads none"),
    ],
)
def test_what_cannot_be_imported_is_told(lda: Lda, arguments: tuple[str, ...], reason: str) -> None:
    told = lda.run("personalize", "import", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert reason in told.stderr
    assert "Traceback" not in told.stderr


def test_an_import_that_is_killed_goes_on_and_stores_each_item_once(lda: Lda) -> None:
    count = 20_000
    file = lda.home / "many.jsonl"
    with file.open("w", encoding="utf-8") as lines:
        for n in range(count):
            row = {"user": f"u{n % 500}", "task": "title", "text": f"Text number {n} " * 10, "output": f"T {n}"}
            lines.write(f"{json.dumps(row)}\n")
    process = lda.start("personalize", "import", file)
    deadline = time.monotonic() + lda.patience
    while stored_items(lda) == 0 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -9, "it was to be killed while it worked"
    before = stored_items(lda)
    assert 0 < before < count
    assert before % 1000 == 0
    envelope = lda.json("personalize", "import", file)
    assert (envelope["added"], envelope["same"], envelope["changed"]) == (count - before, before, 0)
    assert lda.query("select count(*), count(distinct text) from profile_items") == [(count, count)]
    assert lda.query("select max(n) from (select count(*) n from profile_items group by profile_id)") == [(40,)]


def test_a_folder_and_a_conversation_are_taken_in(lda: Lda) -> None:
    essays = lda.home / "essays"
    essays.mkdir()
    (essays / "one.md").write_text("# One\n\nThe first essay.\n", encoding="utf-8")
    assert lda.run("personalize", "import", essays).returncode == 2
    assert lda.json("personalize", "import", essays, "--user", "ann")["added"] == 1
    lda.run("chat", "-m", "I like it short.", "-m", "No meat for me.")
    assert lda.json("personalize", "import", "main", "--format", "chat")["added"] == 2
    shown = lda.json("personalize", "show", "me")
    assert [item["text"] for item in shown["tasks"][0]["items"]] == ["I like it short.", "No meat for me."]
    missing = lda.run("personalize", "import", "other", "--format", "chat")
    assert (missing.returncode, "there are no memories of me/default/other" in missing.stderr) == (1, True)


def test_summaries_are_made_once_and_anew_where_that_is_asked_for(known: Lda) -> None:
    envelope = known.json("personalize", "refresh")
    assert (envelope["made"], envelope["current"], envelope["failed"]) == (2, 0, {})
    assert known.recorded_calls() == 1  # ratings are counted
    again = known.run("personalize", "refresh", "--quiet")
    assert (again.returncode, again.stderr) == (0, "summaries: 0 made, 2 current\n")
    assert known.json("personalize", "refresh", "--user", "bob", "--force")["made"] == 1
    assert known.json("personalize", "refresh", "--task", "title", "--older-than", "0")["made"] == 1
    assert known.json("personalize", "refresh", "--older-than", "1")["made"] == 0
    for arguments, code in ((("--user", "carl"), 1), (("--task", "nothing"), 2), (("--tenant", "nobody"), 1)):
        assert known.run("personalize", "refresh", *arguments).returncode == code


def test_an_answer_says_what_of_the_user_was_used(known: Lda) -> None:
    known.run("personalize", "refresh")
    told = known.run("personalize", "ask", "bob", "Another film.", "--task", "rewrite", "--quiet")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.strip()
    envelope = asked(known, "ann", "On doors, part 3.", "--task", "title", "--k", "2")
    assert envelope["personal"]
    assert envelope["summary"]
    assert not envelope["summary_stale"]
    assert envelope["items"][0]["key"] == "t3"
    assert (len(envelope["items"]), envelope["items_known"], envelope["by"]) == (2, 5, "bm25")
    bare = asked(known, "ann", "Doors", "--task", "title", "--no-summary", "--by", "newest")
    assert (bare["summary"], [one["key"] for one in bare["items"]]) == ("", ["t4", "t3", "t2", "t1"])
    dense = asked(known, "ann", "On doors", "--task", "title", "--by", "dense", "--k", "1")
    assert len(dense["items"]) == 1
    tight = asked(known, "ann", "Doors", "--task", "title", "--no-summary", "--budget", "40")
    assert tight["tokens"] <= 40
    assert tight["left_out"]
    piped = known.run("personalize", "ask", "ann", "-", "--task", "rewrite", stdin="A text of mine.")
    assert piped.returncode == 0
    assert "nothing personal was used: nothing is known of the user" in piped.stderr


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("ann", " ", "--task", "title"), "the input is empty"),
        (("ann", "a", "--task", "nothing"), "there is no task 'nothing'"),
        (("ann", "a", "--task", "title", "--by", "luck"), "choose one of: bm25"),
        (("ann", "a", "--task", "title", "--k", "99"), "0 to 50 items"),
        (("ann", "a", "--task", "title", "--budget", "1"), "32 tokens or more"),
        (("", "a", "--task", "title"), "a user needs a name"),
    ],
)
def test_what_cannot_be_asked_is_told(lda: Lda, arguments: tuple[str, ...], reason: str) -> None:
    told = lda.run("personalize", "ask", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert reason in told.stderr


def test_users_and_what_is_known_of_one_are_shown(known: Lda) -> None:
    known.run("personalize", "refresh")
    assert known.run("personalize", "show").stdout.splitlines() == [
        "user\tanswers\titems\tsummaries",
        "ann\ton\t5\ttitle (current)",
        "bob\ton\t4\trating (current)",
    ]
    page = known.json("personalize", "show", "--limit", "1")
    assert ([one["user"] for one in page["users"]], page["after"]) == (["ann"], "ann")
    rest = known.json("personalize", "show", "--after", "ann")
    assert ([one["user"] for one in rest["users"]], rest["after"]) == (["bob"], None)
    shown = known.json("personalize", "show", "bob", "--last", "2")["tasks"][0]
    assert shown["summary"]["made_from"] == ["r0", "r1", "r2", "r3"]
    assert [item["key"] for item in shown["items"]] == ["r2", "r3"]
    assert not shown["stale"]
    known.run("personalize", "import", "-", stdin=json.dumps(RATINGS[0] | {"output": 5}))
    assert known.json("personalize", "show", "bob")["tasks"][0]["stale"]
    told = known.run("personalize", "show", "bob").stdout
    assert "rating: 4 items, summary: out of date" in told
    assert "made from: r0, r1, r2, r3" in told
    for arguments in (("carl",), ("ann", "--task", "rating")):
        assert known.run("personalize", "show", *arguments).returncode == 1


def test_a_summary_is_read_edited_locked_and_deleted(known: Lda) -> None:
    missing = known.run("personalize", "summary", "ann", "--task", "title")
    assert (missing.returncode, "lda personalize refresh" in missing.stderr) == (1, True)
    known.run("personalize", "refresh")
    said = known.run("personalize", "summary", "ann", "--task", "title")
    assert said.stdout.strip()
    edited = known.json("personalize", "summary", "ann", "--task", "title", "--edit", "Begins with Fix.", "--lock")
    assert (edited["summary"]["text"], edited["summary"]["edited"]) == ("Begins with Fix.", True)
    assert known.run("personalize", "summary", "ann", "--task", "title").stdout == "Begins with Fix.\n"
    forced = known.json("personalize", "refresh", "--user", "ann", "--force")
    assert (forced["made"], forced["locked"]) == (0, 1)
    assert not known.json("personalize", "summary", "ann", "--task", "title", "--unlock")["summary"]["locked"]
    assert known.json("personalize", "refresh", "--user", "ann")["current"] == 1
    assert known.json("personalize", "summary", "ann", "--task", "title", "--delete")["summary"] is None
    assert known.run("personalize", "summary", "ann", "--task", "title", "--delete").returncode == 1
    piped = known.json("personalize", "summary", "ann", "--task", "answer", "--edit", "-", stdin="Wants it short.\n")
    assert piped["summary"]["text"] == "Wants it short."
    for options in (("--lock", "--unlock"), ("--delete", "--edit", "x"), ("--edit", " ")):
        assert known.run("personalize", "summary", "ann", "--task", "title", *options).returncode == 2


def test_a_user_who_is_off_is_known_and_not_used(known: Lda) -> None:
    assert known.run("personalize", "off", "ann").stderr == "personalization is off for ann\n"
    envelope = asked(known, "ann", "On doors.", "--task", "rewrite")
    assert (envelope["personal"], envelope["reason"]) == (False, "personalization is off")
    assert known.json("personalize", "on", "ann")["enabled"]
    assert asked(known, "ann", "On doors.", "--task", "title")["personal"]
    assert known.run("personalize", "off", "carl").returncode == 1


def test_a_user_who_is_forgotten_is_in_no_file(known: Lda) -> None:
    row = {"user": "zoe", "task": "title", "text": "Of a xylophonquark.", "output": "Xylophonquark it"}
    news = "".join(f"{json.dumps(row | {'key': str(n)})}\n" for n in range(4))
    known.run("personalize", "import", "-", stdin=news)
    known.run("personalize", "refresh")
    known.run("personalize", "ask", "zoe", "A xylophonquark again.", "--task", "title", "--by", "fused")
    assert traces(known, "xylophonquark")
    unasked = known.run("personalize", "forget", "zoe")
    assert (unasked.returncode, "zoe with 4 items would be gone for good" in unasked.stderr) == (2, True)
    assert at_terminal(known, "n\n", "personalize", "forget", "zoe") == 1
    assert traces(known, "xylophonquark")
    assert at_terminal(known, "y\n", "personalize", "forget", "zoe") == 0
    for marker in ("xylophonquark", "Xylophonquark", "zoe"):
        assert traces(known, marker) == []
    assert known.run("personalize", "forget", "zoe", "--yes").returncode == 1
    assert [one["user"] for one in known.json("personalize", "show")["users"]] == ["ann", "bob"]


def test_single_items_are_forgotten_with_what_was_made_of_them(known: Lda) -> None:
    known.run("personalize", "refresh")
    wrong = known.run("personalize", "forget", "ann", "--item", "t1", "--item", "none", "--yes")
    assert (wrong.returncode, "there is no item 'none'" in wrong.stderr) == (1, True)
    envelope = known.json("personalize", "forget", "ann", "--item", "t1", "--item", "t1", "--yes")
    assert (envelope["items"], envelope["whole"]) == (1, False)
    task = known.json("personalize", "show", "ann")["tasks"][0]
    assert ([item["key"] for item in task["items"]], task["summary"]) == (["t0", "t2", "t3", "t4"], None)
    assert traces(known, "On doors, part 1.") == []
    assert known.json("personalize", "forget", "bob", "--task", "rating", "--yes")["items"] == 4
    assert known.json("personalize", "show", "bob")["tasks"] == []
    assert known.run("personalize", "forget", "bob", "--task", "rating", "--yes").returncode == 1


def test_what_is_exported_comes_in_elsewhere(known: Lda, tmp_path: Path) -> None:
    known.run("personalize", "refresh")
    file = tmp_path / "all.jsonl"
    told = known.run("personalize", "export", "--all", "--with-summaries", "--out", file)
    assert (told.stdout, told.stderr) == ("", f"11 lines written to {file}\n")
    assert file.stat().st_mode & 0o077 == 0
    (tmp_path / "elsewhere").mkdir()
    other = LdaHere(tmp_path / "elsewhere", known.environment)
    taken = other.json("personalize", "import", file)
    assert (taken["added"], taken["summaries"]) == (9, 2)
    assert _said(other) == _said(known)
    assert other.json("personalize", "refresh")["current"] == 2
    one = known.json("personalize", "export", "bob")
    assert (one["count"], [line["key"] for line in one["lines"]]) == (4, ["r0", "r1", "r2", "r3"])
    assert len(known.run("personalize", "export", "bob").stdout.splitlines()) == 4
    for arguments in ((), ("ann", "--all"), ("ann", "--out", str(tmp_path / "no" / "file"))):
        assert known.run("personalize", "export", *arguments).returncode == 2
    assert not (tmp_path / "no").exists()


def _said(lda: Lda) -> list[Any]:
    shown = [lda.json("personalize", "show", user)["tasks"] for user in ("ann", "bob")]
    for task in (task for tasks in shown for task in tasks):
        for item in task["items"]:
            del item["recorded_at"]
    return shown


def test_names_are_data_at_the_terminal_too(lda: Lda) -> None:
    name = "'; DROP TABLE profiles; -- <b>[bold]"
    row = {"user": name, "task": "title", "key": name, "text": "\x1b[2Jtext\twith\ntabs", "output": name}
    assert lda.json("personalize", "import", "-", stdin=json.dumps(row))["added"] == 1
    assert lda.run("personalize", "show").stdout.splitlines()[1] == f"{name}\ton\t1\t"
    told = lda.run("personalize", "show", name).stdout
    assert "\x1b" not in told
    assert "[2Jtext with tabs" in told
    assert lda.json("personalize", "forget", name, "--item", name, "--yes")["items"] == 1


def test_tenants_are_apart(known: Lda) -> None:
    other = known.json("personalize", "import", "-", "--tenant", "other", stdin=FILE.splitlines()[0])
    assert other["added"] == 1
    assert [one["user"] for one in known.json("personalize", "show", "--tenant", "other")["users"]] == ["ann"]
    assert known.json("personalize", "forget", "ann", "--tenant", "other", "--yes")["items"] == 1
    assert known.json("personalize", "show", "ann")["tasks"][0]["items_known"] == 5
    assert known.run("personalize", "show", "--tenant", "nobody").returncode == 1


def test_tasks_of_a_file_are_known(known: Lda) -> None:
    tasks = known.home / "tasks.toml"
    tasks.write_text('[haiku]\nrequest = "Write a haiku."\nclause = "{text}"\nsummary = "their haikus"\n')
    row = json.dumps({"user": "ann", "task": "haiku", "text": "An old pond."})
    assert known.json("personalize", "import", "-", stdin=row)["unknown_tasks"] == {"haiku": 1}
    known.environment["LDA_PROFILE_TASKS"] = str(tasks)
    assert known.json("personalize", "import", "-", stdin=row)["unknown_tasks"] == {}
    assert asked(known, "ann", "A frog.", "--task", "haiku")["items"][0]["text"] == "An old pond."


def test_a_file_with_nothing_in_it_is_told(lda: LdaHere, tmp_path: Path) -> None:
    for name in ("empty.jsonl", "empty.csv"):
        (tmp_path / name).touch()
        done = lda.run("personalize", "import", tmp_path / name)
        assert done.returncode == 0
        assert "there is nothing in it" in done.stderr


def test_items_can_be_left_out_of_a_request(known: Lda) -> None:
    asked = ("personalize", "ask", "ann", "On doors, part 1.", "--task", "title", "--k", "5")
    keys = [one["key"] for one in known.json(*asked, "--without", "t1", "--without", "t4")["items"]]
    assert sorted(keys) == ["t0", "t2", "t3"]
    before = known.json(*asked, "--before", "2020-01-31")
    assert (before["items"], before["reason"]) == ([], "all that is known of the user is left out, as asked")
    wrong = known.run(*asked, "--before", "yesterday")
    assert wrong.returncode == 2
    assert "--before 2026-01-31" in wrong.stderr


def test_the_evaluation_has_two_names(lda: Lda) -> None:
    told = lda.run("personalize", "eval", "--planted", "3", "--task", "lamp-2", "--k", "0,1", "--no-summary", "--quiet")
    assert told.returncode in (0, 3), told.stderr
    assert lda.run("personalize", "eval").stderr == lda.run("eval", "lamp").stderr


def test_who_is_forgotten_leaves_conversations_and_is_told_how_to_delete_them(known: Lda) -> None:
    known.run("chat", "-m", "I like it short.", "--user", "ann")
    told = known.run("personalize", "forget", "ann", "--yes")
    assert "lda memory list --user ann" in told.stderr
    assert known.query("select count(*) from memories") == [(1,)]
    assert known.json("personalize", "forget", "bob", "--yes")["conversations_kept"] == 0
