"""Uploads and messages have bounds, and are read as they are meant."""

import asyncio
import json
from pathlib import Path

import httpx
import openai
import pytest
from starlette.types import Message, Receive, Scope, Send

from longdoc.app.service import openai_files
from longdoc.app.service.body_room import BodyRoom
from longdoc.engines.scripted import ScriptedEngine
from tests.service.answering import QUESTION, QUOTE, book, careful_reader
from tests.service.running import running
from tests.service.test_openai import ask, client_of, extra


def test_who_comes_when_there_is_no_room_is_asked_to_come_again() -> None:
    held: list[asyncio.Event] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        waiting = asyncio.Event()
        held.append(waiting)
        if scope["path"] == "/held":
            await waiting.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    room = BodyRoom(app, most_bytes=100)

    async def work() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(room), base_url="http://a") as http:
            first = asyncio.create_task(http.post("/held", content=b"x" * 80))
            while not held:
                await asyncio.sleep(0)
            full = await http.post("/v1/files", content=b"x" * 30)
            small = await http.post("/v1/files", content=b"x" * 20)
            held[0].set()
            assert (await first).status_code == 200
            alone = await http.post("/v1/files", content=b"x" * 200)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        assert full.json()["error"]["code"] == "busy"
        assert (small.status_code, alone.status_code) == (200, 200)

    asyncio.run(work())


def test_what_comes_in_pieces_counts_as_it_comes() -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(3):
            await receive()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"x" * 40, "more_body": True}

    async def send(message: Message) -> None:
        raise AssertionError

    async def work() -> None:
        room = BodyRoom(app, most_bytes=100)
        scope: Scope = {"type": "http", "path": "/", "headers": []}
        await room(scope, receive, send)
        blocked = BodyRoom(app, most_bytes=100)
        blocked._taken = 30  # pyright: ignore[reportPrivateUsage]
        with pytest.raises(Exception, match="reads as much as it can"):
            await blocked(scope, receive, send)
        assert blocked._taken == 30  # pyright: ignore[reportPrivateUsage]

    asyncio.run(work())


def test_files_and_messages_are_bounded_and_keep_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = f"<html><body>{'<p>A <b>bold</b> word.</p>' * 300}</body></html>"
    engine = ScriptedEngine(careful_reader)
    with (
        running(tmp_path / "a.db", engine=engine, keyless=False) as service,
        client_of(service, service.key("one")) as one,
        client_of(service, service.key("two")) as two,
    ):
        mine = one.files.create(file=("mine.md", book()), purpose="user_data")
        two.files.create(file=("Exhibit 7, Smith v. Jones.md", book()), purpose="user_data")
        parts = [{"type": "file", "file": {"file_id": mine.id}}, {"type": "text", "text": QUESTION}]
        (source,) = extra(ask(one, parts))["sources"]
        assert (source["quote"], source["title"]) == (QUOTE, "mine.md")
        engine.calls.clear()
        ask(one, f"Explain this page:\n\n{page}", extra_body={"longdoc": {"capability": "call"}})
        assert "<p>A <b>bold</b> word.</p>" in json.dumps([m.content for c in engine.calls for m in c.messages])
        ask(one, "What is said?\n\n{\\rtf1 " + "a word " * 1_000, extra_body={"longdoc": {"capability": "call"}})
        monkeypatch.setattr(openai_files, "MOST_OF_TENANT", len(book()) + 10)
        with pytest.raises(openai.BadRequestError, match="delete some first"):
            one.files.create(file=("more.txt", b"It rained all day."), purpose="user_data")
        one.files.delete(mine.id)
        one.files.create(file=("more.txt", b"It rained all day."), purpose="user_data")
