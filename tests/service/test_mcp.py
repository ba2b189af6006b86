"""The official MCP client lists the tools and calls each of them, over a pipe and over HTTP."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Coroutine, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from longdoc.app.bootstrap import open_records
from longdoc.app.mcp.http import create_mcp_app
from longdoc.app.service.server import make_server
from longdoc.documents.readers import read_bytes
from longdoc.engines.scripted import ScriptedEngine
from longdoc.storage.api_keys import Scope
from tests.service.answering import FACT, QUESTION, QUOTE, book, careful_reader
from tests.service.running import make_key, serving, settings_for

_TOOLS = {
    "add_memory",
    "ask",
    "check",
    "follow_summary",
    "list_collections",
    "list_documents",
    "list_sections",
    "read_range",
    "search_memories",
    "start_summary",
}


def _run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "book.md").write_bytes(book())
    return tmp_path


@asynccontextmanager
async def over_stdio(folder: Path) -> AsyncGenerator[Client, None]:
    command = ["-m", "longdoc", "mcp", "--engine", "scripted", "--database", str(folder / "a.db")]
    parameters = StdioServerParameters(command=sys.executable, args=command, env=_environment(folder))
    async with Client(parameters, read_timeout_seconds=250) as client:
        yield client


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return {**kept, "HOME": str(folder), "LDA_LOG": ""}


@pytest.fixture
def address(folder: Path) -> Generator[str, None, None]:
    app = create_mcp_app(settings_for(folder / "a.db"), keyless=True, engine=ScriptedEngine(careful_reader))
    with serving(make_server(app, ready=lambda: None)) as started:
        yield f"{started}/mcp"


async def call(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    """The structured output of a tool."""
    reply = await client.call_tool(name, arguments)
    assert not reply.is_error, reply.content
    assert reply.structured_content is not None
    return reply.structured_content


def test_a_program_that_starts_the_server_can_use_every_tool(folder: Path) -> None:
    async def work() -> None:
        async with over_stdio(folder) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert tools.keys() == _TOOLS | {"add_document"}
            for tool in tools.values():
                assert tool.annotations is not None
                assert tool.annotations.destructive_hint is not True
                assert tool.output_schema is not None
                assert tool.description
            assert tools["read_range"].annotations.read_only_hint  # type: ignore[union-attr]
            assert not tools["add_memory"].annotations.read_only_hint  # type: ignore[union-attr]
            added = await call(client, "add_document", path=str(folder / "book.md"), collection="tales")
            assert added["new"]
            again = await call(client, "add_document", path=str(folder / "book.md"))
            assert not again["new"]
            await _use(client, added["document"]["id"])
            wrong = await client.call_tool("add_document", {"path": str(folder / "none.md")})
            assert wrong.is_error
            assert "there is no such file" in str(wrong.content)

    _run(work())


def test_a_client_over_http_can_use_every_tool_but_files(folder: Path, address: str) -> None:
    document = _stored(folder)

    async def work() -> None:
        async with Client(address, read_timeout_seconds=250) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == _TOOLS
            await _use(client, document)
            lines: list[str | None] = []

            async def heard(progress: float, total: float | None, message: str | None) -> None:
                lines.append(message)

            reply = await client.call_tool(
                "ask", {"question": QUESTION, "documents": [document]}, progress_callback=heard
            )
            told = reply.structured_content
            assert told is not None
            assert [one["quote"] for one in told["sources"]] == [QUOTE]
            assert f"“{QUOTE}”" in told["text"]
            checked = await call(client, "check", claims=[FACT], collection="tales")
            assert FACT in checked["text"]
            assert any(lines)

    _run(work())


async def _use(client: Client, document: str) -> None:
    """Every tool that there is over both ways, called with what works for it."""
    listed = await call(client, "list_documents")
    assert [one["id"] for one in listed["documents"]] == [document]
    assert listed == await call(client, "list_documents", collection="tales")
    (collection,) = (await call(client, "list_collections"))["collections"]
    assert (collection["name"], collection["documents"]) == ("tales", 1)
    sections = await call(client, "list_sections", document=document[:12], count=3)
    assert (len(sections["sections"]), sections["next"]) == (3, 3)
    first = await call(client, "read_range", document=document, start=sections["sections"][1]["start"], length=50)
    assert first["text"].startswith("Chapter 1")
    assert first["next"] == first["end"] == first["start"] + 50
    answered = await call(client, "ask", question=QUESTION, documents=[document])
    assert answered["run"]
    assert answered["text"]
    assert (await call(client, "check", claims=["The sea was calm."], collection="tales"))["run"]
    started = await call(client, "start_summary", document=document, words=100)
    assert started["job"]
    state = started
    for _ in range(20):
        state = await call(client, "follow_summary", job=started["job"], wait_seconds=10)
        if state["status"] != "running":
            break
    assert state["status"] == "done", state
    assert state["text"]
    assert (await call(client, "start_summary", document=document, words=100))["status"] == "done"
    memory = await call(client, "add_memory", text="Kiki is my cat.", user="ann", key="1")
    assert memory["number"] == 1
    found = await call(client, "search_memories", query="What is my cat called?", user="ann")
    assert [one["text"] for one in found["memories"]] == ["Kiki is my cat."]
    assert (await call(client, "search_memories", query="cat", user="nobody"))["memories"] == []
    for name, arguments, message in (
        ("read_range", {"document": "zzz"}, "no document"),
        ("read_range", {"document": document, "start": 10**9}, "start before its end"),
        ("ask", {"question": "Who?"}, "name either documents"),
        ("ask", {"question": "Who?", "collection": "none"}, "no collection"),
        ("ask", {"question": "Who?", "documents": [document], "strategy": "x"}, "no strategy"),
        ("follow_summary", {"job": "x"}, "start it again"),
        ("read_range", {"document": document, "length": 10**6}, "20000"),
    ):
        reply = await client.call_tool(name, arguments)
        assert reply.is_error
        assert message in str(reply.content), (name, reply.content)


def test_over_http_a_key_is_held_to_its_tenant_and_scopes(folder: Path) -> None:
    database = folder / "a.db"
    _, foreign = make_key(database, "acme")
    _, reading = make_key(database, "local", frozenset({Scope.READ}))
    app = create_mcp_app(settings_for(database), keyless=False, engine=ScriptedEngine(careful_reader))

    async def work(url: str) -> None:
        headers = {"authorization": f"Bearer {reading}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=250) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert (await call(client, "list_documents"))["documents"] == []
            reply = await client.call_tool("add_memory", {"text": "a", "user": "ann"})
            assert reply.is_error
            assert "the key has no scope 'write'" in str(reply.content)

    with serving(make_server(app, ready=lambda: None)) as started:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
        statuses = [
            httpx.post(f"{started}/mcp", json=body, headers=headers, timeout=250).status_code
            for headers in ({}, {"authorization": f"Bearer {foreign}"})
        ]
        assert statuses == [401, 403]
        _run(work(f"{started}/mcp"))


def test_without_a_key_pages_of_elsewhere_are_refused(address: str) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
        assert httpx.post(address, json=body, headers=headers, timeout=250).status_code == 403


def test_the_wide_world_is_refused_without_a_key(folder: Path) -> None:
    arguments = ["mcp", "--http", "--host", "0.0.0.0", "--engine", "scripted", "--database", str(folder / "a.db")]
    command = [sys.executable, "-m", "longdoc", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=_environment(folder))
    assert done.returncode == 2
    assert "make one: lda keys create" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130), (None, 0)])
def test_over_stdio_a_signal_or_the_end_of_input_ends_it_cleanly(
    folder: Path, number: signal.Signals | None, code: int
) -> None:
    arguments = [sys.executable, "-m", "longdoc", "mcp", "--engine", "scripted", "--database", str(folder / "a.db")]
    initialize = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "1"},
        },
    }
    with subprocess.Popen(
        arguments,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(folder),
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(initialize) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        assert answer["result"]["serverInfo"]["name"] == "longdoc"
        if number is None:
            process.stdin.close()
        else:
            process.send_signal(number)
        assert process.wait(120) == code
        assert process.stdout.read() == ""
        assert "Traceback" not in process.stderr.read()


def _stored(folder: Path) -> str:
    async def store() -> str:
        async with open_records(settings_for(folder / "a.db")) as records:
            document = read_bytes(book(), name="book.md")
            await records.documents.save(document)
            await records.collections.add("tales", [document.id])
            return document.id

    return asyncio.run(store())
