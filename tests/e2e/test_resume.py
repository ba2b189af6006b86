"""Stopped at any moment, a run goes on: same summary, no completed call made twice."""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.command import Lda

SLOW = {"LDA_SCRIPTED_DELAY": "0.15", "LDA_CONCURRENCY": "2"}
SMALL_SEGMENTS = ("--segment-tokens", "150")


def test_killed_at_twenty_random_moments_it_loses_and_repeats_nothing(tmp_path: Path, book: Path) -> None:
    reference_home, killed_home = tmp_path / "reference", tmp_path / "killed"
    reference_home.mkdir()
    killed_home.mkdir()
    reference = Lda(reference_home, {"LDA_ENGINE": "scripted"}).summarize(book, *SMALL_SEGMENTS)

    killed = Lda(killed_home, {"LDA_ENGINE": "scripted"})
    moments = random.Random(11)
    recorded: list[int] = []
    for kill in range(20):
        process = killed.start("summarize", book, *SMALL_SEGMENTS, **SLOW)
        if kill % 4 == 3:  # a start may take all of the time below, so some kills wait for work
            killed.wait_for_calls(recorded[-1] + 1, process)
        time.sleep(moments.uniform(0.0, 1.5))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        recorded.append(killed.recorded_calls())
    resumed = killed.summarize(book, *SMALL_SEGMENTS)

    assert resumed["summary"]["text"] == reference["summary"]["text"]
    assert killed.repeated_calls() == []
    assert resumed["usage"]["calls"] + resumed["usage"]["recorded"] == reference["usage"]["calls"]
    assert recorded == sorted(recorded)
    assert 0 < recorded[-1] < reference["usage"]["calls"], "the kills must fall into the work"


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_exits_130_and_says_how_to_go_on(lda: Lda, book: Path, stop: signal.Signals) -> None:
    process = lda.start("summarize", book, *SMALL_SEGMENTS, **SLOW)
    lda.wait_for_calls(1, process)
    process.send_signal(stop)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert "run the same command again" in err
    assert "Traceback" not in err
    assert lda.json("runs", "list")["runs"][0]["status"] == "interrupted"
    assert lda.summarize(book, *SMALL_SEGMENTS)["usage"]["recorded"] > 0


def test_one_that_a_shell_put_in_the_background_can_be_ended(lda: Lda, book: Path) -> None:
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as shells do, and processes take it over
    try:
        process = lda.start("summarize", book, *SMALL_SEGMENTS, **SLOW)
    finally:
        signal.signal(signal.SIGINT, usual)
    lda.wait_for_calls(1, process)
    process.terminate()
    err = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "run the same command again" in err


def test_the_same_command_again_makes_no_call(lda: Lda, book: Path) -> None:
    first = lda.summarize(book)
    again = lda.summarize(book)
    assert first["usage"]["calls"] > 0
    assert (again["usage"]["calls"], again["usage"]["recorded"]) == (0, first["usage"]["calls"])
    assert again["summary"] == first["summary"]
    assert again["run"] == first["run"]


def test_another_length_redoes_one_merge_and_what_holds_its_length(lda: Lda, book: Path) -> None:
    segments = lda.summarize(book, "--words", "300")["summary"]["nodes"] - 1
    usage = lda.summarize(book, "--words", "200")["usage"]
    assert usage["recorded"] == segments
    assert usage["calls"] <= 3


def test_fresh_ignores_the_record(lda: Lda, book: Path) -> None:
    first = lda.summarize(book)
    assert lda.summarize(book, "--fresh")["usage"]["calls"] == first["usage"]["calls"]


def test_a_call_budget_stops_resumably_and_is_spent_exactly(lda: Lda, book: Path) -> None:
    stopped = lda.run("summarize", book, "--max-calls", "5")
    assert stopped.returncode == 75
    assert "budget" in stopped.stderr
    assert lda.query("select count(*) from calls") == [(5,)]
    assert lda.json("runs", "list")["runs"][0]["status"] == "stopped"
    assert lda.summarize(book)["usage"]["recorded"] == 5


def test_a_token_budget_is_never_passed(lda: Lda, book: Path) -> None:
    assert lda.run("summarize", book, "--max-tokens-total", "9000").returncode == 75
    spent = lda.query("select coalesce(sum(prompt_tokens + completion_tokens), 0) from calls")[0][0]
    assert 0 < spent <= 9000


def test_a_dry_run_spends_and_stores_no_call(lda: Lda, book: Path) -> None:
    estimate = lda.json("summarize", book, "--dry-run")["results"][0]["estimate"]
    assert lda.query("select count(*) from calls") == [(0,)]
    assert lda.summarize(book)["usage"]["calls"] == estimate["calls"]
