"""Over HTTP the tools show the tenant `local` what is its own, and nothing that other tenants stored."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from longdoc.app.bootstrap import open_records
from longdoc.app.mcp.http import create_mcp_app
from longdoc.app.service.server import make_server
from longdoc.documents.readers import read_bytes
from longdoc.engines.scripted import ScriptedEngine
from tests.service.answering import MODEL, book, careful_reader
from tests.service.running import Running, make_key, running, serving, settings_for

_SECRET = b"# Contract\n\nThe price of Xylophonquark is nine.\n"


def test_tools_over_http_show_nothing_of_other_tenants(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    own = read_bytes(book(), name="own.md")
    with running(database, engine=ScriptedEngine(careful_reader), keyless=False) as service:
        foreign, pasted = _of_acme(service)
        with service.http(service.key("local")) as http:
            local = http.post("/v1/files", files={"file": ("mine.txt", b"This is mine.")}).json()["longdoc_document"]
    asyncio.run(_collect(database, "tales", own.id))
    app = create_mcp_app(settings_for(database), keyless=False, engine=ScriptedEngine(careful_reader))
    _, key = make_key(database, "local")

    async def work(url: str) -> None:
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {key}"}, timeout=250) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            listed = await _call(client, "list_documents")
            assert {one["id"] for one in listed["documents"]} == {own.id, local}
            assert listed["total"] == 2
            assert {one["title"] for one in listed["documents"]} == {"own.md", "mine.txt"}
            collections = await _call(client, "list_collections")
            assert ([one["name"] for one in collections["collections"]], collections["next"]) == (["tales"], None)
            for document in (foreign, pasted):
                for name, arguments in (
                    ("read_range", {"document": document}),
                    ("list_sections", {"document": document}),
                    ("ask", {"question": "What is the price?", "documents": [document]}),
                    ("check", {"claims": ["It is nine."], "documents": [document]}),
                    ("start_summary", {"document": document}),
                ):
                    await _refused(client, name, arguments, f"there is no document '{document}'")
            none = "there is no collection 'tenant:acme:books'"
            await _refused(client, "ask", {"question": "What is it?", "collection": "tenant:acme:books"}, none)
            await _refused(client, "check", {"claims": ["It is."], "collection": "tenant:acme:books"}, none)
            await _refused(client, "list_documents", {"collection": "tenant:acme:books"}, none)
            assert (await _call(client, "read_range", document=local))["text"] == "This is mine."

    with serving(make_server(app, ready=lambda: None)) as started:
        asyncio.run(work(f"{started}/mcp"))


def _of_acme(service: Running) -> tuple[str, str]:
    """The ids of a document that acme uploaded, and of one that it pasted into a chat; it has a collection, too."""
    with service.http(service.key("acme")) as http:
        http.timeout = 250
        foreign = http.post("/v1/files", files={"file": ("contract.md", _SECRET)}).json()["longdoc_document"]
        text = "Xylophonquark costs nine.\n\n" * 300
        body = {"model": MODEL, "messages": [{"role": "user", "content": f"What does it cost?\n\n{text}"}]}
        assert http.post("/v1/chat/completions", json=body).status_code == 200
    asyncio.run(_collect(service.database, "tenant:acme:books", foreign))

    async def newest() -> str:
        async with open_records(settings_for(service.database)) as records:
            found, _ = await records.documents.list(10)
            return next(one.id for one in found if one.id != foreign)

    return foreign, asyncio.run(newest())


async def _collect(database: Path, name: str, document: str) -> None:
    async with open_records(settings_for(database)) as records:
        if name == "tales":
            await records.documents.save(read_bytes(book(), name="own.md"))
        await records.collections.add(name, [document])


async def _call(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    reply = await client.call_tool(name, arguments)
    assert not reply.is_error, reply.content
    assert reply.structured_content is not None
    return reply.structured_content


async def _refused(client: Client, name: str, arguments: dict[str, Any], message: str) -> None:
    reply = await client.call_tool(name, arguments)
    assert reply.is_error, (name, arguments)
    assert message in str(reply.content), (name, reply.content)
