"""`lda ask` and `lda check` as people and programs use them."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.command import Lda
from tests.servers.openai_server import OpenAIServer

QUESTION = "Who hid the old key?"


@pytest.fixture
def asking(tmp_path: Path) -> Lda:
    """`lda` on the scripted engine, which finds nothing, without a model for embeddings."""
    return Lda(tmp_path, {"LDA_ENGINE": "scripted", "LDA_EMBEDDING_MODEL": "hashed"})


def test_an_answer_and_how_it_was_found(asking: Lda, book: Path) -> None:
    result = asking.json("ask", book, QUESTION, "--explain")["results"][0]
    assert result["question"] == QUESTION
    assert result["strategy"] == "retrieve"
    assert "do not fit one call" in result["reason"]
    assert result["candidates"][0]["ranks"] == {"lexical": 1}
    assert result["excerpts"]
    assert result["answer"]["found"] is False


def test_people_get_words_on_the_one_stream_and_progress_on_the_other(asking: Lda, book: Path) -> None:
    done = asking.run("ask", book, QUESTION)
    assert (done.returncode, done.stdout.strip()) == (0, "Not in the text.")
    assert "retrieve: 11,868 tokens do not fit" in done.stderr
    assert "calls made" in done.stderr


def test_asking_again_costs_nothing(asking: Lda, book: Path) -> None:
    first = asking.json("ask", book, QUESTION)["results"][0]
    second = asking.json("ask", book, QUESTION)["results"][0]
    assert first["usage"]["calls"] == 1
    assert (second["usage"]["calls"], second["usage"]["recorded"]) == (0, 1)
    assert second["answer"] == first["answer"]


def test_the_question_may_stand_at_the_end_of_what_is_piped(asking: Lda) -> None:
    done = asking.run("ask", "-", "--json", stdin="The cook hid it.\n\nIt rained.\n\nWho hid the key?\n")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)["results"][0]
    assert result["question"] == "Who hid the key?"
    assert result["strategy"] == "full"


def test_what_was_asked_is_looked_at_again(asking: Lda, book: Path) -> None:
    run = asking.json("ask", book, QUESTION)["results"][0]["run"]
    shown = asking.run("show", run).stdout
    assert QUESTION in shown
    assert "retrieve: 11,868 tokens do not fit" in shown
    assert "None" not in shown
    assert asking.json("show", run)["selection"]["candidates"]


def test_a_dry_run_spends_nothing(asking: Lda, book: Path) -> None:
    estimate = asking.json("ask", book, QUESTION, "--dry-run")["results"][0]["estimate"]
    assert (estimate["strategy"], estimate["calls"]) == ("retrieve", 1)
    assert asking.query("select count(*) from calls") == [(0,)]


def test_a_collection_is_made_and_asked(asking: Lda, book: Path) -> None:
    assert asking.run("ingest", book, "--collection", "shelf").returncode == 0
    result = asking.json("ask", "--collection", "shelf", QUESTION)["results"][0]
    assert result["collection"] == "shelf"
    assert result["excerpts"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ask",), "name a document"),
        (("ask", "missing.epub", QUESTION), "missing.epub"),
        (("ask", "book.md"), "say what you ask"),
        (("ask", "book.md", "  "), "the question is empty"),
        (("ask", "book.md", QUESTION, "--strategy", "guess"), "auto, full, retrieve, cascade, xl3m, map"),
        (("ask", "book.md", QUESTION, "--strategy", "cascade", "--scoring", "label"), "tells no probabilities at all"),
        (("ask", "book.md", QUESTION, "--scoring", "label"), "leave out --scoring"),
        (("ask", "book.md", QUESTION, "--candidates", "8"), "leave out --candidates"),
        (("ask", "book.md", QUESTION, "--strategy", "map", "--context-tokens", "500"), "leave out --context-tokens"),
        (("ask", "book.md", ""), "the question is empty"),
        (("ask", "", QUESTION), "the name of a file is empty"),
        (("ask", "book.md", "--json"), "say what you ask"),
        (("ask", "book.md", QUESTION, "--scoring", "vibes"), "likelihood, label, entropy, contrast"),
        (("ask", "book.md", QUESTION, "--strategy", "full"), "does not fit"),
        (("ask", "--collection", "nothing", QUESTION), "nothing"),
        (("ask", "book.md", "--collection", "shelf", QUESTION), "not both"),
        (("check", "book.md"), "say what you claim"),
        (("check", "book.md", "It rained.", "--strategy", "map"), "not with map"),
        (("check", "book.md", "--claims", "missing.txt"), "missing.txt"),
    ],
)
def test_what_cannot_work_is_said_in_a_line(asking: Lda, book: Path, arguments: tuple[str, ...], message: str) -> None:
    assert book.name == "book.md"
    done = asking.run(*arguments)
    assert done.returncode in {1, 2}, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_file_of_claims_is_checked(asking: Lda, book: Path, tmp_path: Path) -> None:
    claims = tmp_path / "claims.txt"
    claims.write_text("Ada hid the key.\n\nEmil sold the boat.\n", encoding="utf-8")
    result = asking.json("check", book, "--claims", claims)["results"][0]
    assert [claim["claim"] for claim in result["claims"]] == ["Ada hid the key.", "Emil sold the boat."]
    assert {claim["verdict"] for claim in result["claims"]} <= {"true", "false", "not_stated"}
    shown = asking.run("check", book, "--claims", claims)
    assert "2 not stated" in shown.stdout


def test_questions_are_asked_one_after_the_other_at_a_terminal(asking: Lda, book: Path) -> None:
    screen = _Terminal(asking, "ask", str(book))
    screen.wait_for("? ")
    screen.type(f"{QUESTION}\n")
    screen.wait_for("Not in the text.")
    screen.wait_for("? ")
    screen.type("\n")
    assert screen.end() == 0


def test_an_interrupt_ends_a_session_at_once(asking: Lda, book: Path) -> None:
    screen = _Terminal(asking, "ask", str(book))
    screen.wait_for("? ")
    screen.process.send_signal(signal.SIGINT)
    assert screen.end() == 130


def test_killed_while_it_scores_it_goes_on_and_repeats_no_call(tmp_path: Path, book: Path) -> None:
    with OpenAIServer(delay=0.2, slots=2) as server:
        environment = {"LDA_BASE_URL": server.base_url, "LDA_EMBEDDING_MODEL": "hashed", "LDA_CONCURRENCY": "2"}
        lda = Lda(tmp_path, environment)
        scored = ("ask", book, QUESTION, "--strategy", "xl3m", "--scoring", "entropy")
        recorded: list[int] = []
        for _ in range(3):
            process = lda.start(*scored)
            before = recorded[-1] if recorded else 0
            lda.wait_for_calls(before + 4, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            recorded.append(lda.recorded_calls())
        result = lda.json(*scored)["results"][0]
        assert lda.repeated_calls() == []
        assert 0 < recorded[0] < recorded[1] < recorded[2] < lda.recorded_calls(), "the kills must fall into the work"
        assert result["usage"]["recorded"] == recorded[2]
        assert len(result["excerpts"]) >= 1


class _Terminal:
    """`lda` at a terminal of its own."""

    def __init__(self, lda: Lda, *arguments: str) -> None:
        self._screen, slave = pty.openpty()
        environment = os.environ | {"LDA_DATABASE": str(lda.database), "HOME": str(lda.home), "TERM": "dumb"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "longdoc", *arguments],
            env=environment | lda.environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)
        self._text = ""

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def wait_for(self, text: str, *, seconds: float = 60) -> None:
        """Read what is shown until it has this text, and forget all up to there."""
        end = time.monotonic() + seconds
        while text not in self._text:
            assert time.monotonic() < end, self._text
            if select.select([self._screen], [], [], 0.2)[0]:
                self._text += os.read(self._screen, 4096).decode()
        self._text = self._text.partition(text)[2]

    def end(self) -> int:
        try:
            return self.process.wait(timeout=30)
        finally:
            self.process.kill()
            os.close(self._screen)
