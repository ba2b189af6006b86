"""Users of the service: what goes with one, what comes back of nobody, pages of long items, events with odd signs."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from longdoc.app.service.replies import event_bytes
from longdoc.client import Client, calls
from longdoc.client.calls import NewItem, Place
from longdoc.client.replies import Answer, Piece
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import ConfigError, NotFoundError, ServiceError
from tests.app.personalizing import reader
from tests.service.running import running

_ITEMS = [NewItem("title", str(n), f"text {n}", "Fix it") for n in range(4)]
_ODD = "one\x85two\u2028three\u2029four\x0bfive\x1csix"


def test_with_a_user_all_that_is_remembered_of_it_goes(tmp_path: Path) -> None:
    mark = "Xylophonquark"
    with running(tmp_path / "a.db") as service:
        one, other = (service.client(service.key(name)) for name in ("one", "other"))
        with one, other:
            for client in (one, other):
                client.send(calls.put_items("ann", _ITEMS))
                for place in (Place("ann"), Place("ann", "shop", "s"), Place("bob")):
                    client.send(calls.add_memory(place, f"{mark if client is one else 'It'} is known"))
                    assert client.send(calls.search_memories(place, "known")).found
            one.send(calls.delete_user("ann"))
            for place in (Place("ann"), Place("ann", "shop", "s")):
                for call in (calls.list_memories(place), calls.search_memories(place, mark)):
                    with pytest.raises(NotFoundError):
                        one.send(call)
                assert other.send(calls.list_memories(place)).memories
            one.send(calls.delete_memories("bob"))
            assert other.send(calls.search_memories(Place("bob"), "known")).found
            for call in (calls.delete_memories("bob"), calls.delete_user("ann")):
                with pytest.raises(NotFoundError):
                    one.send(call)
            one.send(calls.add_memory(Place("eve"), "Who has memories alone is deleted, too."))
            one.send(calls.delete_user("eve"))
    left = [file for file in tmp_path.rglob("*") if file.is_file() and mark.encode() in file.read_bytes()]
    assert left == []


def test_a_user_that_is_deleted_while_an_engine_opens_is_not_made_again(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as client:
        client.send(calls.put_items("ann", _ITEMS))
        parts = service.app.state.parts
        opened = parts.workspace.opened

        async def slowly() -> Any:
            profiles = parts.library.records.profiles
            tenant = await profiles.tenant("local")
            await profiles.delete(await profiles.get(tenant.id, "ann"))
            return await opened()

        parts.workspace.opened = slowly
        with pytest.raises(NotFoundError, match="no user 'ann'"):
            client.send(calls.personalize("ann", "a", task="title"))
        assert client.send(calls.list_users()).users == []


def test_items_and_moments_can_be_left_out(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as client:
        client.send(calls.put_items("ann", _ITEMS))
        found = client.send(calls.context("ann", "text 1", task="title", without=["1"]))
        assert {one.key for one in found.items} == {"0", "2", "3"}
        answer = client.send(calls.personalize("ann", "text 1", task="title", without=["0", "1", "2"]))
        assert [one.key for one in answer.context.items] == ["3"]
        with service.http() as http:
            body = {"user": "ann", "query": "text", "task": "title", "before": "2020-01-01T00:00:00Z"}
            told = http.post("/v1/context", json=body).json()
            assert (told["items"], told["reason"]) == ([], "all that is known of the user is left out, as asked")
            assert http.post("/v1/context", json=body | {"before": "2020-01-01"}).status_code == 422


def test_pages_of_long_items_are_shorter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("longdoc.storage.profile_rows", "longdoc.app.service.users"):
        monkeypatch.setattr(f"{module}.MOST_CHARACTERS", 3_000)
    with running(tmp_path / "a.db") as service, service.client() as client:
        client.send(calls.put_items("ann", [NewItem("title", str(n), "x" * 1_000) for n in range(7)]))
        pages, after = list[int](), 0
        while True:
            page = client.send(calls.list_items("ann", after=after))
            pages.append(len(page.items))
            if page.next is None:
                break
            after = page.next
    assert pages == [3, 3, 1]


def test_what_a_person_says_has_a_task_and_says_something(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as client:
        client.send(calls.put_items("ann", _ITEMS))
        with pytest.raises(ConfigError, match="no task"):
            client.send(calls.say_summary("ann", "nothing", "Said."))
        with pytest.raises(ConfigError, match="says something"):
            client.send(calls.say_summary("ann", "title", "  "))
        said = client.send(calls.say_summary("ann", "title", "Said."))
        assert (said.items_seen, said.edited, said.model) == (4, True, "person")


def test_signs_that_end_lines_elsewhere_come_through_a_stream(tmp_path: Path) -> None:
    def answer(request: CompletionRequest) -> str:
        return reader(request) if request.origin is None else _ODD

    with running(tmp_path / "a.db", engine=ScriptedEngine(answer)) as service, service.client() as client:
        client.send(calls.put_items("ann", [NewItem("rewrite", "1", _ODD)]))
        told = list(client.stream(calls.personalize_in_pieces("ann", "a text", task="rewrite")))
    whole = told[-1]
    assert isinstance(whole, Answer)
    assert whole.text == _ODD == "".join(one.text for one in told if isinstance(one, Piece))
    assert whole.context.items[0].text == _ODD


def test_events_are_one_line_for_whoever_splits_them() -> None:
    data = json.dumps(_ODD, ensure_ascii=False).encode()
    lines = event_bytes("text", data).decode().splitlines()
    assert lines[0] == "event: text"
    assert json.loads(lines[1].removeprefix("data: ")) == _ODD


@pytest.mark.parametrize("size", [1, 3, 1_000])
def test_events_are_read_whatever_pieces_they_come_in(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = b"".join(f"event: text\r\ndata: {json.dumps({'text': one})}\r\n\r\n".encode() for one in ("a", "b c"))
    everything = sent + b'event: text\ndata: {"text": "' + "one\u2028two\x85".encode() + b'"}\n\n'
    _replying(monkeypatch, *(everything[at : at + size] for at in range(0, len(everything), size)))
    with Client("http://service") as client:
        told = list(client.stream(calls.personalize_in_pieces("ann", "a")))
    assert [one.text for one in told] == ["a", "b c", "one\u2028two\x85"]


@pytest.mark.parametrize("data", [b'{"user": 1}', b"<html>", b""])
def test_what_is_no_reply_of_the_service_is_told(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    _replying(monkeypatch, data)
    with Client("http://service") as client, pytest.raises(ServiceError, match="cannot be read") as told:
        client.send(calls.get_user("ann"))
    assert told.value.kind == "unreadable"


@pytest.mark.parametrize("name", [b"text", b"problem"])
def test_what_is_no_event_of_the_service_is_told(name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    _replying(monkeypatch, b"event: " + name + b"\ndata: {}\n\n")
    with Client("http://service") as client, pytest.raises(ServiceError, match="cannot be read"):
        list(client.stream(calls.personalize_in_pieces("ann", "a")))


def _replying(monkeypatch: pytest.MonkeyPatch, *pieces: bytes) -> None:
    """Have something that is no service reply to every request."""

    def reply(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        del self, request
        return httpx.Response(200, content=iter(pieces))

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", reply)
