"""The official client of OpenAI asks the service: files, models, and answers with sources about texts of any length."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletion

from longdoc.app.bootstrap import open_records
from longdoc.documents.readers import read_bytes
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import EngineUnavailableError
from longdoc.storage.api_keys import Scope
from tests.service.answering import MODEL, QUESTION, QUOTE, book, careful_reader
from tests.service.running import Running, running

_PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0").decode()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Generator[Running, None, None]:
    path = Path(tmp_path_factory.mktemp("record")) / "a.db"
    with running(path, engine=ScriptedEngine(careful_reader)) as started:
        yield started


@pytest.fixture
def client(service: Running) -> Generator[OpenAI, None, None]:
    with client_of(service) as made:
        yield made


def client_of(service: Running, key: str = "none") -> OpenAI:
    return OpenAI(base_url=f"{service.address}/v1", api_key=key, max_retries=0, timeout=250)


def extra(completion: object) -> dict[str, Any]:
    """What longdoc tells beside OpenAI's fields."""
    return getattr(completion, "model_extra", None)["longdoc"]  # type: ignore[index]


def ask(client: OpenAI, content: object, *, model: str = MODEL, **more: Any) -> ChatCompletion:
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": content}], **more)  # type: ignore[call-overload,no-any-return]


def test_models_are_the_engines_alone_and_with_each_collection(client: OpenAI, service: Running) -> None:
    _collect(service, "tales", book())
    assert {one.id for one in client.models.list()} >= {MODEL, f"{MODEL}@tales"}
    assert client.models.retrieve(f"{MODEL}@tales").owned_by == "longdoc"
    with pytest.raises(openai.NotFoundError, match="there is no model"):
        client.models.retrieve("gpt-4o")
    with pytest.raises(openai.NotFoundError, match="there is no collection 'nothing'"):
        ask(client, "Who?", model=f"{MODEL}@nothing")


def test_a_file_is_uploaded_asked_about_and_deleted(client: OpenAI) -> None:
    file = client.files.create(file=("book.md", book()), purpose="user_data")
    assert (file.filename, file.bytes, file.status) == ("book.md", len(book()), "processed")
    assert client.files.retrieve(file.id) == file
    assert file.id in {one.id for one in client.files.list()}
    assert client.files.content(file.id).content == book()
    parts = [{"type": "file", "file": {"file_id": file.id}}, {"type": "text", "text": QUESTION}]
    completion = ask(client, parts)
    text = completion.choices[0].message.content or ""
    told = extra(completion)
    assert "[1]" in text.split("\n\n")[0]
    assert f"“{QUOTE}”" in text
    (source,) = told["sources"]
    assert (source["number"], source["quote"], source["file"]) == (1, QUOTE, file.id)
    assert told["route"][0]["capability"] == "ask"
    assert told["run_id"]
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0
    assert client.files.delete(file.id).deleted
    with pytest.raises(openai.NotFoundError, match="there is no file"):
        ask(client, parts)


