"""Answers and jobs as events, heard with both clients."""

import asyncio
from pathlib import Path

import pytest

from longdoc.client import AsyncClient, calls
from longdoc.client.calls import NewItem
from longdoc.client.replies import Answer, Job, Piece
from longdoc.engines.engine import CompletionRequest
from longdoc.engines.scripted import ScriptedEngine
from longdoc.errors import EngineUnavailableError, NotFoundError, ServiceError
from tests.app.personalizing import reader
from tests.service.running import running

ITEMS = [NewItem("title", str(n), f"text {n}", "Fix the door") for n in range(5)]


def _broken(request: CompletionRequest) -> str:
    raise EngineUnavailableError("at 10.0.0.1 nobody answers")


def test_an_answer_comes_in_pieces_and_then_whole(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as client:
        client.send(calls.put_items("ann", ITEMS))
        told = list(client.stream(calls.personalize_in_pieces("ann", "text 1", task="title")))
        whole = client.send(calls.personalize("ann", "text 1", task="title"))
    pieces = [one.text for one in told if isinstance(one, Piece)]
    (answer,) = [one for one in told if isinstance(one, Answer)]
    assert "".join(pieces) == answer.text == "Fix it"
    assert told[-1] == answer == whole
    assert answer.output == "Fix it"
    assert len(answer.context.items) == 4


def test_a_job_is_heard_until_it_has_ended(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", engine=ScriptedEngine(reader, delay=0.4)) as service:

        async def work() -> list[Job]:
            async with AsyncClient(service.address) as client:
                await client.send(calls.put_items("ann", ITEMS))
                job = await client.send(calls.refresh(tasks=["title"]))
                assert job.status == "queued"
                return [one async for one in client.stream(calls.hear_job(job.id))]

        heard = asyncio.run(work())
        with service.client() as client:
            (summary,) = client.send(calls.list_summaries("ann")).summaries
    assert heard[-1].status == "done"
    assert heard[-1].ended
    assert heard[-1].report is not None
    assert (heard[-1].report["made"], heard[-1].report["failed"]) == (1, 0)
    assert heard[-1].done == heard[-1].planned == 1
    assert summary.text == "Titles begin with Fix."


def test_an_engine_that_is_away_is_told_without_its_words(tmp_path: Path) -> None:
    with running(tmp_path / "a.db", engine=ScriptedEngine(_broken)) as service, service.client() as client:
        client.send(calls.put_items("ann", ITEMS))
        for attempt in (
            lambda: client.send(calls.personalize("ann", "a", task="title")),
            lambda: list(client.stream(calls.personalize_in_pieces("ann", "a", task="title"))),
        ):
            with pytest.raises(ServiceError, match="engine does not answer") as told:
                attempt()
            assert (told.value.status, told.value.kind) == (503, "engine-unavailable")
            assert "10.0.0.1" not in str(told.value)
        assert client.send(calls.context("ann", "text", task="title")).personal


def test_events_of_nobody_are_not_found(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service, service.client() as client:
        for call in (calls.hear_job("job_x"), calls.personalize_in_pieces("nobody", "a")):
            with pytest.raises(NotFoundError):
                list(client.stream(call))


def test_a_service_that_is_not_there_is_told(tmp_path: Path) -> None:
    with running(tmp_path / "a.db") as service:
        client = service.client()
    with client, pytest.raises(ServiceError, match="does not reply") as told:
        client.send(calls.list_users())
    assert told.value.status == 0


def test_who_stops_listening_ends_the_answer(tmp_path: Path) -> None:
    engine = ScriptedEngine(reader)
    with running(tmp_path / "a.db", engine=engine) as service, service.client() as client:
        client.send(calls.put_items("ann", ITEMS))
        events = client.stream(calls.personalize_in_pieces("ann", "text 1", task="title"))
        next(events)
        events.close()
        assert client.send(calls.get_user("ann")).enabled
