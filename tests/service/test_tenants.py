"""Nobody reaches what is another tenant's, on any route."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from longdoc.app.bootstrap import open_records
from longdoc.client import Client, calls
from longdoc.client.calls import NewItem, Place
from longdoc.documents.readers import read_bytes
from tests.service.running import Running, running

_OPEN = {("GET", "/health"), ("GET", "/ready"), ("GET", "/metrics")}
_OWN = {
    ("GET", "/v1/users"),
    ("POST", "/v1/users/{user}/items"),
    ("PUT", "/v1/users/{user}"),
    ("POST", "/v1/memories"),
    ("GET", "/v1/files"),
    ("POST", "/v1/files"),
    ("GET", "/v1/models"),
}
"""Routes that list what is the caller's own, or make it."""
_PLACE = {"user": "ann", "agent": "shop", "session": "s"}
_MARK = "Xylophonquark"

_CHAT = {
    "model": "longdoc@tales",
    "messages": [{"role": "user", "content": "Summarize it."}],
    "longdoc": {"capability": "summarize"},
}

_REQUESTS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("GET", "/v1/users/{user}"): {},
    ("PATCH", "/v1/users/{user}"): {"json": {"enabled": False}},
    ("GET", "/v1/users/{user}/items"): {},
    ("DELETE", "/v1/users/{user}/items"): {"params": {"task": "title", "key": "1"}},
    ("GET", "/v1/users/{user}/summaries"): {},
    ("PUT", "/v1/users/{user}/summaries/{task}"): {"json": {"text": "nothing", "locked": True}},
    ("POST", "/v1/context"): {"json": {"user": "ann", "query": "door", "task": "title"}},
    ("POST", "/v1/personalize"): {"json": {"user": "ann", "query": "door", "task": "title"}},
    ("POST", "/v1/refresh"): {"json": {"user": "ann"}},
    ("GET", "/v1/jobs/{id}"): {},
    ("GET", "/v1/jobs/{id}/events"): {},
    ("DELETE", "/v1/jobs/{id}"): {},
    ("GET", "/v1/memories"): {"params": _PLACE},
    ("GET", "/v1/memories/{id}"): {},
    ("GET", "/v1/memories/{id}/history"): {},
    ("POST", "/v1/search"): {"json": {**_PLACE, "query": "door"}},
    ("PUT", "/v1/memories/{id}"): {"json": {"observation": "nothing"}},
    ("GET", "/v1/models/{id}"): {},
    ("GET", "/v1/files/{id}"): {},
    ("GET", "/v1/files/{id}/content"): {},
    ("POST", "/v1/chat/completions"): {"json": _CHAT},
    ("DELETE", "/v1/files/{id}"): {},
    ("DELETE", "/v1/users/{user}/summaries/{task}"): {},
    ("DELETE", "/v1/memories/{id}"): {},
    ("DELETE", "/v1/memories"): {"params": {"user": "ann"}},
    ("DELETE", "/v1/users/{user}"): {},
}
"""A request that works for whoever owns what it is about, for each route; those that delete come last."""


def test_every_route_is_known_here(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service:
        paths: dict[str, dict[str, Any]] = service.app.openapi()["paths"]
        routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert routes == _OPEN | _OWN | _REQUESTS.keys()


def test_what_is_another_tenants_is_not_found_on_any_route(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", keyless=False) as service:
        mine, theirs = service.key("one"), service.key("other")
        with service.client(mine) as client:
            names = _stored(client) | _with_files(service, mine, "one")
        with service.http(theirs) as http:
            asked = {route: _send(http, route, names) for route in _REQUESTS}
            own = http.get("/v1/users").json()
        with service.http(mine) as http:
            before = http.get("/v1/users/ann/items").json()
            controls = {route: _send(http, route, names).status_code for route in _REQUESTS}
    assert {route: reply.status_code for route, reply in asked.items()} == dict.fromkeys(_REQUESTS, 404)
    assert not any(_MARK in reply.text for reply in asked.values())
    assert own == {"users": [], "next": None}
    assert len(before["items"]) == 4
    assert all(200 <= status < 300 for status in controls.values()), controls


def test_equal_names_of_two_tenants_are_two_users(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", keyless=False) as service:
        for tenant, word in (("one", "Fix"), ("other", "Paint")):
            with service.client(service.key(tenant)) as client:
                client.send(calls.put_items("ann", [NewItem("title", "1", "a door", f"{word} the door")]))
                client.send(calls.add_memory(Place("ann"), f"{word} is my word"))
                shown = client.send(calls.context("ann", "a door", task="title"))
                found = client.send(calls.search_memories(Place("ann"), "my word"))
                assert word in shown.text
                assert [one.memory.observation for one in found.found] == [f"{word} is my word"]


@pytest.mark.parametrize("agent", ["tenant:2:default", "tenant:1:x"])
def test_no_agent_of_the_local_tenant_is_named_like_one_of_another(tmp_path: Path, agent: str) -> None:
    with running(tmp_path / "a.db") as service, service.http() as http:
        assert http.post("/v1/memories", json={"user": "a", "agent": agent, "observation": "b"}).status_code == 422
        assert http.get("/v1/memories", params={"user": "a", "agent": agent}).status_code == 422


def _stored(client: Client) -> dict[str, str]:
    """Something of every kind, and the ids it has."""
    items = [NewItem("title", str(n), f"{_MARK} {n}", f"{_MARK} it") for n in range(4)]
    client.send(calls.put_items("ann", items))
    client.send(calls.say_summary("ann", "title", f"Titles begin with {_MARK}."))
    memory = client.send(calls.add_memory(Place(**_PLACE), f"the door of {_MARK}"))
    client.send(calls.edit_memory(memory.id, f"a door of {_MARK}"))
    job = client.send(calls.refresh("ann"))
    assert list(client.stream(calls.hear_job(job.id)))[-1].status == "done"
    return {"user": "ann", "task": "title", "memories": memory.id, "jobs": job.id}


def _with_files(service: Running, key: str, tenant: str) -> dict[str, str]:
    """A file, and a collection that the tenant may ask, of a book."""

    async def collect() -> None:
        async with open_records(service.settings) as records:
            document = read_bytes(f"{_MARK} went home. It was late.".encode(), name="a.txt")
            await records.documents.save(document)
            await records.collections.add(f"tenant:{tenant}:tales", [document.id])

    asyncio.run(collect())
    with service.http(key) as http:
        made = http.post("/v1/files", files={"file": ("a.txt", f"{_MARK} came.".encode())}).json()
    return {"files": made["id"], "models": "longdoc@tales"}


def _send(http: httpx.Client, route: tuple[str, str], names: Mapping[str, str]) -> httpx.Response:
    method, path = route
    kind = path.split("/")[2] if "{id}" in path else ""
    return http.request(method, path.format(id=names.get(kind, ""), **names), **_REQUESTS[route])


def test_a_tenant_sees_no_more_of_ids_than_that_they_are_not_there(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", keyless=False) as service:
        names = _with_names(service)
        with service.http(service.key("other")) as http:
            foreign = http.get(f"/v1/memories/{names['memories']}")
            made_up = [http.get(f"/v1/memories/{one}") for one in ("mem_", "mem_AAAA", "x", "mem_" + "_" * 22, "ä")]
    assert {reply.status_code for reply in (foreign, *made_up)} == {404}
    assert {reply.text for reply in made_up} == {foreign.text}


def _with_names(service: Running) -> dict[str, str]:
    with service.client(service.key("one")) as client:
        return _stored(client)
