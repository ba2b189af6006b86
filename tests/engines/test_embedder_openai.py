"""Embedding over HTTP: how texts are put into calls, and what failures mean."""

import asyncio
import json
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.embedder_openai import OpenAIEmbedder
from longdoc.engines.embedder_retry import RetryingEmbedder
from longdoc.errors import (
    EngineAuthError,
    EngineError,
    EngineTimeoutError,
    EngineUnavailableError,
    ModelNotFoundError,
    RateLimitedError,
)
from tests.servers.openai_server import MODEL, Fault, OpenAIServer, at_requests

TEXTS = [f"text number {number}" for number in range(10)]


def inputs(server: OpenAIServer) -> list[int]:
    """How many texts each call carried, the call that asks for the dimensions left out."""
    return [len(request.body["input"]) for request in server.log[1:]]


async def embedded(server: OpenAIServer, texts: Sequence[str], **options: int) -> np.ndarray:
    embedder = await OpenAIEmbedder.connect(server.base_url, **options)
    try:
        return await embedder.embed(texts)
    finally:
        await embedder.aclose()


def test_it_tells_what_the_server_tells() -> None:
    async def info() -> None:
        embedder = await OpenAIEmbedder.connect(server.root_url)
        assert (embedder.info.engine, embedder.info.model, embedder.info.identity) == ("openai", MODEL, MODEL)
        assert (embedder.info.dimensions, embedder.info.max_tokens) == (256, 512)
        await embedder.aclose()

    with OpenAIServer(context_window=512) as server:
        asyncio.run(info())


def test_calls_are_bounded_in_texts() -> None:
    with OpenAIServer() as server:
        asyncio.run(embedded(server, TEXTS, texts_per_call=4))
    assert sorted(inputs(server)) == [2, 4, 4]


def test_calls_are_bounded_in_characters_and_a_longer_text_stands_alone() -> None:
    with OpenAIServer() as server:
        asyncio.run(embedded(server, ["a" * 40, "b" * 60, "c" * 101, "d"], characters_per_call=100))
    assert sorted(inputs(server)) == [1, 1, 2]


def test_calls_at_once_are_bounded() -> None:
    with OpenAIServer(delay=0.05) as server:
        vectors = asyncio.run(embedded(server, TEXTS, texts_per_call=1, calls_at_once=3))
    assert server.most_busy == 3
    assert np.allclose(vectors, asyncio.run(HashedEmbedder().embed(TEXTS)), atol=1e-6)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.RATE_LIMIT, RateLimitedError),
        (Fault.ERROR_500, EngineUnavailableError),
        (Fault.GARBAGE, EngineUnavailableError),
        (Fault.WRONG_SHAPE, EngineUnavailableError),
        (Fault.HALF, EngineUnavailableError),
        (Fault.CLOSED, EngineUnavailableError),
    ],
)
def test_a_failure_is_told_as_every_engine_tells_it(fault: Fault, error: type[EngineError]) -> None:
    with OpenAIServer(faults=at_requests({1: fault})) as server, pytest.raises(error):
        asyncio.run(embedded(server, TEXTS))


def test_a_server_that_hangs_runs_out_of_time() -> None:
    async def wait() -> None:
        embedder = await OpenAIEmbedder.connect(server.base_url, timeout=0.2)
        try:
            await embedder.embed(TEXTS)
        finally:
            await embedder.aclose()

    with OpenAIServer(faults=at_requests({1: Fault.HANG})) as server, pytest.raises(EngineTimeoutError):
        asyncio.run(wait())


def test_a_wrong_key_and_a_wrong_model_are_told_when_connecting() -> None:
    with OpenAIServer(api_key="right") as server, pytest.raises(EngineAuthError):
        asyncio.run(OpenAIEmbedder.connect(server.base_url, api_key="wrong"))
    with OpenAIServer() as server, pytest.raises(ModelNotFoundError):
        asyncio.run(OpenAIEmbedder.connect(server.base_url, model="other"))


def test_a_failed_call_is_repeated_and_no_other() -> None:
    waits: list[float] = []
    heard: list[EngineError] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    async def embed() -> np.ndarray:
        adapter = await OpenAIEmbedder.connect(server.base_url)
        embedder = RetryingEmbedder(adapter, texts_per_call=4, sleep=sleep, jitter=lambda: 1.0, on_backoff=heard.append)
        assert embedder.info == adapter.info
        try:
            return await embedder.embed(TEXTS)
        finally:
            await embedder.aclose()

    with OpenAIServer(faults=at_requests({2: Fault.ERROR_500})) as server:
        vectors = asyncio.run(embed())
    assert sum(inputs(server)) in {10 + 4, 10 + 2}
    assert (waits, len(heard)) == ([1.0], 1)
    assert np.allclose(vectors, asyncio.run(HashedEmbedder().embed(TEXTS)), atol=1e-6)


def test_what_cannot_pass_is_not_repeated_and_ends_the_other_calls() -> None:
    async def embed() -> None:
        embedder = RetryingEmbedder(await OpenAIEmbedder.connect(server.base_url), texts_per_call=1)
        try:
            await embedder.embed(TEXTS)
        finally:
            await embedder.aclose()

    with (
        OpenAIServer(faults=lambda number: Fault.RATE_LIMIT_WITH_WAIT if number else Fault.NONE, retry_after="900") as (
            server
        ),
        pytest.raises(RateLimitedError),
    ):
        asyncio.run(embed())
    assert len(server.log) < len(TEXTS)


@contextmanager
def answering(*bodies: object) -> Generator[str, None, None]:
    """A server that lists one model and gives these answers in turn."""
    left = list(bodies)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has above
            """Say nothing."""

        def do_GET(self) -> None:
            self._send({"data": [{"id": "m", "max_model_len": 8}]})

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self._send(left.pop(0) if self.path.endswith("/embeddings") else {})

        def _send(self, body: object) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_address[1]}/v1"
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def rows(*vectors: tuple[int | None, list[float]]) -> dict[str, object]:
    return {"data": [{"embedding": vector} | ({} if index is None else {"index": index}) for index, vector in vectors]}


PROBED = rows((0, [1.0, 0.0]))


def embed_two(*answers: object) -> np.ndarray:
    async def embed(url: str) -> np.ndarray:
        embedder = await OpenAIEmbedder.connect(url)
        try:
            return await embedder.embed(["one", "two"])
        finally:
            await embedder.aclose()

    with answering(PROBED, *answers) as url:
        return asyncio.run(embed(url))


def test_rows_without_an_index_stand_in_order_and_are_scaled() -> None:
    assert embed_two(rows((None, [3.0, 4.0]), (None, [0.0, 2.0]))).tolist() == [
        pytest.approx([0.6, 0.8]),
        pytest.approx([0.0, 1.0]),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        rows((0, [1.0, 0.0])),
        rows((0, [1.0, 0.0]), (0, [1.0, 0.0])),
        rows((0, [1.0, 0.0]), (2, [1.0, 0.0])),
        rows((0, [1.0, 0.0]), (1, [1.0])),
        rows((0, [1.0]), (1, [1.0])),
        rows((0, [1.0, 0.0]), (1, [1.0, float("inf")])),
        rows((0, [1.0, 0.0]), (1, [1.0, float("nan")])),
    ],
    ids=["too few", "one twice", "a wrong index", "uneven", "other dimensions", "infinite", "no number"],
)
def test_answers_that_do_not_fit_are_refused(answer: object) -> None:
    with pytest.raises(EngineUnavailableError):
        embed_two(answer)
