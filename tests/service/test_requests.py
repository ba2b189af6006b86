"""What requests may hold: whatever it is, it stays data, and the reply is never that something broke."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx
import pytest

from longdoc.client import calls
from longdoc.client.calls import NewItem, Place
from longdoc.errors import ConfigError, NotFoundError
from tests.service.running import Running, running

_NASTY = [
    "'; DROP TABLE profiles; --",
    '" OR 1=1 --',
    "../../etc/passwd",
    "..",
    ".",
    "a/b/items",
    "%2e%2e%2f",
    "%00",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "\u202eevil"[1:] + "ø",
    "日本語 🙂",
    "a?b=c#d",
    "a;b,c&d=e+f",
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running, None, None]:
    """A service that many requests are sent to."""
    with running(tmp_path_factory.mktemp("record") / "a.db") as started:
        yield started


@pytest.mark.parametrize("name", _NASTY)
def test_names_and_texts_come_back_as_they_went_in(service: Running, name: str) -> None:
    with service.client() as client:
        before = {one.user for one in client.send(calls.list_users()).users}
        client.send(calls.put_items(name, [NewItem("title", name, name, name, source=name)]))
        assert client.send(calls.get_user(name)).user == name
        assert {one.user for one in client.send(calls.list_users()).users} == before | {name}
        (item,) = client.send(calls.list_items(name)).items
        assert (item.key, item.text, item.output, item.source) == (name,) * 4
        assert name in client.send(calls.context(name, name, task="title")).text
        assert client.send(calls.say_summary(name, "title", name)).text == name.strip()
        client.send(calls.delete_summary(name, "title"))
        memory = client.send(calls.add_memory(Place(name, name, name), name, name, key=name, metadata={name: name}))
        assert (memory.user, memory.agent, memory.session, memory.observation) == (name,) * 4
        assert client.send(calls.get_memory(memory.id)) == memory
        client.send(calls.search_memories(Place(name, name, name), name))
        client.send(calls.delete_item(name, "title", name))
        client.send(calls.delete_user(name))
        assert {one.user for one in client.send(calls.list_users()).users} == before


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\0b", "x" * 201, "\u200b"])
def test_what_cannot_be_a_name_is_refused(service: Running, name: str) -> None:
    with service.client() as client:
        for call in (
            calls.put_items(name, [NewItem("title", "1", "a")]),
            calls.put_items("ann", [NewItem(name, "1", "a")]),
            calls.context(name, "a"),
            calls.add_memory(Place(name), "a"),
        ):
            with pytest.raises((ConfigError, NotFoundError)):
                client.send(call)
        assert name not in {one.user for one in client.send(calls.list_users()).users}


_BODIES: list[tuple[bytes, set[int]]] = [
    (b"", {422}),
    (b"{", {422}),
    (b"[" * 200_000, {400, 422}),
    (b'{"a":' * 100_000, {400, 422}),
    (b"\xff\xfe", {400, 422}),
    (b"null", {422}),
    (b"NaN", {422}),
    (b"9" * 10_000, {400, 422}),
    (json.dumps({"user": "ann", "query": "\ud800"}).encode(), {422}),
    (json.dumps({"user": "ann", "query": "a", "\ud800": "\ud800"}).encode(), {422}),
    (json.dumps({"user": "ann", "query": "a", "budget": 10**30}).encode(), {422}),
    (json.dumps({"user": "ann", "query": "a", "k": 1e400}).encode(), {422}),
    (json.dumps({"user": "ann", "query": " "}).encode(), {404, 422}),
    (json.dumps({"user": "ann", "query": "a", "task": "none"}).encode(), {422}),
]


@pytest.mark.parametrize(("body", "statuses"), _BODIES, ids=range(len(_BODIES)))
def test_bodies_that_cannot_be_used_are_told_as_problems(service: Running, body: bytes, statuses: set[int]) -> None:
    with service.http() as http:
        http.put("/v1/users/ann")
        reply = http.post("/v1/context", content=body, headers={"content-type": "application/json"})
        assert reply.status_code in statuses, reply.text
        _is_problem(reply)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00", "yesterday", 1e300]
)
def test_moments_that_are_none_are_refused(service: Running, moment: Any) -> None:
    with service.http() as http:
        item = {"task": "title", "key": "1", "text": "a", "at": moment}
        reply = http.post("/v1/users/ann/items", json={"items": [item]})
        assert reply.status_code == 422
        _is_problem(reply)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v1/users/ann/", 404),
        ("GET", "/v1/users/../../etc/passwd", 404),
        ("GET", "/v1/users/%2e%2e", 404),
        ("GET", "/v1/users/%ff%fe", 404),
        ("TRACE", "/v1/users", 405),
        ("PROPFIND", "/v1/users", 405),
        ("GET", "/v1/users?count=0", 422),
        ("GET", "/v1/users?count=9999999999999999999999", 422),
        ("GET", "/v1/users/ann/items?after=99999999999999999999", 422),
        ("GET", "/v1/memories?user=ann&before=-1", 422),
        ("GET", "/v1/users?after=" + "x" * 5_000, 422),
        ("GET", "/v1/jobs/%00", 404),
        ("GET", "/v1/memories/mem_%00", 404),
    ],
)
def test_paths_that_lead_nowhere_are_told_as_problems(service: Running, method: str, path: str, status: int) -> None:
    with service.http() as http:
        reply = http.request(method, path)
        assert reply.status_code == status, reply.text
        _is_problem(reply)


def test_more_items_than_allowed_are_refused(service: Running) -> None:
    with service.client() as client:
        items = [NewItem("title", str(n), "a") for n in range(1_001)]
        with pytest.raises(ConfigError, match="1000"):
            client.send(calls.put_items("ann", items))
        assert client.send(calls.put_items("many", items[:1000])).added == 1000


def test_a_request_that_is_too_large_is_refused_with_and_without_a_length(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", largest=1_000) as service, service.http() as http:
        headers = {"content-type": "application/json"}
        declared = http.post("/v1/context", content=b" " * 2_000, headers=headers)
        chunked = http.post("/v1/context", content=iter([b" " * 600, b" " * 600]), headers=headers)
        assert [declared.status_code, chunked.status_code] == [413, 413]
        _is_problem(declared)
        _is_problem(chunked)
        assert http.get("/v1/users").status_code == 200


def test_headers_hold_nothing_that_was_put_into_a_name(service: Running) -> None:
    with service.http() as http:
        reply = http.get("/v1/users/a%0d%0aset-cookie:%20b=c")
        assert reply.status_code == 404
        assert "set-cookie" not in reply.headers
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-type"] == "application/problem+json"
        assert len(reply.headers["x-request-id"]) == 16


def test_the_same_key_gets_the_same_reply_and_another_request_under_it_is_refused(service: Running) -> None:
    with service.client() as client, service.http() as http:
        items = [NewItem("title", "1", "a")]
        first = client.send(calls.put_items("eve", items, key="k"))
        assert client.send(calls.put_items("eve", items, key="k")) == first
        assert client.send(calls.put_items("eve", items)).same == 1
        with pytest.raises(ConfigError, match="Idempotency-Key"):
            client.send(calls.put_items("eve", [NewItem("title", "2", "a")], key="k"))
        one, two = (client.send(calls.refresh(key="r")) for _ in range(2))
        assert one.id == two.id
        with pytest.raises(ConfigError, match="Idempotency-Key"):
            client.send(calls.refresh(force=True, key="r"))
        again = http.post("/v1/refresh", json=_refresh_body(), headers={"idempotency-key": "r"})
        assert again.headers["idempotent-replayed"] == "true"


def _refresh_body() -> dict[str, Any]:
    return {"user": None, "tasks": [], "force": False, "older_than_days": None}


def _is_problem(reply: httpx.Response) -> None:
    assert reply.headers["content-type"] == "application/problem+json"
    told = reply.json()
    assert {"type", "title", "status", "detail"} <= told.keys()
    assert told["status"] == reply.status_code
    assert told["type"].startswith("urn:longdoc:problem:")
