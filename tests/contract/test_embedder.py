"""What every embedder does, whatever makes its vectors."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pytest

from longdoc.engines.embedder import Embedder
from longdoc.engines.embedder_hashed import HashedEmbedder
from longdoc.engines.embedder_openai import OpenAIEmbedder
from longdoc.engines.embedder_retry import RetryingEmbedder
from longdoc.engines.embedder_sentence_transformers import SentenceTransformersEmbedder
from tests.models import require_model
from tests.servers.openai_server import OpenAIServer

BEES = "Tom keeps bees on a hill and sells their honey."
HONEY = "On the hill Tom has bees, and the honey of his bees is sold."
TRAIN = "The night express left the station ten minutes late."

Test: TypeAlias = Callable[[Embedder], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Subject:
    """A kind of embedder under test, and a loop that runs a test against it."""

    run: Callable[[Test], None]


@asynccontextmanager
async def closing(embedder: Embedder) -> AsyncGenerator[Embedder, None]:
    try:
        yield embedder
    finally:
        await embedder.aclose()


@pytest.fixture(scope="module")
def sentence_transformers() -> Iterator[Subject]:
    """The real model, loaded once; one loop for all its tests."""
    with asyncio.Runner() as runner:
        embedder = runner.run(SentenceTransformersEmbedder.open(require_model("minilm-l6"), device="cpu"))
        yield Subject(lambda test: runner.run(test(embedder)))
        runner.run(embedder.aclose())


def hashed() -> Subject:
    async def run(test: Test) -> None:
        async with closing(HashedEmbedder()) as embedder:
            await test(embedder)

    return Subject(lambda test: asyncio.run(run(test)))


def served(wrap: Callable[[Embedder], Embedder]) -> Subject:
    async def run(test: Test, server: OpenAIServer) -> None:
        adapter = await OpenAIEmbedder.connect(server.base_url, texts_per_call=7)
        async with closing(wrap(adapter)) as embedder:
            await test(embedder)

    def serve(test: Test) -> None:
        with OpenAIServer(delay=0.005) as server:
            asyncio.run(run(test, server))

    return Subject(serve)


@pytest.fixture(params=["hashed", "openai", "retrying", "sentence-transformers"])
def subject(request: pytest.FixtureRequest) -> Subject:
    match request.param:
        case "hashed":
            return hashed()
        case "openai":
            return served(lambda adapter: adapter)
        case "retrying":
            return served(lambda adapter: RetryingEmbedder(adapter, texts_per_call=20))
        case _:
            return request.getfixturevalue("sentence_transformers")


def numbered(count: int) -> list[str]:
    """Texts of many lengths, in no order of length, each unlike the others."""
    return [f"{'the old mill ' * (number * 7 % 11)}has room number {number}" for number in range(count)]


def test_each_text_gets_a_row_of_length_one(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        vectors = await embedder.embed([BEES, HONEY, TRAIN])
        assert vectors.dtype == np.float32
        assert vectors.shape == (3, embedder.info.dimensions)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)

    subject.run(test)


def test_no_texts_give_no_rows(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        vectors = await embedder.embed([])
        assert vectors.shape == (0, embedder.info.dimensions)
        assert vectors.dtype == np.float32

    subject.run(test)


def test_a_blank_text_gets_a_vector_of_length_one_or_zeros(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        *blank, length = np.linalg.norm(await embedder.embed(["", " \n", BEES]), axis=1).tolist()
        assert length == pytest.approx(1.0, abs=1e-5)
        assert all(one == 0.0 or one == pytest.approx(1.0, abs=1e-5) for one in blank)

    subject.run(test)


def test_what_is_alike_is_nearer(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        bees, honey, train = await embedder.embed([BEES, HONEY, TRAIN])
        assert bees @ honey > bees @ train + 0.2

    subject.run(test)


def test_a_text_has_the_same_vector_alone_and_among_others(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        texts = numbered(40)
        together = await embedder.embed(texts)
        for place in (0, 17, 39):
            (alone,) = await embedder.embed([texts[place]])
            assert np.abs(alone - together[place]).max() < 1e-4

    subject.run(test)


def test_many_texts_come_back_in_their_order(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        texts = numbered(150)
        forwards, backwards = await embedder.embed(texts), await embedder.embed(texts[::-1])
        assert np.abs(forwards - backwards[::-1]).max() < 1e-4
        assert len(np.unique(forwards.round(4), axis=0)) == len(texts)

    subject.run(test)


def test_calls_at_once_do_not_mix(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        texts = numbered(24)
        together = await embedder.embed(texts)
        alone = await asyncio.gather(*(embedder.embed([text]) for text in texts))
        assert np.abs(np.concatenate(alone) - together).max() < 1e-4

    subject.run(test)


def test_a_cancelled_call_does_no_harm(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        (before,) = await embedder.embed([BEES])
        call = asyncio.create_task(embedder.embed(numbered(300)))
        await asyncio.sleep(0.02)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        async with asyncio.timeout(20):
            (after,) = await embedder.embed([BEES])
        assert np.abs(before - after).max() < 1e-4

    subject.run(test)


def test_what_it_is_is_told(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        info = embedder.info
        assert info.dimensions > 0
        assert info.engine
        assert info.model
        assert info.identity
        assert info.max_tokens is None or info.max_tokens > 0

    subject.run(test)


def test_closing_twice_does_no_harm(subject: Subject) -> None:
    async def test(embedder: Embedder) -> None:
        if embedder.info.engine == "sentence-transformers":  # shared by all tests here; its own tests close it
            return
        await embedder.aclose()
        await embedder.aclose()

    subject.run(test)
