import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from longdoc.documents.document import Document
from longdoc.engines.engine import Completion, CompletionRequest, EngineInfo, FinishReason, Message, Usage
from longdoc.errors import NotFoundError, StorageError
from longdoc.storage.database import Database
from longdoc.storage.documents import Documents
from longdoc.storage.ledger import Ledger
from longdoc.storage.nodes import Node, Nodes
from longdoc.storage.runs import RunRequest, Runs, RunStatus, run_id_for

_REQUEST = RunRequest("summarize", "A book", ("d1", "d2"), {"words": 200, "focus": None}, "m@1")
_INFO = EngineInfo("scripted", "m", "m@1", 8192)


class _Hours:
    """A clock on which every look is an hour after the one before, in a time zone far from UTC."""

    def __init__(self) -> None:
        self._now = datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=9)))

    def __call__(self) -> datetime:
        self._now += timedelta(hours=1)
        return self._now


def _with_runs(location: str, work: Callable[[Database, Runs], Awaitable[None]]) -> None:
    async def main() -> None:
        async with aclosing(await Database.open(location)) as database:
            for name in ("d1", "d2"):
                await Documents(database).save(Document(id=name, text="text", format="txt"))
            await work(database, Runs(database, now=_Hours()))

    asyncio.run(main())


async def _record(database: Database, run_id: str, answer: str) -> int:
    request = CompletionRequest((Message("user", answer),), 10)
    completion = Completion(answer, FinishReason.STOP, Usage(1, 1), "m")
    recorded = await Ledger(database).record(answer, request, completion, _INFO, run_id=run_id)
    assert recorded.call_id is not None
    return recorded.call_id


def test_the_id_of_a_run_is_the_same_in_every_process_and_release() -> None:
    assert run_id_for("summarize", ["d1"], {"words": 200, "focus": "é"}, "m@1") == "ihz7cgidwv"
    assert run_id_for("summarize", ["d1"], {"focus": "é", "words": 200}, "m@1") == "ihz7cgidwv"


@pytest.mark.parametrize(
    "other",
    [
        replace(_REQUEST, kind="ask"),
        replace(_REQUEST, document_ids=("d2", "d1")),
        replace(_REQUEST, parameters={"words": 201, "focus": None}),
        replace(_REQUEST, model="m@2"),
    ],
)
def test_whatever_else_is_asked_for_is_another_run(other: RunRequest) -> None:
    ids = {run_id_for(r.kind, r.document_ids, r.parameters, r.model) for r in (_REQUEST, other)}
    assert len(ids) == 2


def test_a_started_run_is_stored_as_running(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        run = await runs.start(_REQUEST)
        assert run == await runs.get(run.id)
        assert (run.status, run.document_ids, run.parameters) == (
            RunStatus.RUNNING, ("d1", "d2"), {"words": 200, "focus": None},
        )  # fmt: skip
        assert run.created_at == run.started_at == datetime(2023, 12, 31, 16, tzinfo=UTC)
        assert (await runs.get(run.id)).created_at.utcoffset() == timedelta(0)

    _with_runs(database, work)


def test_finishing_stores_status_result_and_error(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        run = await runs.start(_REQUEST)
        await runs.finish(run.id, RunStatus.DONE, result_node=f"{run.id}.7")
        done = await runs.get(run.id)
        assert (done.status, done.result_node, done.error) == (RunStatus.DONE, f"{run.id}.7", None)
        assert done.finished_at is not None
        await runs.finish(run.id, RunStatus.STOPPED, error="no money")
        stopped = await runs.get(run.id)
        assert (stopped.status, stopped.result_node, stopped.error) == (RunStatus.STOPPED, f"{run.id}.7", "no money")

    _with_runs(database, work)


def test_starting_again_opens_the_same_run(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        first = await runs.start(_REQUEST)
        await runs.finish(first.id, RunStatus.DONE, result_node="n")
        again = await runs.start(replace(_REQUEST, title="A better title"))
        assert (again.id, again.created_at, again.title) == (first.id, first.created_at, "A better title")
        assert (again.status, again.result_node, again.finished_at) == (RunStatus.RUNNING, "n", None)
        assert again.started_at > first.started_at
        assert again == await runs.get(first.id)
        assert await runs.list() == (again,)

    _with_runs(database, work)


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.STOPPED, RunStatus.INTERRUPTED, RunStatus.FAILED])
def test_going_on_with_an_unfinished_fresh_run_keeps_it_fresh(database: str, status: RunStatus) -> None:
    async def work(_: Database, runs: Runs) -> None:
        fresh = await runs.start(_REQUEST, fresh=True)
        assert fresh.fresh_since == fresh.started_at
        await runs.finish(fresh.id, status)
        assert (await runs.start(_REQUEST)).fresh_since == fresh.fresh_since
        await runs.finish(fresh.id, status)
        assert (await runs.start(_REQUEST, fresh=True)).fresh_since == fresh.fresh_since

    _with_runs(database, work)


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.STOPPED])
def test_an_unfinished_run_that_took_from_the_record_starts_afresh_when_asked(database: str, status: RunStatus) -> None:
    async def work(_: Database, runs: Runs) -> None:
        run = await runs.start(_REQUEST)
        await runs.finish(run.id, status, result_node="n")
        fresh = await runs.start(_REQUEST, fresh=True)
        assert (fresh.fresh_since, fresh.result_node) == (fresh.started_at, None)

    _with_runs(database, work)


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.GAPS])
def test_a_finished_fresh_run_starts_afresh_when_asked_again(database: str, status: RunStatus) -> None:
    async def work(_: Database, runs: Runs) -> None:
        first = await runs.start(_REQUEST, fresh=True)
        await runs.finish(first.id, status, result_node="n")
        again = await runs.start(_REQUEST, fresh=True)
        assert (again.fresh_since, again.result_node) == (again.started_at, None)

    _with_runs(database, work)