def test_files_are_listed_in_pages(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, client_of(service) as client:
        made = [client.files.create(file=(f"{n}.txt", f"Text {n}.".encode()), purpose="user_data") for n in range(5)]
        listed = [one.id for one in client.files.list(limit=2, order="asc")]
        assert listed == [one.id for one in made]
        assert [one.id for one in client.files.list(limit=2)] == listed[::-1]
        assert list(client.files.list(purpose="batch")) == []


def test_the_same_answer_comes_in_a_stream(client: OpenAI) -> None:
    url = "data:text/markdown;base64," + base64.b64encode(book()).decode()
    parts = [{"type": "file", "file": {"filename": "b.md", "file_data": url}}, {"type": "text", "text": QUESTION}]
    whole = ask(client, parts)
    chunks = list(ask(client, parts, stream=True, stream_options={"include_usage": True}))  # type: ignore[call-overload]
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    assert len(pieces) > 5
    assert "".join(pieces) == whole.choices[0].message.content
    (last,) = [chunk for chunk in chunks if any(choice.finish_reason for choice in chunk.choices)]
    assert extra(last)["sources"] == extra(whole)["sources"]
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []


def test_a_long_text_in_a_message_is_a_document(client: OpenAI) -> None:
    told = extra(ask(client, f"{QUESTION}\n\n{book().decode()}"))
    assert [one["quote"] for one in told["sources"]] == [QUOTE]
    assert told["sources"][0]["file"] is None


def test_a_collection_is_asked_by_model_or_by_field(client: OpenAI, service: Running) -> None:
    _collect(service, "tales", book())
    by_model = extra(ask(client, QUESTION, model=f"{MODEL}@tales"))
    by_field = extra(ask(client, QUESTION, extra_body={"longdoc": {"collection": "tales"}}))
    assert [one["quote"] for one in by_model["sources"]] == [QUOTE]
    assert by_field["sources"] == by_model["sources"]
    messages = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": QUESTION}]
    beside = client.chat.completions.create(model=f"{MODEL}@tales", messages=messages)  # type: ignore[arg-type]
    assert extra(beside)["sources"] == by_model["sources"]
    assert "the system message does not count where documents are asked" in extra(beside)["warnings"]


def test_turns_before_count_and_lose_their_marks(tmp_path: Path) -> None:
    engine = ScriptedEngine(careful_reader)
    with running(tmp_path / "a.db", engine=engine) as service, client_of(service) as client:
        file = client.files.create(file=("book.md", book()), purpose="user_data")
        first = [{"type": "file", "file": {"file_id": file.id}}, {"type": "text", "text": QUESTION}]
        answer = ask(client, first).choices[0].message.content
        messages = [
            {"role": "user", "content": first},
            {"role": "assistant", "content": answer},
            {"role": "user", "content": "And where did she live?"},
        ]
        engine.calls.clear()
        client.chat.completions.create(model=MODEL, messages=messages)  # type: ignore[call-overload]
        prompts = "\n".join(message.content for call in engine.calls for message in call.messages)
    assert "And where did she live?" in prompts
    assert QUESTION in prompts
    assert "[1]" not in prompts


def test_without_documents_the_answer_comes_while_it_is_written(client: OpenAI) -> None:
    chunks = list(ask(client, "Say three words to me.", stream=True))  # type: ignore[call-overload]
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text.strip() == "Three words indeed."
    assert extra(chunks[-1])["sources"] == []


def test_an_answer_is_cut_at_stops_and_limits(client: OpenAI) -> None:
    stopped = ask(client, "Say three words to me.", stop=["indeed"]).choices[0]
    assert (stopped.message.content, stopped.finish_reason) == ("Three words ", "stop")
    cut = ask(client, "Say three words to me.", max_tokens=2).choices[0]
    assert (cut.message.content, cut.finish_reason) == ("Three wo", "length")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"n": 2}, "n: one answer"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"temperature": 3}, "temperature"),
        ({"extra_body": {"longdoc": {"colection": "a"}}}, "colection"),
        ({"extra_body": {"longdoc": {"capability": "sing"}}}, "there is no capability 'sing'"),
    ],
)
def test_what_cannot_be_done_is_said(client: OpenAI, more: dict[str, Any], message: str) -> None:
    with pytest.raises(openai.BadRequestError, match=message) as told:
        ask(client, "Who?", **more)
    assert told.value.type == "invalid_request_error"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"type": "image_url", "image_url": {"url": "http://a/b.png"}}], "image_url"),
        ([{"type": "file", "file": {"filename": "a", "file_data": "!"}}], "base64"),
        ([{"type": "file", "file": {}}], "file_id"),
        (
            [
                {
                    "type": "file",
                    "file": {"filename": "a.png", "file_data": _PNG},
                }
            ],
            "PNG",
        ),
        ("  ", "empty"),
    ],
)
def test_messages_that_cannot_be_read_are_refused(client: OpenAI, content: object, message: str) -> None:
    with pytest.raises(openai.BadRequestError, match=message):
        ask(client, content)


def test_unknown_fields_and_short_system_messages_do_no_harm(client: OpenAI) -> None:
    messages = [
        {"role": "system", "content": "You are brief."},
        {"role": "user", "content": "Say three words to me.", "name": "ann", "x": 1},
    ]
    made = client.chat.completions.create(  # type: ignore[call-overload]
        model="longdoc", messages=messages, temperature=0.7, top_p=1, seed=1, user="u", extra_body={"foo": [1]}
    )
    assert made.choices[0].message.content == "Three words indeed."
    assert made.model == MODEL


