"""`lda serve` as a command, and what of a service works while it has no model."""

import signal
import socket
import sqlite3
from pathlib import Path

import httpx
import pytest

from longdoc.app.service.server import create_app, make_server
from longdoc.client import Client, calls
from longdoc.client.calls import NewItem
from longdoc.config import load_settings
from longdoc.errors import ServiceError
from tests.e2e.command import Lda
from tests.service.running import running, serving
from tests.service.test_jobs import served

_ITEMS = [NewItem("title", str(n), f"text {n}", "Fix the door") for n in range(5)]


@pytest.fixture
def lda(tmp_path: Path) -> Lda:
    return Lda(tmp_path, {"LDA_ENGINE": "scripted"})


def test_contexts_are_made_while_the_engine_is_away(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "database": str(tmp_path / "a.db"),
            "engine": "openai",
            "model": "none",
            "base_url": "http://127.0.0.1:9/v1",
            "attempts": 1,
            "embedding_model": "hashed",
        }
    )
    app = create_app(settings, keyless=True)
    with serving(make_server(app, ready=lambda: None)) as address, Client(address) as client:
        client.send(calls.put_items("ann", _ITEMS))
        assert client.send(calls.context("ann", "text 1", task="title")).items[0].key == "1"
        with pytest.raises(ServiceError) as told:
            client.send(calls.personalize("ann", "text 1", task="title"))
        assert told.value.status in {502, 503}
        health = httpx.get(f"{address}/ready").json()
        assert health["status"] == "ready"


def test_the_service_is_described_counted_and_ends_when_it_is_told_to(lda: Lda) -> None:
    process, address = served(lda)
    try:
        with httpx.Client(base_url=address) as http:
            assert http.get("/health").json() == {"status": "ok", "engine": "scripted"}
            assert "swagger" in http.get("/docs").text.lower()
            assert "/v1/context" in http.get("/openapi.json").json()["paths"]
            http.get("/v1/users/nobody")
            counts = http.get("/metrics").text
        assert 'lda_requests_total{method="GET",route="/v1/users/{user}",status="404"} 1.0' in counts
        assert "nobody" not in counts
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == -signal.SIGTERM
    finally:
        process.kill()
        process.communicate()


def test_what_keeps_it_from_starting_is_told(lda: Lda) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = lda.run("serve", "--port", str(taken.getsockname()[1]))
    assert refused.returncode == 2
    assert "choose another --port" in refused.stderr
    (lda.home / "tasks.toml").write_text("[title]\nrequest = 'a'\n", encoding="utf-8")
    assert "there is a task 'title' already" in lda.run("serve", LDA_PROFILE_TASKS="tasks.toml").stderr
    lda.database.unlink(missing_ok=True)
    lda.database.write_text("no database at all, but a text that is longer than a header", encoding="utf-8")
    assert "is not a database" in lda.run("serve", "--port", "0").stderr


def test_a_record_that_cannot_be_used_is_no_error_of_the_service(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.http() as http:
        http.put("/v1/users/ann")
        with sqlite3.connect(service.database) as database:
            database.execute("ALTER TABLE profiles RENAME TO gone")
        database.close()
        reply = http.get("/v1/users/ann")
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "5"
        assert str(tmp_path) not in reply.text