@pytest.mark.parametrize("status", [RunStatus.DONE, RunStatus.GAPS])
def test_a_finished_fresh_run_is_repeated_from_the_record(database: str, status: RunStatus) -> None:
    async def work(_: Database, runs: Runs) -> None:
        fresh = await runs.start(_REQUEST, fresh=True)
        await runs.finish(fresh.id, status, result_node="n")
        again = await runs.start(_REQUEST)
        assert (again.fresh_since, again.result_node) == (None, "n")

    _with_runs(database, work)


def test_a_run_over_a_document_that_is_not_stored_is_refused(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        with pytest.raises(StorageError, match="refuses the change"):
            await runs.start(replace(_REQUEST, document_ids=("unknown",)))
        assert await runs.list() == ()

    _with_runs(database, work)


def test_runs_are_listed_last_started_first(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        one = await runs.start(_REQUEST)
        two = await runs.start(replace(_REQUEST, kind="ask", document_ids=("d2",)))
        one = await runs.start(_REQUEST)
        assert await runs.list() == (one, two)
        assert await runs.list(kind="ask") == (two,)
        assert await runs.list(limit=1) == (one,)

    _with_runs(database, work)


def test_runs_are_counted(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        assert await runs.count() == 0
        for kind in ("ask", "chat", "ask"):
            await runs.start(replace(_REQUEST, kind=kind))
        assert await runs.count() == 2

    _with_runs(database, work)


def test_a_run_is_found_by_the_beginning_of_its_id(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        ids = [(await runs.start(replace(_REQUEST, title="t", model=str(i)))).id for i in range(40)]
        assert (await runs.get(ids[0][:9])).id == ids[0]
        first = next(letter for letter in "abc234" if sum(name.startswith(letter) for name in ids) > 1)
        with pytest.raises(NotFoundError, match=f"several runs begin with '{first}'"):
            await runs.get(first)
        for absent in ("", "none-such", "%", "_" * 10):
            with pytest.raises(NotFoundError, match=r"no run|several runs"):
                await runs.get(absent)

    _with_runs(database, work)


def test_deleting_a_run_takes_its_nodes_and_leaves_the_ledger(database: str) -> None:
    async def work(opened: Database, runs: Runs) -> None:
        run = await runs.start(_REQUEST)
        call_id = await _record(opened, run.id, "answer")
        nodes = Nodes(opened)
        await nodes.save(Node(f"{run.id}.0", run.id, 0, 0, "", "text"), calls=[call_id])
        await nodes.save(Node(f"{run.id}.1", run.id, 1, 1, "", "text"), children=[f"{run.id}.0"])
        assert await runs.delete(run.id) == 0
        assert await runs.list() == ()
        assert await nodes.of_run(run.id) == ()
        assert (await Ledger(opened).call(call_id)).completion.text == "answer"

    _with_runs(database, work)


def test_deleting_calls_too_spares_those_that_other_runs_use(database: str) -> None:
    async def work(opened: Database, runs: Runs) -> None:
        run, other = await runs.start(_REQUEST), await runs.start(replace(_REQUEST, kind="ask"))
        own, shared, behind_node = [await _record(opened, run.id, name) for name in ("own", "shared", "behind")]
        ledger, nodes = Ledger(opened), Nodes(opened)
        await ledger.find("shared", run_id=other.id)
        await nodes.save(Node(f"{other.id}.0", other.id, 0, 0, "", "text"), calls=[behind_node])
        assert await runs.delete(run.id, with_calls=True) == 1
        with pytest.raises(NotFoundError):
            await ledger.call(own)
        assert (await ledger.call(shared)).completion.text == "shared"
        assert (await ledger.call(behind_node)).completion.text == "behind"

    _with_runs(database, work)


def test_deleting_an_unknown_run_is_an_error(database: str) -> None:
    async def work(_: Database, runs: Runs) -> None:
        with pytest.raises(NotFoundError, match="there is no run 'nothing'"):
            await runs.delete("nothing")

    _with_runs(database, work)