def test_errors_have_openais_shape_on_its_routes_alone(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", keyless=False) as service:
        with service.http() as http:
            http.timeout = 250
            replies = [http.get("/v1/models"), http.post("/v1/chat/completions"), http.get("/v1/files/x")]
            other = http.get("/v1/users")
        key = service.key("one", frozenset({Scope.READ}))
        with service.http(key) as http:
            http.timeout = 250
            forbidden = http.post("/v1/chat/completions", json={"model": "longdoc", "messages": []})
            missing = http.get("/v1/files/x")
            wrong = http.get("/v1/files", params={"limit": 0})
    assert [reply.status_code for reply in replies] == [401] * 3
    assert {reply.json()["error"]["code"] for reply in replies} == {"invalid_api_key"}
    assert other.headers["content-type"] == "application/problem+json"
    assert (forbidden.status_code, forbidden.json()["error"]["type"]) == (403, "permission_error")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (400, "invalid_request_error")


def test_files_and_collections_are_the_tenants(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", engine=ScriptedEngine(careful_reader), keyless=False) as service:
        _collect(service, "tenant:one:tales", book())
        _collect(service, "mine", book())
        with client_of(service, service.key("one")) as one, client_of(service, service.key("two")) as two:
            file = one.files.create(file=("book.md", book()), purpose="user_data")
            parts = [{"type": "file", "file": {"file_id": file.id}}, {"type": "text", "text": QUESTION}]
            assert extra(ask(one, parts))["sources"]
            assert [model.id for model in one.models.list()] == [MODEL, f"{MODEL}@tales"]
            assert [model.id for model in two.models.list()] == [MODEL]
            assert list(two.files.list()) == []
            for attempt in (
                lambda: ask(two, parts),
                lambda: two.files.retrieve(file.id),
                lambda: two.files.content(file.id),
                lambda: two.files.delete(file.id),
                lambda: two.files.list(after=file.id),
                lambda: ask(two, QUESTION, model=f"{MODEL}@tales"),
                lambda: ask(one, QUESTION, model=f"{MODEL}@mine"),
            ):
                with pytest.raises(openai.NotFoundError):
                    attempt()
        with client_of(service, service.key("local")) as local:
            assert [model.id for model in local.models.list()] == [MODEL, f"{MODEL}@mine"]
            with pytest.raises(openai.NotFoundError):
                ask(local, QUESTION, model=f"{MODEL}@tenant:one:tales")


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_stops_the_work(tmp_path: Path, stream: bool) -> None:
    engine = ScriptedEngine(careful_reader, delay=200)
    with running(tmp_path / "a.db", engine=engine) as service:
        body = {"model": MODEL, "messages": [{"role": "user", "content": "Say three words."}], "stream": stream}

        async def leave() -> None:
            async with httpx.AsyncClient(base_url=service.address) as http:
                work = asyncio.create_task(_read(http, body))
                while not engine.calls:
                    await asyncio.sleep(0.02)
                work.cancel()
                await asyncio.wait([work])

        asyncio.run(leave())
        deadline = time.monotonic() + 150
        while _running(service):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert set(_statuses(service)) == {"interrupted"}


async def _read(http: httpx.AsyncClient, body: dict[str, Any]) -> None:
    async with http.stream("POST", "/v1/chat/completions", json=body, timeout=250) as reply:
        async for _ in reply.aiter_lines():
            pass


def _running(service: Running) -> bool:
    return "running" in _statuses(service)


def _statuses(service: Running) -> Sequence[str]:
    async def look() -> list[str]:
        async with open_records(service.settings) as records:
            return [str(run.status) for run in await records.runs.list()]

    result: list[str] = []
    thread = threading.Thread(target=lambda: result.extend(asyncio.run(look())))
    thread.start()
    thread.join()
    return result


def _collect(service: Running, name: str, data: bytes) -> None:
    async def store() -> None:
        async with open_records(service.settings) as records:
            document = read_bytes(data, name="book.md")
            await records.documents.save(document)
            await records.collections.add(name, [document.id])

    asyncio.run(store())


def test_an_engine_that_fails_in_a_stream_is_told_as_an_error(tmp_path: Path) -> None:
    def broken(request: CompletionRequest) -> str:
        raise EngineUnavailableError("at 10.0.0.1 nobody answers")

    with running(tmp_path / "a.db", engine=ScriptedEngine(broken)) as service, client_of(service) as client:
        with pytest.raises(openai.InternalServerError, match="does not answer"):
            ask(client, "Say three words.")
        with pytest.raises(openai.APIError, match="does not answer") as told:
            list(ask(client, "Say three words.", stream=True))  # type: ignore[call-overload]
    assert "10.0.0.1" not in json.dumps(told.value.body)
