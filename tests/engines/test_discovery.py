"""Servers are found and understood by what they answer."""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from longdoc.engines.discovery import probe_local_servers
from longdoc.engines.engine import EngineInfo
from longdoc.engines.openai import OpenAIEngine
from longdoc.errors import ConfigError
from tests.servers.openai_server import MODEL, OpenAIServer
from tests.servers.serving import serving


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    answers: Mapping[str, object]


class _Canned(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
        """Say nothing."""

    def do_GET(self) -> None:
        assert isinstance(self.server, _Http)
        answer = self.server.answers.get(self.path)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(404 if answer is None else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()


@contextmanager
def canned(answers: Mapping[str, object]) -> Generator[str, None, None]:
    """A server with an answer for each path."""
    http = _Http(("127.0.0.1", 0), _Canned)
    http.answers = answers
    with serving(http) as url:
        yield url


def connected(url: str, model: str | None = None) -> EngineInfo:
    async def run() -> EngineInfo:
        engine = await OpenAIEngine.connect(url, model=model)
        await engine.aclose()
        return engine.info

    return asyncio.run(run())


def listing(*names: str, owner: str) -> object:
    return {"object": "list", "data": [{"id": name, "owned_by": owner} for name in names]}


def test_only_servers_that_answer_are_found_in_their_order() -> None:
    with OpenAIServer() as first, OpenAIServer() as second, canned({"/": b"<html>hello"}) as web:
        urls = [
            ("a", first.base_url),
            ("nobody", "http://127.0.0.1:9/v1"),
            ("web", f"{web}/v1"),
            ("b", second.base_url),
        ]
        found = asyncio.run(probe_local_servers(urls))
    assert [(server.name, server.models) for server in found] == [("a", (MODEL,)), ("b", (MODEL,))]


def test_a_server_without_models_is_of_no_use() -> None:
    with canned({"/v1/models": {"object": "list", "data": None}}) as url:
        assert asyncio.run(probe_local_servers([("empty", f"{url}/v1")])) == []


@pytest.mark.parametrize("url", ["nonsense", "http://[broken", "ftp://127.0.0.1"])
def test_probing_never_raises(url: str) -> None:
    assert asyncio.run(probe_local_servers([("x", url)])) == []


def test_ollama_is_taken_at_the_window_it_loaded() -> None:
    answers = {
        "/v1/models": listing("llama3:latest", owner="library"),
        "/api/ps": {"models": [{"name": "llama3:latest", "context_length": 16384}]},
        "/api/tags": {"models": [{"name": "llama3:latest", "digest": "365c0bd3c000a25d28ddbf732fe1c6add414de72"}]},
    }
    with canned(answers) as url:
        info = connected(url, model="llama3")
    assert (info.model, info.context_window) == ("llama3:latest", 16384)
    assert info.identity == "llama3:latest@365c0bd3c000a25d", "a model pulled anew under its name is another one"


@pytest.mark.parametrize(
    ("parameters", "window"), [('stop  "<|x|>"\nnum_ctx                        32768', 32768), ("", 4096)]
)
def test_ollama_is_not_believed_to_use_the_whole_window(parameters: str, window: int) -> None:
    answers = {
        "/v1/models": listing("m", owner="library"),
        "/api/ps": {"models": []},
        "/api/show": {"parameters": parameters, "model_info": {"llama.context_length": 131072, "tokens": None}},
    }
    with canned(answers) as url:
        assert connected(url).context_window == window


def test_lm_studio_serves_the_model_it_has_loaded() -> None:
    answers = {
        "/v1/models": listing("embedder", "one", "two", owner="organization_owner"),
        "/api/v0/models": {
            "data": [
                {"id": "embedder", "type": "embeddings", "state": "loaded"},
                {"id": "one", "type": "llm", "state": "not-loaded", "max_context_length": 9000},
                {"id": "two", "type": "llm", "state": "loaded", "loaded_context_length": 6000},
            ]
        },
    }
    with canned(answers) as url:
        info = connected(url)
    assert (info.model, info.context_window) == ("two", 6000)


def test_a_cloud_may_tell_its_window_in_the_list() -> None:
    models = {"data": [{"id": "m", "context_length": 32768, "max_output_tokens": 2000}]}
    with canned({"/v1/models": models}) as url:
        info = connected(url)
    assert (info.context_window, info.max_output, info.exact_tokens) == (32768, 2000, False)


def test_one_of_several_models_must_be_chosen() -> None:
    with canned({"/v1/models": listing("a", "b", owner="me")}) as url, pytest.raises(ConfigError, match="a, b"):
        connected(url)


def test_an_address_below_a_path_is_found() -> None:
    models = {"data": [{"id": "m", "context_length": 5000}]}
    with canned({"/openai/v1/models": models}) as url:
        assert connected(f"{url}/openai").context_window == 5000
    with canned({"/v1beta/openai/models": models}) as url:
        assert connected(f"{url}/v1beta/openai/").context_window == 5000
