"""Figures of comparisons: kept as they are, the newest of what was measured in the same way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from longdoc.documents.document import Document
from longdoc.errors import StorageError
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.evaluations import MethodScore, MethodScores

SCORE = MethodScore(
    model="m@1",
    method="hierarchical:previous",
    document_id="d",
    document_tokens=120_000,
    run_id="k3f9a2bcde",
    tokens=150_000,
    seconds=61.5,
    words=300,
    settings={"focus": "the \0 lamp", "segment_tokens": 512},
    judge="m@1",
    protocol="batch",
    prompt="judge/batch.v1",
    toy=True,
    coherence=0.875,
    support_rate=0.9,
    length_error=0.02,
    repetition=0.01,
    gaps=1,
)


@asynccontextmanager
async def _scores(location: str) -> AsyncGenerator[MethodScores, None]:
    moments = (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day) for day in range(100))
    database = await Database.open(location)
    try:
        await Documents(database).save(Document(id="d", text="text", format="txt"))
        yield MethodScores(database, now=lambda: next(moments))
    finally:
        await database.aclose()


def test_figures_are_loaded_as_they_were_saved_and_by_model(database: str) -> None:
    async def work() -> None:
        async with _scores(database) as scores:
            await scores.save(SCORE)
            plain = MethodScore("other", "full", "d", 10, "run", 12, 0.5)
            await scores.save(plain)
            assert await scores.of_model("m@1") == (SCORE,)
            assert await scores.of_model("other") == (plain,)
            assert await scores.of_model("unknown") == ()

    asyncio.run(work())


def test_what_is_measured_again_replaces_what_was_found_before(database: str) -> None:
    async def work() -> None:
        async with _scores(database) as scores:
            await scores.save(SCORE)
            await scores.save(replace(SCORE, method="scm"))
            await scores.save(replace(SCORE, coherence=0.5, tokens=7))
            again, other = await scores.of_model("m@1")
            assert (again.coherence, again.tokens, other.method) == (0.5, 7, "scm")
            assert again.created_at == datetime(2025, 1, 3, tzinfo=UTC)

    asyncio.run(work())


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "scm"},
        {"words": None},
        {"settings": {}},
        {"protocol": "sentence"},
        {"judge": None},
        {"prompt": "judge/batch.v2"},
    ],
)
def test_what_is_measured_in_another_way_stands_beside_it(database: str, changed: dict[str, object]) -> None:
    async def work() -> None:
        async with _scores(database) as scores:
            await scores.save(SCORE)
            await scores.save(replace(SCORE, **changed))  # pyright: ignore[reportArgumentType]
            assert len(await scores.of_model("m@1")) == 2

    asyncio.run(work())


def test_figures_of_a_document_that_is_not_stored_are_refused(database: str) -> None:
    async def work() -> None:
        async with _scores(database) as scores:
            with pytest.raises(StorageError):
                await scores.save(replace(SCORE, document_id="unknown"))

    asyncio.run(work())
