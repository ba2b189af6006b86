"""Against a server that misbehaves, a run finishes or stops resumably, and nothing completed is lost."""

from pathlib import Path

import pytest

from tests.e2e.command import Lda
from tests.e2e.faulty_server import FAULTS, FaultyServer, faulty_server


def served(home: Path, server: FaultyServer) -> Lda:
    """`lda` against a server."""
    return Lda(home, {"LDA_ENGINE": "openai", "LDA_BASE_URL": server.base_url, "LDA_TIMEOUT": "2"})


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_now_and_then_is_ridden_out_and_counted(tmp_path: Path, book: Path, fault: str) -> None:
    with faulty_server(lambda number: fault if number % 8 == 3 else "") as server:
        result = served(tmp_path, server).summarize(book)
    assert result["summary"]["text"]
    assert result["summary"]["gaps"] == []
    assert server.faults[fault] > 0
    assert result["usage"]["retries"] == server.faults[fault]
    assert max(server.answered.values()) == 1
    assert result["usage"]["calls"] == sum(server.answered.values())


@pytest.mark.parametrize("fault", ["500", "429", "garbage", "closed"])
def test_a_server_that_fails_for_good_stops_the_run_resumably(tmp_path: Path, book: Path, fault: str) -> None:
    with faulty_server(lambda number: fault if number > 6 else "") as server:
        lda = served(tmp_path, server)
        stopped = lda.run("summarize", book, LDA_ATTEMPTS="2", LDA_CONCURRENCY="2")
        answered = sum(server.answered.values())
    assert stopped.returncode == 75
    assert "Traceback" not in stopped.stderr
    assert lda.query("select count(*) from calls") == [(answered,)]
    assert lda.json("runs", "list")["runs"][0]["status"] == "stopped"
    with faulty_server(lambda _: "") as well:
        result = served(tmp_path, well).summarize(book)
    sample = 1  # measured the server's tokens; what it was for is stored, so it is not asked for again
    assert result["usage"]["recorded"] == answered - sample
    assert result["usage"]["calls"] == sum(well.answered.values())


def test_a_lost_engine_stops_a_long_run_at_once(tmp_path: Path, book: Path) -> None:
    with faulty_server(lambda number: "500" if number > 4 else "") as server:
        lda = served(tmp_path, server)
        stopped = lda.run("summarize", book, "--segment-tokens", "100", LDA_ATTEMPTS="2", LDA_CONCURRENCY="4")
    assert stopped.returncode == 75
    assert server.requests <= 5 + 4 * 2, "calls that wait are not sent to an engine that is lost"


def test_retries_are_bounded(tmp_path: Path, book: Path) -> None:
    with faulty_server(lambda _: "500") as server:
        stopped = served(tmp_path, server).run("summarize", book, LDA_ATTEMPTS="3", LDA_CONCURRENCY="1")
    assert stopped.returncode == 75
    assert server.requests == 3


def test_no_server_is_one_clear_line(tmp_path: Path, book: Path) -> None:
    with faulty_server(lambda _: "") as server:
        address = server.base_url
    done = Lda(tmp_path, {"LDA_BASE_URL": address}).run("summarize", book)
    assert done.returncode == 75
    assert len(done.stderr.strip().splitlines()) == 1
    assert address.removesuffix("/v1") in done.stderr
